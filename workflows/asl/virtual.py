"""Executions under a virtual clock: functions are Python callables, and executions can start each other."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, assert_never

from workflows.asl import answers
from workflows.asl.answers import ChildExecution, TaskError
from workflows.asl.interpreter import interpreter
from workflows.asl.interpreter.execution import Execution
from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.json_text import to_text
from workflows.asl.jsonata.dice import Dice
from workflows.asl.reading.integrations import machine_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import (
    JSON,
    Aborted,
    CancelTimer,
    Effect,
    EndExecution,
    ExecutionStatus,
    InvokeFunction,
    Mode,
    SetTimer,
    Signal,
    Started,
    StartExecution,
    StopExecution,
    TaskFailed,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)

_ACCOUNT: Final = "us-east-1:123456789012"
EXECUTIONS_MAX: Final = 10_000  # so that machines that start themselves come to an end


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that a function gives after ``after_s`` seconds of virtual time."""

    result: JSON
    after_s: float


class FunctionMissing(LookupError):
    """There is no function of this name. The task fails with Lambda.ResourceNotFoundException."""


class Settlements(Protocol):
    """The calls that a function made with its token: seconds from now, kind of call, and its value."""

    settlements: list[tuple[float, str, Any]]


Caller = Callable[[str, JSON, str | None], tuple[Callable[[], Any], Settlements]]


@dataclass(slots=True, eq=False)
class VirtualExecution:
    """One execution with its history, its child executions, and the tasks that wait for its end."""

    execution: Execution
    machine_arn: str
    input_text: str
    events: list[HistoryEvent]
    children: dict[int, VirtualExecution] = field(default_factory=dict)
    waiting: list[tuple[VirtualExecution, int, Mode]] = field(default_factory=list)


