"""Orders under faults: each order ends delivered, ends compensated, or becomes an incident."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.simulation.faults import InjectedFault
from workflows.simulation.simulate import shortest, simulate, simulate_many
from workflows.simulation.world import read_deployed

TEMPLATE = read_deployed(Path(__file__).parents[2])
SEEDS = 200
BATCHES = 20


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


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same faults at the same occasions and the same outcomes."""
    assert simulate(7, TEMPLATE) == simulate(7, TEMPLATE)


def test_a_schedule_replays_the_faults_that_were_drawn() -> None:
    """Replaying parts of a schedule is how a failure is shortened."""
    drawn = simulate(3, TEMPLATE)
    assert simulate(3, TEMPLATE, schedule=drawn.schedule) == drawn


def test_every_kind_of_fault_strikes_within_the_seeds_that_are_run() -> None:
    """Otherwise the simulation would not test it."""
    summary = simulate_many(range(1000, 1060), TEMPLATE, orders=3)
    assert set(summary.faults) == {fault.value for fault in InjectedFault}


def test_a_failure_is_shortened_to_the_faults_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one crash breaks a rule, the shortened schedule holds one crash."""
    from workflows.simulation import simulate as module

    def fragile(world: object, simulated_orders: object) -> list[str]:
        kinds = {fault for _, fault, _ in world.faults.injected}  # type: ignore[attr-defined]  # a World
        return ["a process crashed"] if InjectedFault.CRASH_AFTER in kinds else []

    monkeypatch.setattr(module, "violations", fragile)
    failed = next(result for seed in range(50) if (result := simulate(seed, TEMPLATE, orders=1)).violations)
    assert list(shortest(failed, TEMPLATE, orders=1).schedule.values()) == [InjectedFault.CRASH_AFTER]
