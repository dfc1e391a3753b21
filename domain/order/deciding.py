"""``decide``: turn a command and the state of an order into events, or raise a refusal.

A decision has two parts. First one small function a command makes the events of the command itself. Then the
consequences of the new state are added until there are none left: intents that became necessary, the end of the order,
a new run. So an intent is in the commit that makes it necessary, whichever command that was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, assert_never

from domain.identifiers import SYSTEM, Role
from domain.money import Money, total
from domain.order.adjustments import adjust, approve, check_amount, reject, report
from domain.order.commands import (
    AbandonOrder,
    AddNote,
    Approve,
    AssignIncident,
    Awaited,
    CancelOrder,
    Command,
    ConfirmReport,
    GrantCredit,
    ParkOrder,
    PlaceOrder,
    RecordFact,
    RecordTimeout,
    RefundExtra,
    RejectApproval,
    StartRun,
    WriteOff,
)
from domain.order.consequences import consequences
from domain.order.delivery import OfferState
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierAssigned,
    CourierDeclined,
    CourierOffered,
    CourierReleased,
    CourierReleaseRequested,
    CourierRequested,
    CourierTimedOut,
    CourierWrittenOff,
    DeliveryFailed,
    DeliveryOverdue,
    Event,
    Fact,
    Fault,
    IncidentAssigned,
    Intent,
    ItemUnavailable,
    NoteAdded,
    OrderDelivered,
    OrderParked,
    OrderPickedUp,
    OrderPlaced,
    PaymentAuthorizationRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentCaptureRequested,
    PaymentDeclined,
    PaymentFound,
    PaymentLookupRequested,
    PaymentNotFound,
    PaymentRefunded,
    PaymentRefundRefused,
    PaymentRefundRequested,
    PaymentVoided,
    PaymentVoidRefused,
    PaymentVoidRequested,
    PreparationAccepted,
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationOverdue,
    PreparationReady,
    PreparationRejected,
    PreparationRequested,
    PreparationTimedOut,
    PreparationWrittenOff,
    ReportedOnBehalf,
    RunStarted,
    Timeout,
)
from domain.order.evolving import evolve, fact_key
from domain.order.intents import owed
from domain.order.order import Order, RunState
from domain.order.questions import Answer, answer
from domain.order.refusals import (
    CancellationNotAllowed,
    InvalidOrder,
    NotAsked,
    NotTheNextRun,
    OrderAlreadyEnded,
    OrderAlreadyPickedUp,
    OrderAlreadyPlaced,
    OrderNotFound,
    RunSuperseded,
    UnknownLine,
)
from domain.order.reports import CONTRADICTION, contest_detail, is_delivery_claimed
from domain.personal import Erased

T = TypeVar("T")

LINES_MAX = 100
"""Lines an order may have: far more than people order, far less than fit into a commit of 400 KB."""


TOTAL_MAX_MINOR = 10**12
"""The highest total of an order, in minor units of its currency: ten billion euros, a trillion yen.

