"""The world of ``run``: a virtual clock, functions that are Python callables, and executions that start each other."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, assert_never

from workflows.asl import answers
from workflows.asl.answers import ChildExecution, FailedChild
from workflows.asl.interpreter import interpreter
from workflows.asl.interpreter.history import Event
from workflows.asl.interpreter.interpreter import Execution, Step
from workflows.asl.interpreter.payloads import to_text, to_text_strictly
from workflows.asl.jsonata.dice import Dice
from workflows.asl.reading.integrations import machine_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import (
    JSON,
    Aborted,
    CancelTimer,
    Effect,
    EndExecution,
    InvokeFunction,
    Mode,
    SetTimer,
    Signal,
    Started,
    StartExecution,
    Status,
    StopExecution,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)

_ACCOUNT: Final = "us-east-1:123456789012"
_EXECUTIONS_MAX: Final = 10_000  # machines that start themselves without end stop here


@dataclass(frozen=True, slots=True)
class Later:
    """A function's answer that comes ``after_s`` seconds of virtual time."""

    result: JSON
    after_s: float


class Task(Protocol):
    """What a function did with its token while it ran."""

    settlements: list[tuple[float, str, Any]]


Caller = Callable[[str, JSON, str | None], tuple[Callable[[], Any], Task]]


@dataclass(slots=True, eq=False)
class Running:
    """One execution with its history and those who wait for its end."""

    execution: Execution
    machine_arn: str
    input_text: str
    events: list[Event]
    children: dict[int, Running] = field(default_factory=dict)
    waiting: list[tuple[Running, int, Mode]] = field(default_factory=list)


