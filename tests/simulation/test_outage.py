"""A provider that is down for minutes while orders keep arriving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain.order.events import OrderParked
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitClosed, CircuitOpened
from workflows.breakers.settings import DEFAULTS
from workflows.sagas.circuit_waits import BURST, count_waits
from workflows.simulation.faults import Faults
from workflows.simulation.invariants import violations
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.scheduler import EPOCH
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.wire import outage
from workflows.simulation.world import World

TEMPLATE = read_deployed(Path(__file__).parents[2])
SETTINGS = DEFAULTS[Dependency.PAYMENTS]
ORDERS, DOWN_S = 120, 600.0
LATENCY_MAX = timedelta(seconds=0.5)
"""Longest time between a permitted call and its arrival; the mean is 20 ms."""


class Customer(SimulatedOrder):
    """Pays with a payment method that works, so that only the outage can cause failures."""

    look_s = 120.0  # with so many orders, people looking at screens dominate the run time

    def _body(self) -> dict[str, Any]:
        return {**super()._body(), "payment_method": "pm_ok"}


def test_payments_down_for_ten_minutes_while_orders_arrive() -> None:
    """No order fails, the provider is probed once an interval, and waiting orders are released at a limited rate."""
    world = World(1, TEMPLATE, Faults(1, {}), observed=False)
    world.wire.outages[Dependency.PAYMENTS] = outage(EPOCH, DOWN_S)
    customers = [Customer(world, number, within_s=DOWN_S) for number in range(ORDERS)]
    with quiet():
        run_to_rest(world, customers, steps_max=10_000_000)

    ends = Counter(customer.order.status.value for customer in customers if customer.order is not None)
    opened, closed = _moments(world)
    probes = list(_arrivals(world, opened + timedelta(seconds=SETTINGS.read_every_s) + LATENCY_MAX, closed))
    released = list(_arrivals(world, closed, world.scheduler.now()))
    rate = _most_within(released, BURST) / BURST.total_seconds()
    print(
        f"{ORDERS} orders: {dict(ends)}; the circuit was open for {(closed - opened).total_seconds():.0f} s, "
        f"{len(probes)} probes at least {min(_gaps(probes)):.1f} s apart; {len(released)} calls after it, "
        f"{rate:.1f}/s at most over {BURST.total_seconds():.0f} s; {world.scheduler.steps} steps"
    )
    assert violations(world, list(customers)) == []
    assert not list(_parked(world))
    assert ends.total() == ORDERS
    assert set(ends) <= {"completed", "cancelled"}
    assert min(_gaps(probes)) >= SETTINGS.probe_interval_s - LATENCY_MAX.total_seconds()
    assert len(probes) >= DOWN_S / SETTINGS.probe_interval_s / 2
    assert rate <= SETTINGS.release_per_s


def test_orders_of_a_large_world_wait_no_hours_for_a_timer_whose_rounds_are_interrupted() -> None:
    """A round calls a store for each order that waits, and every call may fail: the next one goes on at once."""
    world = World(3, TEMPLATE, Faults(3), observed=False)
    world.wire.outages[Dependency.COURIERS] = outage(EPOCH, DOWN_S)
    for number in range(ORDERS):
        SimulatedOrder(world, number, within_s=DOWN_S)
    in_an_hour = EPOCH + timedelta(hours=1)
    with quiet(), closing(world):
        assert world.scheduler.run(lambda: world.scheduler.now() >= in_an_hour, steps_max=1_000_000)
    assert count_waits(world.documents, Dependency.COURIERS) == 0


def _moments(world: World) -> tuple[datetime, datetime]:
    """Return when the circuit opened and closed, which it must have done exactly once."""
    events = [
        event
        for commit in world.log.scan()
        if commit.pk.startswith(f"breaker#{Dependency.PAYMENTS}#")
        for event in world.log.events(commit)
    ]
    (opened,) = (recorded.event.at for recorded in events if isinstance(recorded.event, CircuitOpened))
    (closed,) = (recorded.event.at for recorded in events if isinstance(recorded.event, CircuitClosed))
    return opened, closed


def _arrivals(world: World, begins: datetime, ends: datetime) -> Iterator[datetime]:
    return (at for at, call in world.wire.arrived if call == "payments.authorize" and begins <= at < ends)


def _gaps(times: list[datetime]) -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


def _most_within(times: list[datetime], span: timedelta) -> int:
    return max(sum(begins <= at < begins + span for at in times) for begins in times)


def _parked(world: World) -> Iterator[str]:
    for commit in world.log.scan():
        if commit.pk.startswith("order#"):
            yield from (commit.pk for recorded in world.log.events(commit) if isinstance(recorded.event, OrderParked))
