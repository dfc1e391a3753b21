"""Functions that Step Functions adds to JSONata, and replacements of JSONata's own functions that would read the clock,
draw unseeded random numbers or use unbounded memory.

An argument that selects nothing makes the result undefined (None here, as in the library) rather than an error. This
and the rounding towards zero were measured on AWS.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any, Final

from workflows.asl.jsonata.evaluation import CURRENT, Evaluation, count_scanned
from workflows.asl.jsonata.limits import LENGTH_MAX, TEXT_MAX, EvaluationFailed, memory_exceeded

_RANGE_MAX: Final = 360_145  # elements; measured on AWS: one more is "memory limit exceeded"
_LONG_MAX: Final = 2**63 - 1  # AWS keeps an integer exact while it fits in a long, then it becomes a double
_PICTURE_WORK: Final = 4  # characters of a picture that are analysed in the time of one evaluation step
_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def partition(array: list[Any] | None = None, size: float | None = None) -> list[list[Any]] | None:
    """Split a list into lists of ``size``: ``$partition([1,2,3], 2)`` is ``[[1,2],[3]]``."""
    if not array or size is None or int(size) <= 0:
        return None
    step = int(size)
    return [list(array[start : start + step]) for start in range(0, len(array), step)]


def number_range(first: float | None = None, last: float | None = None, step: float | None = None) -> Any:
    """List numbers: ``$range(0, 10, 5)`` is ``[0,5,10]``. A single number is returned as itself, not as a list.

    Raises:
        EvaluationFailed: There are more than 360,145 numbers.
    """
    if first is None or last is None or step is None or int(step) == 0:
        return None
    start, end, by = int(first), int(last), int(step)
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) > _RANGE_MAX:
        raise memory_exceeded()
    if len(numbers) == 1:
        return numbers[0]
    return list(numbers) or None


def hash_of(text: str | None = None, algorithm: str | None = None) -> str | None:
    """Return the hex digest of the UTF-8 text.

    Raises:
        EvaluationFailed: The algorithm is not one of those of AWS.
    """
    if text is None or algorithm is None:
        return None
    if algorithm not in _DIGESTS:
        raise EvaluationFailed(f"unsupported hash algorithm '{algorithm}'; one of {', '.join(_DIGESTS)}")
    return hashlib.new(_DIGESTS[algorithm], text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def random_number(seed: float | None = None) -> float:
    """Draw a number in [0, 1); the same seed always gives the same number."""
    if seed is not None:
        return random.Random(int(seed)).random()
    return _current().dice.fraction("random")


def shuffle(array: list[Any] | None = None) -> list[Any] | None:
    """Shuffle a list with the random numbers of the signal."""
    if array is None:
        return None
    shuffled = list(array)
    random.Random(_current().dice.bytes32("shuffle")).shuffle(shuffled)
    return shuffled


def uuid4() -> str:
    """Draw a random UUID, version 4."""
    return _current().dice.uuid4()


def parse_json(text: str | None = None) -> Any:
    """Parse JSON text. Step Functions has this in place of JSONata's ``$eval``.

    Raises:
        EvaluationFailed: The text is not JSON.
    """
    if text is None:
        return None
    from jsonata.utils import Utils

    try:
        value = json.loads(text, parse_int=_parse_int, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EvaluationFailed(f"$parse: not JSON: {error}") from None
    return Utils.NULL_VALUE if value is None else value


def now(picture: str | None = None, timezone: str | None = None) -> Any:
    """Format the time of the signal, which is the same at every call."""
    return from_millis(millis(), picture, timezone)


def from_millis(moment: float | None = None, picture: str | None = None, timezone: str | None = None) -> Any:
    """Format a time, given in milliseconds since 1970."""
    from jsonata.functions import Functions

    _count_picture(picture)
    return Functions.datetime_from_millis(moment, picture, timezone)


def to_millis(text: str | None = None, picture: str | None = None) -> Any:
    """Read a time and return milliseconds since 1970."""
    from jsonata.functions import Functions

    _count_picture(picture)
    return Functions.datetime_to_millis(text, picture)


def format_number(number: float | None = None, picture: str | None = None, options: Any = None) -> Any:
    """Format a number."""
    from jsonata.functions import Functions

    _count_picture(picture)
    return Functions.format_number(number, picture, options)


def format_integer(number: float | None = None, picture: str | None = None) -> Any:
    """Format a whole number."""
    from jsonata.functions import Functions

    _count_picture(picture)
    return Functions.format_integer(number, picture)


def parse_integer(text: str | None = None, picture: str | None = None) -> Any:
    """Read a whole number."""
    from jsonata.functions import Functions

    _count_picture(picture)
    return Functions.parse_integer(text, picture)


def millis() -> int:
    """Return the time of the signal in milliseconds since 1970."""
    return round(_current().at.timestamp() * 1000)


def pad(text: str | None = None, width: float | None = None, char: str | None = None) -> Any:
    """Pad a text to a width.

    Raises:
        EvaluationFailed: The width is over ``TEXT_MAX``; refused before the memory is used.
    """
    from jsonata.functions import Functions

    if width is not None and abs(width) > TEXT_MAX:
        raise memory_exceeded()
    return Functions.pad(text, width, char)


def join(texts: list[str] | None = None, separator: str | None = None) -> Any:
    """Join texts.

    Raises:
        EvaluationFailed: The result would have more than ``TEXT_MAX`` characters.
    """
    from jsonata.functions import Functions

    if texts is not None and sum(map(len, texts)) + len(separator or "") * len(texts) > TEXT_MAX:
        raise memory_exceeded()
    return Functions.join(texts, separator)


def string(value: Any = None, prettify: bool | None = None) -> Any:
    """Encode a value as text.

    Raises:
        EvaluationFailed: The value is larger than ``TEXT_MAX``.
    """
    from jsonata.functions import Functions

    if isinstance(value, list | dict) and _current().size_of(value) > TEXT_MAX:
        raise memory_exceeded()
    return Functions.string(value, prettify)


def split(text: str | None = None, separator: Any = None, limit: float | None = None) -> Any:
    """Split a text.

    Raises:
        EvaluationFailed: There would be more than ``LENGTH_MAX`` parts.
    """
    from jsonata.functions import Functions

    if isinstance(text, str) and isinstance(separator, str) and text.count(separator) > LENGTH_MAX:
        raise memory_exceeded()
    return Functions.split(text, separator, limit)


def replace(text: str | None = None, pattern: Any = None, replacement: Any = None, limit: float | None = None) -> Any:
    """Replace a text or the matches of a regular expression.

    Raises:
        EvaluationFailed: The result would have more than ``TEXT_MAX`` characters, or the library, which copies the rest
            of the text for each match of a plain text, would copy too much.
    """
    from jsonata.functions import Functions

    if isinstance(text, str) and isinstance(pattern, str) and pattern:
        count = text.count(pattern)
        if isinstance(replacement, str) and len(text) + count * len(replacement) > TEXT_MAX:
            raise memory_exceeded()
        count_scanned(count * len(text))
    return Functions.replace(text, pattern, replacement, limit)


def distinct(array: Any = None) -> Any:
    """Remove duplicates.

    Raises:
        EvaluationFailed: There are too many elements, because the library compares each one with all others.
    """
    from jsonata.functions import Functions

    if isinstance(array, list):
        _current().count_steps(len(array) ** 2 // 128)
    return Functions.distinct(array)


def _parse_int(digits: str) -> int | float:
    number = int(digits) if len(digits) < 400 else float(digits)
    return number if abs(number) <= _LONG_MAX else float(number)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _count_picture(picture: str | None) -> None:
    """Count the analysis of a picture, which the library does character by character."""
    if picture is not None:
        _current().count_steps(len(picture) // _PICTURE_WORK)


def _current() -> Evaluation:
    if CURRENT.evaluation is None:
        raise EvaluationFailed("called outside an evaluation")
    return CURRENT.evaluation
