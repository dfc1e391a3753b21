"""Why orders of a simulated world were parked."""

from __future__ import annotations

from collections.abc import Sequence

from domain.order.events import OrderParked
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.world import World

OWN_REASONS = {"OrderNotSettled", "CompensationUnfinished"}
"""Of payment methods that refuse a capture, a refund or a void, whatever else happens."""


def parked_errors(world: World, orders: Sequence[SimulatedOrder]) -> set[str]:
    """Collect the errors that the orders were parked with."""
    return {
        recorded.event.error
        for order in orders
        for recorded in world.log.load(f"order#{order.order_id}").recorded
        if isinstance(recorded.event, OrderParked)
    }