class VirtualRunner:
    """Performs the effects of executions in order of virtual time.

    Args:
        machines: Definitions by name, for tasks that start executions.
        call: Returns a callable that invokes a function, and the record of what it did with its token; raises
            FunctionMissing.
        seed: Decides every random number.
        start: The virtual time at the beginning.
    """

    executions_max = EXECUTIONS_MAX

    def __init__(self, machines: Mapping[str, Definition], call: Caller, seed: str, start: datetime) -> None:
        self._machines = machines
        self._call = call
        self._now = start
        self._dice = Dice(seed)
        self._order = itertools.count()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._by_name: dict[tuple[str, str], VirtualExecution] = {}
        self._started = 0

    def start(self, definition: Definition, name: str, payload: JSON, express: bool = False) -> VirtualExecution:
        """Start an execution and run it until it waits."""
        self._started += 1
        text = to_text(payload)
        kind, suffix = ("express", f":{self._dice.uuid4()}") if express else ("execution", "")
        signal = Started(
            at=self._now,
            seed=self._seed(),
            input=json.loads(text),
            execution_arn=f"arn:aws:states:{_ACCOUNT}:{kind}:{definition.name}:{name}{suffix}",
            execution_name=name,
            machine_arn=f"arn:aws:states:{_ACCOUNT}:stateMachine:{definition.name}",
            machine_name=definition.name,
            role_arn="arn:aws:iam::123456789012:role/run",
        )
        result = interpreter.apply(definition, None, signal)
        running = VirtualExecution(result.execution, signal.machine_arn, text, [])
        if not express:
            self._by_name[definition.name, name] = running
        self._perform_all(running, result)
        return running

    def step(self) -> bool:
        """Perform the next scheduled action. Returns False when there is none."""
        if not self._agenda:
            return False
        at, _, action = heapq.heappop(self._agenda)
        self._now = max(self._now, at)
        action()
        return True

    def is_running(self, running: VirtualExecution) -> bool:
        """Whether the execution has not ended."""
        return running.execution.status is ExecutionStatus.RUNNING

    def waits_of(self, running: VirtualExecution) -> str:
        """Describe what the execution waits for."""
        states = sorted(frame.state.name for frame in running.execution.calls.values())
        return ", ".join(f"state '{name}' for its task" for name in states) or "nothing known"

    def _seed(self) -> str:
        return self._dice.bytes32("signal").hex()

    def _soon(self, after_s: float, action: Callable[[], None]) -> None:
        self._at(self._now + timedelta(seconds=after_s), action)

    def _at(self, at: datetime, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), action))

    def _send(self, running: VirtualExecution, make: Callable[[datetime, str], Signal]) -> None:
        self._perform_all(running, self._apply(running, make))

    def _apply(self, running: VirtualExecution, make: Callable[[datetime, str], Signal]) -> SignalResult:
        execution = running.execution
        return interpreter.apply(execution.definition, execution, make(self._now, self._seed()))

    def _perform_all(self, running: VirtualExecution, result: SignalResult) -> None:
        running.events.extend(result.events)
        for effect in result.effects:
            self._perform(running, effect)

    def _perform(self, running: VirtualExecution, effect: Effect) -> None:
        match effect:
            case SetTimer(timer=timer, at=at):
                self._at(at, lambda: self._fire(running, timer))
            case CancelTimer():
                pass  # ``_fire`` ignores timers that the execution no longer has
            case InvokeFunction():
                self._invoke(running, effect)
            case StartExecution():
                self._soon(0.0, lambda: self._start_child(running, effect))
            case StopExecution(task=task):
                self._stop_child(running.children.pop(task, None))
            case EndExecution():
                self._answer_waiting(running)
            case _:
                assert_never(effect)

    def _fire(self, running: VirtualExecution, timer: int) -> None:
        if timer in running.execution.timers:
            self._send(running, lambda at, seed: TimerFired(at=at, seed=seed, timer=timer))

    def _invoke(self, running: VirtualExecution, effect: InvokeFunction) -> None:
        try:
            call, task = self._call(effect.function, json.loads(to_text(effect.payload)), effect.token)
        except FunctionMissing:
            self._fail(running, effect.task, *answers.function_missing(effect.function))
            return
        try:
            returned = call()
            later = returned if isinstance(returned, Later) else Later(returned, 0.0)
            output = answers.function_succeeded(answers.function_result(later.result))
            self._succeed(running, effect.task, output, later.after_s)
        except SystemExit as error:
            self._fail(running, effect.task, *answers.function_exited(error.code))
        except Exception as error:
            self._fail(running, effect.task, *answers.function_failed(answers.without_own_frames(error)))
        for after_s, kind, value in task.settlements:
            self._settle(running, effect.token or "", after_s, kind, value)

    def _succeed(self, running: VirtualExecution, task: int, output: JSON, after_s: float = 0.0) -> None:
        self._soon(
            after_s,
            lambda: self._send(running, lambda at, seed: TaskSucceeded(at=at, seed=seed, task=task, output=output)),
        )

    def _fail(self, running: VirtualExecution, task: int, error: str, cause: str) -> None:
        self._soon(
            0.0,
            lambda: self._send(
                running, lambda at, seed: TaskFailed(at=at, seed=seed, task=task, error=error, cause=cause)
            ),
        )

    def _settle(self, running: VirtualExecution, token: str, after_s: float, kind: str, value: Any) -> None:
        def make(at: datetime, seed: str) -> Signal:
            if kind == "succeed":
                return TokenSucceeded(at=at, seed=seed, token=token, output=answers.function_result(value))
            if kind == "fail":
                return TokenFailed(at=at, seed=seed, token=token, error=value[0], cause=value[1])
            return TokenHeartbeat(at=at, seed=seed, token=token)

        self._soon(after_s, lambda: self._send(running, make))

    def _start_child(self, running: VirtualExecution, effect: StartExecution) -> None:
        if effect.task not in running.execution.calls:
            return  # the task was abandoned in the meantime
        definition = self._machines.get(effect.machine) or self._machines.get(machine_name(effect.machine))
        if definition is None:
            self._fail(running, effect.task, *answers.machine_missing(effect.machine, effect.mode))
            return
        if self._started >= self.executions_max:
            self._fail(running, effect.task, *answers.too_many_executions(effect.mode))
            return
        child = self._find_or_start(definition, effect)
        if child is None:
            arn = f"arn:aws:states:{_ACCOUNT}:execution:{definition.name}:{effect.name}"
            self._fail(running, effect.task, *answers.name_taken(arn, effect.mode))
            return
        if effect.mode in (Mode.REQUEST_RESPONSE, Mode.TOKEN):
            self._succeed(running, effect.task, answers.child_started(_describe(child), effect.mode))
            return
        if effect.mode is not Mode.EXPRESS:
            started = answers.child_started(_describe(child), effect.mode)
            self._send(running, lambda at, seed: TaskSubmitted(at=at, seed=seed, task=effect.task, output=started))
        running.children[effect.task] = child
        child.waiting.append((running, effect.task, effect.mode))
        if not self.is_running(child):
            self._answer_waiting(child)

    def _find_or_start(self, definition: Definition, effect: StartExecution) -> VirtualExecution | None:
        """Start a child, or return the running one of the same name and input. None if the name is taken."""
        name = effect.name or self._dice.uuid4()
        if effect.mode is Mode.EXPRESS:
            return self.start(definition, name, json.loads(effect.input), express=True)
        other = self._by_name.get((definition.name, name))
        if other is None:
            return self.start(definition, name, json.loads(effect.input))
        same = other.input_text == to_text(json.loads(effect.input))
        return other if same and self.is_running(other) else None

    def _stop_child(self, child: VirtualExecution | None) -> None:
        if child is not None and self.is_running(child):
            child.waiting.clear()
            self._send(child, lambda at, seed: Aborted(at=at, seed=seed))

    def _answer_waiting(self, ended: VirtualExecution) -> None:
        waiting, ended.waiting = ended.waiting, []
        for parent, task, mode in waiting:
            parent.children.pop(task, None)
            answer = answers.child_ended(_describe(ended), mode)
            if isinstance(answer, TaskError):
                self._fail(parent, task, answer.error, answer.cause)
            else:
                self._succeed(parent, task, answer)


def _describe(running: VirtualExecution) -> ChildExecution:
    execution = running.execution
    return ChildExecution(
        execution_arn=execution.arn,
        machine_arn=running.machine_arn,
        name=execution.name,
        input=running.input_text,
        started_at=execution.started_at,
        status=execution.status,
        output=execution.output,
        error=execution.error,
        cause=execution.cause,
        stopped_at=execution.stopped_at,
    )
