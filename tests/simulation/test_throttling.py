"""Lambda refuses all calls for ten minutes: orders wait, and none is parked for it."""

from __future__ import annotations

from contextlib import closing
from random import Random

import pytest

from domain.order.events import OrderParked
from workflows.simulation.faults import Faults, InjectedFault
from workflows.simulation.invariants import violations
from workflows.simulation.matrix import deployed
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.world import THROTTLED, World

ORDERS = 8
TEN_MINUTES_S = 600.0
OWN_REASONS = {"OrderNotSettled", "CompensationUnfinished"}
"""Of payment methods that refuse a capture, a refund or a void, whatever Lambda does."""


@pytest.mark.parametrize("begins_s", [1.0, 400.0, 1500.0])
def test_ten_minutes_of_throttling_park_no_order(begins_s: float) -> None:
    """From the payment's authorization on: at the beginning, while restaurants cook, and while meals are delivered."""
    world = World(7, deployed(), Faults(7, {}), observed=False)
    with closing(world.scheduler), quiet():
        orders = [SimulatedOrder(world, number) for number in range(ORDERS)]
        world.scheduler.after(begins_s, lambda: world.throttle(TEN_MINUTES_S))
        run_to_rest(world, orders)
        assert violations(world, orders) == []
        parked = {
            recorded.event.error
            for order in orders
            for recorded in world.log.load(f"order#{order.order_id}").recorded
            if isinstance(recorded.event, OrderParked)
        }
        assert parked <= OWN_REASONS
        refused = [
            event
            for running in world.executions.every()
            for event in running.events
            if THROTTLED[0] in str(event.get("taskFailedEventDetails", event.get("lambdaFunctionFailedEventDetails")))
        ]
        assert refused


def test_draws_of_its_own_leave_the_other_faults_of_a_seed_as_they_were() -> None:
    """Seeds that show a fault in reports and mutants go on showing it after a new kind of fault."""

    def struck(*, beside: bool) -> list[InjectedFault | None]:
        faults = Faults(3, {InjectedFault.FEED_TWICE: 0.3})
        return [_strike(faults, number, beside) for number in range(20)]

    assert struck(beside=True) == struck(beside=False)


def _strike(faults: Faults, number: int, beside: bool) -> InjectedFault | None:
    if beside:
        faults.strikes((InjectedFault.FUNCTIONS_THROTTLED,), "a new kind", Random(number))
    return faults.strikes((InjectedFault.FEED_TWICE,), "an old kind")
