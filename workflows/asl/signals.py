"""The inputs of an execution (signals) and its outputs (effects).

The interpreter is a pure function ``(definition, execution, signal) -> (execution, effects)``. Whatever it cannot
compute from its input arrives in a signal: the time, and a seed for jitter, random numbers, UUIDs and task tokens. An
execution is therefore the fold of the signals in its journal, and the same journal always gives the same execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class ExecutionStatus(StrEnum):
    """The status of an execution, as DescribeExecution names it."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """StartExecution. ``input`` is any JSON; the other fields fill the context object (``$states.context``)."""

    at: datetime
    seed: str
    input: JSON
    execution_arn: str
    execution_name: str
    machine_arn: str
    machine_name: str
    role_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSucceeded:
    """A task's call succeeded. ``output`` is the whole result of the integration, as ``answers.py`` builds it."""

    at: datetime
    seed: str
    task: int
    output: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSubmitted:
    """The child execution of a SYNC or SYNC_2 task has started. ``output`` is what ``answers.child_started`` builds."""

    at: datetime
    seed: str
    task: int
    output: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """A task's call failed. ``error`` is an ASL error name, e.g. the class name of an exception in a function."""

    at: datetime
    seed: str
    task: int
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSucceeded:
    """SendTaskSuccess. A token that is not open changes nothing."""

    at: datetime
    seed: str
    token: str
    output: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFailed:
    """SendTaskFailure. A token that is not open changes nothing."""

    at: datetime
    seed: str
    token: str
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHeartbeat:
    """SendTaskHeartbeat."""

    at: datetime
    seed: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """The time of a ``SetTimer`` has come. A timer that was cancelled changes nothing."""

    at: datetime
    seed: str
    timer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """StopExecution, called by an operator or for a parent execution that no longer waits."""

    at: datetime
    seed: str
    error: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """RedriveExecution: a failed, aborted or timed out execution goes on at the state in which it stopped."""

    at: datetime
    seed: str


Signal: TypeAlias = (
    Started
    | TaskSubmitted
    | TaskSucceeded
    | TaskFailed
    | TokenSucceeded
    | TokenFailed
    | TokenHeartbeat
    | TimerFired
    | Aborted
    | Redriven
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeFunction:
    """Invoke a Lambda function, then send ``TaskSucceeded`` or ``TaskFailed`` for ``task``.

    A ``function`` like ``arn:aws:states:::sqs:sendMessage`` is an action of another service, ``payload`` its arguments.

    With a ``token`` the task is a callback: success only confirms that the function was invoked, and the task ends
    when its token is settled.
    """

    task: int
    function: str
    payload: JSON
    token: str | None = None


class Mode(StrEnum):
    """The way a task starts another execution: the last part of its Resource."""

    REQUEST_RESPONSE = "startExecution"
    SYNC = "startExecution.sync"
    SYNC_2 = "startExecution.sync:2"
    TOKEN = "startExecution.waitForTaskToken"
    EXPRESS = "startSyncExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExecution:
    """Start an execution of another machine. ``name`` is None where the definition leaves it to the service.

    Send ``TaskSucceeded`` once it has started (REQUEST_RESPONSE, TOKEN) or once it has ended (all other modes); with
    SYNC and SYNC_2 send ``TaskSubmitted`` before, once it has started.
    """

    task: int
    machine: str
    name: str | None
    input: str
    mode: Mode
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExecution:
    """Stop the execution that ``task`` started in a SYNC mode, because the task was abandoned."""

    task: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Send ``TimerFired`` at ``at`` (absolute, UTC)."""

    timer: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Forget a timer."""

    timer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndExecution:
    """The execution has ended. ``output`` is set only if it succeeded, ``error`` and ``cause`` only if not."""

    status: ExecutionStatus
    output: JSON = None
    error: str | None = None
    cause: str | None = None


Effect: TypeAlias = InvokeFunction | StartExecution | StopExecution | SetTimer | CancelTimer | EndExecution
