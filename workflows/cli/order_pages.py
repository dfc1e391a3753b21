"""Orders on a terminal: the order, its timeline, and what each event changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.text import Text

from workflows.cli.terminal import data_console, table
from workflows.cli.wording import cancellation_sentence, payment_sentence, since, waiting_sentences
from workflows.orders.event_words import event_sentence
from workflows.orders.words import actor, is_zero, money, plain, spaced

if TYPE_CHECKING:
    from rich.console import Console

View: TypeAlias = Mapping[str, Any]
Hint: TypeAlias = Callable[[str], str]
"""Completes a command so that it reaches the same engine, e.g. with ``--data DIR``."""

_TROUBLE = ("Declined", "Rejected", "TimedOut", "Refused", "Unavailable", "Overdue", "Failed", "Parked", "WrittenOff")
_REVERSING = ("Cancel", "Void", "Refund", "Release")

_WIDE = 140
"""Columns: the longest sentence, the event's type and the actor side by side."""


def show_order(view: View, hint: Hint, parked: View | None = None) -> None:
    """Print an order.

    Args:
        parked: The ``OrderParked`` event of an order that is parked.
    """
    console = data_console()
    _headline(console, view, hint, parked)
    _lines(console, view)
    _sides(console, view)


def show_timeline(
    events: Sequence[View],
    console: Console | None = None,
    *,
    placed_at: str | None = None,
    earlier: str = "",
) -> None:
    """Print events: version, clock time, time since placing, what happened and who did it.

    Args:
        placed_at: When the order was placed, for a list that begins later.
        earlier: The command that shows the events before the first one.
    """
    console = console or data_console()
    wide = console.width >= _WIDE
    rows = table("#", "UTC", "since placed", "what happened", *(["event"] if wide else []), "by", right=_NUMBERS)
    if events and events[0]["version"] > 1:
        console.print(_dim(f"{events[0]['version'] - 1} earlier events: {earlier}"), soft_wrap=True)
    placed = placed_at or (events[0]["recorded_at"] if events else "")
    day = ""
    seen: dict[int, View] = {}
    for event in events:
        at = event["recorded_at"]
        clock = f"{'' if at[:10] == day else at[:10] + ' '}{at[11:19]}"
        sentence = Text(event_sentence(event, seen), _style(event["type"]))
        kind = [_dim(event["type"])] if wide else []
        rows.add_row(str(event["version"]), clock, since(placed, at), sentence, *kind, _dim(actor(event["actor"])))
        day = at[:10]
        seen[event["version"]] = event
    console.print(rows)


def show_replay(replayed: View, hint: Hint) -> None:
    """Print the events until then with what each changed, and the order as it was."""
    console = data_console()
    steps = replayed["steps"]
    placed = steps[0]["recorded_at"] if steps else ""
    seen: dict[int, View] = {}
    for step in steps:
        at = step["recorded_at"]
        sentence = Text(event_sentence(step, seen), _style(step["type"]))
        moment = f"#{step['version']} {at[:10]} {at[11:19]}Z {since(placed, at)}  "
        console.print(Text.assemble(moment, sentence, ("  " + actor(step["actor"]), "dim")))
        for change in _shown_changes(step):
            console.print(
                Text.assemble(
                    ("      " + change["path"] + "  ", "dim"),
                    (_value(change["before"]), "red"),
                    " -> ",
                    (_value(change["after"]), "green"),
                )
            )
        seen[step["version"]] = step
    console.print()
    console.print(f"as it was at version {replayed['order']['version']} of {replayed['latest']}:")
    show_order(replayed["order"], hint, parked_event(steps))


def parked_event(events: Sequence[View]) -> View | None:
    """Return the newest event that parked the order."""
    return next((event for event in reversed(events) if event["type"] == "OrderParked"), None)


def _shown_changes(step: View) -> list[View]:
    """Leave out ``pending``, which follows from the rest, and the first event's changes, which are the whole order."""
    return [change for change in step["changes"] if step["version"] > 1 and not change["path"].startswith("pending")]


def _headline(console: Console, view: View, hint: Hint, parked: View | None) -> None:
    stopped: Text | str = ""
    if view["parked"]:
        when = f" since {parked['recorded_at'][11:16]} UTC: {spaced(parked['data']['error'])}" if parked else ""
        see = hint(f"incidents show {view['id']}")
        stopped = Text(f", PARKED{when}. See: {see}", "bold red")
    status = (plain(view["status"]), _STATUS_STYLES.get(view["status"], "cyan"))
    console.print(Text.assemble((view["id"], "bold"), "  ", status, stopped), soft_wrap=True)
    about = f"customer {view['customer']}, restaurant {view['restaurant']}, placed {view['placed_at'][:19]}Z"
    console.print(Text(f"{about}, version {view['version']}, run {view['run']}", "dim"))


def _lines(console: Console, view: View) -> None:
    rows = table("#", "item", "quantity", "each", "total", right=_NUMBERS)
    for line in view["lines"]:
        options = "".join(f" + {option['name']} {money(option['price'])}" for option in line["options"])
        short = line["quantity"] != line["ordered"]
        quantity = Text(
            f"{line['quantity']} of {line['ordered']}" if short else str(line["quantity"]), "red" if short else ""
        )
        rows.add_row(
            str(line["line"]), line["name"] + options, quantity, money(line["unit_price"]), money(line["total"])
        )
    for name, amount in view["totals"].items():
        if name != "items" and (name == "total" or not is_zero(amount)):
            rows.add_row("", plain(name), "", "", Text(money(amount), "bold" if name == "total" else ""))
    console.print(rows)


def _sides(console: Console, view: View) -> None:
    rows = table("payment", "preparation", "delivery")
    ticket, offer = view["preparation"], view["delivery"]["offer"]
    courier = f", courier {offer['courier']}" if offer and offer["courier"] else ""
    rows.add_row(
        payment_sentence(view["payment"]),
        plain(ticket["state"]) if ticket else "not requested yet",
        f"{plain(offer['state'])}, attempt {offer['attempt']}{courier}" if offer else "not requested yet",
    )
    console.print(rows)
    if view["cancellation"]:
        ended = view["status"] == "cancelled"
        console.print(Text(cancellation_sentence(view["cancellation"], ended=ended), "red"))
    for sentence in waiting_sentences(view):
        console.print(sentence)


def _style(kind: str) -> str:
    if any(part in kind for part in _TROUBLE):
        return "red"
    if any(part in kind for part in _REVERSING):
        return "yellow"
    return "" if kind.endswith("Requested") else "green"


_STATUS_STYLES = {"completed": "green", "cancelled": "yellow", "cancelling": "yellow"}


def _value(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return money(value)
    if isinstance(value, dict):
        return ", ".join(f"{plain(name)} {_value(each)}" for name, each in value.items())
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_NUMBERS = frozenset({"#", "UTC", "since placed", "quantity", "each", "total"})


def _dim(text: str) -> Text:
    return Text(text, "dim")
