"""The rule of four eyes: support and services may not change the money of an order above a limit alone.

A request counts with the money that it lets the customer off or keeps from the customer, and what was conceded on the
order before counts too, whichever way it went (``Order.conceded``). It is a credit, a write-off, abandoning an order,
the confirmation of a contested report, the refund of an extra capture (which counts with its amount, although it
concedes nothing), or a report on behalf of a restaurant or courier. Of those reports only a
missing item and a failed delivery lower what the customer pays. A restaurant or courier that reports for itself needs
no second person. Nor does a cancellation before the pickup: the customer pays nothing then because there is no meal.

A request above its limit is recorded as ``ApprovalRequested``, and takes effect when another person approves it. Its
effect is recomputed on approval, because the order may have changed.
"""

from __future__ import annotations

import dataclasses
from typing import TypeAlias, assert_never

from domain.money import Money
from domain.order.books import excess_taken, shortage, uncollected
from domain.order.commands import (
    AbandonOrder,
    Approve,
    ConfirmReport,
    GrantCredit,
    RecordFact,
    RefundExtra,
    RejectApproval,
    WriteOff,
)
from domain.order.consequences import consequences, wanted
from domain.order.events import (
    Adjustment,
    ApprovalGiven,
    ApprovalRejected,
    ApprovalRequested,
    CancellationRequested,
    CreditGranted,
    DeliveryFailed,
    Event,
    Fault,
    ItemUnavailable,
    OrderAbandoned,
    PaymentLookupRequested,
    ReportConfirmed,
    WrittenOff,
)
from domain.order.evolving import evolve, evolve_all, fact_key
from domain.order.intents import Holding, Owed, at_stake, owed
from domain.order.order import Order, RunState
from domain.order.payment import Transfer
from domain.order.refusals import (
    ApprovalOutdated,
    CaptureInDoubt,
    CaptureRecorded,
    CreditExceedsDue,
    ImplausibleAmount,
    NoSuchApproval,
    NotContested,
    NothingOwed,
    OrderAlreadyCancelling,
    OrderAlreadyEnded,
    SecondPersonNeeded,
    StillNeeded,
)
from domain.order.reports import recorded

MoneyCommand: TypeAlias = GrantCredit | WriteOff | AbandonOrder | ConfirmReport | RefundExtra
Request: TypeAlias = MoneyCommand | RecordFact


def adjust(command: MoneyCommand, order: Order) -> tuple[Event, ...]:
    """Carry the request out or, above the limit, record it for a second person to approve."""
    request = _request(command, order)
    return () if request is None else _unless_above(command.limit, request, order)


def report(command: RecordFact, order: Order) -> tuple[Event, ...]:
    """Record a report or, above the limit and on behalf of a party, keep it for a second person to approve."""
    request = _reported(command, order)
    if request is None:
        return recorded(command.fact, order)
    return _unless_above(command.limit, _measured(request, order), order)


