"""The rules that must hold after every simulated world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from domain.identifiers import SYSTEM
from domain.order.books import books
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierAssigned,
    CourierDeclined,
    CourierOffered,
    CourierReleaseRequested,
    CourierRequested,
    CourierTimedOut,
    DeliveryFailed,
    Event,
    ItemUnavailable,
    OrderAbandoned,
    OrderDelivered,
    OrderParked,
    OrderPickedUp,
    PaymentAuthorized,
    PaymentDeclined,
    PreparationCancellationRequested,
    PreparationOverdue,
    PreparationRejected,
    PreparationTimedOut,
    ReportConfirmed,
    ReportContested,
)
from domain.order.intents import owed
from domain.order.order import Order, RunState
from domain.order.reports import CONTRADICTION
from workflows.audit.verify import verify
from workflows.embedded.steady_clock import SLEW
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in
from workflows.orders.command_handling import load
from workflows.projections.open_orders import open_orders, project
from workflows.sagas.circuit_waits import waits_of as circuit_waits_of
from workflows.sagas.waits import waits_of
from workflows.sandbox.books_check import check_books
from workflows.sandbox.ledger import Entry
from workflows.settings import read
from workflows.simulation.books import books_violations
from workflows.simulation.menus import placing_violations, price_violations
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.processes import JUMP_LASTS_S
from workflows.simulation.receipts import receipt_violations
from workflows.simulation.world import World
from workflows.time_budgets import read_budgets

CLOCK_MOVES_S = 2 * SLEW * JUMP_LASTS_S[1]
"""Twice the slew of the longest jump, because a process may not have read its clock for as long before the jump."""


def violations(world: World, simulated_orders: list[SimulatedOrder]) -> list[str]:
    """Describe every broken rule in a sentence."""
    return [
        *chain.from_iterable(observer.violations() for observer in world.observers),
        *_of_orders(world, simulated_orders),
        *chain.from_iterable(order.bulk.violations() for order in simulated_orders if order.bulk),
        *_of_clock(world),
        *_of_stores(world),
        *books_violations(world.log, world.sandbox),
        *receipt_violations(world.log, world.documents),
        *stale_rows(world),
        *_of_executions(world, simulated_orders),
    ]


def _of_orders(world: World, simulated_orders: list[SimulatedOrder]) -> Iterator[str]:
    lines = {line.key: line for line in (*world.sandbox.kitchen.entries(), *world.sandbox.couriers.entries())}
    changes = world.log.changes(0, world.log.newest())
    for simulated_order in simulated_orders:
        if simulated_order.order_id is None:
            yield f"order {simulated_order.number} was never acknowledged"
            continue
        history, order = load(world.log, simulated_order.order_id)
        if order.run_state is RunState.RUNNING:
            yield f"{order.order_id} neither ended nor is an incident: {order.status}, run {order.run}"
        if order.run_state is RunState.ENDED and owed(order):
            yield f"{order.order_id} ended with open intents {owed(order)}"
        if order.run_state is RunState.ENDED and not books(order).settled:
            yield f"{order.order_id} ended and its books are not settled: {books(order)}"
        yield from _of_contradictions(order, history)
        yield from _of_denied_deliveries(order, history)
        yield from _of_pickup(order, history)
        yield from _of_reasons(order, history)
        yield from _of_offers(order, history)
        yield from _of_undos(order, lines)
        yield from price_violations(world.log, order)
        yield from placing_violations(world.log, changes, order, simulated_order.asked_at)


def _of_clock(world: World) -> Iterator[str]:
    """Check that a jump of the wall clock moved no process's clock further than it may run fast or slow meanwhile."""
    if world.clock.moved_s > CLOCK_MOVES_S:
        yield f"a jump of the wall clock moved the clock of a process by {world.clock.moved_s:.0f} s"


def _of_pickup(order: Order, history: History) -> Iterator[str]:
    picked_up = False
    for _, event in _in_effect(history):
        if isinstance(event, CancellationRequested) and picked_up:
            if event.cause is not CancellationCause.DELIVERY_FAILED:
                yield f"{order.order_id} was cancelled after pickup because of {event.cause}"
        elif isinstance(event, PreparationCancellationRequested) and picked_up:
            yield f"{order.order_id} recalls a meal that was picked up"
        picked_up |= isinstance(event, OrderPickedUp | OrderDelivered)


def _of_reasons(order: Order, history: History) -> Iterator[str]:
    """Check that every cancellation has a reason in the log: a person's request, or an earlier event."""
    before: list[Event] = []
    for _, event in _in_effect(history):
        before.append(event)
        if not isinstance(event, CancellationRequested):
            continue
        if event.cause is CancellationCause.ASKED:
            has_reason = event.by != SYSTEM
        else:
            has_reason = any(isinstance(earlier, _REASONS[event.cause]) for earlier in before)
        if not has_reason:
            yield f"{order.order_id} was cancelled by {event.by.role}, {event.cause}, and the log has no reason for it"


def _of_offers(order: Order, history: History) -> Iterator[str]:
    """Check that each offer had ended before the next one, or before the cancellation for want of a courier."""
    before, offers = list[Event](), list[int]()
    for version, event in _in_effect(history):
        no_courier = isinstance(event, CancellationRequested) and event.cause is CancellationCause.NO_COURIER
        if no_courier or isinstance(event, CourierRequested):
            for offer in offers:
                if not _has_ended(offer, before):
                    yield f"{order.order_id}: offer {offer} had not ended at version {version}"
            offers.append(version)
        before.append(event)


