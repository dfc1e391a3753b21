"""Performs the effects that leave the driver: invokes functions and sets timers. Their outcomes return as signals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.signals import JSON, InvokeFunction, SetTimer, Signal, TaskFailed, TaskSucceeded, TimerFired
from workflows.embedded.alarms import Alarm, Alarms
from workflows.embedded.lambda_.functions import FunctionFailed, FunctionUnknown
from workflows.hub.deferred import Deferred

MakeSignal = Callable[[datetime, str], Signal]
"""Makes a signal from the time and the random seed that it is applied with."""


class Callees(Protocol):
    """The functions that executions call, in this process or elsewhere."""

    def invoke(self, function: str, payload: JSON) -> Deferred[JSON]:
        """Call a function by logical id or ARN.

        The future holds the result, or FunctionFailed. Raises FunctionUnknown.
        """


class ExternalEffects:
    """Used only by the driver's thread. ``deliver`` is called from any thread, with an ARN and a signal for it."""

    def __init__(self, functions: Callees, alarms: Alarms, deliver: Callable[[str, MakeSignal], None]) -> None:
        self._functions = functions
        self._alarms = alarms
        self._deliver = deliver
        self._timers: defaultdict[str, dict[int, Alarm]] = defaultdict(dict)  # by execution and timer

    def invoke(self, arn: str, effect: InvokeFunction) -> None:
        """Invoke a function, and deliver its outcome to the task."""
        try:
            called = self._functions.invoke(effect.function, effect.payload)
        except FunctionUnknown:
            missing = answers.function_missing(effect.function)
            self._deliver(arn, task_outcome(effect.task, missing))
        else:
            called.add_done_callback(lambda done: self._answered(arn, effect.task, done))

    def set_timer(self, arn: str, effect: SetTimer) -> None:
        """Deliver a signal to the execution at the timer's time."""

        def fire() -> None:
            self._deliver(arn, lambda at, seed: TimerFired(at=at, seed=seed, timer=effect.timer))

        self._timers[arn][effect.timer] = self._alarms.set(effect.at, fire)

    def cancel_timer(self, arn: str, timer: int) -> None:
        """Cancel a timer of the execution."""
        alarm = self._timers.get(arn, {}).pop(timer, None)
        if alarm is not None:
            self._alarms.cancel(alarm)

    def forget(self, arn: str) -> None:
        """Cancel all timers of an execution that has ended."""
        for alarm in self._timers.pop(arn, {}).values():
            self._alarms.cancel(alarm)

    def _answered(self, arn: str, task: int, done: Deferred[JSON]) -> None:
        if done.cancelled():
            return  # the engine is closing; the next one invokes the function again
        failure = done.exception()
        if failure is None:
            self._deliver(arn, task_outcome(task, answers.function_succeeded(done.result())))
        elif isinstance(failure, FunctionFailed):
            self._deliver(arn, task_outcome(task, TaskError(failure.error, failure.cause)))
        else:
            raise failure


def task_outcome(task: int, outcome: JSON | TaskError) -> MakeSignal:
    """Return the signal that ends a task."""
    if isinstance(outcome, TaskError):
        error, cause = outcome.error, outcome.cause
        return lambda at, seed: TaskFailed(at=at, seed=seed, task=task, error=error, cause=cause)
    return lambda at, seed: TaskSucceeded(at=at, seed=seed, task=task, output=outcome)
