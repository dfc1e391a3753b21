"""Requests of callers: reading an order and changing it, with the caller's permission.

The permission is checked on the same version that the command is decided on. If another commit comes first, for
instance because another courier accepted the offer, it is checked again. A repeated request gets the recorded result
without a check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from domain.identifiers import Actor, OrderId, Role, order_id_for
from domain.money import Money
from domain.order.commands import Awaited, CancelOrder, Command, OnBehalf, PlaceOrder, RecordFact
from domain.order.events import Fact, PreparationAccepted
from domain.order.order import Order
from domain.order.questions import awaited_intent
from domain.order.refusals import NotAsked, OrderNotFound, Rejected
from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import Caller, Handled, KeyedCommand, handle, load, transact_order
from workflows.orders.permissions import Action, check, reads_all
from workflows.orders.visibility import Audience, audience_of

CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a restaurant's clock may be wrong, or its message late, before its ready-time counts as past."""

READY_WITHIN = timedelta(days=1)
"""The longest time that a restaurant may need for one meal. A product decision."""


class ImplausibleTime(Rejected):
    """A time in the request is past or too far in the future. HTTP: 422."""

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
    """Read the order as it is now. Raises OrderNotFound, also for an order that the caller may not see."""
    history, order = load(log, order_id)
    check(actor, Action.READ, order)
    return history, order


def see_history(log: EventLog, order_id: OrderId, actor: Actor) -> tuple[History, Audience]:
    """Read the events, and which audience the caller belongs to. Raises OrderNotFound.

    For a caller who may read every order the events are not folded, so an order with events of a newer release can be
    read too.
    """
    if not reads_all(actor):
        history, order = see(log, order_id, actor)
        return history, audience_of(actor, order)
    history = log.load(order_stream(order_id))
    if not history.version:
        raise OrderNotFound(order_id)
    return history, audience_of(actor)


def placed_id(actor: Actor, key: str) -> OrderId:
    """Return the id of the order that the caller places under this key."""
    return order_id_for(_name(actor), key)


def place(log: EventLog, command: PlaceOrder, caller: Caller, key: str) -> Handled:
    """Place the order, once. Raises Rejected, KeyReused (same key, another body)."""
    return handle(log, command, order_id=command.order_id, key=place_key(caller.actor, key), caller=caller)


def place_key(actor: Actor, key: str) -> str:
    """Return the key in the log of placing an order under a caller's key."""
    return f"{Action.PLACE.name}/{_name(actor)}/{key}"


def cancel(log: EventLog, request: OrderRequest, reason: str) -> Handled:
    """Request the cancellation of the order. Raises Rejected, KeyReused, PreconditionFailed, TooManyConflicts."""
    command = CancelOrder(by=request.caller.actor, reason=reason)
    return transact_request(log, request, lambda history, order: _keyed(request, command, reason, order, None))


def report(
    log: EventLog,
    request: OrderRequest,
    fact: Callable[[int, datetime], Fact],
    *,
    now: datetime,
    limit: Callable[[str], Money],
    answers: int | None = None,
) -> Handled:
    """Record a report of the restaurant or the courier.

    Support and services may report on their behalf. A report of theirs that lowers the customer's price by more than
    the limit is only recorded as a request that a second person has to approve.

    Args:
        fact: Make the fact from the version of the intent that it answers and its time.
        limit: Return the amount in a currency up to which one person decides alone.
        answers: The ticket or offer that the report is about; the current one if None. A report on an older one is
            recorded as a fact about that one.

    Raises:
        Rejected, KeyReused, PreconditionFailed, TooManyConflicts: As for every request.
    """

    prepare = reporting(request, fact, now=now, limit=limit, answers=answers)
    return transact_request(log, request, prepare)


def reporting(
    request: OrderRequest,
    fact: Callable[[int, datetime], Fact],
    *,
    now: datetime,
    limit: Callable[[str], Money],
    answers: int | None = None,
    on_behalf: OnBehalf | None = None,
) -> Callable[[History, Order], KeyedCommand]:
    """Return the function that prepares the command of a report. Parameters as of ``report``.

    Args:
        on_behalf: Who said so, if support passes the report on.
    """

    def prepare(history: History, order: Order) -> KeyedCommand:
        intent = answers or _answered_before(history, request) or answered_intent(order, request.action)
        if intent is None:
            check(request.caller.actor, request.action, order)
            raise NotAsked(type(fact(0, now)).__name__, order.version)
        actor = request.caller.actor
        by = actor if actor.role in _ACT_FOR_OTHERS else None
        command = RecordFact(fact=fact(intent, now), by=by, on_behalf=on_behalf, limit=limit(order.currency))
        content = fact(intent, _ANY_TIME)
        return _keyed(request, command, content if on_behalf is None else (content, on_behalf), order, intent)

    return prepare


def answered_intent(order: Order, action: Action) -> int | None:
    """Return the version of the current ticket or offer, which a report answers that names none; None without one."""
    return awaited_intent(order, _AWAITED[action])


def transact_request(
    log: EventLog, request: OrderRequest, prepare: Callable[[History, Order], KeyedCommand]
) -> Handled:
    """Prepare, decide and record the command of a request. Raises as ``transact_order``."""
    return transact_order(log, request.order_id, prepare, caller=request.caller, if_match=request.if_match)


def request_key(request: OrderRequest, body: object) -> str:
    """Identify the request across attempts.

    Args:
        body: Identifies a request without an Idempotency-Key: the same body again is the same request.
    """
    prefix = f"{request.action.name}/{_name(request.caller.actor)}"
    if request.key is not None:
        return f"{prefix}/key/{request.key}"
    return f"{prefix}/body/{sha256(msgspec.json.encode(body, order='sorted')).hexdigest()[:32]}"


def _keyed(request: OrderRequest, command: Command, body: object, order: Order, intent: int | None) -> KeyedCommand:
    def permit() -> None:
        check(request.caller.actor, request.action, order, intent)
        _check_ready_at(command)

    return KeyedCommand(command=lambda: command, request=command, key=request_key(request, body), permit=permit)


_ACT_FOR_OTHERS = frozenset({Role.SUPPORT, Role.SERVICE})
"""The roles that report on behalf of a restaurant or courier."""

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
"""Replaces the time of a fact in the comparison with an earlier attempt, because a retry has a later time."""


def _answered_before(history: History, request: OrderRequest) -> int | None:
    """Return the intent that an earlier attempt under this key answered, which may no longer be the current one."""
    earlier = history.keys.get(request_key(request, None)) if request.key is not None else None
    return None if earlier is None else getattr(history.recorded[earlier.first - 1].event, "answers", None)


def _check_ready_at(command: Command) -> None:
    if not isinstance(command, RecordFact) or not isinstance(command.fact, PreparationAccepted):
        return
    ready_at, now = command.fact.ready_at, command.fact.at
    if ready_at < now - CLOCKS_DIFFER:
        raise ImplausibleTime("ready_at", f"{timestamp(ready_at)} is past; give the time when the meal will be ready")
    if ready_at > now + READY_WITHIN:
        raise ImplausibleTime("ready_at", f"{timestamp(ready_at)} is more than {READY_WITHIN.days * 24} hours away")


def _name(actor: Actor) -> str:
    return f"{actor.role}/{actor.id}"
