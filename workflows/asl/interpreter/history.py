"""The events of an execution in the shape of GetExecutionHistory.

An event is a dict as boto3 returns it: ``timestamp`` (datetime), ``type``, ``id``, ``previousEventId`` and, for most
types, one key with details. Events are returned with the result of their signal; only their number is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from workflows.asl.interpreter.payloads import Payload

EVENTS_MAX: Final = 25_000  # a hard quota of Standard executions; the 25,000th event is the failure
HistoryEvent: TypeAlias = dict[str, Any]
_NOT_TRUNCATED: Final = {"truncated": False}
_ENDS: Final = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


class HistoryFull(Exception):
    """The history has room only for the event that ends the execution."""


class ExecutionHistory:
    """Counts the events of one execution and holds those of the current signal."""

    __slots__ = ("added", "last_id")

    def __init__(self) -> None:
        self.last_id = 0
        self.added: list[HistoryEvent] = []

    def add(self, kind: str, previous: int, at: datetime, details: Mapping[str, Any] | None = None) -> int:
        """Append one event and return its id.

        Raises:
            HistoryFull: The quota is reached and this event does not end the execution.
        """
        if self.last_id >= EVENTS_MAX - 1 and kind not in _ENDS:
            raise HistoryFull
        self.last_id += 1
        event: HistoryEvent = {"timestamp": at, "type": kind, "id": self.last_id, "previousEventId": previous}
        if details is not None:
            event[_key_of(kind)] = details
        self.added.append(event)
        return self.last_id


def entered(name: str, payload: Payload) -> HistoryEvent:
    """Build the details of ``...StateEntered``."""
    return {"name": name, "input": payload.text, "inputDetails": _NOT_TRUNCATED}


def exited(name: str, output: Payload, assigned: Mapping[str, str] | None) -> HistoryEvent:
    """Build the details of ``...StateExited``. ``assigned`` holds the variables' values as JSON text."""
    details: HistoryEvent = {"name": name, "output": output.text, "outputDetails": _NOT_TRUNCATED}
    if assigned:
        details["assignedVariables"] = dict(assigned)
        details["assignedVariablesDetails"] = _NOT_TRUNCATED
    return details


def with_input(payload: Payload, **details: Any) -> HistoryEvent:
    """Build details that show an input."""
    return {"input": payload.text, "inputDetails": _NOT_TRUNCATED, **details}


def with_output(output: Payload, **details: Any) -> HistoryEvent:
    """Build details that show an output."""
    return {"output": output.text, "outputDetails": _NOT_TRUNCATED, **details}


def failed(error: str | None, cause: str | None, **details: Any) -> HistoryEvent:
    """Build the details of a failure. Like AWS, leave out an error or cause that is not known."""
    if error is not None:
        details["error"] = error
    if cause is not None:
        details["cause"] = cause
    return details


def _key_of(kind: str) -> str:
    if kind.endswith("StateEntered"):
        return "stateEnteredEventDetails"
    if kind.endswith("StateExited"):
        return "stateExitedEventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"
