"""Time travel: an order as it was at a version or a time, and what each event until then changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from domain.identifiers import OrderId
from domain.order.evolving import evolve
from domain.order.order import Order, initial
from domain.order.refusals import Rejected
from workflows.clock import timestamp
from workflows.event_store.commits import History, PastHistory, RecordedEvent
from workflows.event_store.event_log import NoSuchVersion
from workflows.orders.command_handling import fold
from workflows.orders.json_values import JSON
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience


class NotPlacedYet(Rejected):
    """The order did not exist at that time. HTTP: 404."""

    def __init__(self, order_id: OrderId, at: datetime, placed_at: str) -> None:
        super().__init__(f"Order {order_id} did not exist at {timestamp(at)}. It was placed at {placed_at}.")
        self.order_id = order_id
        self.at = at


@dataclass(frozen=True, slots=True)
class Change:
    """A value in the view of the order that an event changed. ``path`` is e.g. ``delivery.offers[0].state``."""

    path: str
    before: JSON
    after: JSON


@dataclass(frozen=True, slots=True)
class Step:
    """An event and the values it changed. An event such as a note changes the version alone."""

    recorded: RecordedEvent
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """The order at a past moment, the events until then, and the order's version now."""

    order: Order
    steps: tuple[Step, ...]
    latest: int


def past(history: History, at: int | datetime) -> PastHistory:
    """Return the history up to a version, or up to and including a time.

    Raises:
        NoSuchVersion: The order has not reached that version.
    """
    if isinstance(at, datetime):
        until = timestamp(at)
        return PastHistory(stream=history.stream, recorded=tuple(r for r in history.recorded if r.ts <= until))
    if not 0 <= at <= history.version:
        raise NoSuchVersion(history.stream, at, history.version)
    return PastHistory(stream=history.stream, recorded=history.recorded[:at])


def order_at(history: History, order_id: OrderId, at: int | datetime) -> Order:
    """Return the order as it was at a version or a time. Raises NoSuchVersion, NotPlacedYet."""
    events_until = past(history, at)
    if isinstance(at, datetime) and not events_until.recorded:
        raise NotPlacedYet(order_id, at, history.recorded[0].ts)
    return fold(order_id, events_until.events)


def replay(history: History, order_id: OrderId, at: int | datetime, audience: Audience) -> Replay:
    """Return the order as it was, with what each event until then changed. Raises NoSuchVersion, NotPlacedYet."""
    order = order_at(history, order_id, at)
    steps = _steps(past(history, order.version), order_id, audience)
    return Replay(order, tuple(steps), history.version)


def changes(before: JSON, after: JSON, path: str = "") -> Iterator[Change]:
    """Yield the deepest paths at which two JSON values differ. What only one of them has is None in the other."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            yield from changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip_longest(before, after)):
            yield from changes(old, new, f"{path}[{index}]")
    elif before != after:
        yield Change(path, before, after)


def _steps(history: PastHistory, order_id: OrderId, audience: Audience) -> Iterator[Step]:
    order, before = initial(order_id), None
    for recorded, event in zip(history.recorded, history.events, strict=True):
        order = evolve(order, event)
        after = order_view(order, audience)
        differences = changes(before or {"id": order_id}, after)
        yield Step(recorded, tuple(change for change in differences if change.path != "version"))
        before = after
