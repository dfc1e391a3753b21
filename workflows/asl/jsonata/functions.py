"""The functions Step Functions adds to JSONata, and the few of JSONata's own that must not read the clock or run away.

Arguments that select nothing make the result undefined (None here, as the library has it) rather than an error; that
and the rounding towards zero were measured on AWS.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any, Final

from workflows.asl.jsonata.expressions import RUNNING, TEXT_MAX, EvaluationFailed

_RANGE_MAX: Final = 360_145  # elements; measured on AWS: one more is "memory limit exceeded"
_LONG_MAX: Final = 2**63 - 1  # AWS keeps an integer exact while it fits in a long, then it becomes a double
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def partition(array: list[Any] | None = None, size: float | None = None) -> list[list[Any]] | None:
    """``$partition([1,2,3], 2)`` is ``[[1,2],[3]]``."""
    if not array or size is None or int(size) <= 0:
        return None
    step = int(size)
    return [list(array[start : start + step]) for start in range(0, len(array), step)]


def number_range(first: float | None = None, last: float | None = None, step: float | None = None) -> Any:
    """``$range(0, 10, 2)`` is ``[0,2,4,6,8,10]``; one element is that number alone."""
    if first is None or last is None or step is None or int(step) == 0:
        return None
    start, end, by = int(first), int(last), int(step)
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) > _RANGE_MAX:
        raise EvaluationFailed("Expression evaluation memory limit exceeded")
    if len(numbers) == 1:
        return numbers[0]
    return list(numbers) or None


def hash_of(text: str | None = None, algorithm: str | None = None) -> str | None:
    """Hex digest of the UTF-8 text."""
    if text is None or algorithm is None:
        return None
    if algorithm not in _DIGESTS:
        raise EvaluationFailed(f"unsupported hash algorithm '{algorithm}'; one of {', '.join(_DIGESTS)}")
    return hashlib.new(_DIGESTS[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def random_number(seed: float | None = None) -> float:
    """A number in [0, 1); with a seed always the same one."""
    if seed is not None:
        return random.Random(int(seed)).random()
    return float(_running().dice.fraction("random"))


def shuffle(array: list[Any] | None = None) -> list[Any] | None:
    """JSONata's ``$shuffle``, from the dice of the step."""
    if array is None:
        return None
    shuffled = list(array)
    random.Random(_running().dice.bytes32("shuffle")).shuffle(shuffled)
    return shuffled


def uuid4() -> str:
    """A random UUID, version 4."""
    return str(_running().dice.uuid4())


def parse_json(text: str | None = None) -> Any:
    """``$parse('{"a": 1}')``: what JSONata's ``$eval`` is used for, without evaluating."""
    if text is None:
        return None
    from jsonata.utils import Utils

    try:
        value = json.loads(text, parse_int=_parse_int, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EvaluationFailed(f"$parse: not JSON: {error}") from None
    return Utils.NULL_VALUE if value is None else value


def now(picture: str | None = None, timezone: str | None = None) -> Any:
    """The time of the step; the same however often it is asked."""
    from jsonata.functions import Functions

    return Functions.datetime_from_millis(millis(), picture, timezone)


def millis() -> int:
    """Milliseconds since 1970 at the time of the step."""
    milliseconds: int = round(_running().at.timestamp() * 1000)
    return milliseconds


def pad(text: str | None = None, width: float | None = None, char: str | None = None) -> Any:
    """JSONata's ``$pad``, refusing a width that would fill the memory before its result could be measured."""
    from jsonata.functions import Functions

    if width is not None and abs(width) > TEXT_MAX:
        raise EvaluationFailed("Expression evaluation memory limit exceeded")
    return Functions.pad(text, width, char)


def _parse_int(digits: str) -> int | float:
    number = int(digits) if len(digits) < 400 else float(digits)
    return number if abs(number) <= _LONG_MAX else float(number)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _running() -> Any:
    if RUNNING.now is None:
        raise EvaluationFailed("called outside an evaluation")
    return RUNNING.now
