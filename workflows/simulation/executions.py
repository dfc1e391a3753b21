"""Step Functions in the simulation: the real interpreter on the simulated clock. The service throttles, or works."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from workflows.asl import answers, virtual
from workflows.asl.interpreter.frames import Frame
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.reading.integrations import machine_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import (
    JSON,
    ExecutionStatus,
    InvokeFunction,
    Signal,
    TimerFired,
    TokenFailed,
    TokenSucceeded,
)
from workflows.asl.tokens import token_execution
from workflows.executions import (
    DescribedExecution,
    ExecutionEvents,
    ExecutionsUnavailable,
    MachineDefinition,
    NoSuchExecution,
    TokenGone,
)
from workflows.simulation.faults import InjectedFault
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.wire import Outage, outage

Answer = Callable[[Any, tuple[str, str] | None], None]
"""Called once with a function's result, or with its error and cause."""

Steps = frozenset[str]
"""Names of states with their machine: ``OrderMachine.FindReason``."""


class SimulatedExecutions(virtual.VirtualRunner):
    """Implements ``Executions`` and ``ExecutionReads``.

    Running executions keep their definition when ``machines`` are replaced.
    """

    executions_max = 1_000_000  # the world's limit of steps ends machines that start themselves

    def __init__(
        self,
        machines: Mapping[str, Definition],
        scheduler: Scheduler,
        invoke: Callable[[str, JSON, Answer, Callable[[], Steps]], None],
    ) -> None:
        super().__init__(machines, _unused, f"{scheduler.random.random()}", scheduler.now())
        self._scheduler = scheduler
        self._invoke_function = invoke
        self._by_arn: dict[str, virtual.VirtualExecution] = {}
        self._throttled: dict[InjectedFault, Outage] = {}
        self._held: deque[Callable[[], None]] = deque()
        self._settling: set[str] = set()

    def throttle(self, fault: InjectedFault, seconds: float) -> None:
        """Refuse starts or tokens, or hold state transitions, from now on for a time."""
        self._throttled[fault] = outage(self._scheduler.now(), seconds)
        if fault is InjectedFault.TRANSITIONS_THROTTLED:
            self._scheduler.at(self._throttled[fault].ends, self._release)

    def upgrade(self, machines: Mapping[str, Definition]) -> None:
        """Replace the definitions, as a deployment does."""
        self._machines = machines

    def running(self) -> list[virtual.VirtualExecution]:
        """List the executions that have not ended."""
        return [each for each in self._by_arn.values() if self.is_running(each)]

    def every(self) -> list[virtual.VirtualExecution]:
        """List all executions, also those that have ended."""
        return list(self._by_arn.values())

    def in_flight(self) -> Steps:
        """Name the states with an open task or an armed timer."""
        states: set[str] = set()
        for running in self.running():
            execution = running.execution
            frames = [*execution.calls.values(), *(timer.frame for timer in execution.timers.values() if timer.frame)]
            states.update(_step(running, frame) for frame in frames)
        return frozenset(states)

    def is_open(self, token: str) -> bool:
        """Whether a task is waiting for this token."""
        return token in self._by_arn[token_execution(token)].execution.open_tokens()

    def start(self, machine: Any, name: str, input: JSON, express: bool = False) -> Any:  # noqa: A002 - the API's word
        """Start by machine name, as ``Executions`` does. Child executions are started by their definition."""
        self._now = self._scheduler.now()
        if isinstance(machine, Definition):
            return super().start(machine, name, input, express)
        self._refuse(InjectedFault.STARTS_THROTTLED)
        definition = self._machines[machine_name(machine)]
        return self._by_name.get((definition.name, name)) or super().start(definition, name, input)

    def succeed(self, token: str, output: JSON) -> None:
        self._settle_token(token, lambda at, seed: TokenSucceeded(at=at, seed=seed, token=token, output=output))

    def fail(self, token: str, error: str, cause: str) -> None:
        self._settle_token(token, lambda at, seed: TokenFailed(at=at, seed=seed, token=token, error=error, cause=cause))

    # --- reads, as of ``ExecutionReads`` -------------------------------------------------------------------------

    def describe(self, *, machine: str, name: str) -> DescribedExecution:
        running = self._named(machine, name)
        execution = running.execution
        ended = execution.status is not ExecutionStatus.RUNNING
        return DescribedExecution(
            arn=execution.arn,
            status=execution.status.value,
            started_at=running.events[0]["timestamp"],
            stopped_at=running.events[-1]["timestamp"] if ended else None,
            error="",
            cause="",
            definition=execution.definition.digest,
        )

    def history(self, *, machine: str, name: str, limit: int, reverse: bool, cursor: str | None) -> ExecutionEvents:
        assert cursor is None  # the simulation reads whole executions, from their beginning
        assert not reverse
        events = self._named(machine, name).events
        return ExecutionEvents(events=events[:limit], next=str(limit) if len(events) > limit else None)

    def definition(self, *, machine: str) -> MachineDefinition:
        definition = self._machines[machine_name(machine)]
        return MachineDefinition(raw=definition.raw, digest=definition.digest)

    def definition_of(self, *, machine: str, name: str) -> MachineDefinition:
        definition = self._named(machine, name).execution.definition
        return MachineDefinition(raw=definition.raw, digest=definition.digest)

    def _named(self, machine: str, name: str) -> virtual.VirtualExecution:
        running = self._by_name.get((machine_name(machine), name))
        if running is None:
            raise NoSuchExecution(f"there is no execution {name}")
        return running

    # --- signals, each of which causes transitions -----------------------------------------------------------------

    def _send(self, running: virtual.VirtualExecution, make: Callable[[datetime, str], Signal]) -> None:
        self._hold(running, lambda: super(SimulatedExecutions, self)._send(running, make))

    def _fire(self, running: virtual.VirtualExecution, timer: int) -> None:
        def fire() -> None:
            if timer in running.execution.timers:  # an answer may have waited before it
                super(SimulatedExecutions, self)._send(
                    running, lambda at, seed: TimerFired(at=at, seed=seed, timer=timer)
                )

        if timer in running.execution.timers:
            self._hold(running, fire)

    def _settle_token(self, token: str, make: Callable[[datetime, str], Signal]) -> None:
        self._refuse(InjectedFault.TOKENS_THROTTLED)
        running = self._by_arn[token_execution(token)]
        if token in self._settling or token not in running.execution.open_tokens():
            raise TokenGone("the token is not open")
        self._settling.add(token)
        self._hold(running, lambda: super(SimulatedExecutions, self)._send(running, make))

    def _hold(self, running: virtual.VirtualExecution, act: Callable[[], None]) -> None:
        """Act now, or in order once transitions are not held. Express executions have no such limit."""
        if not is_express(running) and (self._held or self._is_throttled(InjectedFault.TRANSITIONS_THROTTLED)):
            self._held.append(act)
        else:
            self._act(act)

    def _release(self) -> None:
        while self._held and not self._is_throttled(InjectedFault.TRANSITIONS_THROTTLED):
            self._act(self._held.popleft())

    def _act(self, act: Callable[[], None]) -> None:
        self._now = self._scheduler.now()
        act()

    def _refuse(self, fault: InjectedFault) -> None:
        if self._is_throttled(fault):
            raise ExecutionsUnavailable("Rate exceeded")

    def _is_throttled(self, fault: InjectedFault) -> bool:
        throttled = self._throttled.get(fault)
        return throttled is not None and throttled.covers(self._scheduler.now())

    def _perform_all(self, running: virtual.VirtualExecution, result: SignalResult) -> None:
        self._by_arn[running.execution.arn] = running
        super()._perform_all(running, result)

    def _at(self, at: datetime, action: Callable[[], None]) -> None:
        def act() -> None:
            self._now = self._scheduler.now()
            action()

        self._scheduler.at(at, act)

    def _invoke(self, running: virtual.VirtualExecution, effect: InvokeFunction) -> None:
        def answer(result: Any, failure: tuple[str, str] | None) -> None:
            self._now = self._scheduler.now()
            if failure is not None:
                self._fail(running, effect.task, *failure)
            else:
                self._succeed(running, effect.task, answers.function_succeeded(result))

        step = _step(running, running.execution.calls[effect.task])
        self._invoke_function(
            effect.function, effect.payload, answer, lambda: frozenset({step}) | _waiting_states(running)
        )


def is_express(running: virtual.VirtualExecution) -> bool:
    """Whether it is an Express execution."""
    return ":express:" in running.execution.arn


def _waiting_states(running: virtual.VirtualExecution) -> Steps:
    """Name the states that wait for this execution to end, up to the outermost parent."""
    states: set[str] = set()
    for parent, task, _ in running.waiting:
        if frame := parent.execution.calls.get(task):
            states |= {_step(parent, frame)} | _waiting_states(parent)
    return frozenset(states)


def _step(running: virtual.VirtualExecution, frame: Frame) -> str:
    return f"{running.execution.definition.name}.{frame.state.name}"


def _unused(*_: object) -> Any:
    raise AssertionError("the simulated world invokes functions itself")
