"""Plans: what an action on an incident would do. The dry run of every action.

A plan is made by the same ``decide``, on the same order, that would record the action. So the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.money import Money
from domain.order.commands import Command
from domain.order.deciding import decide
from domain.order.events import (
    ApprovalRequested,
    CancellationRequested,
    CreditGranted,
    Event,
    Intent,
    ItemUnavailable,
    OrderAbandoned,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentLookupRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    ReportConfirmed,
    RunStarted,
    WrittenOff,
)
from domain.order.evolving import evolve
from domain.order.intents import Holding, OpenIntent, open_intents, owed
from domain.order.order import Order, RunState, Status
from domain.order.refusals import Rejected


class Movement(StrEnum):
    """What happens to an amount. The first four are calls to the payment provider; the others move no money."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    LEAVE_HELD = "leave_held"
    GIVE_UP = "give_up"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Move:
    """An amount and what would happen to it. ``intent`` is the version of the intent it belongs to, 0 without one."""

    what: Movement
    amount: Money
    intent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an action would do.

    Attributes:
        events: The types of the events that it would record.
        status: The order's status afterwards.
        runs: The intents that would be performed: all open ones in a new run, else those that the action adds.
        money: What would happen to the order's money.
        approval: The amount that a second person has to approve first, also if the request for it was made already.
        refused: The rule that forbids the action, by its class name, and the message of the refusal.
        instead: What would help, if the action leads nowhere: names of other actions, ``approve <number>``, ``credit``,
            and reports by their routes.
    """

    events: tuple[str, ...] = ()
    status: Status
    runs: tuple[OpenIntent, ...] = ()
    money: tuple[Move, ...] = ()
    approval: Money | None = None
    refused: tuple[str, str] | None = None
    instead: tuple[str, ...] = ()


def plan(command: Command, order: Order) -> Plan:
    """Work out what the command would do to the order as it is now."""
    try:
        events = decide(command, order)
    except Rejected as refusal:
        return Plan(status=order.status, refused=(type(refusal).__name__, str(refusal)))
    after = order
    for event in events:
        after = evolve(after, event)
    approval = _needs_approval(events) if events else _awaits_approval(command, order)
    runs = () if approval is not None else _calls(events, order, after)
    return Plan(
        events=tuple(type(event).__name__ for event in events),
        status=after.status,
        runs=runs,
        money=(*_credited(events, order), *_given_up(events, order), *_moved(runs, after)),
        approval=approval,
    )


def _calls(events: tuple[Event, ...], order: Order, after: Order) -> tuple[OpenIntent, ...]:
    if not events:
        return ()
    goes_on = order.run_state is RunState.RUNNING and not any(
        isinstance(event, RunStarted | CancellationRequested) for event in events
    )
    return tuple(call for call in open_intents(after) if call.version > order.version or not goes_on)


def _needs_approval(events: tuple[Event, ...]) -> Money | None:
    return next((event.amount for event in events if isinstance(event, ApprovalRequested)), None)


def _awaits_approval(command: Command, order: Order) -> Money | None:
    """Return the amount of the same request if it was made before and waits for a second person; else None."""
    return _needs_approval(decide(command, replace(order, approvals={})))


def _credited(events: tuple[Event, ...], order: Order) -> list[Move]:
    """Return by how much less the customer pays: by credits, and by items that are missing."""
    moves = []
    for event in events:
        after = evolve(order, event)
        if isinstance(event, CreditGranted):
            moves.append(Move(Movement.CREDIT, event.amount, 0))
        elif isinstance(event, ItemUnavailable | ReportConfirmed) and after.total != order.total:
            moves.append(Move(Movement.CREDIT, order.total - after.total, 0))
        order = after
    return moves


def _given_up(events: tuple[Event, ...], order: Order) -> list[Move]:
    """Return the amounts that write-offs and an abandonment give up, each as it is when it is written off."""
    moves = []
    for event in events:
        if isinstance(event, WrittenOff):
            item = next((item for item in owed(order) if item.intent == event.intent), None)
            if item is not None and item.amount is not None:
                held = item.holding is Holding.AUTHORIZATION
                moves.append(Move(Movement.LEAVE_HELD if held else Movement.GIVE_UP, item.amount, event.intent))
        if isinstance(event, OrderAbandoned):
            amounts = (event.unclaimed, event.unreturned)
            moves += [Move(Movement.GIVE_UP, amount, 0) for amount in amounts if amount]
        order = evolve(order, event)
    return moves


def _moved(runs: tuple[OpenIntent, ...], order: Order) -> list[Move]:
    """Return the amounts that the calls to the payment provider would move."""
    moves = [(run.version, _movement(run.intent, order)) for run in runs]
    return [Move(*movement, version) for version, movement in moves if movement is not None]


def _movement(intent: Intent, order: Order) -> tuple[Movement, Money] | None:
    match intent:
        case PaymentAuthorizationRequested():
            return Movement.AUTHORIZE, intent.amount
        case PaymentCaptureRequested():
            return Movement.CAPTURE, intent.amount
        case PaymentRefundRequested() | PaymentLookupRequested():
            return Movement.REFUND, intent.amount
        case PaymentVoidRequested():
            held = order.payment.authorization
            return None if held is None else (Movement.RELEASE, held.amount)
        case _:
            return None
