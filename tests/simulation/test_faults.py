"""Orders under faults: each order ends delivered, ends compensated, or becomes an incident."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest

from domain.order.delivery import OfferState
from domain.order.events import OrderParked, ReportConfirmed, ReportContested, RunStarted
from domain.order.reports import CONTRADICTION
from workflows.simulation.faults import Faults, InjectedFault
from workflows.simulation.invariants import violations
from workflows.simulation.people import SUPPORT, SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.simulate import quiet, run_to_rest, shortest, simulate, simulate_many
from workflows.simulation.world import World

TEMPLATE = read_deployed(Path(__file__).parents[2])
SEEDS = 24
BATCHES = 8


@pytest.mark.parametrize("batch", range(BATCHES))
def test_all_invariants_hold_with_every_fault_on(batch: int) -> None:
    """On every seed. A failure names the seed; ``expediter simulate --seed N`` replays it."""
    size = SEEDS // BATCHES
    summary = simulate_many(range(batch * size, (batch + 1) * size), TEMPLATE)
    assert summary.seeds == size
    assert [(outcome.seed, outcome.violations) for outcome in summary.failed] == []


def test_without_faults_no_invariant_breaks() -> None:
    """The random order of events alone never breaks one."""
    for seed in range(5):
        outcome = simulate(seed, TEMPLATE, rates={})
        assert outcome.injected == ()
        assert outcome.violations == ()


def test_a_world_that_has_ended_leaves_no_open_file() -> None:
    """Thousands of worlds run in one process, which may open a thousand files."""
    with quiet():
        simulate(1, TEMPLATE)
        gc.collect()
        before = len(os.listdir("/dev/fd"))
        simulate(2, TEMPLATE)
        gc.collect()
    assert len(os.listdir("/dev/fd")) <= before


def test_a_world_that_has_ended_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At once: a child process ends without finalizers, and would leave a megabyte of views for each of its worlds."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with quiet():
        simulate(1, TEMPLATE, orders=1)
    assert list(tmp_path.iterdir()) == []


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same faults at the same occasions and the same outcomes."""
    assert simulate(7, TEMPLATE) == simulate(7, TEMPLATE)


def test_a_schedule_replays_the_faults_that_were_drawn() -> None:
    """Replaying parts of a schedule is how a failure is shortened."""
    drawn = simulate(3, TEMPLATE)
    assert simulate(3, TEMPLATE, schedule=drawn.schedule) == drawn


def test_every_kind_of_fault_strikes_within_the_seeds_that_are_run() -> None:
    """Otherwise the simulation would not test it. The first seven seeds show all kinds."""
    never_struck = {fault.value for fault in InjectedFault}
    for seed in (1068, 1070, 1078, 877, 1110, 2552, 20772, *range(1024, 1068)):
        never_struck -= set(simulate_many([seed], TEMPLATE, orders=3).faults)
        if not never_struck:
            break
    assert never_struck == set()


def test_contradicting_reports_of_the_worlds_park_orders_and_are_decided_both_ways() -> None:
    """Support confirms some, continues without others, and a missing report settles the rest; every rule holds."""
    rates = {InjectedFault.CONTRADICTED: 0.5, InjectedFault.REPORTED_EARLY: 0.5}
    seen = set[str]()
    for seed in (1, 2):
        world = World(seed, TEMPLATE, Faults(seed, rates))
        simulated_orders = [SimulatedOrder(world, number) for number in range(5)]
        with quiet():
            run_to_rest(world, simulated_orders)
        assert violations(world, simulated_orders) == []
        for simulated_order in simulated_orders:
            contested, order = False, simulated_order.order
            assert order is not None
            for event in world.log.load(f"order#{order.order_id}").events:
                contested = contested or isinstance(event, ReportContested)
                if isinstance(event, OrderParked) and event.error == CONTRADICTION:
                    seen.add("parked")
                elif isinstance(event, ReportConfirmed):
                    seen.add(f"confirmed by {event.by.role}")
                elif isinstance(event, RunStarted) and contested and event.by == SUPPORT:
                    seen.add("continued without")
    assert seen == {"parked", "confirmed by support", "confirmed by system", "continued without"}


