"""The states that an execution entered, made from the events of GetExecutionHistory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.sagas.root_cause import root_cause


@dataclass(slots=True, kw_only=True)
class Visit:
    """A state that was entered once, with all attempts at its task.

    Attributes:
        action: What the state's task does, by its name in ``sagas.actions``; None for a state without such a task.
        exited_at: None while the state is entered.
        attempts: How often its task was started.
        error: The error of the last attempt that failed, and its message; empty if none failed.
        submitted_at: When the last attempt's request was taken, for a task that then waits for an answer.
        output: The output of the task as JSON, once it succeeded; None before, and for a state without a task.
        starts: The name of the execution that the task started, if it names one.
    """

    state: str
    entered_at: datetime
    action: str | None = None
    exited_at: datetime | None = None
    attempts: int = 0
    failures: int = 0
    error: str = ""
    message: str = ""
    submitted_at: datetime | None = None
    output: Any = None
    starts: str | None = None


@dataclass(slots=True)
class _Walk:
    """The visits so far, and the visit that each event belongs to: events of parallel branches alternate."""

    visits: list[Visit] = field(default_factory=list)
    by_event: dict[int, Visit] = field(default_factory=dict)

    def left(self, state: str) -> Visit | None:
        """Return the visit that ends with the exit of a state: a Parallel state is left by the last of its branches."""
        return next((each for each in reversed(self.visits) if each.state == state and each.exited_at is None), None)


def visits(events: Iterable[Mapping[str, Any]]) -> list[Visit]:
    """Return the states in the order in which they were entered.

    Args:
        events: The first events of an execution, oldest first, without a gap.
    """
    walk = _Walk()
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            walk.visits.append(Visit(state=name, entered_at=event["timestamp"]))
            walk.by_event[event["id"]] = walk.visits[-1]
            continue
        if kind.endswith("StateExited"):
            visit = walk.left(event["stateExitedEventDetails"]["name"])
        else:
            visit = walk.by_event.get(event["previousEventId"])
        if visit is not None:
            walk.by_event[event["id"]] = visit
            _apply(visit, event, kind)
    return walk.visits


def _apply(visit: Visit, event: Mapping[str, Any], kind: str) -> None:
    details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {})
    if kind.endswith("StateExited"):
        visit.exited_at = event["timestamp"]
    elif kind == "TaskScheduled":
        visit.attempts += 1
        visit.submitted_at = None
        parameters = _json(details.get("parameters"))
        visit.action = _action(parameters) or visit.action
        visit.starts = parameters.get("Name") or visit.starts
    elif kind == "TaskSubmitted":
        visit.submitted_at = event["timestamp"]
    elif kind == "TaskSucceeded":
        visit.output = _json(details.get("output"))
    elif kind in _FAILURES:
        visit.failures += 1
        visit.error, visit.message = root_cause(details.get("error", "States.Timeout"), details.get("cause", ""))


_FAILURES = frozenset({"TaskFailed", "TaskTimedOut", "TaskStartFailed", "TaskSubmitFailed"})


def _action(parameters: Mapping[str, Any]) -> str | None:
    """Return the action that a task asks the function for, itself or through the execution that it starts."""
    payload = parameters.get("Payload")
    if payload is None:
        payload = _json(parameters.get("Input"))
    action = payload.get("action") if isinstance(payload, dict) else None
    return action if isinstance(action, str) else None


def _json(text: Any) -> Any:
    """Read a text of JSON; an empty object if it is none, or was cut."""
    if isinstance(text, dict):
        return text
    try:
        value = json.loads(text or "")
    except (TypeError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


_TOKEN = re.compile(r'("(?:token|TaskToken|taskToken)"\s*:\s*)"(?:[^"\\]|\\.)*"')


def without_tokens(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with its task tokens withheld: a program that has one can end the task."""
    shown = dict(event)
    for name, details in event.items():
        if isinstance(details, dict):
            shown[name] = {
                key: _TOKEN.sub(r'\1"(withheld)"', value) if isinstance(value, str) else value
                for key, value in details.items()
            }
    return shown
