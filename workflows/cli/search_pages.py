"""Lists of orders and events, and statistics, as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from workflows.cli.terminal import data_console, printable, say, table
from workflows.cli.wording import lag, length
from workflows.orders.words import actor, money, plain, spaced

if TYPE_CHECKING:
    from workflows.client.search_json import (
        AsOfJson,
        ListedEventsJson,
        ListedOrderJson,
        ListedOrdersJson,
        ListedReadsJson,
        StatsGroupJson,
        StatsJson,
    )

_STYLES = {"completed": "green", "cancelled": "yellow", "cancelling": "yellow", "abandoned": "red"}


def show_orders(page: ListedOrdersJson) -> None:
    """Print a line for each order."""
    rows = table(
        "order", "status", "customer", "restaurant", "total", "placed", "waits for", right=frozenset({"total"})
    )
    for order in page["orders"]:
        rows.add_row(
            order["id"],
            _status(order),
            order["customer"],
            order["restaurant"],
            money(order["total"]),
            clock(order["placed_at"]),
            _waits(order),
        )
    data_console().print(rows if page["orders"] else "no orders")
    say_more(page["next"], page["as_of"])


def show_events(page: ListedEventsJson) -> None:
    """Print a line for each event."""
    rows = table("recorded", "order", "#", "event", "by", right=frozenset({"#"}))
    for event in page["events"]:
        rows.add_row(
            clock(event["recorded_at"]),
            event["order_id"],
            str(event["version"]),
            spaced(event["type"]),
            actor(event["actor"]),
        )
    data_console().print(rows if page["events"] else "no events")
    say_more(page["next"], page["as_of"])


def show_accesses(page: ListedReadsJson) -> None:
    """Print a line for each order that was shown or found, and for each query and export with what it chose."""
    rows = table("read", "by", "order", "customer", "request", "fields", "reason")
    for read in page["reads"]:
        rows.add_row(
            clock(read["at"]),
            actor(read["actor"]),
            read["order_id"] or "",
            read["customer"] or "",
            " ".join(filter(None, (read["route"], printable(read["request"])))),
            ", ".join(read["fields"]),
            read["reason"],
        )
    data_console().print(rows if page["reads"] else "no reads")
    say_more(page["next"], page["as_of"])


def show_stats(counted: StatsJson) -> None:
    """Print a line for each group, with the stages of an order as p50 / p95."""
    rows = table("placed", "restaurant", "orders", "parked", "cancelled", "money", *_STAGES, right=_NUMBERS)
    for group in counted["groups"]:
        rows.add_row(
            group["bucket"] or "",
            group["restaurant"] or "all",
            str(group["orders"]),
            Text(str(group["parked"]), "bold red" if group["parked"] else ""),
            str(group["by_status"].get("cancelled", 0)),
            ", ".join(money(sums["total"]) for sums in group["money"]),
            *(_stage(group, stage) for stage in _STAGES),
        )
    data_console().print(rows if counted["groups"] else "no orders in this time")
    say(f"placed from {clock(counted['placed_from'])} until {clock(counted['placed_to'])}; stages as p50 / p95")
    if counted["more"]:
        say("there are more groups: choose a shorter time or one restaurant")
    say_more(None, counted["as_of"])


_STAGES = ("acceptance", "preparation", "assignment", "delivery", "total")
_NUMBERS = frozenset({"orders", "parked", "cancelled", "money", *_STAGES})


def _status(order: ListedOrderJson) -> Text:
    if order["parked"]:
        because = f": {order['incident']['cause']}" if order["incident"] is not None else ""
        return Text(f"parked{because}", "bold red")
    return Text(plain(order["status"]), _STYLES.get(order["status"], ""))


def _waits(order: ListedOrderJson) -> Text:
    words = Text()
    for wait in order["waiting"]:
        until = f" until {clock(wait['until'])}" if wait["until"] is not None else ""
        words.append(f"{', ' if words else ''}{plain(wait['what'])}{until}", "bold red" if wait["overdue"] else "")
    return words


def _stage(group: StatsGroupJson, stage: str) -> str:
    took = group["stages"].get(stage)
    return "" if took is None else f"{length(took['p50_ms'] / 1000)} / {length(took['p95_ms'] / 1000)}"


def clock(time: str) -> str:
    """Return a time in seconds."""
    return f"{time[:10]} {time[11:19]}Z"


def say_next(following: str | None) -> None:
    """Print the cursor of the next page on stderr, if there is one."""
    if following is not None:
        say(f"more: --cursor {printable(following)}")


def say_more(following: str | None, as_of: AsOfJson) -> None:
    """Print what else there is, and how old the list is, on stderr."""
    say_next(following)
    if as_of["lag_commits"]:
        say(f"the list is {lag(as_of)}")
    if not as_of["complete"]:
        say("rows are missing: the view is built for the first time; expediter views list shows how far it is")
