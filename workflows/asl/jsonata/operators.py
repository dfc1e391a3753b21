"""The operators ``+ - * / %``, comparisons, ``&``, ``in`` and ``..``, and what counts as true."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED
from workflows.asl.jsonata.limits import LENGTH_MAX, TEXT_MAX, memory_exceeded
from workflows.asl.jsonata.values import (
    EXACT_MAX,
    FunctionValue,
    JsonWriter,
    Sequence,
    double,
    equal,
    fifteen_digits,
    is_number,
    joined,
    number_text,
    plain,
    precedes,
    same,
)


def is_numeric(value: Any) -> bool:
    """Tell whether a value is a number that one can calculate with. Raises JSONataError for an infinite one."""
    if not is_number(value) or math.isnan(number := double(value)):
        return False
    if math.isinf(number):
        raise JSONataError("D1001", value=None)
    return True


def truth(value: Any) -> bool:
    """Return whether a value counts as true: a list if one of its elements does."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else any(map(truth, value))
    if isinstance(value, FunctionValue):
        return value.counts_as_true
    if value is UNDEFINED:
        return False
    if is_number(value):
        return is_numeric(value) and value != 0
    return bool(value)


def text_of(value: Any, *, indent: int = 0) -> str:
    """Return the text of any value, as ``&`` and ``$string`` make it.

    Raises:
        JSONataError: A number is infinite, or not a number.
    """
    if isinstance(value, str):
        return value
    if is_number(value):
        if not math.isfinite(double(value)):
            raise JSONataError("D3001", value=None)
        rounded = fifteen_digits(value)
        return number_text(rounded) if math.isfinite(rounded) else "null"
    if isinstance(value, FunctionValue):
        return ""
    return JsonWriter(_finite, indent).text(value)


def _finite(number: float) -> float:
    if math.isinf(double(number)):
        raise JSONataError("D1001", value=None)
    return fifteen_digits(number)


def negate(value: Any) -> Any:
    """Return ``-value``."""
    if value is UNDEFINED:
        return UNDEFINED
    if not is_numeric(value):
        raise JSONataError("D1002", token="-", value=value)
    return -value if type(value) is int else plain(-value)


def add(left: float, right: float) -> float:
    """Add two numbers."""
    if type(left) is int and type(right) is int and -EXACT_MAX <= (total := left + right) <= EXACT_MAX:
        return total
    return _as_double(lambda a, b: a + b, left, right)


def _subtract(left: float, right: float) -> float:
    return add(left, -right)


def _multiply(left: float, right: float) -> float:
    if type(left) is int and type(right) is int and -EXACT_MAX <= (product := left * right) <= EXACT_MAX:
        return product
    return _as_double(lambda a, b: a * b, left, right)


def divide(left: float, right: float) -> float:
    """Divide two numbers. By zero it is infinite, or not a number, as in JavaScript."""
    if right == 0:
        size = double(left)
        return math.nan if size == 0 or math.isnan(size) else math.copysign(math.inf, size)
    return _as_double(lambda a, b: a / b, left, right)


def _remainder(left: float, right: float) -> float:
    return math.nan if right == 0 else _as_double(math.fmod, left, right)


def _as_double(operate: Callable[[float, float], float], left: float, right: float) -> float:
    return plain(operate(float(double(left)), float(double(right))))


def _numeric(operate: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
    def calculate(left: Any, right: Any) -> Any:
        if left is not UNDEFINED and not is_numeric(left):
            raise JSONataError("T2001", value=left)
        if right is not UNDEFINED and not is_numeric(right):
            raise JSONataError("T2002", value=right)
        return UNDEFINED if left is UNDEFINED or right is UNDEFINED else operate(left, right)

    return calculate


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def order(left: Any, right: Any) -> Any:
        for value in (left, right):
            if not (value is UNDEFINED or isinstance(value, str) or is_number(value)):
                bad = right if isinstance(left, str) or is_number(left) else left
                raise JSONataError("T2010", value=bad)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        if isinstance(left, str) is not isinstance(right, str):
            raise JSONataError("T2009", value=left, value2=right)
        return compare(left, right)

    return order


def _not_after(left: Any, right: Any) -> bool:
    return precedes(left, right) or same(left, right)


def is_equal(left: Any, right: Any) -> bool:
    """Compare with ``=``: an undefined value equals nothing."""
    return left is not UNDEFINED and right is not UNDEFINED and equal(left, right)


def _differs(left: Any, right: Any) -> bool:
    return left is not UNDEFINED and right is not UNDEFINED and not equal(left, right)


def concatenate(left: Any, right: Any) -> str:
    """Concatenate with ``&``.

    Raises:
        EvaluationFailed: The text would be longer than ``TEXT_MAX``.
    """
    first = "" if left is UNDEFINED else text_of(left)
    second = "" if right is UNDEFINED else text_of(right)
    if len(first) + len(second) > TEXT_MAX:
        raise memory_exceeded()
    return joined(first + second)


def _contained(left: Any, right: Any) -> bool:
    if left is UNDEFINED or right is UNDEFINED:
        return False
    return any(same(item, left) for item in right) if isinstance(right, list) else same(right, left)


def _range(first: Any, last: Any) -> Any:
    for code, value in (("T2003", first), ("T2004", last)):
        if value is not UNDEFINED and not (is_number(value) and float(double(value)).is_integer()):
            raise JSONataError(code, value=value)
    if first is UNDEFINED or last is UNDEFINED or first > last:
        return UNDEFINED
    if last - first >= LENGTH_MAX:
        raise memory_exceeded()
    return Sequence(range(int(first), int(last) + 1))


OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": _numeric(add),
    "-": _numeric(_subtract),
    "*": _numeric(_multiply),
    "/": _numeric(divide),
    "%": _numeric(_remainder),
    "=": is_equal,
    "!=": _differs,
    "<": _ordered(precedes),
    "<=": _ordered(_not_after),
    ">": _ordered(lambda left, right: precedes(right, left)),
    ">=": _ordered(lambda left, right: _not_after(right, left)),
    "&": concatenate,
    "in": _contained,
    "..": _range,
}
