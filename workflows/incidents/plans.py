"""Plans: what an action on an incident would do. The dry run of every action.

A plan is made by the same ``decide``, on the same order, that would record the action. So the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order.adjustments import same_request
from domain.order.commands import Approve, Command
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
from domain.order.ledger import LedgerAccount, payables
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


@dataclass(frozen=True, slots=True)
class Pay:
    """What a restaurant or courier would earn, or lose if below zero, as the ledger has it."""

    party: Literal["restaurant", "courier"]
    id: str | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an action would do.

    Attributes:
        events: The types of the events that it would record.
        status: The order's status afterwards.
        runs: The intents that would be performed: all open ones in a new run, else those that the action adds.
        money: What would happen to the order's money.
        pay: What restaurant and courier would earn or lose.
        approval: The amount that a second person has to approve first, also if the request for it was made already.
        once_approved: What the approval would do, if one is needed: its plan on the order with the request.
        refused: The rule that forbids the action, by its class name, and the message of the refusal.
        instead: What would help, if the action leads nowhere: names of other actions, ``approve <number>``, ``credit``,
            and reports by their routes.
    """

    events: tuple[str, ...] = ()
    status: Status
    runs: tuple[OpenIntent, ...] = ()
    money: tuple[Move, ...] = ()
    pay: tuple[Pay, ...] = ()
    approval: Money | None = None
    once_approved: Plan | None = None
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
    request = _request_in(events if events else _same_request(command, order))
    runs = () if request is not None else _calls(events, order, after)
    return Plan(
        events=tuple(type(event).__name__ for event in events),
        status=after.status,
        runs=runs,
        money=(*_credited(events, order), *_given_up(events, order), *_moved(runs, after)),
        pay=_pay(order, after),
        approval=None if request is None else request.amount,
        once_approved=None if request is None else _approved(request, after),
    )


def _calls(events: tuple[Event, ...], order: Order, after: Order) -> tuple[OpenIntent, ...]:
    if not events:
        return ()
    goes_on = order.run_state is RunState.RUNNING and not any(
        isinstance(event, RunStarted | CancellationRequested) for event in events
    )
    return tuple(call for call in open_intents(after) if call.version > order.version or not goes_on)


def _request_in(events: tuple[Event, ...]) -> ApprovalRequested | None:
    return next((event for event in events if isinstance(event, ApprovalRequested)), None)


def _same_request(command: Command, order: Order) -> tuple[Event, ...]:
    """Return the request of the command if it was made before and waits for a second person."""
    return decide(command, replace(order, approvals={})) if order.approvals else ()


def _approved(request: ApprovalRequested, order: Order) -> Plan:
    """Work out what the approval of a request would do, by another person, on the order that has it."""
    version = next(version for version, other in order.approvals.items() if same_request(other, request))
    return plan(Approve(approval=version, by=Actor(Role.SERVICE, "")), order)


def _pay(order: Order, after: Order) -> tuple[Pay, ...]:
    """Return by how much the payables of the restaurant and the courier would change."""
    old, new = payables(order), payables(after)
    nothing = Money.zero(after.currency)
    changes = ((key, new.get(key, nothing) - old.get(key, nothing)) for key in {**old, **new})
    return tuple(Pay(_PAID[account], party, amount) for (account, party), amount in changes if amount)


_PAID: Mapping[LedgerAccount, Literal["restaurant", "courier"]] = {
    LedgerAccount.RESTAURANT_PAYABLE: "restaurant",
    LedgerAccount.COURIER_PAYABLE: "courier",
}


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
