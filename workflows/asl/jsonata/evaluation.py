"""One evaluation: the names an expression can read, and what the functions it calls see of the evaluation."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.limits import SCANNED_MAX, EvaluationFailed
from workflows.asl.signals import JSON


class Undefined:
    """The result of an expression that selects nothing, which JSON cannot express."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


@dataclass(slots=True)
class Names:
    """The names an expression can read while one state evaluates its fields.

    ``states`` is the value of ``$states``; ``at`` the time of the signal; ``frame`` is the library's form of the names,
    made when the library first needs it.
    """

    variables: Mapping[str, JSON]
    states: Mapping[str, JSON]
    at: datetime
    dice: Dice
    frame: Any = field(default=None, repr=False)


@dataclass(slots=True)
class Evaluation:
    """One evaluation in progress: the time and random numbers of its signal, and the work it has done so far."""

    at: datetime
    dice: Dice
    depth: int = 0
    steps: int = 0
    scanned: int = 0


class _PerThread(threading.local):
    evaluation: Evaluation | None = None


CURRENT: Final = _PerThread()


def count_scanned(characters: int) -> None:
    """Count text that a regular expression reads.

    Raises:
        EvaluationFailed: The evaluation has read more than ``SCANNED_MAX`` characters.
    """
    evaluation = CURRENT.evaluation
    if evaluation is not None:
        evaluation.scanned += characters
        if evaluation.scanned > SCANNED_MAX:
            raise EvaluationFailed("Expression evaluation timeout: a regular expression reads too much text")
