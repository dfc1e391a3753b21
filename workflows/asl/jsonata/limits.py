"""The bounds of one evaluation, and the errors of an expression."""

from __future__ import annotations

from typing import Any, Final

DEPTH_MAX: Final = 100  # nested evaluations; measured on AWS: "Depth=101 max=100"
SOURCE_MAX: Final = 65_536  # characters of one expression; longer ones are refused before they are parsed
STEPS_MAX: Final = 500_000  # evaluations of one expression, about 1 s of CPU; AWS stops by the clock
LENGTH_MAX: Final = 873_782  # elements of one list; measured on AWS: [1..873782] passes, one more does not
TEXT_MAX: Final = 6_990_256  # characters of one string; measured on AWS
ALLOCATED_MAX: Final = 4 * TEXT_MAX  # what one evaluation makes: characters, and 8 a list element or object field
SIGNAL_STEPS_MAX: Final = 10 * STEPS_MAX  # evaluation steps of all states that one signal enters
SCANNED_MAX: Final = 400_000_000  # characters that regular expressions of one evaluation read; at worst 6 s of CPU


class InvalidExpression(ValueError):
    """The text between ``{%`` and ``%}`` is not JSONata."""


class EvaluationFailed(Exception):
    """The expression raised an error. The message carries JSONata's code, e.g. ``T2001: ...``."""


class Unusual(Exception):
    """A closure met a value that is not an everyday one, so that the evaluator must evaluate the expression."""


def check_size(value: Any, size: int) -> None:
    """Check that a value is not larger than one evaluation may make.

    Raises:
        EvaluationFailed: A list has more than ``LENGTH_MAX`` elements, or a text more than ``TEXT_MAX`` characters.
    """
    if (isinstance(value, list) and size > LENGTH_MAX) or (isinstance(value, str) and size > TEXT_MAX):
        raise memory_exceeded()


def memory_exceeded() -> EvaluationFailed:
    """Build the error of an evaluation that needs too much memory, as AWS words it."""
    return EvaluationFailed("Expression evaluation memory limit exceeded")
