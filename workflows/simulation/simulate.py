"""Run worlds: one seed to its end, many seeds, and the shortest schedule of faults that still shows a violation."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from workflows.embedded.template import Template
from workflows.simulation.faults import RATES, Fault, Faults
from workflows.simulation.invariants import stale_rows, violations
from workflows.simulation.people import Story
from workflows.simulation.world import World

ORDERS = 5
"""Orders in a world: enough to share circuits and the timer, few enough to read."""

STEPS_MAX = 400_000
"""A world that needs more goes round in circles; usual are five thousand."""

DRAIN = timedelta(minutes=20)
"""After the last order came to rest: late messages, duplicates and zombies come to their end."""

VIEW_WITHIN = timedelta(hours=26)
"""A row whose message was lost is found when it is overdue, or by the daily check of the view against the log."""

SHRINK_TRIES_MAX = 200

Schedule = Mapping[int, Fault]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one world."""

    seed: int
    outcomes: Counter[str]
    injected: tuple[tuple[int, Fault, str], ...]
    violations: tuple[str, ...]

    @property
    def schedule(self) -> Schedule:
        """The faults by the occasion that they struck."""
        return {occasion: fault for occasion, fault, _ in self.injected}


@dataclass(slots=True)
class Summary:
    """What came of many."""

    seeds: int = 0
    orders: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, outcome: Outcome, orders: int) -> None:
        self.seeds += 1
        self.orders += orders
        self.outcomes += outcome.outcomes
        self.faults.update(fault.value for _, fault, _ in outcome.injected)
        if outcome.violations:
            self.failed.append(outcome)

    def join(self, other: Summary) -> None:
        """What another process ran."""
        self.seeds += other.seeds
        self.orders += other.orders
        self.outcomes += other.outcomes
        self.faults += other.faults
        self.failed += other.failed


def simulate(
    seed: int,
    template: Template,
    *,
    orders: int = ORDERS,
    rates: Mapping[Fault, float] = RATES,
    schedule: Schedule | None = None,
) -> Outcome:
    """One world from its beginning to its end. With a ``schedule``, exactly those faults strike."""
    faults = Faults(seed, rates, schedule)
    world = World(seed, template, faults)
    stories = [Story(world, number) for number in range(orders)]
    run_to_rest(world, stories)
    return Outcome(
        seed=seed,
        outcomes=Counter(_outcome(story) for story in stories),
        injected=tuple(faults.injected),
        violations=tuple(violations(world, stories)),
    )


def simulate_many(
    seeds: Iterable[int], template: Template, *, orders: int = ORDERS, rates: Mapping[Fault, float] = RATES
) -> Summary:
    """Many worlds, one after the other."""
    began, summary = time.perf_counter(), Summary()
    with quiet():
        for seed in seeds:
            summary.add(simulate(seed, template, orders=orders, rates=rates), orders)
    summary.seconds = time.perf_counter() - began
    return summary


def shortest(outcome: Outcome, template: Template, *, orders: int = ORDERS) -> Outcome:
    """Leave out faults, first many, then one by one, as long as a violation is still there."""
    found, size, tries = outcome, max(1, len(outcome.schedule) // 2), 0
    with quiet():
        while size and tries < SHRINK_TRIES_MAX:
            occasions = sorted(found.schedule)
            for start in range(0, len(occasions), size):
                left_out = set(occasions[start : start + size])
                rest = {at: fault for at, fault in found.schedule.items() if at not in left_out}
                tries += 1
                tried = simulate(outcome.seed, template, orders=orders, schedule=rest)
                if tried.violations and len(tried.schedule) < len(found.schedule):
                    found = tried
                    break
            else:
                size //= 2
    return found


class quiet:  # noqa: N801 - reads as a statement
    """Faults are what a simulation is made of: nobody wants them in the log."""

    def __enter__(self) -> None:
        logging.disable(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)


def run_to_rest(world: World, stories: list[Story], *, steps_max: int = STEPS_MAX) -> None:
    """Until every order rests and what was under way has come to its end."""
    scheduler = world.scheduler

    def calm() -> bool:
        return scheduler.steps % 64 == 0 and all(story.at_rest for story in stories) and not world.executions.running()

    if scheduler.run(calm, steps_max=steps_max):
        drained, checked = scheduler.now() + DRAIN, scheduler.now() + VIEW_WITHIN
        scheduler.run(lambda: scheduler.now() >= drained, steps_max=2 * steps_max)
        if any(stale_rows(world)):
            scheduler.run(lambda: scheduler.now() >= checked, steps_max=2 * steps_max)


def _outcome(story: Story) -> str:
    order = story.order
    if order is None:
        return "never placed"
    if order.run_state.value == "parked":
        return "incident"
    return order.status.value
