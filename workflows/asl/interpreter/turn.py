"""One signal being worked in: the effects it causes, the events it adds, the timers it arms, the work it leaves.

All parts of the interpreter act through a ``Turn``. What a state leads to (the next state, the end of its scope) is put
on a queue and not called, so a machine that runs in circles costs no stack.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from workflows.asl.interpreter.frames import Branch, Failure, Frame, StateFailed, Timer
from workflows.asl.interpreter.payloads import Payload
from workflows.asl.interpreter.retrying import RUNTIME
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.expressions import Names, is_number
from workflows.asl.reading.states import Fallible
from workflows.asl.reading.templates import Query, QueryEvaluationError, Template
from workflows.asl.signals import JSON, CancelTimer, Effect, SetTimer

if TYPE_CHECKING:
    from workflows.asl.interpreter.interpreter import Execution


@dataclass(frozen=True, slots=True)
class Enter:
    """A branch goes to a state."""

    branch: Branch
    name: str
    input: Payload


@dataclass(frozen=True, slots=True)
class BranchEnded:
    """A branch came to its end with an output."""

    branch: Branch
    output: Payload


@dataclass(frozen=True, slots=True)
class BranchFailed:
    """Nobody in the branch caught the failure."""

    branch: Branch
    failure: Failure


Work: TypeAlias = Enter | BranchEnded | BranchFailed


class Turn:
    """See the module."""

    __slots__ = ("at", "dice", "effects", "execution", "work")

    def __init__(self, execution: Execution, at: datetime, seed: str) -> None:
        self.execution = execution
        self.at = at
        self.dice = Dice(seed)
        self.effects: list[Effect] = []
        self.work: deque[Work] = deque()

    def record(self, branch: Branch, kind: str, details: Mapping[str, Any] | None = None) -> int:
        """An event that follows the last one of the branch."""
        branch.last_event = self.execution.history.add(kind, branch.last_event, self.at, details)
        return branch.last_event

    def record_aside(self, previous: int, kind: str, details: Mapping[str, Any] | None = None) -> int:
        """An event that the next one of its branch does not follow."""
        return self.execution.history.add(kind, previous, self.at, details)

    def arm(self, purpose: str, frame: Frame | None, delay_s: float | None = None, at: datetime | None = None) -> None:
        """Ask for a timer; a deadline beyond the calendar is never reached."""
        try:
            deadline = at if at is not None else self.at + timedelta(seconds=delay_s or 0.0)
        except OverflowError:
            deadline = datetime.max.replace(tzinfo=UTC)
        number = self.execution.number_timer(Timer(purpose, deadline, frame))
        if frame is not None:
            frame.timers[purpose] = number
        self.effects.append(SetTimer(timer=number, at=deadline))

    def disarm(self, frame: Frame, purpose: str) -> None:
        """Forget a timer, if it is armed."""
        number = frame.timers.pop(purpose, None)
        if number is not None and self.execution.timers.pop(number, None) is not None:
            self.effects.append(CancelTimer(timer=number))

    def names(self, frame: Frame, **more: JSON) -> Names:
        """What the expressions of a state see; ``more`` is ``result`` or ``errorOutput``."""
        states: dict[str, JSON] = {"input": frame.input.value, "context": self.context(frame)}
        states.update(more)
        return Names(frame.branch.variables, states, self.at, self.dice)

    def context(self, frame: Frame) -> dict[str, JSON]:
        """The context object, ``$states.context``."""
        state: dict[str, JSON] = {"Name": frame.state.name, "EnteredTime": iso(frame.entered_at)}
        if isinstance(frame.state, Fallible):
            state["RetryCount"] = frame.retry_count
        context: dict[str, JSON] = {**self.execution.context, "State": state}
        if frame.call is not None and frame.call.token is not None:
            context["Task"] = {"Token": frame.call.token}
        if frame.branch.map_item is not None:
            context["Map"] = {"Item": frame.branch.map_item}
        return context


@lru_cache(maxsize=4096)
def iso(at: datetime) -> str:
    """``2026-03-14T01:59:26.535Z``, as the context object shows times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def described(frame: Frame, what: str) -> str:
    """A cause of the engine's own, with AWS's opening words."""
    return (
        f"An error occurred while executing the state '{frame.state.name}' "
        f"(entered at the event id #{frame.entered_event}). {what}"
    )


def runtime_failure(frame: Frame, what: str) -> StateFailed:
    """States.Runtime, which nothing catches."""
    return StateFailed(Failure(RUNTIME, described(frame, what)))


def whole_number(template: Template, names: Names, low: int, field: str) -> int:
    """A field that takes a whole number.

    Raises:
        QueryEvaluationError: The expression gives something else.
    """
    value = template.render(names)
    if isinstance(value, int | float) and is_number(value) and value == int(value) and value >= low:
        return int(value)
    raise unexpected(template, field, "integer" if low == 0 else "positive integer", value)


def unexpected(template: Template, field: str, wanted: str, value: JSON) -> QueryEvaluationError:
    """An expression whose value does not fit its field."""
    what = f"returned an unexpected result type. Expected '{wanted}', but was '{type_of(value)}'."
    if isinstance(template, Query):
        return template.failure(what)
    return QueryEvaluationError(field, f"The field '{field}' {what}")


def type_of(value: JSON) -> str:
    """JSONata's name of the type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
