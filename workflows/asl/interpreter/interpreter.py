"""The interpreter: ``apply(definition, execution, signal) -> SignalResult``. No clock, no random numbers, no I/O.

An ``Execution`` is the fold of the signals applied to it, and is changed in place. The first signal is ``Started``.
``EndExecution`` is always the last effect; it ends all armed timers and open tasks. Child executions that must be
stopped are named in ``StopExecution`` effects before it.

After a crash: fold the journal, discard the effects, and perform ``outstanding()`` again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

from workflows.asl.interpreter import containers, entering, history, redriving, tasks
from workflows.asl.interpreter.execution import Execution
from workflows.asl.interpreter.frames import ErrorOutput, Frame, StateFailed
from workflows.asl.interpreter.history import EVENTS_MAX, HistoryEvent, HistoryFull
from workflows.asl.interpreter.net_effects import net_effects
from workflows.asl.interpreter.outcomes import fail, fail_evaluation, limit_cause
from workflows.asl.interpreter.payloads import Payload
from workflows.asl.interpreter.retrying import DATA_LIMIT, RUNTIME, TIMEOUT
from workflows.asl.interpreter.turn import Again, BranchEnded, BranchFailed, Enter, Resume, Turn, described
from workflows.asl.reading.states import Definition, Task
from workflows.asl.reading.templates import QueryEvaluationError
from workflows.asl.signals import (
    JSON,
    Aborted,
    Effect,
    EndExecution,
    ExecutionStatus,
    Redriven,
    Signal,
    Started,
    TaskFailed,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)

ERROR_LENGTH_MAX: Final = 256  # characters; AWS's limits for error and cause
CAUSE_LENGTH_MAX: Final = 32_768
EXPRESS_WITHIN_S: Final = 300  # the longest Express execution


@dataclass(frozen=True, slots=True)
class SignalResult:
    """What one signal changed.

    ``events`` are the history events it added; ``states_entered`` of them enter a state.
    ``settled`` is False where the signal came too late to change anything:
    a late answer, a token that is not open, a timer that was cancelled, any signal after the end but ``Redriven``.
    """

    execution: Execution
    effects: list[Effect]
    events: list[HistoryEvent]
    settled: bool
    states_entered: int = 0


def apply(definition: Definition, execution: Execution | None, signal: Signal) -> SignalResult:
    """Apply one signal to an execution, which is changed in place.

    Args:
        execution: None for ``Started``, which makes a new one.
        signal: Its ``at`` may lie before that of the last signal; the later of the two counts.

    Raises:
        ValueError: The first signal is not ``Started``, or ``Started`` comes twice.
    """
    if execution is None:
        if not isinstance(signal, Started):
            raise ValueError(f"the first signal of an execution is Started, not {type(signal).__name__}")
        return _start(definition, signal)
    if execution.status is not ExecutionStatus.RUNNING and not isinstance(signal, Redriven):
        return SignalResult(execution, [], [], settled=False)
    turn = _new_turn(execution, signal.at, signal.seed)
    settled = False
    try:
        settled = _take(turn, signal)
        _work(turn)
    except HistoryFull:
        _fail_full(turn)
    return _result(turn, settled)


def _start(definition: Definition, signal: Started) -> SignalResult:
    execution = Execution(definition, signal)
    turn = _new_turn(execution, signal.at, signal.seed)
    payload = Payload(signal.input)
    turn.record_aside(0, "ExecutionStarted", history.with_input(payload, roleArn=signal.role_arn))
    if payload.too_large:
        _end(turn, ExecutionStatus.FAILED, error=DATA_LIMIT, cause=limit_cause(definition.name))
        return _result(turn, settled=True)
    timeout_s = _time_limit_s(definition, signal.execution_arn)
    if timeout_s is not None:
        turn.arm("execution", None, delay_s=timeout_s)
    turn.work.append(Enter(execution.root, definition.scope.start_at, payload))
    try:
        _work(turn)
    except HistoryFull:
        _fail_full(turn)
    return _result(turn, settled=True)


def _time_limit_s(definition: Definition, arn: str) -> int | None:
    """Return the seconds that the execution may take; None without a limit."""
    if arn.split(":")[5:6] != ["express"]:
        return definition.timeout_s
    return min(definition.timeout_s or EXPRESS_WITHIN_S, EXPRESS_WITHIN_S)


def _new_turn(execution: Execution, at: datetime, seed: str) -> Turn:
    execution.last_at = max(execution.last_at, at)  # wall clocks go backwards, histories do not
    execution.history.begin()
    return Turn(execution, execution.last_at, seed)


def _result(turn: Turn, settled: bool) -> SignalResult:
    execution = turn.execution
    events, states_entered = execution.history.added, execution.history.states_entered
    execution.history.begin()
    return SignalResult(execution, net_effects(execution, turn.effects), events, settled, states_entered)


def _take(turn: Turn, signal: Signal) -> bool:
    execution = turn.execution
    match signal:
        case TaskSucceeded(task=task, output=output):
            return _on_call(turn, execution.calls.get(task), tasks.answer, output)
        case TokenSucceeded(token=token, output=output):
            return _on_call(turn, execution.tokens.get(token), tasks.settle, output)
        case TaskSubmitted(task=task, output=output):
            return _on_call(turn, execution.calls.get(task), tasks.submit, output)
        case TaskFailed(task=task):
            return _reject(turn, execution.calls.get(task), signal)
        case TokenFailed(token=token):
            return _reject(turn, execution.tokens.get(token), signal)
        case TokenHeartbeat(token=token):
            return _heartbeat(turn, execution.tokens.get(token))
        case TimerFired(timer=timer):
            return _on_timer(turn, timer)
        case Aborted(error=error, cause=cause):
            _stop_calls(turn)
            _end(turn, ExecutionStatus.ABORTED, error=error or None, cause=cause or None)
            return True
        case Redriven():
            return redriving.redrive(turn)
        case Started():
            raise ValueError("an execution starts once")
        case _:
            assert_never(signal)


def _on_call(turn: Turn, frame: Frame | None, action: Callable[..., None], output: JSON) -> bool:
    call = frame.call if frame is not None else None
    if frame is None or call is None or not isinstance(frame.state, Task):
        return False
    if action is tasks.answer and call.effect is None:
        return False  # a second report that the callback was delivered
    _attempt(turn, frame, lambda: action(turn, frame, frame.state, call, output))
    return True


def _reject(turn: Turn, frame: Frame | None, signal: TaskFailed | TokenFailed) -> bool:
    call = frame.call if frame is not None else None
    if frame is None or call is None or not isinstance(frame.state, Task):
        return False
    if isinstance(signal, TaskFailed) and call.effect is None:
        return False  # a callback that was delivered can fail only by its token
    failure = ErrorOutput(signal.error[:ERROR_LENGTH_MAX], signal.cause[:CAUSE_LENGTH_MAX])
    tasks.reject(turn, frame, frame.state, failure)
    return True


def _heartbeat(turn: Turn, frame: Frame | None) -> bool:
    if frame is None or frame.call is None:
        return False
    tasks.heartbeat(turn, frame, frame.call)
    return True


def _on_timer(turn: Turn, number: int) -> bool:
    timer = turn.execution.timers.pop(number, None)
    if timer is None:
        return False
    frame = timer.frame
    if frame is None:
        _stop_calls(turn)
        _end(turn, ExecutionStatus.TIMED_OUT, error=TIMEOUT)
        return True
    frame.timers.pop(timer.purpose, None)
    if timer.purpose == "wait":
        _attempt(turn, frame, lambda: entering.wait_over(turn, frame))
    elif timer.purpose == "retry":
        _attempt(turn, frame, lambda: entering.begin(turn, frame))
    elif isinstance(frame.state, Task):
        tasks.time_out(turn, frame, frame.state, timer.purpose)
    return True


def _work(turn: Turn) -> None:
    """Follow transitions until every branch waits for a signal or the execution has ended."""
    while turn.work and turn.execution.status is ExecutionStatus.RUNNING:
        work = turn.work.popleft()
        if work.branch.is_over:
            continue
        match work:
            case Enter():
                frame = entering.enter(turn, work)
                _attempt(turn, frame, lambda frame=frame: entering.begin(turn, frame))  # type: ignore[misc]  # bound now
            case Again(frame=frame):
                _attempt(turn, frame, lambda frame=frame: entering.begin(turn, frame))  # type: ignore[misc]  # bound now
            case Resume(frame=frame):
                _resume(turn, frame)
            case BranchEnded():
                _branch_ended(turn, work)
            case BranchFailed():
                _branch_failed(turn, work)
            case _:
                assert_never(work)


def _resume(turn: Turn, frame: Frame) -> None:
    inside = frame.inside
    if inside is not None:
        _attempt(turn, frame, lambda: containers.resume(turn, frame, inside))


def _branch_ended(turn: Turn, work: BranchEnded) -> None:
    owner = work.branch.owner
    if owner is None:
        _end(turn, ExecutionStatus.SUCCEEDED, output=work.output)
    elif owner.inside is not None:
        inside = owner.inside
        _attempt(turn, owner, lambda: containers.branch_ended(turn, work, owner, inside))


def _branch_failed(turn: Turn, work: BranchFailed) -> None:
    owner = work.branch.owner
    if owner is None:
        _end(turn, ExecutionStatus.FAILED, error=work.failure.error, cause=work.failure.cause)
    elif owner.inside is not None:
        containers.branch_failed(turn, work, owner, owner.inside)


def _attempt(turn: Turn, frame: Frame, action: Callable[[], None]) -> None:
    """Run a state's work; an error in it becomes the failure of the state."""
    try:
        action()
        return
    except QueryEvaluationError as error:
        failure = fail_evaluation(turn, frame, error)
    except StateFailed as error:
        failure = error.failure
    except RecursionError:  # a document that a loop wrapped into itself thousands of times
        failure = ErrorOutput(RUNTIME, described(frame, "The data is nested too deeply."))
    tasks.close(turn, frame)
    if frame.inside is not None:
        containers.stop_all(turn, frame, frame.inside)
    fail(turn, frame, failure)


