"""Executions of state machines as ports: start one by its name, end a task by its token; and read what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # functions on AWS do not need the interpreter
    from workflows.asl.signals import JSON


class TokenGone(Exception):
    """No task waits with this token: its execution has ended or moved on (TaskTimedOut, TaskDoesNotExist)."""


class ExecutionsUnavailable(Exception):
    """There was no answer; the call may have had its effect. Retryable: yes, the same call."""


class Executions(Protocol):
    """Step Functions or the embedded engine. Every call may raise ExecutionsUnavailable."""

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        """Start an execution of the machine with this logical id, e.g. ``OrderMachine``, unless the name was used
        before."""

    def succeed(self, token: str, output: JSON) -> None:
        """End the task that waits with ``token``. Durable on return. Raises TokenGone."""

    def fail(self, token: str, error: str, cause: str) -> None:
        """Fail the task that waits with ``token``. Durable on return. Raises TokenGone."""


class NoSuchExecution(LookupError):
    """The engine has no such execution. Step Functions forgets one 90 days after its end. HTTP: 404."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedExecution:
    """An execution as DescribeExecution returns it.

    Attributes:
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
        error: With ``cause`` the reason of its failure; both are empty otherwise.
        definition: The digest of the definition that it runs; None where only ``definition_of`` returns it.
    """

    arn: str
    status: str
    started_at: datetime
    stopped_at: datetime | None
    error: str
    cause: str
    definition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEvents:
    """A page of GetExecutionHistory's events, each in boto3's shape. ``next`` is the cursor of the next page."""

    events: Sequence[Mapping[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDefinition:
    """A machine in the Amazon States Language as JSON; ``digest`` is the SHA-256 of its text in the engine."""

    raw: Mapping[str, Any]
    digest: str


class ExecutionReads(Protocol):
    """Reads executions of Standard machines. A machine is named by its ARN, an execution by its name in the machine.

    Step Functions may show an execution some seconds late. Arguments are passed by name. Every call may raise
    ExecutionsUnavailable.
    """

    def describe(self, *, machine: str, name: str) -> DescribedExecution:
        """Describe an execution. Raises NoSuchExecution."""
        ...

    def history(self, *, machine: str, name: str, limit: int, reverse: bool, cursor: str | None) -> ExecutionEvents:
        """Return a page of the events of an execution, the oldest first unless ``reverse``.

        Args:
            limit: The most events, 1 to 1000.
            cursor: ``next`` of the page before.

        Raises:
            NoSuchExecution: Also if the cursor is not of this execution.
        """
        ...

    def definition(self, *, machine: str) -> MachineDefinition:
        """Return the definition that new executions of the machine run."""
        ...

    def definition_of(self, *, machine: str, name: str) -> MachineDefinition:
        """Return the definition that an execution runs. Raises NoSuchExecution."""
        ...
