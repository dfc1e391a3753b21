"""Run simulated worlds: one seed, many seeds, and the shortest schedule of faults that still shows a violation."""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta

from workflows.embedded.template import Template
from workflows.simulation.faults import RATES, Faults, InjectedFault
from workflows.simulation.invariants import stale_rows, violations
from workflows.simulation.menus import SimulatedRestaurant
from workflows.simulation.people import PLACED_WITHIN_S, SimulatedOrder, look_for_incidents
from workflows.simulation.world import World

ORDERS = 5
"""Orders in a world: enough to share circuit breakers and the timer, few enough to read."""

MENUS_EVERY = 4
"""In one of so many worlds customers order from a menu that changes, and items sell out."""

RETENTION_EVERY = 8
"""In another one of so many worlds, without menus, customers are erased and orders are archived. Orders are placed for
longer, so that an erased customer orders again."""

RETENTION_WITHIN_S = 5400.0

STEPS_MAX, STEPS_AN_ORDER_MAX = 200_000, 4_000
"""A world that needs more steps than the first number and the second one for each order counts as endless. Usual are
five thousand steps for five orders, and 900,000 for a thousand."""

DRAIN = timedelta(minutes=20)
"""Time after the last order came to rest, for late messages, duplicates and abandoned invocations."""

VIEW_WITHIN = timedelta(hours=26)
"""Time until a row whose message was lost is repaired: when it is overdue, or by the daily check against the log. Also
more than enough for every webhook to arrive."""

SHRINK_TRIES_MAX = 200

NAMED_MAX = 3
"""Orders, and executions, that the error of a world without an end names."""

Schedule = Mapping[int, InjectedFault]


class WorldNeverEnds(RuntimeError):
    """A world did not come to rest within its limit of steps."""


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """The result of one world. ``outcomes`` counts the orders by how they ended."""

    seed: int
    outcomes: Counter[str]
    injected: tuple[tuple[int, InjectedFault, str], ...]
    violations: tuple[str, ...]

    @property
    def schedule(self) -> Schedule:
        """The faults by the occasion at which they struck."""
        return {occasion: fault for occasion, fault, _ in self.injected}


@dataclass(slots=True)
class Summary:
    """The results of many worlds, added up. ``failed`` are the worlds with violations."""

    seeds: int = 0
    orders: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[SimulationResult] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, result: SimulationResult, orders: int) -> None:
        """Add the result of one world with this number of orders."""
        self.seeds += 1
        self.orders += orders
        self.outcomes += result.outcomes
        self.faults.update(fault.value for _, fault, _ in result.injected)
        if result.violations:
            self.failed.append(result)

    def join(self, other: Summary) -> None:
        """Add the results of another process."""
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
    rates: Mapping[InjectedFault, float] = RATES,
    schedule: Schedule | None = None,
    menus: bool | None = None,
    retention: bool | None = None,
) -> SimulationResult:
    """Run one world to its end. An error that a check or a task raises is a violation with its traceback.

    Args:
        schedule: Exactly these faults strike. None: faults drawn by ``rates`` do.
        menus: Customers order from a menu that changes; otherwise a service places at prices of its own. None: in every
            fourth world.
        retention: Customers are erased and orders archived. None: in every eighth world, without menus.
    """
    faults = Faults(seed, rates, schedule)
    retains = seed % RETENTION_EVERY == 1 if retention is None else retention
    world = World(seed, template, faults, retains=retains)
    from_menu = seed % MENUS_EVERY == MENUS_EVERY - 1 if menus is None else menus
    simulated_orders: list[SimulatedOrder] = []
    with closing(world):
        try:
            if from_menu:
                SimulatedRestaurant(world, seed)
            within_s = RETENTION_WITHIN_S if retains else PLACED_WITHIN_S
            simulated_orders += [
                SimulatedOrder(world, number, within_s=within_s, from_menu=from_menu) for number in range(orders)
            ]
            run_to_rest(world, simulated_orders)
            found = tuple(violations(world, simulated_orders))
        except WorldNeverEnds as endless:
            found = (str(endless), *violations(world, simulated_orders))
        except Exception:  # the other worlds of a run, and the search for a shorter schedule, go on
            found = (traceback.format_exc(),)
        return SimulationResult(
            seed=seed,
            outcomes=Counter(_outcome(simulated_order) for simulated_order in simulated_orders),
            injected=tuple(faults.injected),
            violations=found,
        )


