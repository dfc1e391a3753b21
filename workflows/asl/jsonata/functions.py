"""Functions that Step Functions adds to JSONata, and those of JSONata that it replaces.

An argument that selects nothing makes the result undefined rather than an error. This and the rounding towards zero
were measured on AWS.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from typing import Any, Final

from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.limits import EvaluationFailed, memory_exceeded
from workflows.asl.jsonata.values import double

_RANGE_MAX: Final = 360_145  # elements; measured on AWS: one more is "memory limit exceeded"
_LONG_MAX: Final = 2**63 - 1  # AWS keeps an integer exact while it fits in a long, then it becomes a double
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def partition(array: list[Any], size: Any) -> Any:
    """Split a list into lists of ``size``: ``$partition([1,2,3], 2)`` is ``[[1,2],[3]]``."""
    if not array or size is UNDEFINED or (step := _whole(size)) <= 0:
        return UNDEFINED
    return [list(array[start : start + step]) for start in range(0, len(array), step)]


def number_range(first: float, last: Any, step: Any) -> Any:
    """List numbers: ``$range(0, 10, 5)`` is ``[0,5,10]``. A single number is returned as itself, not as a list.

    Raises:
        EvaluationFailed: There are more than 360,145 numbers.
    """
    if last is UNDEFINED or step is UNDEFINED or _whole(step) == 0:
        return UNDEFINED
    start, end, by = _whole(first), _whole(last), _whole(step)
    if (end - start) // by >= _RANGE_MAX:
        raise memory_exceeded()
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) == 1:
        return numbers[0]
    return list(numbers) or UNDEFINED


def _whole(number: float) -> int:
    """Round towards zero. As in Java, what is not a number is zero, and what is infinite is the largest number."""
    if math.isfinite(double(number)):
        return int(number)
    return 0 if math.isnan(double(number)) else _LONG_MAX if number > 0 else -_LONG_MAX


def hash_of(text: str, algorithm: Any) -> Any:
    """Return the hex digest of the UTF-8 text.

    Raises:
        EvaluationFailed: The algorithm is not one of those of AWS.
    """
    if algorithm is UNDEFINED:
        return UNDEFINED
    if algorithm not in _DIGESTS:
        raise EvaluationFailed(f"unsupported hash algorithm '{algorithm}'; one of {', '.join(_DIGESTS)}")
    return hashlib.new(_DIGESTS[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def random_number(seed: Any) -> float:
    """Draw a number in [0, 1); the same seed always gives the same number."""
    if seed is not UNDEFINED:
        return random.Random(_whole(seed)).random()
    return current().dice.fraction("random")


def uuid4() -> str:
    """Draw a random UUID, version 4."""
    return current().dice.uuid4()


def parse_json(text: str) -> Any:
    """Parse JSON text. Step Functions has this in place of JSONata's ``$eval``.

    Raises:
        EvaluationFailed: The text is not JSON.
    """
    try:
        return json.loads(text, parse_int=_parse_int, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EvaluationFailed(f"$parse: not JSON: {error}") from None


def _parse_int(digits: str) -> int | float:
    number = int(digits) if len(digits) < 400 else float(digits)
    return number if abs(number) <= _LONG_MAX else float(number)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
