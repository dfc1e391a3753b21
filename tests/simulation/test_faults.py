"""Orders under faults: whatever fails, each ends well, ends compensated, or stands as an incident."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.simulation.faults import Fault
from workflows.simulation.simulate import shortest, simulate, simulate_many
from workflows.simulation.world import read_deployed

TEMPLATE = read_deployed(Path(__file__).parents[2])
SEEDS = 200
BATCHES = 20


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_order_comes_to_a_right_end_with_every_fault_on(batch: int) -> None:
    """The invariants hold on every seed. A failure names the seed: ``expediter simulate --seed N`` replays it."""
    size = SEEDS // BATCHES
    summary = simulate_many(range(batch * size, (batch + 1) * size), TEMPLATE)
    assert summary.seeds == size
    assert [(outcome.seed, outcome.violations) for outcome in summary.failed] == []


def test_without_faults_nothing_stands_as_an_incident() -> None:
    """What parks an order is a fault or a provider's refusal, never the schedule alone."""
    for seed in range(5):
        outcome = simulate(seed, TEMPLATE, rates={})
        assert outcome.injected == ()
        assert outcome.violations == ()


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same faults at the same occasions and the same outcomes."""
    assert simulate(7, TEMPLATE) == simulate(7, TEMPLATE)


def test_a_schedule_replays_the_faults_that_were_drawn() -> None:
    """So a part of it can be tried, which is how a failure is shortened."""
    drawn = simulate(3, TEMPLATE)
    assert simulate(3, TEMPLATE, schedule=drawn.schedule) == drawn


def test_every_kind_of_fault_strikes_within_the_seeds_that_are_run() -> None:
    """A fault that is never injected proves nothing."""
    summary = simulate_many(range(1000, 1060), TEMPLATE, orders=3)
    assert set(summary.faults) == {fault.value for fault in Fault}


def test_a_failure_is_shortened_to_the_faults_that_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule that one crash breaks, one crash is what is left of the schedule."""
    from workflows.simulation import simulate as module

    def fragile(world: object, stories: object) -> list[str]:
        kinds = {fault for _, fault, _ in world.faults.injected}  # type: ignore[attr-defined]  # a World
        return ["a process crashed"] if Fault.CRASH_AFTER in kinds else []

    monkeypatch.setattr(module, "violations", fragile)
    failed = next(o for o in (simulate(seed, TEMPLATE, orders=1) for seed in range(50)) if o.violations)
    assert list(shortest(failed, TEMPLATE, orders=1).schedule.values()) == [Fault.CRASH_AFTER]
