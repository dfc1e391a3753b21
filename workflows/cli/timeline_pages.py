"""Timelines and runs on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.text import Text

from workflows.cli.terminal import data_console, table
from workflows.cli.wording import since
from workflows.orders.words import actor, money

if TYPE_CHECKING:
    from rich.console import Console

    from workflows.client.run_json import ExecutionJson, RunsJson
    from workflows.client.timeline_json import PatchOperationJson, TimelineEventJson, TimelineJson

Hint: TypeAlias = Callable[[str], str]


def show_changes(timeline: TimelineJson) -> None:
    """Print each event with what it changed, and below them the state of the hash chain."""
    console = data_console()
    events = timeline["events"]
    for event in events:
        _show_event(console, event, events[0]["recorded_at"])
    verified, head = timeline["verified"], timeline["head"]
    if verified["ok"]:
        console.print(
            Text(f"hash chain of {verified['events']} events holds, head {head['hash'][:16]}", "green"), soft_wrap=True
        )
    for finding in verified["findings"]:
        console.print(Text(f"TAMPERED: version {finding['version']} {finding['what']}", "bold red"), soft_wrap=True)


def _show_event(console: Console, event: TimelineEventJson, start: str) -> None:
    at = event["recorded_at"]
    moment = f"#{event['version']} {at[:10]} {at[11:19]}Z {since(start, at)}  "
    undoes = f"  (takes back event {event['undoes']})" if event["undoes"] else ""
    saga, by = (f"{event['saga'] or 'unknown':<12}", "dim"), (f"  {actor(event['actor'])}", "dim")
    console.print(Text.assemble(moment, saga, event["words"], (undoes, "yellow"), by), soft_wrap=True)
    if event["version"] > 1:  # the first one changes everything
        for operation in event["patch"] or ():
            if operation["path"] != "/version" and not operation["path"].startswith("/pending"):
                console.print(Text.assemble("      ", (operation["path"], "dim"), f"  {_value(operation)}"))


def _value(operation: PatchOperationJson) -> str:
    if operation["op"] == "remove":
        return "removed"
    value: Any = operation["value"]
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"-> {money(value)}"
    return f"-> {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def show_runs(shown: RunsJson, hint: Hint) -> None:
    """Print each run with its executions, and the differences last."""
    console = data_console()
    for run in shown["runs"]:
        console.print(Text.assemble((f"run {run['run']}", "bold"), f"  {run['started_at'][:19]}Z  {run['why']}"))
        for execution in run["executions"] or ():
            _show_execution(console, execution)
        if run["executions"] == []:
            console.print("  the engine has no execution of it")
    for difference in shown["differences"]:
        console.print(Text(f"DIFFERS: {difference['words']}", "bold red"), soft_wrap=True)
    if not shown["differences"]:
        console.print("log and engine agree")
    events = hint(f"order runs {shown['order_id']} --execution ID")
    console.print(Text(f"events of an execution: {events}", "dim"), soft_wrap=True)


def _show_execution(console: Console, execution: ExecutionJson) -> None:
    failed = execution["status"] in {"FAILED", "TIMED_OUT", "ABORTED"}
    name = execution["id"] or "(express, has no history)"
    status = (execution["status"], "red" if failed else "")
    console.print(Text.assemble(f"  {execution['machine']:<12}", status, (f"  {name}", "dim")), soft_wrap=True)
    if not execution["states"]:
        return
    rows = table("state", "entered", "left", "attempts", "last error", right=frozenset({"attempts"}))
    for state in execution["states"]:
        left = state["exited_at"][11:19] if state["exited_at"] else "now"
        error = f"{state['error']}: {state['message']}" if state["error"] else ""
        rows.add_row(state["state"], state["entered_at"][11:19], left, str(state["attempts"] or ""), error)
    console.print(rows)
