"""What a decision would do, without taking it: the dry run of every verb.

The same ``decide`` says it that would do it, on the same order; so a plan cannot be of another opinion than the deed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from domain.money import Money
from domain.order.commands import AbandonOrder, Approve, CancelOrder, ConfirmReport, StartRun, WriteOff
from domain.order.deciding import decide
from domain.order.events import (
    ApprovalRequested,
    Event,
    Intent,
    OrderAbandoned,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    WrittenOff,
)
from domain.order.intents import Holding, OpenIntent, open_intents, owed
from domain.order.order import Order, Status, evolve
from domain.order.refusals import Rejected

Verb: TypeAlias = StartRun | CancelOrder | AbandonOrder | WriteOff | ConfirmReport | Approve


@dataclass(frozen=True, slots=True)
class Move:
    """Money that moves (``what``: hold, take, let go of, give back), or does not (leave held, give up)."""

    what: str
    amount: Money
    intent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``runs`` is what will be performed again, or for the first time, by the run that follows; ``approval`` is the
    amount for which a second person has to agree first; ``refused`` says which rule is broken and how."""

    events: tuple[str, ...] = ()
    status: Status
    runs: tuple[OpenIntent, ...] = ()
    money: tuple[Move, ...] = ()
    approval: Money | None = None
    refused: tuple[str, str] | None = None


def plan(command: Verb, order: Order) -> Plan:
    """What the command would do to the order as it is now."""
    try:
        events = decide(command, order)
    except Rejected as refusal:
        return Plan(status=order.status, refused=(type(refusal).__name__, str(refusal)))
    after = order
    for event in events:
        after = evolve(after, event)
    asked = next((event.amount for event in events if isinstance(event, ApprovalRequested)), None)
    runs = () if asked is not None or not events else open_intents(after)
    return Plan(
        events=tuple(type(event).__name__ for event in events),
        status=after.status,
        runs=runs,
        money=(*_given_up(events, order), *_moved(runs, after)),
        approval=asked,
    )


def _given_up(events: tuple[Event, ...], order: Order) -> list[Move]:
    """Each thing is counted as what it is worth when it is written off."""
    found = []
    for event in events:
        if isinstance(event, WrittenOff):
            item = next((item for item in owed(order) if item.intent == event.intent), None)
            if item is not None and item.amount is not None:
                held = item.holding is Holding.AUTHORIZATION
                found.append(Move("leave held" if held else "give up", item.amount, event.intent))
        if isinstance(event, OrderAbandoned):
            amounts = (event.unclaimed, event.unreturned)
            found += [Move("give up", amount, 0) for amount in amounts if amount]
        order = evolve(order, event)
    return found


def _moved(runs: tuple[OpenIntent, ...], order: Order) -> list[Move]:
    moves = [(found.version, _move(found.intent, order)) for found in runs]
    return [Move(*move, version) for version, move in moves if move is not None]


def _move(intent: Intent, order: Order) -> tuple[str, Money] | None:
    match intent:
        case PaymentAuthorizationRequested():
            return "hold", intent.amount
        case PaymentCaptureRequested():
            return "take", intent.amount
        case PaymentRefundRequested():
            return "give back", intent.amount
        case PaymentVoidRequested():
            held = order.payment.authorization
            return None if held is None else ("let go of", held.amount)
        case _:
            return None
