"""An order as one caller may see it and act on it: permissions around load, decide and append.

A permission is checked on the very version that is then decided on: when somebody else writes in between, for
instance another courier who takes the same offer, it is checked again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from domain.identifiers import Actor, OrderId, order_id_for
from domain.order.commands import Awaited, CancelOrder, Command, PlaceOrder, RecordFact
from domain.order.events import Fact, PreparationAccepted
from domain.order.order import Order, initial
from domain.order.questions import awaited_intent
from domain.order.refusals import NotAsked, OrderNotFound, Rejected
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog, TooManyConflicts
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import (
    CONFLICTS_MAX,
    Caller,
    Handled,
    PreconditionFailed,
    handle,
    load,
)
from workflows.orders.permissions import Action, check, may, reads_all

CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a restaurant's clock may be wrong, or its message late, before its ready-time counts as past."""

READY_WITHIN = timedelta(days=1)
"""No kitchen cooks one meal for longer; a product decision."""


class ImplausibleTime(Rejected):
    """A time that cannot be meant: the caller's payload. HTTP: 422."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One caller's request to change one order.

    Attributes:
        key: The caller's Idempotency-Key, if it sent one.
        if_match: The versions that the order may be at; any version if None.
    """

    action: Action
    order_id: OrderId
    caller: Caller
    key: str | None = None
    if_match: Collection[int] | None = None


def see(log: EventLog, order_id: OrderId, actor: Actor) -> tuple[History, Order]:
    """The order now. Raises OrderNotFound, also for an order that they may not see."""
    history, order = load(log, order_id)
    check(actor, Action.READ, order)
    return history, order


def see_history(log: EventLog, order_id: OrderId, actor: Actor) -> tuple[History, bool]:
    """The events, and whether the personal data in them is shown. Raises OrderNotFound.

    Who reads all orders reads also one with events that are unknown here: nothing is folded for them.
    """
    if not reads_all(actor):
        history, order = see(log, order_id, actor)
        return history, may(actor, Action.READ_PERSONAL, order)
    history = log.load(order_stream(order_id))
    if not history.version:
        raise OrderNotFound(order_id)
    return history, may(actor, Action.READ_PERSONAL, initial(order_id))


def placed_id(actor: Actor, key: str) -> OrderId:
    """The id of the order that somebody places under their key."""
    return order_id_for(_name(actor), key)


def place(log: EventLog, command: PlaceOrder, caller: Caller, key: str) -> Handled:
    """Place the order, once. Raises Rejected, KeyReused (same key, another body)."""
    return handle(
        log, command, order_id=command.order_id, key=f"{Action.PLACE.name}/{_name(caller.actor)}/{key}", caller=caller
    )


def cancel(log: EventLog, request: OrderRequest, reason: str) -> Handled:
    """Ask for the end of the order. Raises Rejected, KeyReused, PreconditionFailed, TooManyConflicts."""
    command = CancelOrder(by=request.caller.actor, reason=reason)
    key = _key(request, reason)
    return _act(log, request, lambda history, order: _Wish(command, key))


def report(
    log: EventLog,
    request: OrderRequest,
    fact: Callable[[int, datetime], Fact],
    *,
    now: datetime,
    answers: int | None = None,
) -> Handled:
    """Record what the restaurant or the courier did. ``fact`` makes it, given the question and the time.

    ``answers`` is the ticket or offer that it is about; without it, the current one. An answer to an older one is
    recorded as a fact about that one. Raises Rejected, KeyReused, PreconditionFailed, TooManyConflicts.
    """

    def wish(history: History, order: Order) -> _Wish:
        asks = answers or _answered_before(history, request) or awaited_intent(order, _AWAITED[request.action])
        if asks is None:
            check(request.caller.actor, request.action, order)
            raise NotAsked(type(fact(0, now)).__name__, order.version)
        return _Wish(RecordFact(fact=fact(asks, now)), _key(request, fact(asks, _ANY_TIME)), asks)

    return _act(log, request, wish)


@dataclass(frozen=True, slots=True)
class _Wish:
    command: Command
    key: str
    intent_version: int | None = None


def _act(log: EventLog, request: OrderRequest, wish: Callable[[History, Order], _Wish]) -> Handled:
    for _ in range(CONFLICTS_MAX):
        history, order = load(log, request.order_id)
        wished = wish(history, order)
        if wished.key not in history.keys:  # who did it before may hear again that it was done
            check(request.caller.actor, request.action, order, wished.intent_version)
            if request.if_match is not None and history.version not in request.if_match:
                raise PreconditionFailed(history.version)
            _check_ready_at(wished.command)
        try:
            return handle(
                log,
                wished.command,
                order_id=request.order_id,
                key=wished.key,
                caller=request.caller,
                loaded=history,
            )
        except PreconditionFailed:
            continue  # somebody wrote after the permission was checked
    raise TooManyConflicts(f"order {request.order_id} is written to by too many at once; try again")


_AWAITED = {
    Action.ACCEPT: Awaited.ACCEPTANCE,
    Action.REJECT: Awaited.ACCEPTANCE,
    Action.ITEM_UNAVAILABLE: Awaited.READINESS,
    Action.READY: Awaited.READINESS,
    Action.ASSIGN: Awaited.ASSIGNMENT,
    Action.DECLINE: Awaited.ASSIGNMENT,
    Action.PICK_UP: Awaited.PICKUP,
    Action.DELIVER: Awaited.DELIVERY,
    Action.FAIL: Awaited.DELIVERY,
}

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time of a fact where only what it says counts: a retry comes later and says the same."""


def _key(request: OrderRequest, body: object) -> str:
    """Names the request across attempts. Who gives no key repeats a request by saying the same again."""
    who = f"{request.action.name}/{_name(request.caller.actor)}"
    if request.key is not None:
        return f"{who}/key/{request.key}"
    return f"{who}/body/{sha256(msgspec.json.encode(body, order='sorted')).hexdigest()[:32]}"


def _answered_before(history: History, request: OrderRequest) -> int | None:
    """What an earlier attempt under this key answered: by now another question may be the current one."""
    seen = history.keys.get(_key(request, None)) if request.key is not None else None
    return None if seen is None else getattr(history.recorded[seen.first - 1].event, "answers", None)


def _check_ready_at(command: Command) -> None:
    if not isinstance(command, RecordFact) or not isinstance(command.fact, PreparationAccepted):
        return
    ready_at, now = command.fact.ready_at, command.fact.at
    if ready_at < now - CLOCKS_DIFFER:
        raise ImplausibleTime("ready_at", f"{ready_at} is past; say when it will be ready")
    if ready_at > now + READY_WITHIN:
        raise ImplausibleTime("ready_at", f"{ready_at} is more than {READY_WITHIN.days} day away")


def _name(actor: Actor) -> str:
    return f"{actor.role}/{actor.id}"