Far above any meal, and far below what 64-bit integers of providers and databases hold.
"""


def decide(command: Command, order: Order) -> tuple[Event, ...]:
    """Decide on a command.

    Returns:
        The events to append; empty if the command changes nothing, e.g. because it was decided before.

    Raises:
        Rejected: The subclass names the broken rule. Append nothing.
    """
    events = list(_decided(command, order))
    for event in events:
        order = evolve(order, event)
    return (*events, *consequences(order)) if events else ()


def _decided(command: Command, order: Order) -> tuple[Event, ...]:
    if isinstance(command, PlaceOrder):
        return _place(command, order)
    if order.placed is None:
        raise OrderNotFound(order.order_id)
    match command:
        case CancelOrder():
            return _cancel(command, order)
        case RecordFact():
            return _record(command, order)
        case RecordTimeout():
            return _time_out(command, order)
        case ParkOrder():
            return _park(command, order)
        case StartRun():
            return _start_run(command, order)
        case GrantCredit() | WriteOff() | AbandonOrder() | ConfirmReport() | RefundExtra():
            return adjust(command, order)
        case Approve() | RejectApproval():
            return approve(command, order) if isinstance(command, Approve) else reject(command, order)
        case AddNote() | AssignIncident():
            return _add_note(command, order) if isinstance(command, AddNote) else _assign(command, order)
        case _:
            assert_never(command)


def _place(command: PlaceOrder, order: Order) -> tuple[Event, ...]:
    placed = OrderPlaced(
        order_id=command.order_id,
        customer=command.customer,
        restaurant=command.restaurant,
        lines=command.lines,
        delivery_fee=command.delivery_fee,
        service_fee=command.service_fee,
        tip=command.tip,
        payment_method=command.payment_method,
        contact=command.contact,
        placed_at=command.at,
        menu_version=command.menu_version,
        fee_tax_class=command.fee_tax_class,
        fee_tax_rate_bp=command.fee_tax_rate_bp,
        kitchen_note=command.kitchen_note or "",
    )
    if order.placed is not None:
        if order.placed == _as_first_placed(placed, order.placed):
            return ()
        raise OrderAlreadyPlaced(order.order_id)
    _check_prices(placed)
    return (placed,)


def _as_first_placed(placed: OrderPlaced, first: OrderPlaced) -> OrderPlaced:
    """Take over what may differ in a repetition: the time, and personal fields that were erased since."""
    return replace(
        placed,
        placed_at=first.placed_at,
        contact=_erased_as(first.contact, placed.contact),
        payment_method=_erased_as(first.payment_method, placed.payment_method),
        kitchen_note=_erased_as(first.kitchen_note, placed.kitchen_note),
    )


def _erased_as(first: T | Erased, repeated: T | Erased) -> T | Erased:
    return Erased() if isinstance(first, Erased) else repeated


def _check_prices(placed: OrderPlaced) -> None:
    if not 1 <= len(placed.lines) <= LINES_MAX:
        raise InvalidOrder("lines", f"an order has 1 to {LINES_MAX} lines, this one has {len(placed.lines)}")
    amounts = {"delivery_fee": placed.delivery_fee, "service_fee": placed.service_fee, "tip": placed.tip}
    for number, line in enumerate(placed.lines):
        if line.quantity < 1:
            raise InvalidOrder(f"lines[{number}].quantity", f"order at least 1, not {line.quantity}")
        amounts[f"lines[{number}].unit_price"] = line.unit_price
        amounts |= {f"lines[{number}].options[{i}].price": option.price for i, option in enumerate(line.options)}
    currency = placed.delivery_fee.currency
    for name, amount in amounts.items():
        if amount.currency != currency:
            raise InvalidOrder(name, f"{amount.currency}, but the order is in {currency}; use one currency")
        if amount.minor < 0:
            raise InvalidOrder(name, f"{amount} is below zero")
    fees = (placed.delivery_fee, placed.service_fee, placed.tip)
    price = total((*(line.total for line in placed.lines), *fees), currency)
    if not price:
        raise InvalidOrder("lines", "the total is zero; there is nothing to pay for")
    if price.minor > TOTAL_MAX_MINOR:
        raise InvalidOrder("lines", f"the total is {price}; an order has at most {Money(TOTAL_MAX_MINOR, currency)}")


def _cancel(command: CancelOrder, order: Order) -> tuple[Event, ...]:
    if command.by.role not in _CANCELLERS:
        raise CancellationNotAllowed(command.by.role)
    if order.cancellation is not None:
        return ()
    if order.delivery.picked_up or is_delivery_claimed(order):
        raise OrderAlreadyPickedUp(order.order_id)
    if order.run_state is RunState.ENDED:
        raise OrderAlreadyEnded(order.order_id)
    return (
        CancellationRequested(
            cause=CancellationCause.ASKED,
            fault=_CANCELLERS[command.by.role],
            by=command.by,
            reason=command.reason,
        ),
    )


def _record(command: RecordFact, order: Order) -> tuple[Event, ...]:
    fact = command.fact
    if not isinstance(order.intents.get(fact.answers), _ANSWERED_INTENT[type(fact)]):
        raise NotAsked(type(fact).__name__, fact.answers)
    if isinstance(fact, ItemUnavailable) and not 1 <= fact.line <= len(order.lines):
        raise UnknownLine(fact.line, len(order.lines))
    if isinstance(fact, PaymentAuthorized | PaymentCaptured | PaymentRefunded | PaymentFound):
        check_amount(fact.amount, order)
    if fact_key(fact) in order.facts and not _gives_back(fact, order):
        return ()
    return _passed_on(command, report(command, order), order)


def _passed_on(command: RecordFact, events: tuple[Event, ...], order: Order) -> tuple[Event, ...]:
    """Add who said so behind a report on behalf of a party, or behind the request for a second person."""
    said = command.on_behalf
    if said is None or command.by is None or not events:
        return events
    passed_on = ReportedOnBehalf(
        report=order.version + len(events),
        on_behalf_of=said.party,
        said_by=said.said_by,
        reason=said.reason,
        by=command.by,
    )
    return (*events, passed_on)


def _gives_back(fact: Fact, order: Order) -> bool:
    """Whether a courier gives an accepted offer back, which is news even if the same courier declined it before."""
    return isinstance(fact, CourierDeclined) and any(
        offer.intent == fact.answers and offer.state is OfferState.ASSIGNED and offer.courier == fact.courier
        for offer in order.delivery.offers
    )


def _time_out(command: RecordTimeout, order: Order) -> tuple[Event, ...]:
    _check_run(command.run, order)
    if not isinstance(order.intents.get(command.intent_version), _AWAITED_INTENT[command.awaited]):
        raise NotAsked(f"a timeout of {command.awaited}", command.intent_version)
    if command.awaited is Awaited.DELIVERY and not order.delivery.picked_up:
        return ()  # no courier has the meal yet, so the delivery cannot be late
    if order.cancellation is not None or answer(order, command.awaited, command.intent_version) is not Answer.NONE:
        return ()
    return (_timeout(command),)


def _timeout(command: RecordTimeout) -> Timeout:
    match command.awaited:
        case Awaited.ACCEPTANCE:
            return PreparationTimedOut(answers=command.intent_version, at=command.at)
        case Awaited.READINESS:
            return PreparationOverdue(answers=command.intent_version, at=command.at)
        case Awaited.ASSIGNMENT | Awaited.PICKUP:
            return CourierTimedOut(answers=command.intent_version, at=command.at)
        case Awaited.DELIVERY:
            return DeliveryOverdue(answers=command.intent_version, at=command.at)
        case _:
            assert_never(command.awaited)


def _park(command: ParkOrder, order: Order) -> tuple[Event, ...]:
    _check_run(command.run, order)
    if order.run_state is not RunState.RUNNING:
        return ()
    if order.cancellation is not None and not command.compensating:
        return (RunStarted(run=order.run + 1, by=SYSTEM, reason="cancelled while the run was being parked"),)
    if order.contest:
        return (OrderParked(run=command.run, error=CONTRADICTION, detail=contest_detail(order)),)
    return (OrderParked(run=command.run, error=command.error, detail=command.detail),)


def _start_run(command: StartRun, order: Order) -> tuple[Event, ...]:
    if command.run <= order.run:
        return ()
    if order.run_state is RunState.ENDED and not owed(order):
        raise OrderAlreadyEnded(order.order_id)
    if command.run != order.run + 1:
        raise NotTheNextRun(order.order_id, command.run, order.run)
    return (RunStarted(run=order.run + 1, by=command.by, reason=command.reason),)


def _add_note(command: AddNote, order: Order) -> tuple[Event, ...]:
    if command.note_id in order.notes:
        return ()
    return (NoteAdded(note_id=command.note_id, by=command.by, text=command.text),)


def _assign(command: AssignIncident, order: Order) -> tuple[Event, ...]:
    if command.to == order.assignee:
        return ()
    return (IncidentAssigned(to=command.to, by=command.by, reason=command.reason),)


def _check_run(run: int, order: Order) -> None:
    if run < order.run:
        raise RunSuperseded(order.order_id, run, order.run)


_CANCELLERS = {
    Role.CUSTOMER: Fault.CUSTOMER,
    Role.RESTAURANT: Fault.RESTAURANT,
    Role.SUPPORT: Fault.PLATFORM,
    Role.SERVICE: Fault.PLATFORM,
    Role.SYSTEM: Fault.PLATFORM,
}

_ANSWERED_INTENT: dict[type[Fact], type[Intent]] = {
    **dict.fromkeys((PaymentAuthorized, PaymentDeclined), PaymentAuthorizationRequested),
    **dict.fromkeys((PaymentCaptured, PaymentCaptureRefused), PaymentCaptureRequested),
    **dict.fromkeys((PaymentVoided, PaymentVoidRefused), PaymentVoidRequested),
    **dict.fromkeys((PaymentRefunded, PaymentRefundRefused), PaymentRefundRequested),
    **dict.fromkeys((PaymentFound, PaymentNotFound), PaymentLookupRequested),
    **dict.fromkeys(
        (PreparationAccepted, PreparationRejected, ItemUnavailable, PreparationReady), PreparationRequested
    ),
    **dict.fromkeys((PreparationCancelled, PreparationWrittenOff), PreparationCancellationRequested),
    **dict.fromkeys(
        (CourierOffered, CourierAssigned, CourierDeclined, OrderPickedUp, OrderDelivered, DeliveryFailed),
        CourierRequested,
    ),
    **dict.fromkeys((CourierReleased, CourierWrittenOff), CourierReleaseRequested),
}
"""The kind of intent that a report answers."""

_AWAITED_INTENT: dict[Awaited, type[Intent]] = {
    **dict.fromkeys((Awaited.ACCEPTANCE, Awaited.READINESS), PreparationRequested),
    **dict.fromkeys((Awaited.ASSIGNMENT, Awaited.PICKUP, Awaited.DELIVERY), CourierRequested),
}
"""The kind of intent whose answer a run waits for."""
