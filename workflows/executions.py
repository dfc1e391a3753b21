"""Executions of state machines as a port: start one by its name, end a task by its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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
