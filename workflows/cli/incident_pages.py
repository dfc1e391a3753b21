"""Incidents and plans on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from rich.console import Console
from rich.text import Text

from workflows.cli.order_pages import Hint, show_timeline
from workflows.cli.plan_wording import FACTS, Advise, advising, command_for, pass_on_command, plan_sentence
from workflows.cli.terminal import data_console, table
from workflows.orders.words import actor, money, plain

View: TypeAlias = Mapping[str, Any]

_NUMBERS = frozenset({"orders", "run", "at stake"})


def show_incidents(listed: View) -> None:
    """Print the groups, then the orders parked longest."""
    console = data_console()
    if not listed["groups"]:
        console.print("no incidents")
        return
    groups = table("cause", "orders", "oldest since", "at stake", right=_NUMBERS)
    for group in listed["groups"]:
        stake = ", ".join(money(amount) for amount in group["at_stake"])
        groups.add_row(Text(group["cause"], "bold red"), str(group["orders"]), clock(group["since"]), stake)
    console.print(groups)
    console.print()
    orders = table("order", "cause", "status", "run", "parked since", "at stake", "taken on by", right=_NUMBERS)
    for line in listed["incidents"]:
        orders.add_row(
            line["order_id"],
            line["cause"],
            plain(line["status"]),
            str(line["run"]),
            clock(line["since"]),
            money(line["at_stake"]),
            line["assignee"] or "",
        )
    console.print(orders)
    if listed["more"]:
        console.print(f"and {listed['more']} more; narrow the list with --group CAUSE")


def show_incident(incident: View, hint: Hint) -> None:
    """Print why the order is parked, what is still held, its last events, and what each action would do."""
    console = data_console()
    order = incident["order_id"]
    console.print(Text.assemble((order, "bold"), "  ", plain(incident["status"]), "  ", (incident["cause"], "red")))
    since = clock(incident["since"])
    console.print(Text(f"parked since {since}, run {incident['run']}, version {incident['version']}", "dim"))
    if incident["detail"]:
        console.print(incident["detail"])
    for item in incident["owed"]:
        console.print(Text(_held(item), "yellow"))
    _show_approvals(incident["approvals"], order, console, hint)
    console.print()
    show_timeline(
        incident["timeline"], console, placed_at=incident["placed_at"], earlier=hint(f"order history {order}")
    )
    console.print()
    _show_plans(incident["plans"], order, console, hint)


def show_why(why: View, hint: Hint) -> None:
    """Print the sentence, what happens next, what is still held, and what would help."""
    console = data_console()
    order = why["order_id"]
    console.print(
        Text.assemble((order, "bold"), "  ", plain(why["status"]), "  ", (f"version {why['version']}", "dim"))
    )
    console.print(Text(why["sentence"], "red" if why["parked"] else ""), soft_wrap=True)
    console.print(Text.assemble(("Next: ", "bold"), why["next"]), soft_wrap=True)
    for wait in why["waits"]:
        if wait["circuit"] and wait["circuit"] != "closed":
            error = f", last error: {wait['last_error']}" if wait["last_error"] else ""
            console.print(Text(f"circuit of {wait['dependency']}: {plain(wait['circuit'])}{error}", "yellow"))
        for report in wait["reports"]:
            known = hint(pass_on_command(order, FACTS[report]))
            console.print(Text.assemble(("if it is known: ", "bold"), known), soft_wrap=True)
    for fact in (report["fact"].replace("_", "-") for report in why["reports"] if not report["awaited"]):
        other = hint(pass_on_command(order, fact))
        console.print(Text.assemble(("if they say otherwise: ", "bold"), other), soft_wrap=True)
    for item in why["owed"]:
        console.print(Text(_held(item), "yellow"))
    _show_approvals(why["approvals"], order, console, hint)
    _show_plans(why["plans"], order, console, hint)


def _show_plans(plans: Mapping[str, Any], order: str, console: Console, hint: Hint) -> None:
    for action, plan in plans.items():
        sentence = plan_sentence(action, plan, advising(order, hint))
        console.print(Text.assemble((f"{plain(action)}: ", "bold"), sentence), soft_wrap=True)


def _show_approvals(approvals: Iterable[View], order: str, console: Console, hint: Hint) -> None:
    for request in approvals:
        words = f"{plain(request['action'])} of {money(request['amount'])} requested by {actor(request['by'])}"
        approve = hint(command_for(f"approve {request['approval']}", order))
        console.print(
            Text(f'Second person needed: {words}: "{request["reason"]}". Approve: {approve}', "yellow"), soft_wrap=True
        )


def show_approvals(listed: View, hint: Hint) -> None:
    """Print the requests for a second person."""
    console = data_console()
    if not listed["approvals"]:
        console.print("no requests")
        return
    rows = table(
        "order", "request", "action", "amount", "by", "since", "decided by", right=frozenset({"request", "amount"})
    )
    for request in listed["approvals"]:
        rows.add_row(
            request["order_id"],
            str(request["approval"]),
            plain(request["action"]),
            money(request["amount"]),
            actor(request["by"]),
            clock(request["requested_at"]),
            f"{request['given_by'] or ''}{' (rejected)' if request['rejected'] else ''}",
        )
    console.print(rows)
    oldest = listed["approvals"][0]
    if oldest["open"]:
        console.print(f"The reason: {hint('order why ' + oldest['order_id'])}", soft_wrap=True)
    if listed["next"]:
        console.print("and more; see GET /approvals for the next page")


def show_plan(action: str, plan: View, advise: Advise) -> None:
    """Print what an action would do."""
    data_console().print(Text(f"Dry run: {plan_sentence(action, plan, advise)}"), soft_wrap=True)


def clock(text: str) -> str:
    """Return an RFC 3339 time to the second: ``2026-05-04 12:00:36Z``."""
    return f"{text[:10]} {text[11:19]}Z"


def _held(item: View) -> str:
    amount = f"{money(item['amount'])} ({item['holding']}, event {item['intent']})" if item["amount"] else ""
    what = amount or f"{item['holding']} (event {item['intent']})"
    unsure = ", outcome unknown" if item["in_doubt"] else ", the provider refused to undo it" if item["refused"] else ""
    return f"Still held: {what}{unsure}"
