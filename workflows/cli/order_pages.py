"""Orders on a terminal: the order, its timeline, and what each event changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workflows.cli.terminal import data_console
from workflows.cli.wording import actor, in_words, money, plain, since

View: TypeAlias = Mapping[str, Any]

_TROUBLE = ("Declined", "Rejected", "TimedOut", "Refused", "Unavailable", "Overdue", "Failed", "Parked", "WrittenOff")
_GIVING_BACK = ("Cancel", "Void", "Refund", "Release")


def show_order(view: View) -> None:
    """The order: what, for whom, how much, and where it stands."""
    console = data_console()
    _headline(console, view)
    _lines(console, view)
    _sides(console, view)


def show_timeline(events: Sequence[View], console: Console | None = None) -> None:
    """Version, time since it was placed, what happened in words, who did it; the event's type where there is room."""
    console = console or data_console()
    wide = console.width >= _WIDE
    table = _table("#", "since placed", "what happened", *(["event"] if wide else []), "by")
    placed = events[0]["recorded_at"] if events else ""
    for event in events:
        kind = [_dim(event["type"])] if wide else []
        table.add_row(*_moment(event, placed), *kind, _dim(actor(event["actor"])))
    console.print(table)


_WIDE = 130  # columns: the longest sentence, type and actor side by side


def show_replay(found: View) -> None:
    """The events up to then with what each changed, and the order as it was."""
    console = data_console()
    steps = found["steps"]
    placed = steps[0]["recorded_at"] if steps else ""
    for step in steps:
        version, after, words = _moment(step, placed)
        console.print(Text.assemble(f"#{version} {after}  ", words, ("  " + actor(step["actor"]), "dim")))
        for change in _telling(step):
            console.print(
                Text.assemble(
                    ("      " + change["path"] + "  ", "dim"),
                    (_value(change["before"]), "red"),
                    " -> ",
                    (_value(change["after"]), "green"),
                )
            )
    console.print()
    console.print(f"as it was at version {found['order']['version']} of {found['latest']}:")
    show_order(found["order"])


def _telling(step: View) -> list[View]:
    """Without what follows from the rest (``pending``), and without the first event's, which brings everything."""
    return [change for change in step["changes"] if step["version"] > 1 and not change["path"].startswith("pending")]


def _headline(console: Console, view: View) -> None:
    parked = ("  parked, a person has to look", "bold red") if view["parked"] else ("", "")
    console.print(Text.assemble((view["id"], "bold"), "  ", (plain(view["status"]), _status_style(view)), parked))
    about = f"customer {view['customer']}, restaurant {view['restaurant']}, placed {view['placed_at'][:19]}Z"
    console.print(Text(f"{about}, version {view['version']}, run {view['run']}", "dim"))


def _lines(console: Console, view: View) -> None:
    table = _table("#", "item", "quantity", "each", "total")
    for line in view["lines"]:
        options = "".join(f" + {option['name']} {money(option['price'])}" for option in line["options"])
        short = line["quantity"] != line["ordered"]
        quantity = Text(
            f"{line['quantity']} of {line['ordered']}" if short else str(line["quantity"]), "red" if short else ""
        )
        table.add_row(
            str(line["line"]), line["name"] + options, quantity, money(line["unit_price"]), money(line["total"])
        )
    for name, amount in view["totals"].items():
        if name != "items" and (name == "total" or not _is_zero(amount)):
            table.add_row("", plain(name), "", "", Text(money(amount), "bold" if name == "total" else ""))
    console.print(table)


def _sides(console: Console, view: View) -> None:
    table = _table("payment", "preparation", "delivery")
    payment, ticket, offer = view["payment"], view["preparation"], view["delivery"]["offer"]
    held = payment["authorization"]
    authorization = f"{money(held['amount'])} {plain(held['state'])}" if held else "nothing asked yet"
    paid = f"{payment['method']}: {authorization}, {money(payment['captured'])} captured"
    refunded = f", {money(payment['refunded'])} refunded" if not _is_zero(payment["refunded"]) else ""
    courier = f", courier {offer['courier']}" if offer and offer["courier"] else ""
    table.add_row(
        paid + refunded,
        plain(ticket["state"]) if ticket else "not asked yet",
        f"{plain(offer['state'])}, attempt {offer['attempt']}{courier}" if offer else "not asked yet",
    )
    console.print(table)
    if view["cancellation"]:
        console.print(Text(in_words("CancellationRequested", view["cancellation"]), "red"))
    if view["pending"]:
        waiting = ", ".join(f"{each['intent']} (#{each['version']})" for each in view["pending"])
        console.print(f"pending: {waiting}")


def _is_zero(amount: View) -> bool:
    return set(amount["amount"]) <= set("0.")


def _moment(event: View, placed: str) -> tuple[str, str, Text]:
    words = in_words(event["type"], event["data"])
    return str(event["version"]), since(placed, event["recorded_at"]), Text(words, _style(event["type"]))


def _style(kind: str) -> str:
    if any(part in kind for part in _TROUBLE):
        return "red"
    if any(part in kind for part in _GIVING_BACK):
        return "yellow"
    return "" if kind.endswith("Requested") else "green"


def _status_style(view: View) -> str:
    return {"completed": "green", "cancelled": "yellow", "cancelling": "yellow"}.get(view["status"], "cyan")


def _value(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return money(value)
    if isinstance(value, dict):
        return ", ".join(f"{plain(name)} {_value(each)}" for name, each in value.items())
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in _NUMBERS else "left", overflow="fold")
    return table


_NUMBERS: Iterable[str] = {"#", "since placed", "quantity", "each", "total"}


def _dim(text: str) -> Text:
    return Text(text, "dim")
