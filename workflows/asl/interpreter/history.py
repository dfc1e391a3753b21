"""The events of an execution in the shape of GetExecutionHistory.

An event is a dict as boto3 returns it: ``timestamp`` (datetime), ``type``, ``id``, ``previousEventId`` and, for most
types, one key with details. Events are returned with the result of their signal; only their number is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

from workflows.asl.interpreter.payloads import Payload

EVENTS_MAX: Final = 25_000  # a hard quota of Standard executions; the 25,000th event is the failure
TEXTS_MAX: Final = 16 * 2**20  # characters of inputs, outputs, variables and causes that the events of one signal hold
HistoryEvent: TypeAlias = dict[str, Any]
_NOT_TRUNCATED: Final = {"truncated": False}
_TEXTS: Final = ("input", "output", "parameters")
_COUNTED: Final = (*_TEXTS, "cause")
_CAUSE_MIN: Final = 256  # characters of a cause that are kept in any case
_TRUNCATED: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_TEXTS, ""),
    **{key: {"truncated": True} for key in ("inputDetails", "outputDetails", "assignedVariablesDetails")},
    "assignedVariables": {},
}
_ENTERED: Final = "stateEnteredEventDetails"
_ENDS: Final = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


class HistoryFull(Exception):
    """The history has room only for the event that ends the execution."""


class ExecutionHistory:
    """Counts the events of one execution and holds those of the current signal.

    Without a wait in between, one signal can enter thousands of states with 256 KiB each. Once its events hold
    ``TEXTS_MAX`` characters, later ones are truncated, as AWS does in logs.
    """

    __slots__ = ("_texts", "added", "last_id", "states_entered")

    def __init__(self) -> None:
        self.last_id = 0
        self.added: list[HistoryEvent] = []
        self.states_entered = 0
        """Of the events added, those that enter a state."""
        self._texts = 0

    def begin(self) -> None:
        """Begin the events of another signal."""
        self.added, self.states_entered, self._texts = [], 0, 0

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
            key = _key_of(kind)
            event[key] = self._within_bound(details)
            self.states_entered += key == _ENTERED
        self.added.append(event)
        return self.last_id

    def _within_bound(self, details: Mapping[str, Any]) -> Mapping[str, Any]:
        for field in _COUNTED:
            if text := details.get(field):
                self._texts += len(text)
        if assigned := details.get("assignedVariables"):
            self._texts += sum(map(len, assigned.values()))
        if self._texts <= TEXTS_MAX:
            return details
        shorter = {field: text for field, text in _TRUNCATED.items() if field in details}
        return {**details, **shorter, **({"cause": cause[:_CAUSE_MIN]} if (cause := details.get("cause")) else {})}


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


@cache  # there are some forty kinds
def _key_of(kind: str) -> str:
    if kind.endswith("StateEntered"):
        return _ENTERED
    if kind.endswith("StateExited"):
        return "stateExitedEventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"
