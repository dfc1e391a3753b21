"""One simulated world: stores, Step Functions, Lambda, the feed, the timer and the counterparties, on one scheduler.

Each invocation runs in one of a few simulated processes. A process has circuit breakers and a clock of its own; all
processes share the stores.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias

from workflows.asl import answers
from workflows.asl.reading.integrations import function_name
from workflows.asl.signals import JSON
from workflows.embedded.http.routes import RouteTable
from workflows.embedded.lambda_.feed import stream_record
from workflows.embedded.template import Template
from workflows.engine import EVENT_TYPES, Engine, assemble, serving
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.codec import Codec
from workflows.event_store.documents import Documents, DocumentsUnavailable
from workflows.event_store.event_log import StreamUnavailable
from workflows.executions import ExecutionsUnavailable
from workflows.gateways.courier import CouriersUnavailable
from workflows.gateways.kitchen import KitchenUnavailable
from workflows.gateways.payment import PaymentsUnavailable
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.segments import InMemorySegments
from workflows.settings import read
from workflows.simulation.checkpoint_makers import CheckpointMakers
from workflows.simulation.counterparties import MemoryDatabase, sandbox_in_memory
from workflows.simulation.executions import Answer, SimulatedExecutions, Steps
from workflows.simulation.faults import OF_LAMBDA, OF_STEP_FUNCTIONS, Faults, InjectedFault
from workflows.simulation.processes import PROCESS, PROCESSES, SKEW, SKEW_S, ProcessClock, drawn_jump
from workflows.simulation.releases import definitions, upgraded
from workflows.simulation.retention import RestorableKeyRing, RetainedStores, Retention
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.subscribers import Subscribers
from workflows.simulation.view_writers import ViewWriters
from workflows.simulation.webhook_receivers import WebhookReceivers
from workflows.simulation.wire import GATEWAYS, Outage, Port, ProcessKilled, Wire, outage
from workflows.time_budgets import read_budgets
from workflows.upkeep.on_tick import TICK_EVERY_S

TIMER_EVERY_S = (60.0, 300.0)
"""Seconds between two calls of the timer: a minute on AWS, and more when it is late."""

RESUMED_AFTER_S, MANY_ORDERS = 1.0, 20
"""In a world with more orders than this, a timer that was killed in its round runs again after this time. Faults strike
calls, and a round makes a few for each order that waits. If only the next regular round went on, no round would be
complete for hours after an outage, and orders would wait the longer, the more there are."""

FEED_DELAY_S = 0.2
"""Mean delay of a feed message; Lambda polls a stream several times a second."""

OUTAGE_S = (60.0, 900.0)
THROTTLED_S = (60.0, 600.0)
"""How long Lambda or Step Functions refuses calls: another application of the account uses up what a limit allows."""

THROTTLED = ("Lambda.TooManyRequestsException", "Rate Exceeded.")
"""Error and cause of a call that Lambda refuses."""

Observer: TypeAlias = Subscribers | WebhookReceivers | ViewWriters | CheckpointMakers | Retention

_performing: ContextVar[Steps] = ContextVar("performing", default=frozenset())


class World:
    """A deployment of ``template`` in which one seed decides everything.

    ``newest`` is the last version of each stream; ``rounds`` are the results of the timer, with their time.
    """

    def __init__(
        self, seed: int, template: Template, faults: Faults, *, observed: bool = True, retains: bool = False
    ) -> None:
        """Make a world.

        Args:
            observed: Run live subscribers, webhook receivers and the writers of the views beside it. They change
                nothing in it, and take most of the time of a world with a thousand orders.
            retains: Erase customers and archive orders in it.
        """
        self.retains = retains
        self.scheduler = Scheduler(seed)
        self.random = self.scheduler.random
        self.faults = faults
        self.template = template
        self.routes = RouteTable(template.functions)
        self.wire = Wire(self.scheduler, faults)
        self.clock = ProcessClock(self.scheduler)
        self._keyring = RestorableKeyRing()
        self._segments = InMemorySegments()
        self.log = InMemoryEventLog(
            Codec(self._keyring, EVENT_TYPES), self.clock, keeps_histories=not retains, segments=self._segments
        )
        self.documents = InMemoryDocuments()
        self._ledgers = MemoryDatabase()
        self.sandbox = sandbox_in_memory(self.scheduler, self._ledgers)
        self.executions = self._made_executions()
        self._skews = [self._drawn_skew() for _ in range(PROCESSES)]
        self._engines = [self._assembled() for _ in range(PROCESSES)]
        self.newest: dict[str, int] = {}
        self._throttled: Outage | None = None
        self._errors_of_lambda = Random(f"errors of Lambda of {seed}")
        self._tick_due = False
        self.rounds: list[tuple[datetime, dict[str, Any]]] = []
        self.log.on_commit(self._on_commit)
        self.observers = list(self._observers(seed)) if observed or retains else []
        self._plan_outage()
        self._plan_upgrade()
        self._plan_throttling(seed)
        self._plan_throttling_of_step_functions(seed)
        for process in range(PROCESSES):
            self._plan_jump(process)
        self.scheduler.after(self.random.uniform(*TIMER_EVERY_S), self._on_timer)

    def _made_executions(self) -> SimulatedExecutions:
        return SimulatedExecutions(definitions(self.template), self.scheduler, self.invoke)

    def _observers(self, seed: int) -> Iterator[Observer]:
        views = ViewWriters(self.log, scheduler=self.scheduler, seed=seed)
        if self.retains:  # first, so that the others check what it leaves
            yield Retention(self._retained(), views, seed=seed)
        budgets = read(self.template.functions["Feed"].environment, read_budgets)
        yield Subscribers(self.log, self.documents, scheduler=self.scheduler, seed=seed, budgets=budgets)
        yield WebhookReceivers(self.log, scheduler=self.scheduler, seed=seed, call=self._call_beside)
        yield views
        yield CheckpointMakers(self.log, scheduler=self.scheduler, seed=seed)

    def close(self) -> None:
        """End what still waits, and delete the files of the views: a child process that ends would leave them."""
        self.scheduler.close()
        for observer in self.observers:
            if isinstance(observer, ViewWriters):
                observer.close()

    def _retained(self) -> RetainedStores:
        return RetainedStores(
            engine=self._engines[0],
            scheduler=self.scheduler,
            log=self.log,
            documents=self.documents,
            keyring=self._keyring,
            segments=self._segments,
            executions=self.executions,
            deliveries=self._deliveries,
            ledgers=self._ledgers.content,
        )

    def _deliveries(self) -> InMemoryDocuments:
        return next(observer.documents for observer in self.observers if isinstance(observer, WebhookReceivers))

    def pause(self, mean_s: float) -> None:
        """Let the running person wait for a random time with this mean."""
        self.scheduler.pause(self.random.expovariate(1 / mean_s))

    @property
    def webhooks_missing(self) -> bool:
        """Whether a published event has not arrived at every receiver yet."""
        return any(observer.missing for observer in self.observers if isinstance(observer, WebhookReceivers))

    # --- functions -----------------------------------------------------------------------------------------------

    def invoke(
        self, function: str, payload: JSON, answer: Answer, within: Callable[[], Steps] = frozenset[str]
    ) -> None:
        """Run a function as Lambda does, unless calls are throttled now.

        A function that runs over its timeout goes on, but its result is ignored.

        Args:
            answer: Called once, with the result or with error and cause.
            within: Returns the states that the function performs.
        """
        if self._throttled is not None and self._throttled.covers(self.scheduler.now()):
            self.scheduler.after(0.01, lambda: answer(None, THROTTLED))
            return
        target = self.template.functions[function_name(function)]
        event = json.dumps(payload)
        process = self.random.randrange(PROCESSES)
        answered = False

        def answer_once(result: Any, failure: tuple[str, str] | None) -> None:
            nonlocal answered
            if not answered:
                answered = True
                answer(result, failure)

        def run() -> None:
            SKEW.set(self._skews[process])
            PROCESS.set(process)
            _performing.set(within())
            if self.performing() and (fault := self._error_of_lambda(function)):
                answer_once(None, (fault.value, "Lambda did not pass the result on"))  # the function runs all the same
            try:
                with serving(self._engines[process], target.environment):
                    result = _handler(target.handler)(json.loads(event), None)
                answer_once(json.loads(json.dumps(result)), None)
            except ProcessKilled:
                answer_once(None, ("Runtime.ExitError", "the process was killed"))
            except Exception as error:
                answer_once(None, answers.function_failed(error))

        self.scheduler.spawn(run, delay_s=self.random.expovariate(1 / 0.01))
        timed_out = answers.function_timed_out(float(target.timeout_s))
        self.scheduler.after(target.timeout_s, lambda: answer_once(None, timed_out))

    def _error_of_lambda(self, function: str) -> InjectedFault | None:
        return self.faults.strikes(OF_LAMBDA, f"{function} by Lambda", self._errors_of_lambda)

    def _call_beside(
        self, function: str, event: Any, *, documents: Documents, webhooks: WebhookReceivers
    ) -> Mapping[str, Any]:
        """Run a function that only watches the world: on the log without its wire, and in a process of its own."""
        target = self.template.functions[function]
        ports = replace(self.beside(), documents=documents, webhooks=webhooks)
        with serving(ports, target.environment, event_bus=webhooks):
            result: Mapping[str, Any] = _handler(target.handler)(json.loads(json.dumps(event)), None)
        return result

    def beside(self) -> Engine:
        """Return ports that read the stores without the wire, and wake nothing."""
        return replace(self._engines[0], log=self.log, documents=self.documents, clock=self.scheduler)

    def performing(self) -> Steps:
        """Name the states that the running function performs; none if no machine invoked it."""
        return _performing.get()

    def skew_running_process(self, seconds: float) -> None:
        """Change the clock skew of the running process."""
        self._skews[PROCESS.get()] = seconds
        SKEW.set(seconds)

    def jump_running_process(self, seconds: float, lasting_s: float) -> None:
        """Set the wall clock of the running process wrong for a time."""
        self.clock.jump(PROCESS.get(), seconds, lasting_s)

    def throttle(self, seconds: float) -> None:
        """Refuse every call of a function from now on, for a time."""
        self._throttled = outage(self.scheduler.now(), seconds)

    def upgrade(self) -> None:
        """Deploy the next release of every machine."""
        self.executions.upgrade(upgraded(self.template))

    # --- the feed and the timer ----------------------------------------------------------------------------------

    def _on_commit(self, change: FeedEntry) -> None:
        self.newest[change.commit.pk] = change.commit.sk
        fault = self.faults.strikes(
            (InjectedFault.FEED_LATE, InjectedFault.FEED_TWICE, InjectedFault.FEED_LOST),
            f"feed of {change.commit.k}",
        )
        if fault is InjectedFault.FEED_LOST:
            return
        late = fault is InjectedFault.FEED_LATE
        delay = self.random.uniform(5, 300) if late else self.random.expovariate(1 / FEED_DELAY_S)
        for _ in range(2 if fault is InjectedFault.FEED_TWICE else 1):
            self._deliver(change, delay)

    def _deliver(self, change: FeedEntry, delay_s: float) -> None:
        def redeliver_failures(result: Any, failure: tuple[str, str] | None) -> None:
            if failure is not None or result["batchItemFailures"]:
                self._deliver(change, self.random.expovariate(1))

        batch = {"Records": [stream_record(change)]}
        self.scheduler.after(delay_s, lambda: self.invoke("Feed", batch, redeliver_failures))

    def _on_timer(self) -> None:
        self.invoke("Timer", {}, self._on_round)
        self.scheduler.after(self.random.uniform(*TIMER_EVERY_S), self._on_timer)

    def _on_round(self, result: Any, failure: tuple[str, str] | None) -> None:
        if failure is None:
            self.rounds.append((self.scheduler.now(), result))
            if result["busy"] and not self._tick_due:
                self._tick_due = True
                self.scheduler.after(TICK_EVERY_S, self._on_tick)
        elif len(self.newest) > MANY_ORDERS and not self._tick_due:
            self._tick_due = True
            self.scheduler.after(RESUMED_AFTER_S, self._on_tick)

    def _on_tick(self) -> None:
        """Run the next look of a busy timer. On AWS one call makes all looks; here each has a call of its own."""
        self._tick_due = False
        self.invoke("Timer", {}, self._on_round)

    # --- parts ---------------------------------------------------------------------------------------------------

    def _assembled(self) -> Engine:
        ports: dict[str, Any] = {
            "log": Port(self.wire, "log", self.log, lambda why: StreamUnavailable("a stream", why)),
            "documents": Port(self.wire, "documents", self.documents, DocumentsUnavailable),
            "executions": Port(self.wire, "executions", self.executions, ExecutionsUnavailable),
            "payments": Port(self.wire, "payments", self.sandbox.payments, lambda why: PaymentsUnavailable("", why)),
            "kitchen": Port(self.wire, "kitchen", self.sandbox.kitchen, lambda why: KitchenUnavailable("", why)),
            "couriers": Port(self.wire, "couriers", self.sandbox.couriers, lambda why: CouriersUnavailable("", why)),
        }
        return assemble(**ports, clock=self.clock, execution_reads=self.executions)

    def _drawn_skew(self) -> float:
        skewed = self.faults.strikes((InjectedFault.CLOCK_SKEW,), "a process")
        return self.random.uniform(-SKEW_S, SKEW_S) if skewed else 0.0

    def _plan_outage(self) -> None:
        down = self.random.choice(GATEWAYS)
        begins = self.scheduler.now() + timedelta(seconds=self.random.uniform(0, 1800))
        seconds = self.random.uniform(*OUTAGE_S)
        if self.faults.strikes((InjectedFault.PROVIDER_DOWN,), f"{down} for {seconds:.0f} s"):
            self.wire.outages[down] = outage(begins, seconds)

    def _plan_jump(self, process: int) -> None:
        at, (seconds, lasting_s) = self.random.uniform(0, 2400), drawn_jump(self.random)
        if self.faults.strikes((InjectedFault.CLOCK_JUMPED,), f"process {process} by {seconds:.0f} s"):
            self.scheduler.after(at, lambda: self.clock.jump(process, seconds, lasting_s))

    def _plan_throttling(self, seed: int) -> None:
        random = Random(f"throttling of {seed}")
        at, seconds = random.uniform(0, 1800), random.uniform(*THROTTLED_S)
        if self.faults.strikes((InjectedFault.FUNCTIONS_THROTTLED,), f"after {at:.0f} s for {seconds:.0f} s", random):
            self.scheduler.after(at, lambda: self.throttle(seconds))

    def _plan_throttling_of_step_functions(self, seed: int) -> None:
        for fault in OF_STEP_FUNCTIONS:
            random = Random(f"{fault} of {seed}")
            at, seconds = random.uniform(0, 1800), random.uniform(*THROTTLED_S)
            if self.faults.strikes((fault,), f"after {at:.0f} s for {seconds:.0f} s", random):
                self.scheduler.after(at, partial(self.executions.throttle, fault, seconds))

    def _plan_upgrade(self) -> None:
        at = self.random.uniform(0, 2400)
        if self.faults.strikes((InjectedFault.UPGRADED,), f"after {at:.0f} s"):
            self.scheduler.after(at, self.upgrade)


def _handler(handler: str) -> Callable[[Any, Any], Any]:
    module, _, name = handler.rpartition(".")
    function: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
    return function
