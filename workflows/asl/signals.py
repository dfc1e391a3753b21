"""What an execution is told (signals) and what it asks for (effects).

The interpreter is a pure function ``(definition, execution, signal) -> (execution, effects)``. Everything it could not
compute from its input arrives in a signal: the time, a seed for jitter, random numbers, uuids and task tokens. So an
execution is the fold of the signals in its journal, and the same journal always gives the same execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class Status(StrEnum):
    """Where an execution is; the names of DescribeExecution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The execution begins. ``input`` is any JSON; the rest fills the context object (``$states.context``)."""

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
    """The work of a task ended well. ``output`` is the integration's whole result (see ``integrations.py``)."""

    at: datetime
    seed: str
    task: int
    output: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """The work of a task failed with an ASL error name, e.g. the class name of the exception that a function raised."""

    at: datetime
    seed: str
    task: int
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSucceeded:
    """SendTaskSuccess. A token that is not open (any more) changes nothing."""

    at: datetime
    seed: str
    token: str
    output: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFailed:
    """SendTaskFailure. A token that is not open (any more) changes nothing."""

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
    """A deadline asked for with ``SetTimer`` has passed. A timer nobody waits for (any more) changes nothing."""

    at: datetime
    seed: str
    timer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """StopExecution, or a parent whose other branch failed."""

    at: datetime
    seed: str
    error: str = ""
    cause: str = ""


Signal: TypeAlias = (
    Started | TaskSucceeded | TaskFailed | TokenSucceeded | TokenFailed | TokenHeartbeat | TimerFired | Aborted
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeFunction:
    """Invoke a Lambda function. Answered by ``TaskSucceeded`` or ``TaskFailed`` for ``task``.

    With ``token`` the task is a callback: a successful answer only says that the function was invoked; the task ends
    with the token.
    """

    task: int
    function: str
    payload: JSON
    token: str | None = None


class Mode(StrEnum):
    """How a task starts another execution."""

    REQUEST_RESPONSE = "startExecution"
    SYNC = "startExecution.sync"
    SYNC_2 = "startExecution.sync:2"
    TOKEN = "startExecution.waitForTaskToken"
    EXPRESS = "startSyncExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExecution:
    """Start an execution of another machine. ``name`` is None where the definition leaves it to the service.

    REQUEST_RESPONSE and TOKEN are answered once it has started, the others once it has ended.
    """

    task: int
    machine: str
    name: str | None
    input: str
    mode: Mode
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExecution:
    """Nobody waits for the execution that ``task`` started in a SYNC mode any more: stop it."""

    task: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Send ``TimerFired`` at ``at`` (absolute, UTC)."""

    timer: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """The timer is not needed any more."""

    timer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndExecution:
    """The execution reached its end. ``output`` only when it succeeded; ``error`` and ``cause`` only when not."""

    status: Status
    output: JSON = None
    error: str | None = None
    cause: str | None = None


Effect: TypeAlias = InvokeFunction | StartExecution | StopExecution | SetTimer | CancelTimer | EndExecution