def _has_ended(offer: int, before: list[Event]) -> bool:
    """Whether time, or the couriers whom it concerned, ended an offer. One courier does not decline for others."""
    about = [event for event in before if getattr(event, "answers", None) == offer]
    took = {event.courier for event in about if isinstance(event, CourierAssigned)}
    made_to = {courier for event in about if isinstance(event, CourierOffered) for courier in event.couriers}
    declined = {event.courier for event in about if isinstance(event, CourierDeclined)}
    timed_out = any(isinstance(event, CourierTimedOut) for event in about)
    return timed_out or bool(took & declined) or (bool(made_to) and made_to <= declined)


def _in_effect(history: History) -> Iterator[tuple[int, Event]]:
    """Yield the events with their versions; a contested report only when it is confirmed, with its own version."""
    announced, contested = set[int](), dict[int, Event]()
    for version, event in enumerate(history.events, start=1):
        if isinstance(event, ReportContested):
            announced.add(event.report)
        elif isinstance(event, ReportConfirmed):
            yield event.report, contested.pop(event.report)
        elif version in announced:
            contested[version] = event
            continue
        yield version, event


def _of_contradictions(order: Order, history: History) -> Iterator[str]:
    """Check that an order with an undecided contradiction is parked, and that the incident names both reports."""
    if not order.contest or order.contest not in order.contested:
        return
    parked = [event for event in history.events if isinstance(event, OrderParked)]
    if order.run_state is not RunState.PARKED or parked[-1].error != CONTRADICTION:
        yield f"{order.order_id} has contradicting reports and is not parked for them"
    elif any(
        f"(event {version})" not in parked[-1].detail for version in (order.contest, order.contradicts) if version
    ):
        yield f"{order.order_id} is parked without both reports in view: {parked[-1].detail}"


def _of_denied_deliveries(order: Order, history: History) -> Iterator[str]:
    """Check that no failure takes effect by itself once a delivery was reported for its offer, even a contested one."""
    delivered, announced = set[int](), set[int]()
    for version, event in enumerate(history.events, start=1):
        match event:
            case CancellationRequested():
                return
            case ReportContested():
                announced.add(event.report)
            case OrderDelivered():
                delivered.add(event.answers)
            case DeliveryFailed() if event.answers in delivered and version not in announced:
                yield f"{order.order_id}: the failure of version {version} denies a reported delivery and took effect"


_REASONS: dict[CancellationCause, tuple[type, ...]] = {
    CancellationCause.PAYMENT_DECLINED: (PaymentDeclined, PaymentAuthorized),  # of less than the order costs
    CancellationCause.PREPARATION_REJECTED: (PreparationRejected,),
    CancellationCause.PREPARATION_TIMED_OUT: (PreparationTimedOut,),
    CancellationCause.PREPARATION_OVERDUE: (PreparationOverdue,),
    CancellationCause.NOTHING_LEFT: (ItemUnavailable,),
    CancellationCause.NO_COURIER: (CourierDeclined, CourierTimedOut),
    CancellationCause.DELIVERY_FAILED: (DeliveryFailed,),
    CancellationCause.ABANDONED: (OrderAbandoned,),
}


def _of_undos(order: Order, lines: Mapping[str, Entry]) -> Iterator[str]:
    """Check that every recalled ticket and withdrawn offer is the one that the intent named.

    Args:
        lines: Of the kitchen and of the couriers, of all orders, by the key of their call: the line of an undo that
            names no call of the order is not in that order's lines.
    """
    for version, intent in order.intents.items():
        if not isinstance(intent, PreparationCancellationRequested | CourierReleaseRequested):
            continue
        line = lines.get(f"{order.order_id}/{version}")
        if line is not None and line.parent != f"{order.order_id}/{intent.request}":
            yield f"{order.order_id}/{version} undid {line.parent}, not the call of version {intent.request}"


def _of_stores(world: World) -> Iterator[str]:
    """Check that one event explains every line of the sandbox's ledgers, and that every hash chain verifies."""
    for difference in check_books(world.log, world.sandbox).differences:
        yield f"{difference.order_id}: {difference.what}"
    for finding in verify(world.log).findings:
        yield f"{finding.stream} version {finding.version}: {finding.what}"


def stale_rows(world: World) -> Iterator[str]:
    """List the orders whose row in the view of open orders differs from their log."""
    table = read(world.template.functions["Feed"].environment, read_budgets)
    rows = {row.order_id: row for row in open_orders(world.documents)}
    for order_id in {order_id for commit in world.log.scan() if (order_id := order_id_in(commit.pk))}:
        history, order = load(world.log, order_id)
        if project(order, history.recorded, table) != rows.get(order.order_id):
            yield f"{order.order_id}: the view of open orders is not what the log says"


def _of_executions(world: World, simulated_orders: list[SimulatedOrder]) -> Iterator[str]:
    """Check that no execution still runs and that no wait has an open token."""
    for running in world.executions.running():
        yield f"execution {running.execution.name} still runs: {world.executions.waits_of(running)}"
    for simulated_order in simulated_orders:
        if simulated_order.order_id is None:
            continue
        waiting = [wait.token for wait in waits_of(world.documents, simulated_order.order_id)]
        waiting += [wait.token for wait in circuit_waits_of(world.documents, simulated_order.order_id)]
        if any(world.executions.is_open(token) for token in waiting):
            yield f"{simulated_order.order_id}: a token is still open"
