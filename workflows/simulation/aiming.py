"""Aimed faults: a world of one order in which given faults strike at given occasions, and what came of it.

A world repeats itself until the first fault strikes. So what happened at each occasion of one run, and which states
were being performed then, says where to aim in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from workflows.simulation.faults import OF_CALLS, OF_FEED, Fault, Faults
from workflows.simulation.invariants import violations
from workflows.simulation.people import Story
from workflows.simulation.simulate import quiet, run_to_rest
from workflows.simulation.task_states import circuit_waits
from workflows.simulation.wire import GATEWAYS, outage
from workflows.simulation.world import OUTAGE_S, SKEW_S, World

OF_PEOPLE = (Fault.NEVER_ANSWERS, Fault.TOLD_TWICE)
AT_ANY_TICK = (Fault.CANCELLED, Fault.STARTED_AGAIN, Fault.UPGRADED)


@dataclass(frozen=True, slots=True)
class Aim:
    """Which world, and which fault at which of its occasions."""

    seed: int
    strikes: tuple[tuple[int, Fault], ...] = ()

    def also(self, occasion: int, fault: Fault) -> Aim:
        return Aim(self.seed, (*self.strikes, (occasion, fault)))


@dataclass(frozen=True, slots=True)
class Occasion:
    """``performing``: the states that the running function performs; ``in_flight``: all that are being performed."""

    number: int
    candidates: tuple[Fault, ...]
    what: str
    performing: Steps
    in_flight: Steps

    def could_strike(self, step: str, fault: Fault) -> bool:
        """Whether this fault, striking here, strikes while that step is performed."""
        if fault in OF_CALLS:
            return step in self.performing and fault in self.candidates
        if fault in OF_FEED or fault in OF_PEOPLE:
            return step in self.performing | self.in_flight and fault in self.candidates
        if fault is Fault.CLOCK_SKEW:
            return step in self.performing
        return step in self.performing | self.in_flight

    @property
    def gateway(self) -> str | None:
        """Who is called outside, if this is a call outside."""
        port = self.what.partition(".")[0]
        return port if port in GATEWAYS else None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of an aim: ``how`` the order went on after the last strike, and how it ended.

    ``reached`` are the states entered since then; ``occasions`` come if they were asked for. ``obliging`` is a means of
    payment that refuses nothing.
    """

    aim: Aim
    how: str
    end: str
    obliging: bool
    violations: tuple[str, ...]
    reached: Steps
    occasions: tuple[Occasion, ...]


def run(aim: Aim, template: Template, *, look: bool = False) -> Trial:
    """One world from its beginning to its end. Raises WorldDiffers when an occasion it aims at never came."""
    shot = _Shot(aim, template, look)
    with quiet():
        run_to_rest(shot.world, [shot.story])
    if len(shot.faults.injected) != len(aim.strikes):
        raise WorldDiffers(f"{aim}: only {shot.faults.injected} struck")
    return Trial(
        aim=aim,
        how=_how(shot) if aim.strikes else "nothing happened",
        end=_end(shot.story),
        obliging=_obliging(shot.story),
        violations=tuple(violations(shot.world, [shot.story])),
        reached=_entered(shot),
        occasions=tuple(shot.occasions),
    )


class WorldDiffers(RuntimeError):
    """A world did not repeat itself: something in it is not decided by the seed."""


@dataclass(slots=True)
class _Shot:
    """A world, and what is noted of it."""

    aim: Aim
    template: Template
    look: bool
    faults: Faults = field(init=False)
    world: World = field(init=False)
    story: Story = field(init=False)
    occasions: list[Occasion] = field(default_factory=list)
    struck_at: datetime = field(init=False)
    struck_version: int = 0

    def __post_init__(self) -> None:
        self.faults = Faults(self.aim.seed, {}, dict(self.aim.strikes))
        self.world = World(self.aim.seed, self.template, self.faults)
        self.story = Story(self.world, 0)
        self.struck_at = self.world.scheduler.now()
        self.faults.witness = self._see

    def _see(self, number: int, candidates: tuple[Fault, ...], what: str) -> None:
        """The faults that no single call has are made here."""
        world, last = self.world, self.aim.strikes[-1][0] if self.aim.strikes else 0
        fault = dict(self.aim.strikes).get(number)
        if fault is None:
            if self.look and number > last:
                self._note(number, candidates, what)
            return
        self.struck_at = world.scheduler.now()
        self.struck_version = 0 if self.story.order is None else self.story.order.version
        if fault not in candidates:
            self._make(fault, number, what)
            self.faults.injected.append((number, fault, what))

    def _note(self, number: int, candidates: tuple[Fault, ...], what: str) -> None:
        performing, in_flight = self.world.performing(), self.world.executions.in_flight()
        if performing or in_flight:
            self.occasions.append(Occasion(number, candidates, what, performing, in_flight))

    def _make(self, fault: Fault, number: int, what: str) -> None:
        world, drawn = self.world, Random(f"{self.aim.seed} {number}")
        match fault:
            case Fault.CANCELLED:
                world.scheduler.spawn(self.story.cancel)
            case Fault.STARTED_AGAIN:
                world.scheduler.spawn(self.story.start_again)
            case Fault.UPGRADED:
                world.upgrade()
            case Fault.CLOCK_SKEW:
                world.skew_running_process(drawn.choice((-SKEW_S, SKEW_S)))
            case Fault.PROVIDER_DOWN:
                called = Occasion(number, (), what, frozenset(), frozenset()).gateway
                world.wire.outages[called or drawn.choice(GATEWAYS)] = outage(
                    world.scheduler.now(), drawn.uniform(*OUTAGE_S)
                )
            case _:
                raise WorldDiffers(f"{fault} cannot strike at occasion {number}, {what}")


