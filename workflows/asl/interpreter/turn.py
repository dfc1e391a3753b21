"""The processing of one signal: its effects, history events and timers, and the transitions still to follow.

All parts of the interpreter act through a ``Turn``. A transition (to the next state, to the end of a scope) is queued
rather than called, so a machine that loops does not grow the stack.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeGuard

from workflows.asl.interpreter.execution import Execution, iso
from workflows.asl.interpreter.frames import Branch, ErrorOutput, Frame, StateFailed, Timer
from workflows.asl.interpreter.payloads import Payload
from workflows.asl.interpreter.retrying import RUNTIME
from workflows.asl.json_text import to_text
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import Names, SignalWork
from workflows.asl.reading.fields import SECONDS_MAX
from workflows.asl.reading.states import Fallible
from workflows.asl.reading.templates import Query, QueryEvaluationError, Template
from workflows.asl.signals import JSON, CancelTimer, Effect, SetTimer

_SHOWN_MAX: Final = 16_384  # characters of a wrong value in a cause, half of what a cause may have


@dataclass(frozen=True, slots=True)
class Enter:
    """A branch enters a state."""

    branch: Branch
    name: str
    input: Payload


@dataclass(frozen=True, slots=True)
class BranchEnded:
    """A branch ended with an output."""

    branch: Branch
    output: Payload


@dataclass(frozen=True, slots=True)
class BranchFailed:
    """A branch failed: no catcher in it matched the failure."""

    branch: Branch
    failure: ErrorOutput


@dataclass(frozen=True, slots=True)
class Again:
    """A branch does the work of the state it is in once more."""

    branch: Branch
    frame: Frame


@dataclass(frozen=True, slots=True)
class Resume:
    """A branch goes on in the Parallel or Map that it was stopped in, with the branches inside that did not end."""

    branch: Branch
    frame: Frame


Work: TypeAlias = Enter | Again | Resume | BranchEnded | BranchFailed


class Turn:
    """One signal in progress. ``at`` is its time; ``work`` holds the transitions still to follow."""

    __slots__ = ("at", "dice", "effects", "evaluated", "execution", "work")

    def __init__(self, execution: Execution, at: datetime, seed: str) -> None:
        self.execution = execution
        self.at = at
        self.dice = Dice(seed)
        self.effects: list[Effect] = []
        self.work: deque[Work] = deque()
        self.evaluated = SignalWork()

    def record(self, branch: Branch, kind: str, details: Mapping[str, Any] | None = None) -> int:
        """Add an event after the last one of the branch, and return its id."""
        branch.last_event = self.execution.history.add(kind, branch.last_event, self.at, details)
        return branch.last_event

    def record_aside(self, previous: int, kind: str, details: Mapping[str, Any] | None = None) -> int:
        """Add an event that does not become the branch's last one, and return its id."""
        return self.execution.history.add(kind, previous, self.at, details)

    def arm(self, purpose: str, frame: Frame | None, delay_s: float | None = None, at: datetime | None = None) -> None:
        """Arm a timer at a time, or after a delay. A time beyond the calendar becomes its last day."""
        try:
            deadline = at if at is not None else self.at + timedelta(seconds=delay_s or 0.0)
        except OverflowError:
            deadline = datetime.max.replace(tzinfo=UTC)
        number = self.execution.number_timer(Timer(purpose, deadline, frame))
        if frame is not None:
            frame.timers[purpose] = number
        self.effects.append(SetTimer(timer=number, at=deadline))

    def disarm(self, frame: Frame, purpose: str) -> None:
        """Cancel the timer of this purpose if one is armed."""
        number = frame.timers.pop(purpose, None)
        if number is not None and self.execution.timers.pop(number, None) is not None:
            self.effects.append(CancelTimer(timer=number))

    def names(self, frame: Frame, **more: JSON) -> Names:
        """Collect the names that the state's expressions can read. ``more`` is ``result`` or ``errorOutput``."""
        states: dict[str, JSON] = {"input": frame.input.value, "context": self.context(frame)}
        states.update(more)
        return Names(frame.branch.variables, states, self.at, self.dice, work=self.evaluated)

    def context(self, frame: Frame) -> dict[str, JSON]:
        """Build the context object, ``$states.context``."""
        state: dict[str, JSON] = {"Name": frame.state.name, "EnteredTime": iso(frame.entered_at)}
        if isinstance(frame.state, Fallible):
            state["RetryCount"] = frame.retry_count
        context: dict[str, JSON] = {**self.execution.context, "State": state}
        if frame.call is not None and frame.call.token is not None:
            context["Task"] = {"Token": frame.call.token}
        if frame.branch.map_item is not None:
            context["Map"] = {"Item": frame.branch.map_item}
        return context


def described(frame: Frame, what: str) -> str:
    """Describe an error of the engine itself in AWS's words."""
    return (
        f"An error occurred while executing the state '{frame.state.name}' "
        f"(entered at the event id #{frame.entered_event}). {what}"
    )


def runtime_failure(frame: Frame, what: str) -> StateFailed:
    """Build a States.Runtime failure, which no catcher catches."""
    return StateFailed(ErrorOutput(RUNTIME, described(frame, what)))


def whole_number(template: Template, names: Names, low: int, field: str) -> int:
    """Evaluate a field that takes a whole number of at least ``low``, and at most ``SECONDS_MAX`` if it is a time.

    Raises:
        QueryEvaluationError: The value is something else.
    """
    value = template.render(names)
    if _is_number(value) and value == int(value) and value >= low:
        if field.endswith("Seconds") and value > SECONDS_MAX:
            what = f"returned a value that is too large. Maximum value is {SECONDS_MAX}, but was: {shown(value)}"
            raise template.failure(what) if isinstance(template, Query) else QueryEvaluationError(field, what)
        return int(value)
    raise unexpected(template, field, "integer" if low == 0 else "positive integer", value)


def unexpected(template: Template, field: str, wanted: str, value: JSON) -> QueryEvaluationError:
    """Build the error of an expression whose value does not fit its field."""
    what = (
        f"returned an unexpected result type. Expected '{wanted}', but was '{type_of(value)}' for value: {shown(value)}"
    )
    if isinstance(template, Query):
        return template.failure(what)
    return QueryEvaluationError(field, f"The field '{field}' {what}")


def shown(value: JSON) -> str:
    """Return a wrong value as a cause shows it: its JSON text, not longer than half a cause."""
    return to_text(value)[:_SHOWN_MAX]


def type_of(value: JSON) -> str:
    """Return JSONata's name of the value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _is_number(value: JSON) -> TypeGuard[int | float]:
    return type(value) is int or (type(value) is float and math.isfinite(value))
