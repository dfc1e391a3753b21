"""Wishes that move or give up money by hand: a credit, a write-off, giving an order up; and the second person's yes.

A wish about more than its limit is recorded as ``ApprovalRequested`` and done when somebody else approves it. It is
understood anew then: the order may have moved on.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from domain.money import Money
from domain.order.commands import AbandonOrder, Approve, GrantCredit, WriteOff
from domain.order.consequences import wanted
from domain.order.events import (
    ApprovalGiven,
    ApprovalRequested,
    CreditGranted,
    Event,
    OrderAbandoned,
    Wish,
    WrittenOff,
)
from domain.order.intents import Holding, Owed, at_stake, excess_taken, owed, shortage
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


def wish(command: MoneyCommand, order: Order) -> tuple[Event, ...]:
    """Do it; or, above the limit, keep it for a second person to approve."""
    asked = _understood(command, order)
    if asked is None:
        return ()
    if _one_is_enough(_in_all(asked, order), command.limit):
        return _done(asked, order)
    known = any(_what(pending) == _what(asked) for pending in order.approvals.values())
    return () if known else (asked,)


def approve(command: Approve, order: Order) -> tuple[Event, ...]:
    """The wish is decided again, as things are now. What it gives up must not have grown since."""
    if command.approval in order.approved:
        return ()
    asked = order.approvals.get(command.approval)
    if asked is None:
        raise NoSuchApproval(command.approval)
    if command.by.id == asked.by.id:
        raise SecondPersonNeeded(command.approval, asked.by.id)
    now = _understood(_wished(asked), order)
    if now is None:
        return ()
    if now.amount > asked.amount:
        raise ApprovalOutdated(command.approval, asked.amount, now.amount)
    return (ApprovalGiven(approval=command.approval, by=command.by), *_done(now, order))


def _understood(command: MoneyCommand, order: Order) -> ApprovalRequested | None:
    """What is wished and the amount that it is about; None when it is so already. Raises Rejected."""
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
    return _asked(Wish.CREDIT, command.amount, command, credit_id=command.credit_id)


def _write_off(command: WriteOff, order: Order) -> ApprovalRequested | None:
    item = next((item for item in owed(order) if item.intent == command.intent), None)
    if item is None:
        return _write_off_claim(command, order)
    if wanted(order, item) and item.holding is not Holding.CAPTURE:
        raise StillNeeded(command.intent)
    amount = item.amount or Money.zero(order.currency)
    return _asked(Wish.WRITE_OFF, amount, command, intent=command.intent)


def _write_off_claim(command: WriteOff, order: Order) -> ApprovalRequested | None:
    """What is owed to us can be written off too: the last capture, refused or of less than was asked."""
    captures = order.payment.captures
    if captures and captures[-1].intent == command.intent and shortage(order):
        return _asked(Wish.WRITE_OFF, shortage(order), command, intent=command.intent)
    if command.intent in order.written_off:
        return None
    raise NothingOwed(command.intent)


def _abandon(command: AbandonOrder, order: Order) -> ApprovalRequested | None:
    if order.given_up:
        return None
    if order.run_state is RunState.ENDED:
        raise OrderAlreadyEnded(order.order_id)
    return _asked(Wish.ABANDON, at_stake(order), command)


def _done(wish: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    match wish.wish:
        case Wish.CREDIT:
            return (_granted(wish),)
        case Wish.WRITE_OFF:
            return (_written_off(wish.intent, wish),)
        case Wish.ABANDON:
            return _given_up(wish, order)
        case _:
            assert_never(wish.wish)


def _granted(wish: ApprovalRequested) -> CreditGranted:
    return CreditGranted(credit_id=wish.credit_id, amount=wish.amount, fault=wish.fault, by=wish.by, reason=wish.reason)


def _given_up(wish: ApprovalRequested, order: Order) -> tuple[Event, ...]:
    """Write off one thing after the other: what is in doubt may hide what it was taken from."""
    events: list[Event] = []
    unclaimed = shortage(order)
    while (item := next((item for item in owed(order) if not _is_excess(item)), None)) is not None:
        events.append(_written_off(item.intent, wish))
        order = evolve(order, events[-1])
    end = OrderAbandoned(
        fault=wish.fault, by=wish.by, reason=wish.reason, unclaimed=unclaimed, unreturned=excess_taken(order)
    )
    return (*events, end)


def _is_excess(item: Owed) -> bool:
    """Taken too much, and no refund was asked for: there is no intent yet that could be written off."""
    return item.holding is Holding.CAPTURE and item.undo is None and not item.in_doubt and not item.refused


def _in_all(asked: ApprovalRequested, order: Order) -> Money:
    """Many small credits on one order are one large one."""
    return asked.amount + Money(order.credited if asked.wish is Wish.CREDIT else 0, order.currency)


def _one_is_enough(amount: Money, limit: Money | None) -> bool:
    return limit is None or not amount or (limit.currency == amount.currency and amount <= limit)


def _what(wish: ApprovalRequested) -> tuple[object, ...]:
    """Two wishes are the same whoever says them, and in whatever words."""
    return wish.wish, wish.amount, wish.credit_id, wish.intent


def _asked(
    wish: Wish, amount: Money, command: MoneyCommand, *, credit_id: str = "", intent: int = 0
) -> ApprovalRequested:
    return ApprovalRequested(
        wish=wish,
        amount=amount,
        fault=command.fault,
        by=command.by,
        reason=command.reason,
        credit_id=credit_id,
        intent=intent,
    )


def _wished(asked: ApprovalRequested) -> MoneyCommand:
    match asked.wish:
        case Wish.CREDIT:
            return GrantCredit(
                credit_id=asked.credit_id, amount=asked.amount, fault=asked.fault, by=asked.by, reason=asked.reason
            )
        case Wish.WRITE_OFF:
            return WriteOff(intent=asked.intent, fault=asked.fault, by=asked.by, reason=asked.reason)
        case Wish.ABANDON:
            return AbandonOrder(fault=asked.fault, by=asked.by, reason=asked.reason)
        case _:
            assert_never(asked.wish)


def _written_off(intent: int, wish: ApprovalRequested) -> WrittenOff:
    return WrittenOff(intent=intent, fault=wish.fault, by=wish.by, reason=wish.reason)


def check_amount(amount: Money, order: Order) -> None:
    """Raises ImplausibleAmount."""
    if amount.currency != order.currency or amount.minor <= 0:
        raise ImplausibleAmount(amount, order.currency)
