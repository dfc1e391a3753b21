"""Executions of state machines, as the rest of the engine sees them: start by name, settle a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the interpreter is no business of a function on AWS
    from workflows.asl.signals import JSON


class TokenGone(Exception):
    """Nobody waits with this token any more: its execution ended or went on (TaskTimedOut, TaskDoesNotExist)."""


class ExecutionsUnavailable(Exception):
    """No answer: what was asked for may have happened. Retryable: yes, the same call."""


class Executions(Protocol):
    """Step Functions, or what stands for it. Every call may raise ExecutionsUnavailable."""

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        """Start an execution of the machine with this logical id, e.g. ``OrderMachine``. Started already: nothing."""

    def succeed(self, token: str, output: JSON) -> None:
        """End the task that waits with ``token``. Durable on return. Raises TokenGone."""

    def fail(self, token: str, error: str, cause: str) -> None:
        """Fail the task that waits with ``token``. Durable on return. Raises TokenGone."""
