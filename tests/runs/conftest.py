"""Simulated orders, read as support reads them: a world runs the real machines and functions on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import Actor, OrderId, Role
from workflows.runs.machines import read_machines
from workflows.runs.reading import OrderRuns, read_runs
from workflows.settings import read
from workflows.simulation.faults import Faults
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.world import World
from workflows.time_budgets import read_budgets

TEMPLATE = read_deployed(Path(__file__).parents[2])
ENVIRONMENT = TEMPLATE.functions["ExecutionsApi"].environment
MACHINES = read(ENVIRONMENT, read_machines)
BUDGETS = read(ENVIRONMENT, read_budgets)
SUE = Actor(Role.SUPPORT, "sue")


class ReadWorld:
    """A simulated world and the ports through which it is read, which no fault strikes."""

    def __init__(self, seed: int, rates: Any, orders: int = 4) -> None:
        self.world = World(seed, TEMPLATE, Faults(seed, rates, None), observed=False)
        self.orders = [SimulatedOrder(self.world, number, from_menu=False) for number in range(orders)]
        self.ports = replace(self.world._engines[0], log=self.world.log, clock=self.world.scheduler)

    def run(self) -> ReadWorld:
        with quiet():
            run_to_rest(self.world, self.orders)
        return self

    def order_ids(self) -> list[OrderId]:
        return sorted({OrderId(row.pk[6:]) for row in self.world.log.scan() if row.pk.startswith("order#")})

    def runs(self, order_id: OrderId, newest: int = 100) -> OrderRuns:
        return read_runs(self.ports, order_id, SUE, MACHINES, newest=newest)

    def at_intervals(self, mean_s: float, look: Callable[[], None]) -> None:
        """Call ``look`` at random moments of the world."""

        def again() -> None:
            look()
            self.world.scheduler.after(self.world.random.expovariate(1 / mean_s), again)

        self.world.scheduler.after(1.0, again)


@pytest.fixture(scope="session")
def calm() -> ReadWorld:
    """A world without faults that came to its end; tests only read it."""
    return ReadWorld(3, {}, orders=6).run()


@pytest.fixture(scope="session")
def completed(calm: ReadWorld) -> OrderRuns:
    """The runs of an order that was delivered and paid in its first run."""
    for order_id in calm.order_ids():
        read = calm.runs(order_id)
        if read.order.status.value == "completed" and len(read.runs) == 1:
            return read
    raise AssertionError("the world has no completed order: choose another seed")
