"""Commands of the order aggregate: each is decided on the newest state of the order and recorded once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

import msgspec

from domain.identifiers import SYSTEM, Actor, OrderId
from domain.order.commands import Command
from domain.order.deciding import decide
from domain.order.events import Event
from domain.order.evolving import evolve_all
from domain.order.order import Order, initial
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_id_in, order_stream
from workflows.event_store.transact import Proposal, folded, transact


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a command, the request it belongs to (``correlation``) and what led to it (``causation``)."""

    actor: Actor
    correlation: str
    causation: str


def for_order(causation: str) -> Caller:
    """Return the system as the sender of a step of a saga.

    Its commits carry the correlation of the order's first commit: the trace of the request that placed the order goes
    through all that the sagas do for it. It is read from the log, so neither a machine nor a timer has to pass it on.
    """
    return Caller(SYSTEM, correlation=_OF_THE_FIRST, causation=causation)


_OF_THE_FIRST: Final = ""


@dataclass(frozen=True, slots=True)
class Handled:
    """The order after the command. ``replayed``: an earlier attempt under the same key recorded it."""

    history: History
    order: Order
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCommand:
    """A command to decide on one version of an order.

    Attributes:
        command: Makes the command. It is called only if no earlier attempt under ``key`` recorded it.
        request: The command as the caller sent it. Another one under the same key is refused.
        key: Identifies the command across attempts: its kind, the caller, and the caller's own key.
        further: Parameters that ``request`` does not carry. A repeated request must have the same.
        permit: Raise if the caller may not give this command to this version of the order.
    """

    command: Callable[[], Command]
    request: object
    key: str
    further: tuple[object, ...] = ()
    permit: Callable[[], None] = lambda: None


def fold(order_id: OrderId, events: tuple[Event, ...]) -> Order:
    """Fold all events of an order, from the first on."""
    return evolve_all(initial(order_id), events)


def load(log: EventLog, order_id: OrderId) -> tuple[History, Order]:
    """Read the order as it is now. Raises UnknownEvent if newer code wrote an event of it."""
    history = log.load(order_stream(order_id))
    return history, folded_order(history)


def folded_order(history: History) -> Order:
    """Return the order that an order's history folds to; once folded, it is kept with the history. Raises UnknownEvent.

    Raises:
        ValueError: The stream is not an order's.
    """

    def unplaced() -> Order:
        order_id = order_id_in(history.stream)
        if order_id is None:
            raise ValueError(f"{history.stream} is not the stream of an order")
        return initial(order_id)

    return folded(history, unplaced, evolve_all)


def handle(
    log: EventLog,
    command: Command,
    *,
    order_id: OrderId,
    key: str,
    caller: Caller,
    loaded: History | None = None,
) -> Handled:
    """Decide a command that does not depend on the order's state. Raises as ``transact_order``."""
    keyed = KeyedCommand(command=lambda: command, request=command, key=key)
    return transact_order(log, order_id, lambda history, order: keyed, caller=caller, loaded=loaded)


def transact_order(
    log: EventLog,
    order_id: OrderId,
    prepare: Callable[[History, Order], KeyedCommand],
    *,
    caller: Caller,
    if_match: Collection[int] | None = None,
    loaded: History | None = None,
) -> Handled:
    """Prepare a command for the newest state of the order, decide it and record its events, once.

    Args:
        if_match: The versions that the order may be at; any version if None.
        loaded: The stream as the caller has just read it. The command is decided on this version or not at all.

    Raises:
        Rejected: A rule forbids it; nothing was recorded.
        KeyReused: The key was used with another body.
        PreconditionFailed: The order is at none of the versions of ``if_match``, or no longer at that of ``loaded``.
        TooManyConflicts: Other commits kept coming first.
    """

    def propose(history: History, order: Order) -> Proposal:
        keyed = prepare(history, order)
        body_hash = content_hash(keyed.request, keyed.further)
        return Proposal(
            key=keyed.key,
            body_hash=body_hash,
            permit=keyed.permit,
            decide=lambda: _commit(keyed, caller, body_hash, history, order),
        )

    done = transact(
        log,
        order_stream(order_id),
        propose,
        initial=lambda: initial(order_id),
        evolve=evolve_all,
        if_match=if_match,
        loaded=loaded,
    )
    return Handled(done.history, done.state, done.replayed)


def _commit(keyed: KeyedCommand, caller: Caller, body_hash: str, history: History, order: Order) -> NewCommit | None:
    events = decide(keyed.command(), order)
    if not events:
        return None
    customer = order.placed.customer if order.placed is not None else getattr(events[0], "customer", None)
    return NewCommit(
        key=keyed.key,
        events=events,
        actor=caller.actor,
        correlation=caller.correlation or (history.recorded[0].correlation if history.recorded else ""),
        causation=caller.causation,
        body_hash=body_hash,
        subject=customer,
    )


def content_hash(command: object, further: tuple[object, ...] = ()) -> str:
    """Hash the content of a command without its times: a retry is sent later and is the same command."""
    body = _body(command)
    content = [body, *map(_body, further)] if further else body
    return sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:32]


def _body(value: Any) -> Any:
    kind: Any = type(value)
    names = _content_fields(kind)
    if names is not None:
        content: dict[str, Any] = {"": kind.__name__}
        for name in names:
            if (field := getattr(value, name)) is not None:
                content[name] = _body(field)
        return content
    if isinstance(value, tuple):
        return [_body(item) for item in value]
    return value


@cache  # commands, events and their parts: there are some two hundred classes
def _content_fields(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields that are content; None for a class that is no dataclass."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in _NOT_CONTENT)


_NOT_CONTENT = frozenset({"at", "placed_at", "limit"})
"""Fields that may differ when a command is repeated: times, and a limit, which is a setting. A field that is None
counts as absent, so that a retry equals a command that an older release recorded without that field.
"""