def _stop_calls(turn: Turn) -> None:
    for frame in list(turn.execution.calls.values()):
        tasks.stop(turn, frame)


def _fail_full(turn: Turn) -> None:
    _stop_calls(turn)
    turn.execution.root.last_event = turn.execution.history.last_id
    cause = f"The execution reached the maximum number of history events ({EVENTS_MAX})."
    _end(turn, ExecutionStatus.FAILED, error=RUNTIME, cause=cause)


def _end(
    turn: Turn,
    status: ExecutionStatus,
    *,
    output: Payload | None = None,
    error: str | None = None,
    cause: str | None = None,
) -> None:
    execution = turn.execution
    execution.status, execution.error, execution.cause, execution.stopped_at = status, error, cause, turn.at
    execution.output = output.value if output is not None else None
    details: Any = history.with_output(output) if output is not None else history.failed(error, cause)
    previous = 0 if status in (ExecutionStatus.ABORTED, ExecutionStatus.TIMED_OUT) else execution.root.last_event
    kind = {ExecutionStatus.TIMED_OUT: "TimedOut"}.get(status, status.value.capitalize())
    turn.record_aside(previous, f"Execution{kind}", details)
    execution.calls.clear()
    execution.tokens.clear()
    execution.timers.clear()
    turn.work.clear()
    turn.effects.append(EndExecution(status=status, output=execution.output, error=error, cause=cause))
