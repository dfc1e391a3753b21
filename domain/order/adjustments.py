"""Changes of money by hand: credits, write-offs, abandoning an order, and their approval by a second person.

A request above its limit is recorded as ``ApprovalRequested``, and takes effect when another person approves it. Its
effect is recomputed on approval, because the order may have changed.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from domain.money import Money
from domain.order.books import excess_taken, shortage
from domain.order.commands import AbandonOrder, Approve, GrantCredit, WriteOff
from domain.order.consequences import wanted
from domain.order.events import (
    Adjustment,
    ApprovalGiven,
    ApprovalRequested,
    CreditGranted,
    Event,
    OrderAbandoned,
    WrittenOff,
)
from domain.order.intents import Holding, Owed, at_stake, owed
from domain.order.order import Order, RunState, evolve
from domain.order.refusals import (
    ApprovalOutdated,
    CreditExceedsDue,
    ImplausibleAmount,
    NoSuchApproval,
    NothingOwed,
    OrderAlreadyCancelling,
    OrderAlreadyEnded,
    SecondPersonNeeded,
    StillNeeded,
)

MoneyCommand: TypeAlias = GrantCredit | WriteOff | AbandonOrder


def adjust(command: MoneyCommand, order: Order) -> tuple[Event, ...]:
    """Carry the request out or, above the limit, record it for a second person to approve."""
    request = _request(command, order)
    if request is None:
        return ()
    if _one_is_enough(_in_all(request, order), command.limit):
        return _effect(request, order)
    pending = any(_content(other) == _content(request) for other in order.approvals.values())
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
    return (ApprovalGiven(approval=command.approval, by=command.by), *_effect(now, order))


def _request(command: MoneyCommand, order: Order) -> ApprovalRequested | None:
    """The command with the amount that it moves or gives up now; None if it was carried out before. Raises Rejected."""
    match command:
        case GrantCredit():
            return _credit(command, order)
        case WriteOff():
            return _write_off(command, order)
        case AbandonOrder():
            return _abandon(command, order)
        case _:
            assert_never(command)


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
        raise StillNeeded(command.intent)
    amount = item.amount or Money.zero(order.currency)
    return _requested(Adjustment.WRITE_OFF, amount, command, intent=command.intent)


def _write_off_claim(command: WriteOff, order: Order) -> ApprovalRequested | None:
    """Write off what could not be collected: the last capture was refused, or took less than it should."""
    captures = order.payment.captures
    if captures and captures[-1].intent == command.intent and shortage(order):
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


def _effect(request: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    match request.wish:
        case Adjustment.CREDIT:
            return (_credit_granted(request),)
        case Adjustment.WRITE_OFF:
            return (_written_off(request.intent, request),)
        case Adjustment.ABANDON:
            return _abandoned(request, order)
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


def _in_all(request: ApprovalRequested, order: Order) -> Money:
    """Count earlier credits too: many small credits on one order count as one large one."""
    return request.amount + Money(order.credited if request.wish is Adjustment.CREDIT else 0, order.currency)


def _one_is_enough(amount: Money, limit: Money | None) -> bool:
    return limit is None or not amount or (limit.currency == amount.currency and amount <= limit)


def _content(request: ApprovalRequested) -> tuple[object, ...]:
    """What is requested, without the person and the reason: two requests with the same content are one."""
    return request.wish, request.amount, request.credit_id, request.intent


def _requested(
    adjustment: Adjustment, amount: Money, command: MoneyCommand, *, credit_id: str = "", intent: int = 0
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


def _command_of(request: ApprovalRequested) -> MoneyCommand:
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
        case _:
            assert_never(request.wish)


def _written_off(intent: int, request: ApprovalRequested) -> WrittenOff:
    return WrittenOff(intent=intent, fault=request.fault, by=request.by, reason=request.reason)


def check_amount(amount: Money, order: Order) -> None:
    """Check that the amount is above zero and in the order's currency. Raises ImplausibleAmount."""
    if amount.currency != order.currency or amount.minor <= 0:
        raise ImplausibleAmount(amount, order.currency)
