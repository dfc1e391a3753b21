"""Time travel: an order as it was at a version or a time, and, event by event, what changed on the way there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from domain.identifiers import OrderId
from domain.order.order import Order, evolve, initial
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
        super().__init__(f"order {order_id} did not exist at {timestamp(at)}; it was placed at {placed_at}")
        self.order_id = order_id
        self.at = at


@dataclass(frozen=True, slots=True)
class Change:
    """What an event changed: ``path`` in the view of the order, e.g. ``delivery.offers[0].state``."""

    path: str
    before: JSON
    after: JSON


@dataclass(frozen=True, slots=True)
class Step:
    """An event, and what it changed. Events that are only remembered change nothing but the version."""

    recorded: RecordedEvent
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """The order then, the events that led there, and the version it has now."""

    order: Order
    steps: tuple[Step, ...]
    latest: int


def past(history: History, at: int | datetime) -> PastHistory:
    """The history up to a version, or up to a time (inclusive).

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
    """The order at a version or a time. Raises NoSuchVersion, NotPlacedYet."""
    then = past(history, at)
    if isinstance(at, datetime) and not then.recorded:
        raise NotPlacedYet(order_id, at, history.recorded[0].ts)
    return fold(order_id, then.events)


def replay(history: History, order_id: OrderId, at: int | datetime, audience: Audience) -> Replay:
    """What the order was then, and what each event changed until then. Raises NoSuchVersion, NotPlacedYet."""
    then = order_at(history, order_id, at)
    recorded = history.recorded[: then.version]
    return Replay(then, tuple(_steps(recorded, past(history, then.version), order_id, audience)), history.version)


def changes(before: JSON, after: JSON, path: str = "") -> Iterator[Change]:
    """Where two JSON values differ: the deepest paths, ``None`` standing for what is not there."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            yield from changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip_longest(before, after)):
            yield from changes(old, new, f"{path}[{index}]")
    elif before != after:
        yield Change(path, before, after)


def _steps(
    recorded: tuple[RecordedEvent, ...], then: PastHistory, order_id: OrderId, audience: Audience
) -> Iterator[Step]:
    order, before = initial(order_id), None
    for entry, event in zip(recorded, then.events, strict=True):
        order = evolve(order, event)
        after = order_view(order, audience)
        found = changes(before or {"id": order_id}, after)
        yield Step(entry, tuple(change for change in found if change.path != "version"))
        before = after
