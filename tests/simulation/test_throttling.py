"""Lambda refuses all calls for ten minutes: orders wait, and none is parked for it."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import Any

import pytest

from tests.simulation.parked_errors import OWN_REASONS, parked_errors
from workflows.event_store.change_feed import FeedEntry
from workflows.simulation.faults import Faults, InjectedFault
from workflows.simulation.invariants import violations
from workflows.simulation.matrix import deployed
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.world import THROTTLED, World

ORDERS = 3
TEN_MINUTES_S = 600.0


@pytest.mark.parametrize("event", ["RunStarts", "PaymentAuthorized", "PreparationAccepted"])
def test_ten_minutes_of_throttling_park_no_order(event: str) -> None:
    """From the first run that starts, or the first such event: the next step is refused, and repeated until it runs."""
    world = World(7, deployed(), Faults(7, {}), observed=False)
    with closing(world.scheduler), quiet():
        orders = [SimulatedOrder(world, number) for number in range(ORDERS)]
        _throttle_at(world, event)
        run_to_rest(world, orders)
        assert violations(world, orders) == []
        assert parked_errors(world, orders) <= OWN_REASONS
        history = [entry for running in world.executions.every() for entry in running.events]
        assert any(THROTTLED[0] in str(entry) for entry in history)


def _throttle_at(world: World, event: str) -> None:
    waiting = [event]

    def look(change: FeedEntry) -> None:
        if event in waiting and f'"{event}"' in change.commit.ev:
            waiting.clear()
            world.throttle(TEN_MINUTES_S)

    def start(*arguments: Any, **options: Any) -> Any:
        if "RunStarts" in waiting:
            waiting.clear()
            world.throttle(TEN_MINUTES_S)
        return starting(*arguments, **options)

    starting = world.executions.start
    world.executions.start = start  # type: ignore[method-assign]  # Step Functions works, while Lambda refuses
    world.log.on_commit(look)


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
