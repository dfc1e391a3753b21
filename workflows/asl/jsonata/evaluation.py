"""One evaluation: the names an expression can read, and what the functions it calls see of the evaluation."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.limits import (
    ALLOCATED_MAX,
    SCANNED_MAX,
    SIGNAL_STEPS_MAX,
    STEPS_MAX,
    EvaluationFailed,
    memory_exceeded,
)
from workflows.asl.signals import JSON

_SCANNED_A_STEP: Final = SCANNED_MAX // STEPS_MAX
WORK: Final = 64  # list elements that are read in the time of one evaluation step
COMPARED: Final = 8  # values that are compared in that time
TEXT_WORK: Final = 512  # characters that a function processes in that time
ELEMENT_SIZE: Final = 8  # of a list element; AWS bounds lists at an eighth of the characters of a text


class Undefined:
    """The result of an expression that selects nothing, which JSON cannot express."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


@dataclass(slots=True)
class SignalWork:
    """The evaluation steps of one signal so far."""

    steps: int = 0


@dataclass(slots=True)
class Names:
    """The names an expression can read while one state evaluates its fields.

    ``states`` is the value of ``$states``; ``at`` the time of the signal. ``allocated`` is what the state's expressions
    have made so far: all of it is in memory together until the state exits. ``work`` is that of the signal.
    """

    variables: Mapping[str, JSON]
    states: Mapping[str, JSON]
    at: datetime
    dice: Dice
    allocated: int = 0
    work: SignalWork = field(default_factory=SignalWork)

    def count_text(self, value: Any) -> None:
        """Count a text that was made without an ``Evaluation``.

        Raises:
            EvaluationFailed: The state's expressions make more than ``ALLOCATED_MAX``.
        """
        if isinstance(value, str):
            self.allocated += len(value)
            if self.allocated > ALLOCATED_MAX:
                raise memory_exceeded()


@dataclass(slots=True)
class Evaluation:
    """One evaluation in progress: the names that it reads, and the work it has done so far.

    It goes on from what the state's other expressions have made, and from the steps of the signal's other states.
    """

    names: Names
    depth: int = 0
    steps: int = 0
    scanned: int = 0
    allocated: int = 0
    sizes: dict[int, tuple[Any, int]] = field(default_factory=dict, repr=False)

    @property
    def at(self) -> datetime:
        """The time of the signal."""
        return self.names.at

    @property
    def dice(self) -> Dice:
        """The random numbers of the signal."""
        return self.names.dice

    def count_steps(self, steps: int) -> None:
        """Count evaluation steps; work of a function counts by the size of its arguments.

        Raises:
            EvaluationFailed: The evaluation takes more than ``STEPS_MAX`` steps, or the signal ``SIGNAL_STEPS_MAX``.
        """
        self.steps += steps
        self.names.work.steps += steps
        if self.steps > STEPS_MAX or self.names.work.steps > SIGNAL_STEPS_MAX:
            raise EvaluationFailed("Expression evaluation timeout: Check for infinite loop")

    def count_work(self, argument: Any) -> None:
        """Count what a function may do with an argument, which it does in one step of the evaluation."""
        if isinstance(argument, list | dict):
            self.count_steps(len(argument) // WORK)
        elif isinstance(argument, str):
            self.count_steps(len(argument) // TEXT_WORK)

    def count_made(self, value: Any) -> None:
        """Count a value that the expression made, both by itself and with all that it contains.

        A small value can contain the same list many times, so that only its conversion to JSON would be large.

        Raises:
            EvaluationFailed: The evaluation makes more than ``ALLOCATED_MAX``.
        """
        self.allocated += len(value) if isinstance(value, str) else len(value) * ELEMENT_SIZE
        if self.names.allocated + self.allocated > ALLOCATED_MAX or self.size_of(value) > ALLOCATED_MAX:
            raise memory_exceeded()

    def size_of(self, value: Any) -> int:
        """Measure a value with all that it contains, in characters and 8 for each list element or object field."""
        if isinstance(value, str):
            return len(value)
        if not isinstance(value, list | dict):
            return 0
        known = self.sizes.get(id(value))
        if known is not None and known[0] is value and known[1] >= len(value) * ELEMENT_SIZE:
            return known[1]
        elements = value.values() if isinstance(value, dict) else value
        size = len(value) * ELEMENT_SIZE + sum(map(self.size_of, elements))
        self.sizes[id(value)] = (value, size)
        return size


class _PerThread(threading.local):
    evaluation: Evaluation | None = None


CURRENT: Final = _PerThread()


def current() -> Evaluation:
    """Return the evaluation that this thread is in. Raises EvaluationFailed if it is in none."""
    if CURRENT.evaluation is None:
        raise EvaluationFailed("called outside an evaluation")
    return CURRENT.evaluation


def count_match(match: Any) -> None:
    """Count the object that is made of a match of a regular expression.

    Raises:
        EvaluationFailed: The evaluation makes more than ``ALLOCATED_MAX``.
    """
    if CURRENT.evaluation is not None:
        CURRENT.evaluation.count_made(match.group())
        CURRENT.evaluation.allocated += 8 * ELEMENT_SIZE


def count_scanned(characters: int) -> None:
    """Count text that a regular expression reads.

    Raises:
        EvaluationFailed: The evaluation has read more than ``SCANNED_MAX`` characters.
    """
    evaluation = CURRENT.evaluation
    if evaluation is not None:
        evaluation.scanned += characters
        evaluation.names.work.steps += characters // _SCANNED_A_STEP
        if evaluation.scanned > SCANNED_MAX:
            raise EvaluationFailed("Expression evaluation timeout: a regular expression reads too much text")
