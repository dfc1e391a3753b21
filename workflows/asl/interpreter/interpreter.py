"""The interpreter: ``(definition, execution, signal) -> Step``. No clock, no random, no I/O.

An ``Execution`` is the fold of the signals it was given, and changes in place. The first signal is ``Started``. Each
``Step`` carries the effects asked for and the history events added, which are not kept. ``EndExecution`` is the last
effect: timers still armed then are over, and so are tasks, except executions to stop, which are named before it.

After a crash: fold the journal, throw the effects away, and issue ``outstanding()`` again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

from workflows.asl.interpreter import containers, entering, history, tasks
from workflows.asl.interpreter.frames import Branch, Call, Failure, Frame, StateFailed, Timer
from workflows.asl.interpreter.history import EVENTS_MAX, Event, History, HistoryFull
from workflows.asl.interpreter.outcomes import fail, fail_evaluation, limit_cause
from workflows.asl.interpreter.payloads import Payload
from workflows.asl.interpreter.retrying import DATA_LIMIT, RUNTIME, TIMEOUT
from workflows.asl.interpreter.snapshots import snapshot
from workflows.asl.interpreter.turn import BranchEnded, BranchFailed, Enter, Turn, described, iso
from workflows.asl.reading.states import Definition, Task
from workflows.asl.reading.templates import QueryEvaluationError
from workflows.asl.signals import (
    JSON,
    Aborted,
    CancelTimer,
    Effect,
    EndExecution,
    InvokeFunction,
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

ERROR_LENGTH_MAX: Final = 256  # characters; the API's own bounds of error and cause
CAUSE_LENGTH_MAX: Final = 32_768


@dataclass(frozen=True, slots=True)
class Step:
    """What one signal did. ``settled`` is False where it meant nothing any more: a late answer, a token that is not
    open, a timer nobody waits for, anything after the end.
    """

    execution: Execution
    effects: list[Effect]
    events: list[Event]
    settled: bool


def apply(definition: Definition, execution: Execution | None, signal: Signal) -> Step:
    """One step; ``execution`` is None for ``Started``."""
    if execution is None:
        if not isinstance(signal, Started):
            raise ValueError(f"the first signal of an execution is Started, not {type(signal).__name__}")
        return start(definition, signal)
    return execution.apply(signal)


def start(definition: Definition, signal: Started) -> Step:
    """The first step of a new execution."""
    return Execution(definition, signal)._begin(signal)


class Execution:
    """One execution. Read its properties, feed it with ``apply``; one thread at a time."""

    __slots__ = (
        "_tasks_numbered",
        "_timers_numbered",
        "arn",
        "calls",
        "cause",
        "context",
        "definition",
        "error",
        "history",
        "input",
        "last_at",
        "name",
        "output",
        "region",
        "root",
        "started_at",
        "status",
        "stopped_at",
        "timers",
        "tokens",
    )

    def __init__(self, definition: Definition, signal: Started) -> None:
        self.definition = definition
        self.arn, self.name, self.input = signal.execution_arn, signal.execution_name, signal.input
        self.region = _region_of(signal.execution_arn)
        self.started_at = self.last_at = signal.at
        self.stopped_at: datetime | None = None
        self.status = Status.RUNNING
        self.output: JSON = None
        self.error: str | None = None
        self.cause: str | None = None
        self.context = _context_of(signal)
        self.history = History()
        self.root = Branch(definition.scope, {}, 0)
        self.calls: dict[int, Frame] = {}
        self.tokens: dict[str, Frame] = {}
        self.timers: dict[int, Timer] = {}
        self._tasks_numbered = self._timers_numbered = 0

    def apply(self, signal: Signal) -> Step:
        """Take one signal. Signals that come too late change nothing."""
        if self.status is not Status.RUNNING:
            return Step(self, [], [], settled=False)
        turn = self._turn(signal.at, signal.seed)
        settled = False
        try:
            settled = self._take(turn, signal)
            self._work(turn)
        except HistoryFull:
            self._fail_full(turn)
        return self._step(turn, settled)

    def outstanding(self) -> list[Effect]:
        """What to ask for again after a crash: calls not answered, executions awaited, timers armed."""
        if self.status is not Status.RUNNING:
            return []
        calls = [frame.call.effect for frame in self.calls.values() if frame.call is not None and frame.call.effect]
        return [*calls, *(SetTimer(timer=number, at=timer.at) for number, timer in self.timers.items())]

    def snapshot(self) -> dict[str, Any]:
        """All it remembers, as plain JSON."""
        return snapshot(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Execution) and self.snapshot() == other.snapshot()

    __hash__ = object.__hash__

    def open_tokens(self) -> list[str]:
        """The tokens that still settle a task."""
        return list(self.tokens)

    def number_task(self) -> int:
        """The next task's number; 1, 2, 3 ... in the order of scheduling."""
        self._tasks_numbered += 1
        return self._tasks_numbered

    def number_timer(self, timer: Timer) -> int:
        """Keep an armed timer under the next number."""
        self._timers_numbered += 1
        self.timers[self._timers_numbered] = timer
        return self._timers_numbered

    def open_call(self, frame: Frame, call: Call) -> None:
        """A call is under way."""
        self.calls[call.task] = frame
        if call.token is not None:
            self.tokens[call.token] = frame

    def close_call(self, call: Call) -> None:
        """It is over."""
        self.calls.pop(call.task, None)
        if call.token is not None:
            self.tokens.pop(call.token, None)

    def _begin(self, signal: Started) -> Step:
        turn = self._turn(signal.at, signal.seed)
        given = Payload(signal.input)
        details = history.with_input(given, roleArn=signal.role_arn)
        turn.record_aside(0, "ExecutionStarted", details)
        if given.too_large:
            self._end(turn, Status.FAILED, error=DATA_LIMIT, cause=limit_cause(self.definition.name))
            return self._step(turn, settled=True)
        if self.definition.timeout_s is not None:
            turn.arm("execution", None, delay_s=self.definition.timeout_s)
        turn.work.append(Enter(self.root, self.definition.scope.start_at, given))
        try:
            self._work(turn)
        except HistoryFull:
            self._fail_full(turn)
        return self._step(turn, settled=True)

    def _turn(self, at: datetime, seed: str) -> Turn:
        self.last_at = max(self.last_at, at)  # the clock of the machine may go backwards, a history may not
        self.history.added = []
        return Turn(self, self.last_at, seed)

    def _take(self, turn: Turn, signal: Signal) -> bool:
        match signal:
            case TaskSucceeded(task=task, output=output):
                return self._on_call(turn, self.calls.get(task), tasks.answer, output)
            case TokenSucceeded(token=token, output=output):
                return self._on_call(turn, self.tokens.get(token), tasks.settle, output)
            case TaskFailed(task=task):
                return self._reject(turn, self.calls.get(task), signal)
            case TokenFailed(token=token):
                return self._reject(turn, self.tokens.get(token), signal)
            case TokenHeartbeat(token=token):
                return self._heartbeat(turn, self.tokens.get(token))
            case TimerFired(timer=timer):
                return self._on_timer(turn, timer)
            case Aborted(error=error, cause=cause):
                self._stop_calls(turn)
                self._end(turn, Status.ABORTED, error=error or None, cause=cause or None)
                return True
            case Started():
                raise ValueError("an execution starts once")
            case _:
                assert_never(signal)

    def _on_call(self, turn: Turn, frame: Frame | None, action: Callable[..., None], output: JSON) -> bool:
        call = frame.call if frame is not None else None
        if frame is None or call is None or not isinstance(frame.state, Task):
            return False
        if action is tasks.answer and call.effect is None:
            return False  # the second news that a callback was delivered
        self._attempt(turn, frame, lambda: action(turn, frame, frame.state, call, output))
        return True

    def _reject(self, turn: Turn, frame: Frame | None, signal: TaskFailed | TokenFailed) -> bool:
        call = frame.call if frame is not None else None
        if frame is None or call is None or not isinstance(frame.state, Task):
            return False
        if isinstance(signal, TaskFailed) and call.effect is None:
            return False  # a callback that was delivered fails by its token alone
        failure = Failure(signal.error[:ERROR_LENGTH_MAX], signal.cause[:CAUSE_LENGTH_MAX])
        tasks.reject(turn, frame, frame.state, failure)
        return True

    def _heartbeat(self, turn: Turn, frame: Frame | None) -> bool:
        if frame is None or frame.call is None:
            return False
        tasks.heartbeat(turn, frame, frame.call)
        return True

    def _on_timer(self, turn: Turn, number: int) -> bool:
        timer = self.timers.pop(number, None)
        if timer is None:
            return False
        frame = timer.frame
        if frame is None:
            self._stop_calls(turn)
            self._end(turn, Status.TIMED_OUT, error=TIMEOUT)
            return True
        frame.timers.pop(timer.purpose, None)
        if timer.purpose == "wait":
            self._attempt(turn, frame, lambda: entering.wait_over(turn, frame))
        elif timer.purpose == "retry":
            self._attempt(turn, frame, lambda: entering.begin(turn, frame))
        elif isinstance(frame.state, Task):
            tasks.time_out(turn, frame, frame.state, timer.purpose)
        return True

    def _work(self, turn: Turn) -> None:
        while turn.work and self.status is Status.RUNNING:
            work = turn.work.popleft()
            if work.branch.is_over:
                continue
            match work:
                case Enter():
                    frame = entering.enter(turn, work)
                    self._attempt(turn, frame, lambda frame=frame: entering.begin(turn, frame))  # type: ignore[misc]  # bound now
                case BranchEnded():
                    self._branch_ended(turn, work)
                case BranchFailed():
                    self._branch_failed(turn, work)
                case _:
                    assert_never(work)

    def _branch_ended(self, turn: Turn, work: BranchEnded) -> None:
        owner = work.branch.owner
        if owner is None:
            self._end(turn, Status.SUCCEEDED, output=work.output)
        elif owner.inside is not None:
            inside = owner.inside
            self._attempt(turn, owner, lambda: containers.branch_ended(turn, work, owner, inside))

    def _branch_failed(self, turn: Turn, work: BranchFailed) -> None:
        owner = work.branch.owner
        if owner is None:
            self._end(turn, Status.FAILED, error=work.failure.error, cause=work.failure.cause)
        elif owner.inside is not None:
            containers.branch_failed(turn, work, owner, owner.inside)

    def _attempt(self, turn: Turn, frame: Frame, action: Callable[[], None]) -> None:
        """Whatever goes wrong in a state's work is the state's failure."""
        try:
            action()
            return
        except QueryEvaluationError as error:
            failure = fail_evaluation(turn, frame, error)
        except StateFailed as error:
            failure = error.failure
        except RecursionError:  # a document that a loop wrapped into itself thousands of times
            failure = Failure(RUNTIME, described(frame, "The data is nested too deeply."))
        tasks.close(turn, frame)
        if frame.inside is not None:
            containers.stop_all(turn, frame, frame.inside)
        fail(turn, frame, failure)

    def _stop_calls(self, turn: Turn) -> None:
        for frame in list(self.calls.values()):
            tasks.stop(turn, frame)

    def _fail_full(self, turn: Turn) -> None:
        self._stop_calls(turn)
        self.root.last_event = self.history.last_id
        cause = f"The execution reached the maximum number of history events ({EVENTS_MAX})."
        self._end(turn, Status.FAILED, error=RUNTIME, cause=cause)

    def _end(
        self,
        turn: Turn,
        status: Status,
        *,
        output: Payload | None = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        self.status, self.error, self.cause, self.stopped_at = status, error, cause, turn.at
        self.output = output.value if output is not None else None
        details: Any = history.with_output(output) if output is not None else history.failed(error, cause)
        previous = 0 if status in (Status.ABORTED, Status.TIMED_OUT) else self.root.last_event
        kind = {Status.TIMED_OUT: "TimedOut"}.get(status, status.value.capitalize())
        turn.record_aside(previous, f"Execution{kind}", details)
        self.calls.clear()
        self.tokens.clear()
        self.timers.clear()
        turn.work.clear()
        turn.effects.append(EndExecution(status=status, output=self.output, error=error, cause=cause))

    def _step(self, turn: Turn, settled: bool) -> Step:
        events, self.history.added = self.history.added, []
        return Step(self, self._still_wanted(turn.effects), events, settled)

    def _still_wanted(self, effects: list[Effect]) -> list[Effect]:
        """Without what the same step asked for and gave up again."""
        if all(isinstance(effect, InvokeFunction | StartExecution | SetTimer) for effect in effects):
            return effects
        new_calls = {effect.task for effect in effects if isinstance(effect, InvokeFunction | StartExecution)}
        new_timers = {effect.timer for effect in effects if isinstance(effect, SetTimer)}
        return [effect for effect in effects if self._is_wanted(effect, new_calls, new_timers)]

    def _is_wanted(self, effect: Effect, new_calls: set[int], new_timers: set[int]) -> bool:
        match effect:
            case InvokeFunction(task=task) | StartExecution(task=task):
                return task in self.calls
            case StopExecution(task=task):
                return task not in new_calls
            case SetTimer(timer=timer):
                return timer in self.timers
            case CancelTimer(timer=timer):
                return timer not in new_timers and self.status is Status.RUNNING
            case EndExecution():
                return True
            case _:
                assert_never(effect)


def _context_of(signal: Started) -> dict[str, JSON]:
    return {
        "Execution": {
            "Id": signal.execution_arn,
            "Input": signal.input,
            "StartTime": iso(signal.at),
            "Name": signal.execution_name,
            "RoleArn": signal.role_arn,
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": signal.machine_arn, "Name": signal.machine_name},
    }


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