def _unless_above(limit: Money | None, request: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    if _one_is_enough(request.amount, limit, order):
        return _effect(request, order)
    pending = any(same_request(other, request) for other in order.approvals.values())
    return () if pending else (request,)


def approve(command: Approve, order: Order) -> tuple[Event, ...]:
    """Carry out a request that waits for a second person, on the order as it is now.

    Raises:
        SecondPersonNeeded: The approver made the request.
        ApprovalOutdated: The request would now move or give up more money than when it was made.
    """
    if command.approval in order.approved:
        return ()
    requested = order.approvals.get(command.approval)
    if requested is None:
        raise NoSuchApproval(command.approval)
    if command.by.id == requested.by.id:
        raise SecondPersonNeeded(command.approval, requested.by.id)
    now = _request(_command_of(requested), order)
    if now is None:
        return ()
    if now.amount > requested.amount:
        raise ApprovalOutdated(command.approval, requested.amount, now.amount)
    approval = ApprovalGiven(approval=command.approval, by=command.by, reason=command.reason)
    return (approval, *_effect(now, evolve(order, approval)))


def reject(command: RejectApproval, order: Order) -> tuple[Event, ...]:
    """Let a request that waits for a second person have no effect. Raises NoSuchApproval."""
    if command.approval in order.rejected:
        return ()
    if command.approval not in order.approvals:
        raise NoSuchApproval(command.approval)
    return (ApprovalRejected(approval=command.approval, by=command.by, reason=command.reason),)


def _request(command: Request, order: Order) -> ApprovalRequested | None:
    """The command with the amount that it moves or gives up now; None if it was carried out before. Raises Rejected."""
    request = _unmeasured(command, order)
    return None if request is None else _measured(request, order)


def _unmeasured(command: Request, order: Order) -> ApprovalRequested | None:
    match command:
        case GrantCredit():
            return _credit(command, order)
        case WriteOff():
            return _write_off(command, order)
        case AbandonOrder():
            return _abandon(command, order)
        case ConfirmReport():
            return _confirmation(command, order)
        case RefundExtra():
            return _refund_of_extra(command, order)
        case RecordFact():
            return None if fact_key(command.fact) in order.facts else _reported(command, order)
        case _:
            assert_never(command)


def _measured(request: ApprovalRequested, order: Order) -> ApprovalRequested:
    """Raise the amount to what the request would concede on the order as it is now."""
    conceded = _conceded_by(_effect(request, order), order)
    return dataclasses.replace(request, amount=max(request.amount, conceded))


def _credit(command: GrantCredit, order: Order) -> ApprovalRequested | None:
    if command.credit_id in order.credits:
        return None
    if order.cancellation is not None:
        raise OrderAlreadyCancelling(order.order_id)
    if order.abandoned is not None:
        raise OrderAlreadyEnded(order.order_id)
    check_amount(command.amount, order)
    payable = order.total - order.payment.waived
    if command.amount > payable:
        raise CreditExceedsDue(command.amount, payable)
    return _requested(Adjustment.CREDIT, command.amount, command, credit_id=command.credit_id)


def _write_off(command: WriteOff, order: Order) -> ApprovalRequested | None:
    item = next((item for item in owed(order) if item.intent == command.intent), None)
    if item is None:
        return _write_off_claim(command, order)
    if wanted(order, item) and item.holding is not Holding.CAPTURE:
        raise StillNeeded(command.intent, uncollected(order))
    amount = item.amount or Money.zero(order.currency)
    return _requested(Adjustment.WRITE_OFF, amount, command, intent=command.intent)


def _write_off_claim(command: WriteOff, order: Order) -> ApprovalRequested | None:
    """Write off what could not be collected: the last capture was refused, or took less than it should."""
    if command.intent == uncollected(order):
        return _requested(Adjustment.WRITE_OFF, shortage(order), command, intent=command.intent)
    if command.intent in order.written_off:
        return None
    raise NothingOwed(command.intent)


def _abandon(command: AbandonOrder, order: Order) -> ApprovalRequested | None:
    if order.given_up:
        return None
    if order.run_state is RunState.ENDED:
        raise OrderAlreadyEnded(order.order_id)
    return _requested(Adjustment.ABANDON, at_stake(order), command)


def _reported(command: RecordFact, order: Order) -> ApprovalRequested | None:
    """The report of a missing item or a failed delivery on behalf of a party; None for all other reports."""
    if command.by is None:
        return None
    match command.fact:
        case ItemUnavailable() as fact:
            fact = dataclasses.replace(fact, by=command.by)
            return ApprovalRequested(
                wish=Adjustment.ITEM_UNAVAILABLE,
                amount=Money.zero(order.currency),
                fault=Fault.RESTAURANT,
                by=command.by,
                reason="",
                intent=fact.answers,
                line=fact.line,
                available=fact.available,
                reported_at=fact.at,
            )
        case DeliveryFailed() as fact:
            fact = dataclasses.replace(fact, by=command.by)
            return ApprovalRequested(
                wish=Adjustment.DELIVERY_FAILED,
                amount=Money.zero(order.currency),
                fault=fact.fault,
                by=command.by,
                reason=fact.reason,
                intent=fact.answers,
                reported_at=fact.at,
            )
        case _:
            return None


def _confirmation(command: ConfirmReport, order: Order) -> ApprovalRequested | None:
    if command.report in order.confirmed:
        return None
    if command.report not in order.contested:
        raise NotContested(command.report)
    return ApprovalRequested(
        wish=Adjustment.CONFIRM_REPORT,
        amount=Money.zero(order.currency),
        fault=Fault.PLATFORM,
        by=command.by,
        reason=command.reason,
        intent=command.report,
    )


def _refund_of_extra(command: RefundExtra, order: Order) -> ApprovalRequested | None:
    known = (Transfer.ASKED, Transfer.DONE)
    if any(extra.capture_id == command.capture_id and extra.state in known for extra in order.payment.extras):
        return None
    check_amount(command.amount, order)
    for capture in order.payment.captures:
        if capture.state is Transfer.ASKED:
            raise CaptureInDoubt(command.capture_id, capture.intent)
        if capture.state is Transfer.DONE and capture.capture_id == command.capture_id:
            raise CaptureRecorded(command.capture_id, capture.intent)
    return ApprovalRequested(
        wish=Adjustment.REFUND_EXTRA,
        amount=command.amount,
        fault=Fault.PLATFORM,
        by=command.by,
        reason=command.reason,
        capture_id=command.capture_id,
    )


def _conceded_by(events: tuple[Event, ...], order: Order) -> Money:
    """Work out what the events concede. Nothing if they cancel the order before the pickup."""
    after = evolve_all(order, events)
    if not order.delivery.picked_up and _cancelled(after):
        return Money.zero(order.currency)
    return Money(after.conceded - order.conceded, order.currency)


def _cancelled(order: Order) -> bool:
    return order.cancellation is not None or any(
        isinstance(event, CancellationRequested) for event in consequences(order)
    )


def _effect(request: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    match request.wish:
        case Adjustment.CREDIT:
            return (_credit_granted(request),)
        case Adjustment.WRITE_OFF:
            return (_written_off(request.intent, request),)
        case Adjustment.ABANDON:
            return _abandoned(request, order)
        case Adjustment.ITEM_UNAVAILABLE | Adjustment.DELIVERY_FAILED:
            return recorded(_fact_of(request), order)
        case Adjustment.CONFIRM_REPORT:
            return (ReportConfirmed(report=request.intent, by=request.by),)
        case Adjustment.REFUND_EXTRA:
            return (_lookup_requested(request),)
        case _:
            assert_never(request.wish)


def _credit_granted(request: ApprovalRequested) -> CreditGranted:
    return CreditGranted(
        credit_id=request.credit_id,
        amount=request.amount,
        fault=request.fault,
        by=request.by,
        reason=request.reason,
    )


def _lookup_requested(request: ApprovalRequested) -> PaymentLookupRequested:
    return PaymentLookupRequested(
        capture_id=request.capture_id, amount=request.amount, by=request.by, reason=request.reason
    )


def _abandoned(request: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    """Write off one item after the other: an item in doubt may hide the one that it was taken from."""
    events: list[Event] = []
    unclaimed = shortage(order)
    while (item := next((item for item in owed(order) if not _is_excess(item)), None)) is not None:
        events.append(_written_off(item.intent, request))
        order = evolve(order, events[-1])
    end = OrderAbandoned(
        fault=request.fault,
        by=request.by,
        reason=request.reason,
        unclaimed=unclaimed,
        unreturned=excess_taken(order),
    )
    return (*events, end)


def _is_excess(item: Owed) -> bool:
    """Whether the item is captured money for which no refund was requested: it has no intent to write off yet."""
    return item.holding is Holding.CAPTURE and item.undo is None and not item.in_doubt and not item.refused


def _one_is_enough(amount: Money, limit: Money | None, order: Order) -> bool:
    """Whether one person may do it alone: many small steps on one order count as one large one."""
    if limit is None or not amount:
        return True
    return limit.currency == amount.currency and order.conceded + amount.minor <= limit.minor


def same_request(one: ApprovalRequested, other: ApprovalRequested) -> bool:
    """Whether both ask for the same thing; the person and the reason may differ."""
    return _content(one) == _content(other)


def _content(request: ApprovalRequested) -> tuple[object, ...]:
    """What is requested, without the person and the reason: two requests with the same content are one."""
    number = request.credit_id, request.intent, request.capture_id
    return request.wish, request.amount, number, request.line, request.available


def _requested(
    adjustment: Adjustment,
    amount: Money,
    command: GrantCredit | WriteOff | AbandonOrder,
    *,
    credit_id: str = "",
    intent: int = 0,
) -> ApprovalRequested:
    return ApprovalRequested(
        wish=adjustment,
        amount=amount,
        fault=command.fault,
        by=command.by,
        reason=command.reason,
        credit_id=credit_id,
        intent=intent,
    )


def _command_of(request: ApprovalRequested) -> Request:
    match request.wish:
        case Adjustment.CREDIT:
            return GrantCredit(
                credit_id=request.credit_id,
                amount=request.amount,
                fault=request.fault,
                by=request.by,
                reason=request.reason,
            )
        case Adjustment.WRITE_OFF:
            return WriteOff(intent=request.intent, fault=request.fault, by=request.by, reason=request.reason)
        case Adjustment.ABANDON:
            return AbandonOrder(fault=request.fault, by=request.by, reason=request.reason)
        case Adjustment.ITEM_UNAVAILABLE | Adjustment.DELIVERY_FAILED:
            return RecordFact(fact=_fact_of(request), by=request.by)
        case Adjustment.CONFIRM_REPORT:
            return ConfirmReport(report=request.intent, by=request.by, reason=request.reason)
        case Adjustment.REFUND_EXTRA:
            return RefundExtra(
                capture_id=request.capture_id, amount=request.amount, by=request.by, reason=request.reason
            )
        case _:
            assert_never(request.wish)


def _fact_of(request: ApprovalRequested) -> ItemUnavailable | DeliveryFailed:
    assert request.reported_at is not None  # set for every report
    if request.wish is Adjustment.DELIVERY_FAILED:
        return DeliveryFailed(
            answers=request.intent,
            reason=request.reason,
            fault=request.fault,
            at=request.reported_at,
            by=request.by,
        )
    return ItemUnavailable(
        answers=request.intent,
        line=request.line,
        available=request.available,
        at=request.reported_at,
        by=request.by,
    )


def _written_off(intent: int, request: ApprovalRequested) -> WrittenOff:
    return WrittenOff(intent=intent, fault=request.fault, by=request.by, reason=request.reason)


def check_amount(amount: Money, order: Order) -> None:
    """Check that the amount is above zero and in the order's currency. Raises ImplausibleAmount."""
    if amount.currency != order.currency or amount.minor <= 0:
        raise ImplausibleAmount(amount, order.currency)
