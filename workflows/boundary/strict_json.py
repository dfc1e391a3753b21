"""Read JSON strictly: refuse text that two readers could understand differently (RFC 8259, sections 4, 6 and 8.2)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from domain.picklable import Picklable

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonRefused(Picklable, ValueError):
    """The text is not JSON, or is ambiguous. ``name`` is the field in question; empty if it is the whole text."""

    def __init__(self, problem: str, name: str = "") -> None:
        super().__init__(f"{name}: {problem}" if name else problem)
        self.problem = problem
        self.name = name


def read_json(text: str, *, integer_digits_max: int | None = None) -> Any:
    """Read one JSON value.

    Args:
        integer_digits_max: Refuse longer integers. Not all readers agree on numbers beyond 2**53, about 15 digits.

    Raises:
        JsonRefused: The text is not JSON, names a field twice, or contains NaN, a number that is too large, half of a
            surrogate pair, or too many levels.
    """

    def integer(digits: str) -> int:
        if integer_digits_max is not None and len(digits) > integer_digits_max:
            raise JsonRefused(f"has a number of {len(digits)} digits; {integer_digits_max} are the most")
        try:
            return int(digits)
        except ValueError:  # Python's own limit, against slow conversions
            raise JsonRefused(f"has a number of {len(digits)} digits") from None

    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=integer)
        _check(value, "")
    except json.JSONDecodeError as error:
        raise JsonRefused(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise JsonRefused("is nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise JsonRefused("appears twice in one object", _shown(name))
        made[name] = value
    return made


def _constant(name: str) -> NoReturn:
    raise JsonRefused(f"{name} is not JSON")


def _check(value: Any, name: str) -> None:
    match value:
        case float() if math.isinf(value):
            raise JsonRefused("has a number that is too large", _shown(name))
        case str() if _LONE_SURROGATE.search(value):
            raise JsonRefused("has half of a surrogate pair, which is not a character", _shown(name))
        case dict():
            for key, inner in value.items():
                _check(key, key)
                _check(inner, key)
        case list():
            for inner in value:
                _check(inner, name)


def _shown(name: str) -> str:
    return name[:64].encode("ascii", "backslashreplace").decode()