# --- what came of it --------------------------------------------------------------------------------------------------


def _end(story: Story) -> str:
    order = story.order
    if order is None:
        return "never placed"
    if order.run_state is RunState.PARKED:
        errors = [found.event.error for found in _recorded(story) if isinstance(found.event, OrderParked)]
        return f"incident {errors[-1]}"
    return "delivered" if order.status.value == "completed" else order.status.value


def _obliging(story: Story) -> bool:
    return story.order is not None and story.order.placed is not None and story.order.placed.payment_method == "pm_ok"


def _how(shot: _Shot) -> str:
    """First what became of the wish, if the fault is one; then the last resort that was needed."""
    return ", ".join([*_wish(shot), next(_resorts(shot))])


def _wish(shot: _Shot) -> list[str]:
    fault, since = shot.aim.strikes[-1][1], _since(shot)
    if fault is Fault.CANCELLED:
        return ["undone" if any(isinstance(found.event, CancellationRequested) for found in since) else "refused"]
    if fault is Fault.STARTED_AGAIN:
        taken = any(isinstance(found.event, RunStarted) and found.event.by != SYSTEM for found in since)
        return ["older run superseded" if taken else "refused"]
    return []


def _resorts(shot: _Shot) -> Iterator[str]:
    since = _since(shot)
    parked = [found.version for found in since if isinstance(found.event, OrderParked)]
    started = [found for found in since if isinstance(found.event, RunStarted)]
    if parked and any(found.version > parked[0] for found in started):
        yield "parked and run again by support"
    if parked:
        yield "parked"
    if any(found.event.by == SYSTEM for found in started if isinstance(found.event, RunStarted)):
        yield "new run by the watchdog"
    if any(shot.story.order_id in [*told["rung"], *(told["missing"] or [])] for told in _rounds(shot)):
        yield "woken by the watchdog"
    if _entered(shot) & circuit_waits(shot.template):
        yield "waited for the circuit"
    if any(isinstance(found.event, _TIMEOUTS) for found in since):
        yield "timed out"
    if _retries(shot):
        yield "retried"
    yield "no retry needed"


_TIMEOUTS = (PreparationTimedOut, PreparationOverdue, CourierTimedOut, DeliveryOverdue)


def _recorded(story: Story) -> list[RecordedEvent]:
    return list(story.world.log.load(f"order#{story.order_id}").recorded)


def _since(shot: _Shot) -> list[RecordedEvent]:
    return [found for found in _recorded(shot.story) if found.version > shot.struck_version]


def _rounds(shot: _Shot) -> list[Mapping[str, Any]]:
    return [told for at, told in shot.world.rounds if at > shot.struck_at]


def _entered(shot: _Shot) -> Steps:
    return frozenset(
        f"{running.execution.definition.name}.{event['stateEnteredEventDetails']['name']}"
        for running in shot.world.executions.every()
        for event in running.events
        if event["type"] == "TaskStateEntered" and event["timestamp"] >= shot.struck_at
    )


def _retries(shot: _Shot) -> int:
    """Tasks are scheduled as often as they are entered, and once more for each retry."""
    kinds = [
        event["type"]
        for running in shot.world.executions.every()
        for event in running.events
        if event["timestamp"] >= shot.struck_at
    ]
    return kinds.count("TaskScheduled") + kinds.count("LambdaFunctionScheduled") - kinds.count("TaskStateEntered")
