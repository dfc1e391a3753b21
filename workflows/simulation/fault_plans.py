"""Planned faults: a world of one order in which chosen faults strike at chosen occasions.

A world repeats itself until the first fault strikes. The occasions of one run, with the states performed at each, are
therefore the occasions that a plan for the next run can choose from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from domain.identifiers import SYSTEM
from domain.order.events import (
    CancellationRequested,
    CourierTimedOut,
    DeliveryOverdue,
    OrderParked,
    PreparationOverdue,
    PreparationTimedOut,
    RunStarted,
)
from domain.order.order import RunState
from workflows.embedded.template import Template
from workflows.event_store.commits import RecordedEvent
from workflows.simulation.executions import Steps
from workflows.simulation.faults import (
    OF_CALLS,
    OF_FEED,
    OF_LAMBDA,
    OF_PEOPLE,
    OF_STEP_FUNCTIONS,
    Faults,
    InjectedFault,
)
from workflows.simulation.invariants import violations
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.processes import SKEW_S, drawn_jump
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.task_states import circuit_waits, first_state
from workflows.simulation.wire import GATEWAYS, outage
from workflows.simulation.world import OUTAGE_S, THROTTLED_S, World


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The seed of a world, and the faults that strike in it: pairs of occasion and fault."""

    seed: int
    strikes: tuple[tuple[int, InjectedFault], ...] = ()

    def also(self, occasion: int, fault: InjectedFault) -> FaultPlan:
        """Return this plan with one more fault."""
        return FaultPlan(self.seed, (*self.strikes, (occasion, fault)))


@dataclass(frozen=True, slots=True)
class Occasion:
    """A point in a run at which a fault could strike.

    ``candidates`` are the faults that the point itself allows. ``performing`` are the states that the running function
    performs, ``in_flight`` all states being performed in the world.
    """

    number: int
    candidates: tuple[InjectedFault, ...]
    what: str
    performing: Steps
    in_flight: Steps

    def could_strike(self, step: str, fault: InjectedFault) -> bool:
        """Whether a fault at this occasion strikes while ``step`` is performed."""
        if fault in OF_CALLS or fault in OF_LAMBDA:
            return step in self.performing and fault in self.candidates
        if fault in OF_FEED or fault in OF_PEOPLE:
            return step in self.performing | self.in_flight and fault in self.candidates
        if fault in {InjectedFault.CLOCK_SKEW, InjectedFault.CLOCK_JUMPED}:
            return step in self.performing
        if not self.what.startswith(_REFUSED.get(fault, "")):
            return False
        return step in self.performing | self.in_flight

    @property
    def gateway(self) -> str | None:
        """The gateway that this occasion calls, if it does."""
        port = self.what.partition(".")[0]
        return port if port in GATEWAYS else None


_REFUSED: Mapping[InjectedFault, str | tuple[str, ...]] = {
    InjectedFault.STARTS_THROTTLED: "executions.start",
    InjectedFault.TOKENS_THROTTLED: ("executions.succeed", "executions.fail"),
}
"""The calls that a throttle refuses: it begins with one of them."""


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The result of a plan: ``how`` the order went on after the last fault, and how it ended.

    ``reached`` are the states entered after the last fault. ``occasions`` are empty unless they were requested.
    ``payment_works`` is False for a payment method that refuses some operation.
    """

    plan: FaultPlan
    how: str
    end: str
    payment_works: bool
    violations: tuple[str, ...]
    reached: Steps
    occasions: tuple[Occasion, ...]


def run(plan: FaultPlan, template: Template, *, look: bool = False) -> PlanResult:
    """Run a plan's world to its end.

    Args:
        look: Whether to collect the occasions after the last fault.

    Raises:
        WorldDiffers: An occasion of the plan never came.
    """
    planned = _PlannedRun(plan, template, look)
    with closing(planned.world):
        with quiet():
            run_to_rest(planned.world, [planned.simulated_order])
        if len(planned.faults.injected) != len(plan.strikes):
            raise WorldDiffers(f"{plan}: only {planned.faults.injected} struck")
        return PlanResult(
            plan=plan,
            how=_how(planned) if plan.strikes else "nothing happened",
            end=_end(planned.simulated_order),
            payment_works=_payment_works(planned.simulated_order),
            violations=tuple(violations(planned.world, [planned.simulated_order])),
            reached=_entered(planned),
            occasions=tuple(planned.occasions),
        )


class WorldDiffers(RuntimeError):
    """A world did not repeat itself: the seed does not decide everything in it."""


@dataclass(slots=True)
class _PlannedRun:
    """A world that runs a plan, with its observations."""

    plan: FaultPlan
    template: Template
    look: bool
    faults: Faults = field(init=False)
    world: World = field(init=False)
    simulated_order: SimulatedOrder = field(init=False)
    occasions: list[Occasion] = field(default_factory=list)
    struck_at: datetime = field(init=False)
    struck_version: int = 0

    def __post_init__(self) -> None:
        self.faults = Faults(self.plan.seed, {}, dict(self.plan.strikes))
        self.world = World(self.plan.seed, self.template, self.faults)
        self.simulated_order = SimulatedOrder(self.world, 0)
        self.struck_at = self.world.scheduler.now()
        self.faults.observer = self._observe

    def _observe(self, number: int, candidates: tuple[InjectedFault, ...], what: str) -> None:
        """Observe an occasion, and inject a fault of the plan that the occasion itself cannot inject."""
        world, last = self.world, self.plan.strikes[-1][0] if self.plan.strikes else 0
        fault = dict(self.plan.strikes).get(number)
        if fault is None:
            if self.look and number > last:
                self._note(number, candidates, what)
            return
        self.struck_at = world.scheduler.now()
        self.struck_version = 0 if self.simulated_order.order is None else self.simulated_order.order.version
        if fault not in candidates:
            self._inject(fault, number, what)
            self.faults.injected.append((number, fault, what))

    def _note(self, number: int, candidates: tuple[InjectedFault, ...], what: str) -> None:
        performing, in_flight = self.world.performing(), self.world.executions.in_flight()
        if what == "executions.start" and not in_flight:
            in_flight = frozenset({first_state(self.template)})  # the start delays it
        if performing or in_flight:
            self.occasions.append(Occasion(number, candidates, what, performing, in_flight))

    def _inject(self, fault: InjectedFault, number: int, what: str) -> None:
        world, drawn = self.world, Random(f"{self.plan.seed} {number}")
        match fault:
            case InjectedFault.CANCELLED:
                world.scheduler.spawn(self.simulated_order.cancel)
            case InjectedFault.STARTED_AGAIN:
                world.scheduler.spawn(self.simulated_order.start_again)
            case InjectedFault.UPGRADED:
                world.upgrade()
            case InjectedFault.CLOCK_SKEW:
                world.skew_running_process(drawn.choice((-SKEW_S, SKEW_S)))
            case InjectedFault.CLOCK_JUMPED:
                world.jump_running_process(*drawn_jump(drawn))
            case InjectedFault.FUNCTIONS_THROTTLED:
                world.throttle(drawn.uniform(*THROTTLED_S))
            case _ if fault in OF_STEP_FUNCTIONS:
                world.executions.throttle(fault, drawn.uniform(*THROTTLED_S))
            case InjectedFault.PROVIDER_DOWN:
                called = Occasion(number, (), what, frozenset(), frozenset()).gateway
                world.wire.outages[called or drawn.choice(GATEWAYS)] = outage(
                    world.scheduler.now(), drawn.uniform(*OUTAGE_S)
                )
            case _:
                raise WorldDiffers(f"{fault} cannot strike at occasion {number}, {what}")


# --- the result -------------------------------------------------------------------------------------------------------


def _end(simulated_order: SimulatedOrder) -> str:
    order = simulated_order.order
    if order is None:
        return "never placed"
    if order.run_state is RunState.PARKED:
        errors = [
            recorded.event.error for recorded in _recorded(simulated_order) if isinstance(recorded.event, OrderParked)
        ]
        return f"incident {errors[-1]}"
    return "delivered" if order.status.value == "completed" else order.status.value


def _payment_works(simulated_order: SimulatedOrder) -> bool:
    return (
        simulated_order.order is not None
        and simulated_order.order.placed is not None
        and simulated_order.order.placed.payment_method == "pm_ok"
    )


def _how(planned: _PlannedRun) -> str:
    """Describe the effect of a person's request, if the fault is one, and the last resort that was needed."""
    return ", ".join([*_request_effect(planned), next(_last_resorts(planned))])


