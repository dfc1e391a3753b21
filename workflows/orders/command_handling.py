"""Command in, commit out: read the stream, fold, decide, append; decide again when somebody else was faster."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from domain.identifiers import Actor, OrderId
from domain.order.commands import Command
from domain.order.deciding import decide
from domain.order.events import Event
from domain.order.order import Order, evolve_all, initial
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog, TooManyConflicts, WrongExpectedVersion
from workflows.event_store.streams import order_stream

CONFLICTS_MAX = 16
"""Times a command is decided again. Writers of one order are few (a person, a step, a relay); more is a bug."""


class PreconditionFailed(Exception):
    """The order is not at a version that the caller expects. Retryable: after reading the order. HTTP: 412."""

    def __init__(self, version: int) -> None:
        super().__init__(f"The order is at version {version}, which If-Match does not list. Read the order again.")
        self.version = version


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a command, and what it belongs to."""

    actor: Actor
    correlation: str
    causation: str


@dataclass(frozen=True, slots=True)
class Handled:
    """The order after the command. ``replayed``: an earlier attempt under the same key recorded it."""

    history: History
    order: Order
    replayed: bool


def fold(order_id: OrderId, events: tuple[Event, ...]) -> Order:
    """The order that these events, from the first on, add up to."""
    return evolve_all(initial(order_id), events)


def load(log: EventLog, order_id: OrderId) -> tuple[History, Order]:
    """The order as it is now. Raises UnknownEvent when it was written by newer code."""
    history = log.load(order_stream(order_id))
    return history, fold(order_id, history.events)


def handle(
    log: EventLog,
    command: Command,
    *,
    order_id: OrderId,
    key: str,
    caller: Caller,
    if_match: Collection[int] | None = None,
    loaded: History | None = None,
) -> Handled:
    """Decide the command on the newest state and record what was decided, once.

    ``key`` names the command across attempts: kind, caller, and what the caller makes unique. ``loaded`` is the stream
    as the caller has just read it: the command is decided on that or not at all, and the stream is not read again.

    Raises:
        Rejected: A rule says no; nothing was recorded.
        KeyReused: The key was used with another body.
        PreconditionFailed: The order is at a version that ``if_match`` does not list, or at another than ``loaded``.
        TooManyConflicts: Decided ``CONFLICTS_MAX`` times, and somebody was faster each time.
    """
    body_hash = _body_hash(command)
    history = log.load(order_stream(order_id)) if loaded is None else loaded
    if loaded is not None and if_match is None:
        if_match = (loaded.version,)
    for _ in range(CONFLICTS_MAX):
        if history.find(key, body_hash):
            return Handled(history, fold(order_id, history.events), replayed=True)
        if if_match is not None and history.version not in if_match:
            raise PreconditionFailed(history.version)
        order = fold(order_id, history.events)
        events = decide(command, order)
        if not events:
            return Handled(history, order, replayed=False)
        try:
            after = log.append(history, _commit(key, events, caller, body_hash, order))
        except WrongExpectedVersion as conflict:
            history = conflict.history
            continue
        return Handled(after, evolve_all(order, after.events[history.version :]), replayed=False)
    raise TooManyConflicts(f"order {order_id} is written to by too many at once; try again")


def _commit(key: str, events: tuple[Event, ...], caller: Caller, body_hash: str, order: Order) -> NewCommit:
    customer = order.placed.customer if order.placed is not None else getattr(events[0], "customer", None)
    return NewCommit(
        key=key,
        events=events,
        actor=caller.actor,
        correlation=caller.correlation,
        causation=caller.causation,
        body_hash=body_hash,
        subject=customer,
    )


def _body_hash(command: Command) -> str:
    """What the command says, without when it was said: a retry comes later and is still the same command."""
    text = msgspec.json.encode(_body(command), order="sorted")
    return sha256(text).hexdigest()[:32]


def _body(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _body(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name not in _WHEN}
        return {"": type(value).__name__} | fields
    if isinstance(value, tuple):
        return [_body(item) for item in value]
    return value


_WHEN = frozenset({"at", "placed_at"})