class World:
    """See the module."""

    def __init__(self, machines: Mapping[str, Definition], call: Caller, seed: str, start: datetime) -> None:
        self._machines = machines
        self._call = call
        self._now = start
        self._dice = Dice(seed)
        self._order = itertools.count()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._by_name: dict[tuple[str, str], Running] = {}
        self._started = 0

    def start(self, definition: Definition, name: str, given: JSON, express: bool = False) -> Running:
        """A new execution, run until it waits."""
        self._started += 1
        if self._started > _EXECUTIONS_MAX:
            raise RecursionError(f"more than {_EXECUTIONS_MAX} executions were started")
        text = to_text(given)
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
        step = interpreter.start(definition, signal)
        running = Running(step.execution, signal.machine_arn, text, [])
        if not express:
            self._by_name[definition.name, name] = running
        self._carry_out(running, step)
        return running

    def step(self) -> bool:
        """The next thing that happens; False when there is none."""
        if not self._agenda:
            return False
        at, _, action = heapq.heappop(self._agenda)
        self._now = max(self._now, at)
        action()
        return True

    def is_running(self, running: Running) -> bool:
        """Whether it has not ended."""
        return running.execution.status is Status.RUNNING

    def waits_of(self, running: Running) -> str:
        """What keeps an execution waiting, for people."""
        states = sorted(frame.state.name for frame in running.execution.calls.values())
        return ", ".join(f"state '{name}' for its task" for name in states) or "nothing known"

    def _seed(self) -> str:
        return self._dice.bytes32("signal").hex()

    def _soon(self, after_s: float, action: Callable[[], None]) -> None:
        self._at(self._now + timedelta(seconds=after_s), action)

    def _at(self, at: datetime, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), action))

    def _send(self, running: Running, make: Callable[[datetime, str], Signal]) -> None:
        self._carry_out(running, running.execution.apply(make(self._now, self._seed())))

    def _carry_out(self, running: Running, step: Step) -> None:
        running.events.extend(step.events)
        for effect in step.effects:
            self._perform(running, effect)

    def _perform(self, running: Running, effect: Effect) -> None:
        match effect:
            case SetTimer(timer=timer, at=at):
                self._at(at, lambda: self._fire(running, timer))
            case CancelTimer():
                pass  # a timer that is gone changes nothing when it fires
            case InvokeFunction():
                self._invoke(running, effect)
            case StartExecution():
                self._soon(0.0, lambda: self._start_child(running, effect))
            case StopExecution(task=task):
                self._stop_child(running.children.pop(task, None))
            case EndExecution():
                self._tell_waiting(running)
            case _:
                assert_never(effect)

    def _fire(self, running: Running, timer: int) -> None:
        if timer in running.execution.timers:
            self._send(running, lambda at, seed: TimerFired(at=at, seed=seed, timer=timer))

    def _invoke(self, running: Running, effect: InvokeFunction) -> None:
        call, task = self._call(effect.function, json.loads(to_text(effect.payload)), effect.token)
        try:
            returned = call()
            later = returned if isinstance(returned, Later) else Later(returned, 0.0)
            output = answers.function_succeeded(_as_json(later.result))
            self._succeed(running, effect.task, output, later.after_s)
        except SystemExit as error:
            self._fail(running, effect.task, *answers.function_exited(error.code))
        except Exception as error:
            self._fail(running, effect.task, *answers.function_failed(_theirs(error)))
        for delay_s, how, what in task.settlements:
            self._settle(running, effect.token or "", delay_s, how, what)

    def _succeed(self, running: Running, task: int, output: JSON, after_s: float = 0.0) -> None:
        self._soon(
            after_s,
            lambda: self._send(running, lambda at, seed: TaskSucceeded(at=at, seed=seed, task=task, output=output)),
        )

    def _fail(self, running: Running, task: int, error: str, cause: str) -> None:
        self._soon(
            0.0,
            lambda: self._send(
                running, lambda at, seed: TaskFailed(at=at, seed=seed, task=task, error=error, cause=cause)
            ),
        )

    def _settle(self, running: Running, token: str, after_s: float, how: str, what: Any) -> None:
        def make(at: datetime, seed: str) -> Signal:
            if how == "succeed":
                return TokenSucceeded(at=at, seed=seed, token=token, output=_as_json(what))
            if how == "fail":
                return TokenFailed(at=at, seed=seed, token=token, error=what[0], cause=what[1])
            return TokenHeartbeat(at=at, seed=seed, token=token)

        self._soon(after_s, lambda: self._send(running, make))

    def _start_child(self, running: Running, effect: StartExecution) -> None:
        if effect.task not in running.execution.calls:
            return  # given up in the meantime
        definition = self._machines.get(effect.machine) or self._machines.get(machine_name(effect.machine))
        if definition is None:
            self._fail(running, effect.task, *answers.machine_missing(effect.machine, effect.mode))
            return
        child = self._find_or_start(definition, effect)
        if child is None:
            arn = f"arn:aws:states:{_ACCOUNT}:execution:{definition.name}:{effect.name}"
            self._fail(running, effect.task, *answers.name_taken(arn, effect.mode))
            return
        if effect.mode in (Mode.REQUEST_RESPONSE, Mode.TOKEN):
            self._succeed(running, effect.task, answers.child_started(_describe(child), effect.mode))
            return
        running.children[effect.task] = child
        child.waiting.append((running, effect.task, effect.mode))
        if not self.is_running(child):
            self._tell_waiting(child)

    def _find_or_start(self, definition: Definition, effect: StartExecution) -> Running | None:
        """Starting twice under one name is one start while it runs with the same input, and refused otherwise."""
        name = effect.name or self._dice.uuid4()
        if effect.mode is Mode.EXPRESS:
            return self.start(definition, name, json.loads(effect.input), express=True)
        other = self._by_name.get((definition.name, name))
        if other is None:
            return self.start(definition, name, json.loads(effect.input))
        same = other.input_text == to_text(json.loads(effect.input))
        return other if same and self.is_running(other) else None

    def _stop_child(self, child: Running | None) -> None:
        if child is not None and self.is_running(child):
            child.waiting.clear()
            self._send(child, lambda at, seed: Aborted(at=at, seed=seed))

    def _tell_waiting(self, ended: Running) -> None:
        waiting, ended.waiting = ended.waiting, []
        for parent, task, mode in waiting:
            parent.children.pop(task, None)
            answer = answers.child_ended(_describe(ended), mode)
            if isinstance(answer, FailedChild):
                self._fail(parent, task, answer.error, answer.cause)
            else:
                self._succeed(parent, task, answer)


def _describe(running: Running) -> ChildExecution:
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


class MarshalError(Exception):
    """A function returned what is not JSON; Lambda reports Runtime.MarshalError."""


MarshalError.__name__ = "Runtime.MarshalError"


def _theirs(error: Exception) -> Exception:
    """Without the frames of this package before the function's own, as Lambda's runtime leaves its own away."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("workflows.asl."):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _as_json(value: Any) -> JSON:
    try:
        plain: JSON = json.loads(to_text_strictly(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise MarshalError(f"Unable to marshal response: {error}") from None
    return plain
