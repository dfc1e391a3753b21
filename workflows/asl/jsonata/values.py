"""Values of JSONata: what JavaScript's operators do with numbers, texts, lists and objects.

JSON values are Python's own, so null is None; a value that is missing is ``UNDEFINED``. Numbers are doubles, as in
JavaScript. A whole number is kept as an int, so that one which is only passed on stays exact beyond 2^53, as on AWS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from json.encoder import encode_basestring
from typing import Any, Final

from workflows.asl.jsonata.evaluation import UNDEFINED

EXACT_MAX: Final = 2**53  # doubles hold every whole number up to it
_DECIMAL_MAX: Final = 1e21  # JavaScript writes larger numbers with an exponent
_FIFTEEN_DIGITS: Final = Context(prec=15, rounding=ROUND_HALF_UP)


class Sequence(list[Any]):
    """A list that a path, a filter or a function selected: one of a single element is that element.

    ``keep`` makes it stay a list. ``tuples`` says that the elements are tuples of a path with ``@``, ``#`` or ``%``.
    """

    __slots__ = ("keep", "tuples")

    def __init__(self, elements: Iterable[Any] = (), *, tuples: bool = False) -> None:
        super().__init__(elements)
        self.keep = False
        self.tuples = tuples


class ConstructedList(list[Any]):
    """A list that is written as ``[...]`` at the end or the beginning of a path, which does not flatten it."""

    __slots__ = ()


class FunctionValue:
    """A function: of JSONata, of Step Functions, or defined by the expression.

    ``counts_as_true`` is what a condition makes of it.
    """

    __slots__ = ()
    counts_as_true = True

    @property
    def arity(self) -> int:
        """The number of arguments that it takes."""
        raise NotImplementedError

    def apply(self, arguments: list[Any]) -> Any:
        """Call it without a context item."""
        raise NotImplementedError


def is_number(value: Any) -> bool:
    """Tell whether a value is a number. A boolean is not."""
    return type(value) is int or type(value) is float


def double(value: float) -> float:
    """Round a number to one that a double holds."""
    if type(value) is int and not -EXACT_MAX <= value <= EXACT_MAX:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def plain(number: float) -> float:
    """Return a whole number as an int, unless JavaScript would write it with an exponent."""
    return int(number) if float(number).is_integer() and abs(number) < _DECIMAL_MAX else number


def append(first: Any, second: Any) -> Any:
    """Append two values, each of which may be a list, one element, or undefined."""
    if first is UNDEFINED:
        return second
    if second is UNDEFINED:
        return first
    left = first if isinstance(first, list) else [first]
    return [*left, *second] if isinstance(second, list) else [*left, second]


def symbol_of(value: Any) -> str:
    """Return the letter of a value's type in the signature of a function."""
    if isinstance(value, str):
        return "s"
    if isinstance(value, bool):
        return "b"
    if isinstance(value, int | float):
        return "n"
    if isinstance(value, list):
        return "a"
    if isinstance(value, dict):
        return "o"
    if value is None:
        return "l"
    return "f" if isinstance(value, FunctionValue) else "m"


# --- comparing -------------------------------------------------------------------------------------------------------


def equal(left: Any, right: Any) -> bool:
    """Compare two values, with all that they contain. The order of an object's fields does not matter."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[key]) for key, value in left.items())
    return same(left, right)


def same(left: Any, right: Any) -> bool:
    """Compare as JavaScript's ``===``: a list or an object equals only itself."""
    if is_number(left) and is_number(right):
        return double(left) == double(right)
    if isinstance(left, str) and isinstance(right, str):
        return bool(left == right)
    return left is right


def identity(value: Any) -> Any:
    """Return a key that two values share if they are equal."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value), value)
    if isinstance(value, int | float):
        return double(value)
    if isinstance(value, list):
        return (list, tuple(map(identity, value)))
    if isinstance(value, dict):
        return (dict, frozenset((key, identity(item)) for key, item in value.items()))
    return id(value)


def precedes(left: Any, right: Any) -> bool:
    """Order two numbers, or two texts by their UTF-16 units as JavaScript does."""
    if isinstance(left, str):
        if left.isascii() or right.isascii():
            return bool(left < right)
        return bool(left.encode("utf-16-be", "surrogatepass") < right.encode("utf-16-be", "surrogatepass"))
    return bool(double(left) < double(right))


def utf16_length(text: str) -> int:
    """Count the UTF-16 units of a text, in which JavaScript gives positions."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def joined(text: str) -> str:
    """Join the two halves of characters beyond U+FFFF that have come side by side, as they do in JavaScript."""
    if text.isascii() or not any("\ud800" <= character <= "\udbff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


# --- as text ---------------------------------------------------------------------------------------------------------


def number_text(number: float) -> str:
    """Write a number as JavaScript does: the shortest digits that give the same double."""
    number = double(number)
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)
    minus = "-" if sign and number else ""
    if 0 < point <= 21:
        return minus + (text.ljust(point, "0") if len(text) <= point else f"{text[:point]}.{text[point:]}")
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}" if number else "0"
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{minus}{text[0]}{fraction}e{point - 1:+d}"


def fifteen_digits(number: float) -> float:
    """Round a number to 15 significant digits, as ``$string`` does."""
    if type(number) is int and -(10**15) < number < 10**15:
        return number
    value = double(number)
    if isinstance(value, float) and (len(repr(value)) <= 16 or not math.isfinite(value)):
        return value
    return plain(float(_FIFTEEN_DIGITS.create_decimal(Decimal(value))))


def value_text(value: Any) -> str:
    """Write a value as JSON text of one line. Functions in it become empty texts."""
    return JsonWriter().text(value)


class JsonWriter:
    """Writes JSON text as JavaScript does.

    Args:
        number: Makes the number that is written, for example one of 15 digits.
        indent: Spaces a level; 0 writes one line.
    """

    def __init__(self, number: Callable[[float], float] = double, indent: int = 0) -> None:
        self._number = number
        self._indent = indent
        self._parts: list[str] = []

    def text(self, value: Any) -> str:
        """Return the text of one value."""
        self._write(value, "\n")
        return "".join(self._parts)

    def _write(self, value: Any, line: str) -> None:
        if isinstance(value, str):
            self._parts.append(_quoted(value))
        elif value is None or value is UNDEFINED:
            self._parts.append("null")
        elif isinstance(value, bool):
            self._parts.append("true" if value else "false")
        elif isinstance(value, int | float):
            number = self._number(value)
            self._parts.append(number_text(number) if math.isfinite(number) else "null")
        elif isinstance(value, list):
            self._write_all("[]", ((None, item) for item in value), line)
        elif isinstance(value, dict):
            self._write_all("{}", ((name, item) for name, item in value.items() if item is not UNDEFINED), line)
        else:
            self._parts.append('""')

    def _write_all(self, brackets: str, items: Iterable[tuple[str | None, Any]], line: str) -> None:
        inner = line + " " * self._indent if self._indent else ""
        empty = True
        self._parts.append(brackets[0])
        for name, item in items:
            self._parts.append(inner if empty else "," + inner)
            empty = False
            if name is not None:
                self._parts.append(_quoted(name) + (": " if self._indent else ":"))
            self._write(item, inner)
        self._parts.append(brackets[1] if empty or not self._indent else line + brackets[1])


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in quoted):
        return quoted
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in quoted)
