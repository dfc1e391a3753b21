"""Runs that began with an earlier definition of the order machine, before kitchen and courier became its branches."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest

from tests.simulation.parked_errors import OWN_REASONS, parked_errors
from tests.statemachines.earlier_definition import CHILDREN, earlier
from workflows.asl.signals import ExecutionStatus
from workflows.simulation.faults import Faults
from workflows.simulation.invariants import violations
from workflows.simulation.matrix import deployed
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.releases import definitions
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.world import World

ORDERS = 6


@pytest.mark.parametrize("upgraded_after_s", [300, 900, 1_000_000])
def test_a_run_that_began_with_an_earlier_definition_comes_to_its_end(upgraded_after_s: int) -> None:
    """Its children start and end after the upgrade too, until the last such run has ended."""
    world = World(11, deployed(), Faults(11, {}), observed=False)
    with closing(world.scheduler), quiet():
        world.executions.upgrade(earlier(deployed()))
        world.scheduler.after(upgraded_after_s, lambda: world.executions.upgrade(definitions(deployed())))
        orders = [SimulatedOrder(world, number) for number in range(ORDERS)]
        run_to_rest(world, orders)
        assert violations(world, orders) == []
        executions = [running.execution for running in world.executions.every()]
        assert {execution.status for execution in executions} <= {ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED}
        ran = Counter(execution.definition.name for execution in executions)
        assert all(ran[child] for child in CHILDREN)
        assert parked_errors(world, orders) <= OWN_REASONS
