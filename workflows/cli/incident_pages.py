"""Incidents, plans, bulk retries and circuits on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from rich.table import Table
from rich.text import Text

from workflows.cli.order_pages import show_timeline
from workflows.cli.terminal import data_console, say, status_console
from workflows.cli.wording import actor, money, plain

View: TypeAlias = Mapping[str, Any]


def show_incidents(found: View) -> None:
    """The groups, then the orders that stand longest."""
    console = data_console()
    if not found["groups"]:
        console.print("no incidents")
        return
    groups = _table("cause", "orders", "oldest since", "at stake")
    for group in found["groups"]:
        stake = ", ".join(money(amount) for amount in group["at_stake"])
        groups.add_row(Text(group["cause"], "bold red"), str(group["orders"]), _time(group["since"]), stake)
    console.print(groups)
    console.print()
    orders = _table("order", "cause", "status", "run", "parked since", "at stake")
    for line in found["incidents"]:
        orders.add_row(
            line["order_id"],
            line["cause"],
            plain(line["status"]),
            str(line["run"]),
            _time(line["since"]),
            money(line["at_stake"]),
        )
    console.print(orders)
    if found["more"]:
        console.print(f"and {found['more']} more; narrow it with --group CAUSE")


def show_incident(found: View) -> None:
    """Why it stands, what it owes, how it came to it, what each verb would do."""
    console = data_console()
    console.print(
        Text.assemble((found["order_id"], "bold"), "  ", plain(found["status"]), "  ", (found["cause"], "red"))
    )
    console.print(Text(f"parked since {_time(found['since'])}, run {found['run']}, version {found['version']}", "dim"))
    if found["detail"]:
        console.print(found["detail"])
    for item in found["owed"]:
        amount = f" {money(item['amount'])}" if item["amount"] else ""
        doubt = " in doubt" if item["in_doubt"] else " refused" if item["refused"] else ""
        console.print(Text(f"owes: {item['holding']}{amount} of #{item['intent']}{doubt}", "yellow"))
    for wish in found["approvals"]:
        who = actor(wish["by"])
        text = f"waits for a second person: {who} wants to {plain(wish['wish'])}, {money(wish['amount'])}"
        console.print(Text(f"{text} (approval {wish['approval']}): {wish['reason']}", "yellow"))
    console.print()
    show_timeline(found["timeline"], console)
    console.print()
    for verb, plan in found["plans"].items():
        console.print(Text.assemble((f"{plain(verb)}: ", "bold"), _in_words(plan)))


def show_plan(plan: View) -> None:
    """What a verb would do."""
    data_console().print(_in_words(plan))


def show_bulk_retry(found: View) -> None:
    """What came of each order."""
    console = data_console()
    table = _table("order", "result", "run", "detail")
    for order in found["orders"]:
        style = {"ended": "green", "parked_again": "red", "refused": "red"}.get(order["outcome"], "")
        table.add_row(order["order_id"], Text(plain(order["outcome"]), style), str(order["run"] or ""), order["detail"])
    console.print(table)
    counts = ", ".join(f"{number} {plain(name)}" for name, number in found["counts"].items() if number)
    say(f"{found['state']}: {counts or 'no orders'}")


@contextmanager
def bulk_progress() -> Iterator[Callable[[View], None]]:
    """Draws a bar on a terminal; elsewhere says a line when something changed."""
    console = status_console()
    if not console.is_terminal:
        yield _lines()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def shown(found: View) -> None:
            done, total, words = _progress(found)
            progress.update(task, completed=done, total=total, description=words)

        yield shown


def show_circuits(circuits: Sequence[View]) -> None:
    """One line each."""
    table = _table("circuit", "state", "since", "failures of calls", "probes", "last probe's error")
    for circuit in circuits:
        since = _time(circuit["since"]) if circuit["since"] else ""
        counted = f"{circuit['failures']} of {circuit['calls']}"
        state = Text(plain(circuit["state"]), "green" if circuit["state"] == "closed" else "bold red")
        probes = str(circuit["probes"] or "")
        table.add_row(circuit["dependency"], state, since, counted, probes, circuit["probe_error"])
    data_console().print(table)


def show_circuit(found: View) -> None:
    """The circuit, and what happened to it."""
    show_circuits([found["circuit"]])
    table = _table("when", "what", "by", "why")
    for each in found["transitions"]:
        data = each["data"]
        why = data.get("reason") or data.get("last_error") or (f"probe {data['probes']}" if "probes" in data else "")
        table.add_row(_time(each["at"]), _TRANSITIONS.get(each["type"], each["type"]), actor(each["actor"]), why)
    console = data_console()
    console.print()
    console.print(table if found["transitions"] else "nothing happened to it in the last week")


_TRANSITIONS = {
    "CircuitOpened": "opened: too many failures",
    "CircuitClosed": "closed: a probe went through",
    "CircuitHeldOpen": "held open by hand",
    "CircuitForcedClosed": "closed by hand",
}


def _in_words(plan: View) -> str:
    if plan["refused"]:
        return f"refused, {plan['refused']['detail']}"
    if plan["second_person_for"]:
        return f"a second person has to agree first, it is about {money(plan['second_person_for'])}"
    moves = [f"{move['what']} {money(move['amount'])}" for move in plan["money"]]
    runs = [f"{found['intent']} (#{found['version']})" for found in plan["runs"]]
    then = f"then {plain(plan['status'])}"
    return "; ".join(
        [f"performs {', '.join(runs)}" if runs else "calls nobody", ", ".join(moves) or "no money moves", then]
    )


def _lines() -> Callable[[View], None]:
    before = ""

    def shown(found: View) -> None:
        nonlocal before
        done, total, words = _progress(found)
        if (line := f"{done}/{total} {words}") != before:
            say(line)
        before = line

    return shown


def _progress(found: View) -> tuple[int, int, str]:
    counts = found["counts"]
    total = sum(counts.values())
    done = total - counts["waiting"] - counts["started"]
    return done, total, ", ".join(f"{number} {plain(name)}" for name, number in counts.items() if number)


def _time(text: str) -> str:
    return f"{text[:10]} {text[11:19]}Z"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in {"orders", "run"} else "left", overflow="fold")
    return table
