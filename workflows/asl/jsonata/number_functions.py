"""Functions of JSONata for numbers."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED
from workflows.asl.jsonata.values import double, is_number, number_text, plain

_EXACT_BELOW: Final = 2.0**53  # whole numbers from here on are not all doubles
_EXPONENT_FROM: Final = 1e21  # numbers from here on are written with an exponent, which none can follow
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_PREFIXED: Final = re.compile(r"^(0[xX][0-9A-Fa-f]+)|(0[oO][0-7]+)|(0[bB][0-1]+)$")
_WHOLE: Final = {"x": 16, "o": 8, "b": 2}


def number(value: Any) -> float:
    """Cast a text or a boolean to a number.

    Raises:
        JSONataError: D3030: it is not a number as JSON writes it, nor one such as ``0x1f``, ``0o17`` or ``0b101``.
    """
    if is_number(value):
        return double(value) if isinstance(value, float) else value
    if isinstance(value, bool):
        return int(value)
    if _DECIMAL.fullmatch(value) and math.isfinite(float(value)):
        return plain(float(value))
    if _PREFIXED.search(value):
        return _prefixed(value)
    raise JSONataError("D3030", value=value, index=1)


def _prefixed(text: str) -> float:
    """Read a number with a prefix; it is not a number (NaN) if other characters stand beside it."""
    stripped = text.strip()
    try:
        if "_" in stripped:
            return math.nan
        base = _WHOLE.get(stripped[1:2].lower())
        return float(stripped) if base is None else plain(float(int(stripped[2:], base)))
    except ValueError:
        return math.nan


def absolute(value: float) -> float:
    """Return the absolute value."""
    return abs(value)


def floor(value: float) -> float:
    """Round down."""
    return math.floor(value) if math.isfinite(double(value)) else value


def ceil(value: float) -> float:
    """Round up."""
    return math.ceil(value) if math.isfinite(double(value)) else value


def round_half_even(value: float, precision: Any) -> float:
    """Round to a number of decimal places; halves go to the even neighbour.

    The decimal point is shifted in the text of the number, so that 2.675 is a half and not 2.67499999.
    """
    shift = 0 if precision is UNDEFINED or math.isnan(double(precision)) else double(precision)
    if not math.isfinite(double(value)):
        return math.nan if shift else value
    if not float(shift).is_integer() or abs(shift) >= _EXPONENT_FROM:
        return math.nan
    shifted = _shifted(value, int(shift))
    if not math.isfinite(shifted):
        return math.nan
    below = math.floor(shifted)
    rounded = below + (shifted - below > 0.5 or (shifted - below == 0.5 and below % 2 == 1))
    return plain(_shifted(rounded, -int(shift)))


def _shifted(value: float, places: int) -> float:
    mantissa, _, exponent = number_text(value).partition("e")
    return float(f"{mantissa}e{int(exponent or 0) + places}")


def square_root(value: float) -> float:
    """Return the square root. Raises JSONataError for a negative number."""
    if value < 0:
        raise JSONataError("D3060", value=value, index=1)
    return plain(math.sqrt(double(value)))


def power(base: float, exponent: Any) -> float:
    """Raise a number to a power. Raises JSONataError if the result is not a finite number."""
    try:
        result = math.nan if exponent is UNDEFINED else math.pow(double(base), double(exponent))
        if abs(base) == 1 and not math.isfinite(double(exponent)):
            result = math.nan  # as in JavaScript, and not in C
    except (ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise JSONataError("D3061", value=base, exp=exponent, index=1)
    return plain(result)


def format_base(value: float, radix: Any) -> str:
    """Write a whole number in another base, 2 to 36."""
    rounded = round_half_even(value, UNDEFINED)
    base = 10 if radix is UNDEFINED else round_half_even(radix, UNDEFINED)
    if not 2 <= base <= 36:
        raise JSONataError("D3100", value=base)
    if base == 10 or not math.isfinite(double(rounded)):
        return number_text(rounded)
    digits: list[str] = []
    whole = abs(double(rounded))
    while whole / base >= _EXACT_BELOW:  # as JavaScript does: a double does not hold these digits
        whole /= base
        digits.append("0")
    while whole or not digits:
        digit = math.fmod(whole, base)
        digits.append(_DIGITS[int(digit)])
        whole = (whole - digit) / base
    return ("-" if rounded < 0 else "") + "".join(reversed(digits))
