"""Step Functions in the simulation: the real interpreter on the world's clock, in a service that loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from workflows.asl import answers, virtual
from workflows.asl.interpreter.frames import Frame
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.reading.integrations import machine_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, ExecutionStatus, InvokeFunction, Signal, TokenFailed, TokenSucceeded
from workflows.asl.tokens import token_execution
from workflows.executions import TokenGone
from workflows.simulation.scheduler import Scheduler

Answer = Callable[[Any, tuple[str, str] | None], None]
"""Hears a function's result, or its error and cause."""

Steps = frozenset[str]
"""States, each after its machine: ``OrderMachine.FindReason``."""


class SimulatedExecutions(virtual.VirtualRunner):
    """Implements ``Executions``. ``machines`` may be replaced; executions under way keep the definition they have."""

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

    def upgrade(self, machines: Mapping[str, Definition]) -> None:
        """Deploy other definitions."""
        self._machines = machines

    def running(self) -> list[virtual.VirtualExecution]:
        """The executions that have not ended."""
        return [found for found in self._by_arn.values() if found.execution.status is ExecutionStatus.RUNNING]

    def every(self) -> list[virtual.VirtualExecution]:
        """All executions, those that have ended too."""
        return list(self._by_arn.values())

    def in_flight(self) -> Steps:
        """The states that are being performed, or about to be again."""
        found: set[str] = set()
        for running in self.running():
            execution = running.execution
            frames = [*execution.calls.values(), *(timer.frame for timer in execution.timers.values() if timer.frame)]
            found.update(_step(running, frame) for frame in frames)
        return frozenset(found)

    def is_open(self, token: str) -> bool:
        """Whether a task still waits with this token."""
        return token in self._by_arn[token_execution(token)].execution.open_tokens()

    def start(self, machine: Any, name: str, input: JSON, express: bool = False) -> Any:  # noqa: A002 - the API's word
        """As ``Executions`` has it, by name; the world itself starts children by their definition."""
        self._now = self._scheduler.now()
        if isinstance(machine, Definition):
            return super().start(machine, name, input, express)
        definition = self._machines[machine_name(machine)]
        return self._by_name.get((definition.name, name)) or super().start(definition, name, input)

    def succeed(self, token: str, output: JSON) -> None:
        self._settle_token(token, lambda at, seed: TokenSucceeded(at=at, seed=seed, token=token, output=output))

    def fail(self, token: str, error: str, cause: str) -> None:
        self._settle_token(token, lambda at, seed: TokenFailed(at=at, seed=seed, token=token, error=error, cause=cause))

    def _settle_token(self, token: str, make: Callable[[datetime, str], Signal]) -> None:
        self._now = self._scheduler.now()
        running = self._by_arn[token_execution(token)]
        result = self._apply(running, make)
        if not result.settled:
            raise TokenGone("nobody waits with this token any more")
        self._perform_all(running, result)

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
        self._invoke_function(effect.function, effect.payload, answer, lambda: frozenset({step}) | _above(running))


def _above(running: virtual.VirtualExecution) -> Steps:
    """The states that wait for this execution to end, up to the parent of all."""
    found: set[str] = set()
    for parent, task, _ in running.waiting:
        if frame := parent.execution.calls.get(task):
            found |= {_step(parent, frame)} | _above(parent)
    return frozenset(found)


def _step(running: virtual.VirtualExecution, frame: Frame) -> str:
    return f"{running.execution.definition.name}.{frame.state.name}"


def _unused(*_: object) -> Any:
    raise AssertionError("functions are invoked by the world")