def _request_effect(planned: _PlannedRun) -> list[str]:
    fault, since = planned.plan.strikes[-1][1], _since(planned)
    if fault is InjectedFault.CANCELLED:
        return ["undone" if any(isinstance(recorded.event, CancellationRequested) for recorded in since) else "refused"]
    if fault is InjectedFault.STARTED_AGAIN:
        started = any(isinstance(recorded.event, RunStarted) and recorded.event.by != SYSTEM for recorded in since)
        return ["older run superseded" if started else "refused"]
    return []


def _last_resorts(planned: _PlannedRun) -> Iterator[str]:
    since = _since(planned)
    parked = [recorded.version for recorded in since if isinstance(recorded.event, OrderParked)]
    started = [recorded for recorded in since if isinstance(recorded.event, RunStarted)]
    if parked and any(recorded.version > parked[0] for recorded in started):
        yield "parked and run again by support"
    if parked:
        yield "parked"
    if any(recorded.event.by == SYSTEM for recorded in started if isinstance(recorded.event, RunStarted)):
        yield "new run by the watchdog"
    if any(
        planned.simulated_order.order_id in [*result["notified"], *(result["missing"] or [])]
        for result in _rounds(planned)
    ):
        yield "woken by the watchdog"
    if _entered(planned) & circuit_waits(planned.template):
        yield "waited for the circuit"
    if any(isinstance(recorded.event, _TIMEOUTS) for recorded in since):
        yield "timed out"
    if _retries(planned):
        yield "retried"
    yield "no retry needed"


_TIMEOUTS = (PreparationTimedOut, PreparationOverdue, CourierTimedOut, DeliveryOverdue)


def _recorded(simulated_order: SimulatedOrder) -> list[RecordedEvent]:
    return list(simulated_order.world.log.load(f"order#{simulated_order.order_id}").recorded)


def _since(planned: _PlannedRun) -> list[RecordedEvent]:
    return [recorded for recorded in _recorded(planned.simulated_order) if recorded.version > planned.struck_version]


def _rounds(planned: _PlannedRun) -> list[Mapping[str, Any]]:
    return [result for at, result in planned.world.rounds if at > planned.struck_at]


def _entered(planned: _PlannedRun) -> Steps:
    return frozenset(
        f"{running.execution.definition.name}.{event['stateEnteredEventDetails']['name']}"
        for running in planned.world.executions.every()
        for event in running.events
        if event["type"] == "TaskStateEntered" and event["timestamp"] >= planned.struck_at
    )


def _retries(planned: _PlannedRun) -> int:
    """Count retries: a task is scheduled once when it is entered, and once more for each retry."""
    kinds = [
        event["type"]
        for running in planned.world.executions.every()
        for event in running.events
        if event["timestamp"] >= planned.struck_at
    ]
    return kinds.count("TaskScheduled") + kinds.count("LambdaFunctionScheduled") - kinds.count("TaskStateEntered")