def test_a_courier_who_declines_every_offer_of_others_cancels_no_order() -> None:
    """With no other fault, the orders are delivered as often as without that courier."""
    rates = {InjectedFault.DECLINED_FOR_OTHERS: 1.0}
    summary = simulate_many(range(5, 8), TEMPLATE, rates=rates)
    assert [outcome.violations for outcome in summary.failed] == []
    assert summary.faults[InjectedFault.DECLINED_FOR_OTHERS] >= 9
    assert summary.outcomes["completed"] > summary.orders / 2


def test_a_failure_is_shortened_to_the_faults_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one crash breaks a rule, the shortened schedule holds one crash."""
    from workflows.simulation import simulate as module

    def fragile(world: object, simulated_orders: object) -> list[str]:
        kinds = {fault for _, fault, _ in world.faults.injected}  # type: ignore[attr-defined]  # a World
        return ["a process crashed"] if InjectedFault.CRASH_AFTER in kinds else []

    monkeypatch.setattr(module, "violations", fragile)
    failed = next(result for seed in range(50) if (result := simulate(seed, TEMPLATE, orders=1)).violations)
    assert list(shortest(failed, TEMPLATE, orders=1).schedule.values()) == [InjectedFault.CRASH_AFTER]


def test_an_error_in_a_world_is_a_violation_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other worlds go on, and among thousands the one that failed is found again."""

    checked = iter(([], LookupError("a check that fails"), []))

    def check(*_: object) -> list[str]:
        found = next(checked)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("workflows.simulation.simulate.violations", check)
    summary = simulate_many([6, 7, 9], TEMPLATE, orders=1)
    [failed] = summary.failed
    assert (summary.seeds, failed.seed) == (3, 7)
    assert failed.violations[0].endswith("LookupError: a check that fails\n")


class LateReporter(SimulatedOrder):
    """An order whose courier reports a failure long after the delivery, which no person of this order expects."""

    reported_late = False

    def _customer(self) -> None:
        super()._customer()
        self._until(lambda _: False)  # it ends
        self.world.scheduler.pause(300)
        assert self.order is not None
        [offer] = (offer for offer in self.order.delivery.offers if offer.state is OfferState.DELIVERED)
        body = {"offer": offer.intent, "reason": "lost it", "fault": "platform"}
        path = f"/orders/{self.order_id}/delivery/fail"
        courier = str(offer.courier)
        self.reported_late = self.requests.send("POST", path, courier, body, key="late") is not None


def test_support_finds_an_order_that_was_parked_after_its_end() -> None:
    """In the list of incidents, because the person who looked after the order has turned to others since its end."""
    world = World(2, TEMPLATE, Faults(2, {}))
    late = LateReporter(world, 0)
    with quiet():
        run_to_rest(world, [late])
    assert late.reported_late
    events = world.log.load(f"order#{late.order_id}").events
    [parked] = [place for place, event in enumerate(events) if isinstance(event, OrderParked)]
    decisions = [event for event in events[parked:] if isinstance(event, RunStarted | ReportConfirmed)]
    assert decisions[0].by == SUPPORT
    assert violations(world, [late]) == []


class NeverSatisfied(SimulatedOrder):
    """An order about which a person has always something more to do."""

    @property
    def at_rest(self) -> bool:
        return False


def test_a_world_without_an_end_says_what_is_not_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limit follows from the number of orders, and the error names the orders and what to do."""
    monkeypatch.setattr("workflows.simulation.simulate.STEPS_MAX", 500)
    monkeypatch.setattr("workflows.simulation.simulate.STEPS_AN_ORDER_MAX", 2_000)
    monkeypatch.setattr("workflows.simulation.simulate.SimulatedOrder", NeverSatisfied)
    with quiet():
        [error, *_] = simulate(1, TEMPLATE, orders=2, rates={}).violations
    assert "did not come to rest in 4500 steps: 2 of 2 orders are not at rest" in error
    assert "STEPS_AN_ORDER_MAX" in error
