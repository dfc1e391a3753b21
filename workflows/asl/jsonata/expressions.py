"""JSONata as Step Functions evaluates it: ``$states``, variables, and nothing that is not JSON.

Expressions are compiled once and shared by all threads; what differs between two evaluations (time, random numbers, how
deep it went) is kept per thread while one runs. The time and the random numbers come from the signal, so the same
journal gives the same results. A runaway expression fails instead of hanging: it may nest 100 levels (AWS's own bound)
and take a bounded number of evaluation steps; a clock would not be deterministic.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from workflows.asl.jsonata.dice import Dice
from workflows.asl.signals import JSON

DEPTH_MAX: Final = 100  # nested evaluations; measured on AWS: "Depth=101 max=100"
STEPS_MAX: Final = 500_000  # evaluations of one expression, about 1 s of CPU; AWS stops by the clock
LENGTH_MAX: Final = 873_782  # elements of one list; measured on AWS: [1..873782] passes, one more does not
TEXT_MAX: Final = 6_990_256  # characters of one string; measured on AWS


class _Undefined:
    """What an expression that selects nothing returns; JSON has no word for it."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


class InvalidExpression(ValueError):
    """The text between ``{%`` and ``%}`` is not JSONata."""


class EvaluationFailed(Exception):
    """The expression raised an error. The message carries JSONata's code, e.g. ``T2001: ...``."""


@dataclass(slots=True)
class Names:
    """What an expression may name while one state evaluates its fields."""

    variables: Mapping[str, JSON]
    states: Mapping[str, JSON]
    at: datetime
    dice: Dice
    frame: Any = field(default=None, repr=False)


@dataclass(slots=True)
class _Running:
    """One evaluation under way, seen by the functions it calls."""

    at: datetime
    dice: Dice
    depth: int = 0
    steps: int = 0


class Expression:
    """One compiled expression. Immutable once built, and safe to evaluate from many threads."""

    __slots__ = ("_compiled", "_path", "problems", "source", "states_fields")

    def __init__(self, source: str) -> None:
        from workflows.asl.jsonata import library as jsonata_engine
        from workflows.asl.jsonata.checks import inspect

        self.source = source
        self._compiled = jsonata_engine.parse(source)
        found = inspect(self._compiled.ast)
        self.problems = found.problems
        self.states_fields = found.states_fields
        self._path = found.plain_path

    def evaluate(self, names: Names) -> JSON | _Undefined:
        """The value as plain JSON, or UNDEFINED.

        Raises:
            EvaluationFailed: JSONata refused, the result is no JSON, or the expression ran away.
        """
        if self._path is not None:
            found, value = _follow(self._path, names)
            if found:
                return value
        return self._evaluate_fully(names)

    def _evaluate_fully(self, names: Names) -> JSON | _Undefined:
        from workflows.asl.jsonata import library as jsonata_engine

        if names.frame is None:
            names.frame = jsonata_engine.frame_of(names.variables, names.states)
        running = _Running(names.at, names.dice)
        RUNNING.now = running
        try:
            result = jsonata_engine.run(self._compiled, names.frame)
            return jsonata_engine.to_json(result)
        except EvaluationFailed:
            raise
        except RecursionError:
            raise EvaluationFailed(f"Stack overflow error: Depth={running.depth} max={DEPTH_MAX}") from None
        except Exception as error:  # the library raises whatever Python raised inside it; to the state all are one
            raise EvaluationFailed(_describe(error)) from error
        finally:
            RUNNING.now = None


class _PerThread(threading.local):
    now: _Running | None = None


RUNNING: Final = _PerThread()


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """Parse once.

    Raises:
        InvalidExpression: With JSONata's own message.
    """
    return Expression(source)


def check_bounds(value: Any) -> None:
    """Refuse a value too large for one evaluation.

    Raises:
        EvaluationFailed: As AWS words it.
    """
    if (isinstance(value, list) and len(value) > LENGTH_MAX) or (isinstance(value, str) and len(value) > TEXT_MAX):
        raise EvaluationFailed("Expression evaluation memory limit exceeded")


def _follow(path: tuple[str, ...], names: Names) -> tuple[bool, JSON]:
    """``$a.b.c`` through plain objects needs no JSONata; anything else (a list, a gap) is left to it."""
    root, *keys = path
    value: Any = names.states if root == "states" else names.variables.get(root, UNDEFINED)
    for key in keys:
        if type(value) is not dict or key not in value:
            return False, None
        value = value[key]
    if value is UNDEFINED:
        return False, None
    return True, value


def _describe(error: Exception) -> str:
    code = getattr(error, "error", None)
    if isinstance(error, ZeroDivisionError | OverflowError):
        return "D1001: Number out of range"
    return f"{code}: {error}" if code else (str(error) or type(error).__name__)


def is_number(value: object) -> bool:
    """A JSON number: an int or a finite float, and no bool."""
    return (type(value) is int) or (type(value) is float and math.isfinite(value))
