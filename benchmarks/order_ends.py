"""Checks that whole orders of the embedded engine reached their end: events, executions and calls of providers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from benchmarks.peers.order_steps import OrdersLost
from domain.identifiers import OrderId
from domain.order.intents import owed
from workflows.asl.signals import ExecutionStatus
from workflows.embedded.engine import EmbeddedEngine
from workflows.orders.command_handling import load
from workflows.sandbox.ledger import Entry
from workflows.sandbox.opening import Sandbox

_BEGUN = """
    OrderPlaced PaymentAuthorizationRequested PaymentAuthorized PreparationRequested PreparationAccepted
    PreparationReady CourierRequested CourierAssigned
"""
_EVENTS = {
    "completed": f"{_BEGUN} OrderPickedUp OrderDelivered PaymentCaptureRequested PaymentCaptured OrderCompleted",
    "cancelled": f"""
        {_BEGUN} CancellationRequested PaymentVoidRequested PreparationCancellationRequested CourierReleaseRequested
        PaymentVoided PreparationCancelled CourierReleased OrderCancelled
    """,
}
_LINES = {
    "completed": ["arrived", "arrived", "authorized", "captured"],
    "cancelled": ["arrived", "arrived", "authorized", "taken_back", "taken_back", "voided"],
}
_MACHINES = {"OrderMachine"}


@dataclass(frozen=True, slots=True)
class _Traces:
    """What an order left: its status, its events, its lines in the ledgers, and its machines that succeeded."""

    status: str
    owes: bool
    events: list[str]
    lines: list[str]
    succeeded: set[str]


def check_orders(engine: EmbeddedEngine, ends: Mapping[OrderId, str]) -> None:
    """Compare orders with the ends that they should have reached.

    Args:
        ends: "completed" or "cancelled", by order.

    Raises:
        OrdersLost: An order has another end, or other events, executions or calls of providers than its end has.
    """
    sandbox = cast("Sandbox", engine.gateways)
    lines = _by_order([*sandbox.payments.entries(), *sandbox.kitchen.entries(), *sandbox.couriers.entries()])
    lost = []
    for order_id, end in ends.items():
        traces = _traces(engine, order_id, lines[order_id])
        if traces != _Traces(end, False, sorted(_EVENTS[end].split()), _LINES[end], _MACHINES):
            lost.append(f"{order_id} should be {end}: {traces}")
    if lost or not ends:
        raise OrdersLost(f"{len(lost)} of {len(ends)} orders: {lost[:3]}")


def _traces(engine: EmbeddedEngine, order_id: OrderId, lines: list[str]) -> _Traces:
    history, order = load(engine.ports.log, order_id)
    executions = engine.reports._journal.family(order_id)
    return _Traces(
        status=order.status.value,
        owes=bool(owed(order)),
        events=sorted(type(event).__name__ for event in history.events),
        lines=sorted(lines),
        succeeded={row.machine for row in executions if row.status is ExecutionStatus.SUCCEEDED},
    )


def _by_order(entries: Iterable[Entry]) -> defaultdict[str, list[str]]:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        kinds[entry.reference].append(entry.kind)
    return kinds
