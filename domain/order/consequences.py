"""Events that follow from a state without a command: intents that became necessary, the end of the order, a new run.

One rule applies at a time, until none does. The rules read the state alone, so it does not matter which commands, in
which order, led to it. The event of a rule changes the state so that the rule no longer applies.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.identifiers import SYSTEM
from domain.order.books import excess_taken, shortage
from domain.order.delivery import ATTEMPTS_MAX, LIVE
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierReleaseRequested,
    CourierRequested,
    Event,
    Fault,
    Intent,
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderParked,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    PreparationRequested,
    ReportConfirmed,
    RunStarted,
)
from domain.order.evolving import evolve
from domain.order.intents import Holding, Owed, owed
from domain.order.order import Order, RunState
from domain.order.payment import Hold, Transfer
from domain.order.preparation import ACCEPTED, TicketState
from domain.order.reports import CONTRADICTION, contest_detail, contradicted


def consequences(order: Order) -> Iterator[Event]:
    """Yield the events that follow from this state; each is folded before the next is looked for."""
    while (event := _next(order)) is not None:
        yield event
        order = evolve(order, event)


def wanted(order: Order, item: Owed) -> bool:
    """Whether the order still needs the held item, to go on or to be paid."""
    if order.cancellation is not None or order.abandoned is not None or item.holding is Holding.CAPTURE:
        return item.holding is Holding.CAPTURE and item.in_doubt
    if item.holding is Holding.AUTHORIZATION:
        return not order.delivery.delivered or bool(shortage(order))
    if item.holding is Holding.TICKET:
        return True
    offer = order.delivery.current
    return not order.delivery.delivered and (offer is None or item.intent == offer.intent)


def _next(order: Order) -> Event | None:
    if order.placed is None:
        return None
    return _confirm(order) or _onward(order) or _undo(order) or _park(order) or _end(order) or _new_run(order)


def _confirm(order: Order) -> ReportConfirmed | None:
    """Let a delivery that was reported too early take effect once the missing reports have arrived.

    It waits for a person while a later report contradicts it.
    """
    if order.cancellation is not None or order.delivery.delivered:
        return None
    denied = order.contradicts if order.contest else 0
    for version, fact in order.contested.items():
        if isinstance(fact, OrderDelivered) and version != denied and contradicted(fact, order) is None:
            return ReportConfirmed(report=version, by=SYSTEM)
    return None


def _park(order: Order) -> OrderParked | None:
    """Park an order with contradicting reports, whatever it is doing, so that a person sees both."""
    if not order.contest or order.contest not in order.contested or order.stopped_at > order.contest:
        return None
    return OrderParked(run=order.run, error=CONTRADICTION, detail=contest_detail(order))


def _onward(order: Order) -> Event | None:
    if order.cancellation is not None:
        return None
    return _forward(order) if order.abandoned is None else _holds_after_abandoning(order, order.abandoned.fault)


def _holds_after_abandoning(order: Order, fault: Fault) -> CancellationRequested | None:
    """Cancel an abandoned order when a late report says that it holds something after all, so that it is given back.

    A delivered meal is not undone: there only captured money beyond the price is refunded.
    """
    if order.delivery.delivered or not owed(order):
        return None
    return _cancelled(CancellationCause.ABANDONED, fault)


def _forward(order: Order) -> Event | None:
    if order.delivery.failed is not None:
        return _cancelled(CancellationCause.DELIVERY_FAILED, order.delivery.failed.fault)
    if order.delivery.delivered:
        return _capture(order)
    return None if order.delivery.picked_up else _before_pickup(order)


def _before_pickup(order: Order) -> Event | None:
    assert order.placed is not None
    authorization, ticket = order.payment.authorization, order.ticket
    if authorization is None:
        return PaymentAuthorizationRequested(amount=order.total, payment_method=order.placed.payment_method)
    if authorization.state not in {Hold.HELD, Hold.DECLINED}:
        return None
    if (
        authorization.state is Hold.DECLINED or authorization.amount < order.total
    ):  # a hold below the price counts as declined
        return _cancelled(CancellationCause.PAYMENT_DECLINED, Fault.CUSTOMER)
    if ticket is None:
        return PreparationRequested()
    if ticket.state in _GIVEN_UP:
        return _cancelled(_GIVEN_UP[ticket.state], Fault.RESTAURANT)
    if not any(line.quantity for line in order.lines):
        return _cancelled(CancellationCause.NOTHING_LEFT, Fault.RESTAURANT)
    return _courier(order) if ticket.state in ACCEPTED else None


_GIVEN_UP = {
    TicketState.REJECTED: CancellationCause.PREPARATION_REJECTED,
    TicketState.TIMED_OUT: CancellationCause.PREPARATION_TIMED_OUT,
    TicketState.OVERDUE: CancellationCause.PREPARATION_OVERDUE,
}


def _courier(order: Order) -> Event | None:
    offer = order.delivery.current
    if offer is not None and offer.state in LIVE:
        return None
    attempt = len(order.delivery.offers) + 1
    if attempt > ATTEMPTS_MAX:
        return _cancelled(CancellationCause.NO_COURIER, Fault.PLATFORM)
    return CourierRequested(attempt=attempt)


def _capture(order: Order) -> Event | None:
    payment = order.payment
    missing = shortage(order)
    refused = any(capture.state is Transfer.REFUSED for capture in payment.captures)
    if not missing or refused or payment.authorization is None or payment.authorization.state is not Hold.HELD:
        return None
    return PaymentCaptureRequested(authorization_id=payment.authorization.authorization_id, amount=missing)


def _cancelled(cause: CancellationCause, fault: Fault) -> CancellationRequested:
    return CancellationRequested(cause=cause, fault=fault, by=SYSTEM, reason="")


def _undo(order: Order) -> Intent | None:
    for item in owed(order):
        if item.undo is None and not item.refused and not wanted(order, item) and (undo := _undo_of(order, item)):
            return undo
    return None


def _undo_of(order: Order, item: Owed) -> Intent | None:
    match item.holding:
        case Holding.TICKET:
            return PreparationCancellationRequested(request=item.intent)
        case Holding.OFFER:
            return CourierReleaseRequested(request=item.intent)
        case Holding.AUTHORIZATION:
            authorization = order.payment.authorization
            if authorization is None or item.in_doubt:
                return None  # first the authorization is settled; then its hold is released
            return PaymentVoidRequested(authorization_id=authorization.authorization_id)
        case Holding.CAPTURE:
            if item.in_doubt:
                return None
            extra = next((each for each in order.payment.extras if each.intent == item.intent), None)
            if extra is not None and item.amount is not None:
                return PaymentRefundRequested(capture_id=extra.capture_id, amount=item.amount)
            refundable = order.payment.refundable()
            if refundable is None:
                return None
            capture_id, left = refundable
            return PaymentRefundRequested(capture_id=capture_id, amount=min(excess_taken(order), left))


def _end(order: Order) -> Event | None:
    ended = order.run_state is RunState.ENDED and order.stopped_at > order.cancelling_since
    if ended or owed(order) or order.contest:
        return None
    if order.cancellation is not None:
        return OrderCancelled()
    return OrderCompleted() if order.delivery.delivered and not shortage(order) else None


def _new_run(order: Order) -> RunStarted | None:
    """Start a run for an ended order that holds something again, and for a parked one with new work."""
    holds_again = order.run_state is RunState.ENDED and bool(owed(order))
    latest = max((order.cancelling_since, order.settled_at, *order.intents))
    new_work = order.run_state is RunState.PARKED and latest > order.stopped_at
    if not holds_again and not new_work:
        return None
    reason = "the ended order holds something again" if holds_again else "new work for the parked order"
    return RunStarted(run=order.run + 1, by=SYSTEM, reason=reason)
