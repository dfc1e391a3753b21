"""What executions ask of the outside: functions to invoke, timers to set. The answers are signals for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.signals import JSON, InvokeFunction, SetTimer, Signal, TaskFailed, TaskSucceeded, TimerFired
from workflows.embedded.alarms import Alarm, Alarms
from workflows.embedded.lambda_.functions import FunctionFailed, FunctionUnknown

Tell = Callable[[datetime, str], Signal]
"""Makes a signal of the time and the seed with which it is told."""


class Callees(Protocol):
    """The functions that executions call: in this process, or elsewhere."""

    def invoke(self, function: str, payload: JSON) -> Future[JSON]:
        """By logical id or ARN. The future holds the result, or FunctionFailed. Raises FunctionUnknown."""


class Outside:
    """Only the driver's thread calls it. ``hear`` is called from other threads, with an ARN and what to tell."""

    def __init__(self, functions: Callees, alarms: Alarms, hear: Callable[[str, Tell], None]) -> None:
        self._functions = functions
        self._alarms = alarms
        self._hear = hear
        self._timers: defaultdict[str, dict[int, Alarm]] = defaultdict(dict)  # by execution and timer

    def invoke(self, arn: str, effect: InvokeFunction) -> None:
        """Invoke a function; the task hears how it ended."""
        try:
            called = self._functions.invoke(effect.function, effect.payload)
        except FunctionUnknown:
            missing = answers.function_missing(effect.function)
            self._hear(arn, task_answer(effect.task, missing))
        else:
            called.add_done_callback(lambda done: self._answered(arn, effect.task, done))

    def set_timer(self, arn: str, effect: SetTimer) -> None:
        """Tell the execution when the time has come."""

        def ring() -> None:
            self._hear(arn, lambda at, seed: TimerFired(at=at, seed=seed, timer=effect.timer))

        self._timers[arn][effect.timer] = self._alarms.set(effect.at, ring)

    def cancel_timer(self, arn: str, timer: int) -> None:
        """The execution does not wait for it any more."""
        alarm = self._timers.get(arn, {}).pop(timer, None)
        if alarm is not None:
            self._alarms.cancel(alarm)

    def forget(self, arn: str) -> None:
        """The execution has ended."""
        for alarm in self._timers.pop(arn, {}).values():
            self._alarms.cancel(alarm)

    def _answered(self, arn: str, task: int, done: Future[JSON]) -> None:
        if done.cancelled():
            return  # the engine closes; the call is outstanding
        failure = done.exception()
        if failure is None:
            self._hear(arn, task_answer(task, answers.function_succeeded(done.result())))
        elif isinstance(failure, FunctionFailed):
            self._hear(arn, task_answer(task, TaskError(failure.error, failure.cause)))
        else:
            raise failure


def task_answer(task: int, answer: JSON | TaskError) -> Tell:
    """A task is told how its work ended."""
    if isinstance(answer, TaskError):
        error, cause = answer.error, answer.cause
        return lambda at, seed: TaskFailed(at=at, seed=seed, task=task, error=error, cause=cause)
    return lambda at, seed: TaskSucceeded(at=at, seed=seed, task=task, output=answer)
