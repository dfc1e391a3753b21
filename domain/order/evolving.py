"""Fold the events of an order into its state.

``evolve`` checks nothing and never raises. What may happen next is decided from the state alone, in ``deciding.py``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, get_args

from domain.fast_replace import replace
from domain.identifiers import SYSTEM
from domain.order import delivery, payment, preparation
from domain.order.events import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalRequested,
    CancellationRequested,
    CourierTimedOut,
    CreditGranted,
    DeliveryFact,
    DeliveryFailed,
    DeliveryIntent,
    DeliveryOverdue,
    Event,
    Fact,
    IncidentAssigned,
    Intent,
    ItemUnavailable,
    Line,
    NoteAdded,
    OrderAbandoned,
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderParked,
    OrderPickedUp,
    OrderPlaced,
    PaymentFact,
    PaymentIntent,
    PreparationFact,
    PreparationIntent,
    PreparationOverdue,
    PreparationTimedOut,
    ReportConfirmed,
    ReportContested,
    ReportedOnBehalf,
    RunStarted,
    WrittenOff,
)
from domain.order.order import Order, RunState
from domain.order.payment import Payment, Transfer


def evolve(order: Order, event: Event) -> Order:
    """Fold one more event."""
    return evolve_all(order, (event,))


def evolve_all(order: Order, events: Iterable[Event]) -> Order:
    """Fold several events. One copy is changed in place, before any caller can see it."""
    after = replace(order)
    fields = after.__dict__
    version = order.version
    for event in events:
        version += 1
        fields.update(_EVOLVE[type(event)](after, event, version))
        fields["version"] = version
    return after


def fact_key(fact: Fact) -> tuple[object, ...]:
    """Identify a report: two reports with the same key say the same, whatever their times."""
    if isinstance(fact, ItemUnavailable):
        return ItemUnavailable, fact.answers, fact.line, fact.available
    return type(fact), fact.answers, getattr(fact, "courier", None)


_Changes = dict[str, Any]


def _placed(order: Order, event: OrderPlaced, version: int) -> _Changes:
    return {
        "placed": event,
        "lines": event.lines,
        "run": 1,
        "payment": Payment(currency=event.delivery_fee.currency),
    }


def _run_started(order: Order, event: RunStarted, version: int) -> _Changes:
    return {
        "run": event.run,
        "run_state": RunState.RUNNING,
        "payment": payment.lapse_refusals(order.payment),
        "delivery": replace(order.delivery, overdue=False),
        "contest": order.contest if event.by == SYSTEM else 0,
    }


def _contested(order: Order, event: ReportContested, version: int) -> _Changes:
    return {"contest": event.report, "contradicts": event.contradicts}


def _confirmed(order: Order, event: ReportConfirmed, version: int) -> _Changes:
    fact = order.contested.get(event.report)
    if fact is None:
        return {}
    settled = replace(
        order,
        contest=0 if event.report in {order.contest, order.contradicts} else order.contest,
        contested={report: other for report, other in order.contested.items() if report != event.report},
    )
    effect = _EVOLVE[type(fact)](settled, fact, event.report)
    settlement = {"contest": settled.contest, "contested": settled.contested, "settled_at": version}
    return settlement | {"confirmed": order.confirmed | {event.report}} | effect


def _parked(order: Order, event: OrderParked, version: int) -> _Changes:
    return {"run_state": RunState.PARKED, "stopped_at": version}


def _cancelling(order: Order, event: CancellationRequested, version: int) -> _Changes:
    return {"cancellation": event, "cancelling_since": version, "contest": 0}


def _ended(order: Order, event: OrderCancelled | OrderCompleted, version: int) -> _Changes:
    return {"run_state": RunState.ENDED, "stopped_at": version}


def _credited(order: Order, event: CreditGranted, version: int) -> _Changes:
    return {"credited": order.credited + event.amount.minor, "credits": order.credits | {event.credit_id}}


def _written_off(order: Order, event: WrittenOff, version: int) -> _Changes:
    return {
        "payment": payment.write_off(order.payment, event.intent),
        "ticket": preparation.write_off(order.ticket, event.intent),
        "delivery": delivery.write_off(order.delivery, event.intent),
        "written_off": order.written_off | {event.intent},
    }


def _abandoned(order: Order, event: OrderAbandoned, version: int) -> _Changes:
    return {
        "run_state": RunState.ENDED,
        "stopped_at": version,
        "abandoned": event,
        "abandoned_at": version,
        "contest": 0,
        "unreturned": order.unreturned + event.unreturned.minor,
    }


def _approval_requested(order: Order, event: ApprovalRequested, version: int) -> _Changes:
    return {"approvals": order.approvals | {version: event}}


def _approved(order: Order, event: ApprovalGiven, version: int) -> _Changes:
    pending = {version: request for version, request in order.approvals.items() if version != event.approval}
    return {"approvals": pending, "approved": order.approved | {event.approval}}


def _rejected(order: Order, event: ApprovalRejected, version: int) -> _Changes:
    pending = {version: request for version, request in order.approvals.items() if version != event.approval}
    return {"approvals": pending, "rejected": order.rejected | {event.approval}}


def _assigned(order: Order, event: IncidentAssigned, version: int) -> _Changes:
    return {"assignee": event.to}


def _passed_on(order: Order, event: ReportedOnBehalf, version: int) -> _Changes:
    return {}


def _noted(order: Order, event: NoteAdded, version: int) -> _Changes:
    return {"notes": order.notes | {event.note_id}}


def _payment(order: Order, event: Any, version: int) -> _Changes:
    changes = _remembered(order, event, version)
    changes["payment"] = payment.evolve(order.payment, event, version)
    return changes


def _preparation(order: Order, event: Any, version: int) -> _Changes:
    if version == order.contest:
        return _without_effect(order, event, version)
    changes = _remembered(order, event, version)
    changes["ticket"] = preparation.evolve(order.ticket, event, version)
    if isinstance(event, ItemUnavailable):
        changes["lines"] = tuple(
            _reduced(line, event.available) if number == event.line else line
            for number, line in enumerate(order.lines, start=1)
        )
    return changes


def _reduced(line: Line, available: int) -> Line:
    return dataclasses.replace(line, quantity=max(0, min(line.quantity, available)))


def _delivery(order: Order, event: Any, version: int) -> _Changes:
    if version == order.contest:
        return _without_effect(order, event, version)
    changes = _remembered(order, event, version)
    changes["delivery"] = delivery.evolve(order.delivery, event, version)
    if type(event) in _COLLECTED:
        changes["ticket"] = preparation.collected(order.ticket)
    return changes


def _without_effect(order: Order, event: Any, version: int) -> _Changes:
    """Remember a contested report, so that it is recorded once and can be confirmed."""
    return {"facts": order.facts | {fact_key(event)}, "contested": order.contested | {version: event}}


_Fold: TypeAlias = Callable[[Order, Any, int], _Changes]


def _by_hand(fold: _Fold) -> _Fold:
    """Add to ``conceded`` what an event of support or a service lets the customer off, and what it keeps.

    Nothing is taken off again: a later report or a late capture does not undo a decision.
    """

    def folded(order: Order, event: Any, version: int) -> _Changes:
        changes = fold(order, event, version)
        if getattr(event, "by", None) in {None, SYSTEM}:
            return changes
        after = replace(order, **changes)
        let_off, kept = _payable(order) - _payable(after), _kept(after) - _kept(order)
        return changes | {"conceded": order.conceded + let_off + kept}

    return folded


def _payable(order: Order) -> int:
    """Work out what the customer pays in the end as things stand, in minor units.

    Nothing for an order that was cancelled or whose delivery failed. Of an abandoned order, no more than was captured,
    whatever is reported of its delivery afterwards.
    """
    if order.cancellation is not None:
        return 0
    price = max((order.total - order.payment.waived).minor, 0)
    if order.abandoned is not None:
        taken = order.payment.taken(Transfer.ASKED, Transfer.DONE).minor
        return min(price, taken) if order.delivery.delivered else 0
    return 0 if order.delivery.picked_up and order.delivery.failed is not None else price


def _kept(order: Order) -> int:
    """Work out what people decided not to refund, in minor units."""
    return order.unreturned + order.payment.returned(Transfer.WRITTEN_OFF).minor


def _remembered(order: Order, event: Any, version: int) -> _Changes:
    kind = type(event)
    if kind in _FACTS:
        return {"facts": order.facts | {fact_key(event)}, "reports": order.reports | {kind: version}}
    return {"intents": order.intents | {version: event}} if kind in _INTENTS else {}


_COLLECTED = frozenset({OrderPickedUp, OrderDelivered})
_INTENTS = frozenset(get_args(Intent))
_FACTS = frozenset(get_args(Fact))
_EVOLVE: dict[type, _Fold] = {
    OrderPlaced: _placed,
    RunStarted: _run_started,
    OrderParked: _parked,
    ReportContested: _contested,
    ReportConfirmed: _by_hand(_confirmed),
    ReportedOnBehalf: _passed_on,
    CancellationRequested: _cancelling,
    OrderCancelled: _ended,
    OrderCompleted: _ended,
    CreditGranted: _by_hand(_credited),
    WrittenOff: _by_hand(_written_off),
    OrderAbandoned: _by_hand(_abandoned),
    ApprovalRequested: _approval_requested,
    ApprovalGiven: _approved,
    ApprovalRejected: _rejected,
    IncidentAssigned: _assigned,
    NoteAdded: _noted,
    **dict.fromkeys(get_args(PaymentIntent) + get_args(PaymentFact), _payment),
    **dict.fromkeys(get_args(PreparationIntent) + get_args(PreparationFact), _preparation),
    **dict.fromkeys((PreparationTimedOut, PreparationOverdue), _preparation),
    **dict.fromkeys(get_args(DeliveryIntent) + get_args(DeliveryFact), _delivery),
    **dict.fromkeys((CourierTimedOut, DeliveryOverdue), _delivery),
    ItemUnavailable: _by_hand(_preparation),
    DeliveryFailed: _by_hand(_delivery),
}