def simulate_many(
    seeds: Iterable[int], template: Template, *, orders: int = ORDERS, rates: Mapping[InjectedFault, float] = RATES
) -> Summary:
    """Run many worlds, one after the other."""
    began, summary = time.perf_counter(), Summary()
    with quiet():
        for seed in seeds:
            summary.add(simulate(seed, template, orders=orders, rates=rates), orders)
    summary.seconds = time.perf_counter() - began
    return summary


def shortest(failed: SimulationResult, template: Template, *, orders: int = ORDERS) -> SimulationResult:
    """Remove faults from a failed world's schedule, first many, then one by one, while a violation remains."""
    best, size, tries = failed, max(1, len(failed.schedule) // 2), 0
    with quiet():
        while size and tries < SHRINK_TRIES_MAX:
            occasions = sorted(best.schedule)
            for start in range(0, len(occasions), size):
                removed = set(occasions[start : start + size])
                rest = {at: fault for at, fault in best.schedule.items() if at not in removed}
                tries += 1
                shorter = simulate(failed.seed, template, orders=orders, schedule=rest)
                if shorter.violations and len(shorter.schedule) < len(best.schedule):
                    best = shorter
                    break
            else:
                size //= 2
    return best


class quiet:  # noqa: N801 - reads as a statement
    """Switch logging off: injected faults would fill the log."""

    def __enter__(self) -> None:
        logging.disable(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)


def run_to_rest(world: World, simulated_orders: list[SimulatedOrder], *, steps_max: int | None = None) -> None:
    """Run until every order is at rest, no execution runs, and late messages have arrived.

    Meanwhile support reads the list of incidents, and looks after orders that were parked after their end.

    Args:
        steps_max: None for a limit that follows from the number of orders.

    Raises:
        WorldNeverEnds: The world needs more steps.
    """
    scheduler, first_busy = world.scheduler, 0
    limit = steps_max or STEPS_MAX + STEPS_AN_ORDER_MAX * len(simulated_orders)

    def is_quiet() -> bool:
        """Look first at the order that was busy the last time: while it is, the others need not be looked at."""
        nonlocal first_busy
        if simulated_orders and not simulated_orders[first_busy].at_rest:
            return False
        busy = (number for number, simulated_order in enumerate(simulated_orders) if not simulated_order.at_rest)
        first_busy = next(busy, -1)
        return first_busy < 0 and not world.executions.running()

    def run(until: Callable[[], bool]) -> None:
        if not scheduler.run(until, steps_max=limit):
            raise WorldNeverEnds(_why_endless(world, simulated_orders, limit))

    scheduler.watch(lambda: look_for_incidents(world, simulated_orders))
    while True:
        run(lambda: scheduler.steps % 64 == 0 and is_quiet())
        _drain(world, run)
        if is_quiet():  # a late message may have parked an order meanwhile
            return


def _drain(world: World, run: Callable[[Callable[[], bool]], None]) -> None:
    """Wait for late messages, for webhooks and for the repair of rows whose message was lost."""
    scheduler = world.scheduler
    drained, checked = scheduler.now() + DRAIN, scheduler.now() + VIEW_WITHIN
    run(lambda: scheduler.now() >= drained)
    run(lambda: not world.webhooks_missing or scheduler.now() >= checked)
    if any(stale_rows(world)):
        run(lambda: scheduler.now() >= checked)


def _why_endless(world: World, simulated_orders: list[SimulatedOrder], limit: int) -> str:
    """Name what is not at rest, and what to do about it."""
    busy = [
        f"{simulated_order.order_id or f'order {simulated_order.number}'} is {_outcome(simulated_order)}"
        f" with {simulated_order.acts_to_come} acts of people to come"
        for simulated_order in simulated_orders
        if not simulated_order.at_rest
    ]
    running = [f"execution {each.execution.name} runs" for each in world.executions.running()]
    shown = [*busy[:NAMED_MAX], *running[:NAMED_MAX]] or ["all are at rest, and late messages still come"]
    return (
        f"the world did not come to rest in {limit} steps: {len(busy)} of {len(simulated_orders)} orders are not at"
        f" rest, and {len(running)} executions run ({'; '.join(shown)}). Look in the log for what repeats; if each of"
        " these goes on, raise STEPS_AN_ORDER_MAX in workflows/simulation/simulate.py"
    )


def _outcome(simulated_order: SimulatedOrder) -> str:
    order = simulated_order.order
    if order is None:
        return "never placed"
    if order.run_state.value == "parked":
        return "incident"
    return order.status.value
