"""Pictures of whole numbers, as ``$formatInteger`` and ``$parseInteger`` and the parts of a date use them.

A picture is ``A``, ``a`` (letters), ``I``, ``i`` (Roman), ``W``, ``w``, ``Ww`` (English words) or a pattern of digits
such as ``#,##0``; ``;o`` at its end makes an ordinal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.values import double, number_text, plain

PICTURE_WORK: Final = 4  # characters of a picture that are analysed in the time of one evaluation step
_FEW: Final = (
    "Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve",
    "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen",
)  # fmt: skip
_ORDINALS: Final = (
    "Zeroth", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth",
    "Eleventh", "Twelfth", "Thirteenth", "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth",
    "Nineteenth",
)  # fmt: skip
_TENS: Final = ("Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety", "Hundred")
_MAGNITUDES: Final = ("Thousand", "Million", "Billion", "Trillion")
_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_ROMAN_MAX: Final = 10_000_000  # a letter m a thousand
_ROMAN_DIGITS: Final = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
_ZEROS: Final = (
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
)  # fmt: skip
_ZERO_OF: Final = {zero + digit: zero for zero in _ZEROS for digit in range(10)}
_NAMED: Final = {
    "A": ("letters", "upper"), "a": ("letters", "lower"), "I": ("roman", "upper"), "i": ("roman", "lower"),
    "W": ("words", "upper"), "w": ("words", "lower"), "Ww": ("words", "title"),
}  # fmt: skip


@dataclass(slots=True)
class IntegerPicture:
    """An analysed picture. ``separators`` are pairs of a position from the right and a character."""

    kind: str
    case: str = "lower"
    ordinal: bool = False
    zero: int = 0x30
    mandatory: int = 0
    optional: int = 0
    regular: int = 0  # digits between separators, if they are all the same
    separators: list[tuple[int, str]] = field(default_factory=list)
    parsed_width: int = 0  # digits of a text that is read, with the optional ones; 0 is any number of them
    token: str = ""


def analyse(picture: Any) -> IntegerPicture:
    """Analyse a picture. Raises JSONataError D3131 if it mixes digits of two scripts, and T0410 if it is undefined."""
    if picture is UNDEFINED:
        raise JSONataError("T0410", value=picture, index=2)
    current().count_steps(len(picture) // PICTURE_WORK)
    primary, semicolon, modifier = picture.rpartition(";")
    if not semicolon:
        primary, modifier = picture, ""
    ordinal = modifier.startswith("o")
    if primary in _NAMED:
        kind, case = _NAMED[primary]
        return IntegerPicture(kind, case, ordinal)
    return _analyse_digits(primary, ordinal)


def _analyse_digits(primary: str, ordinal: bool) -> IntegerPicture:
    analysed = IntegerPicture("decimal", ordinal=ordinal)
    zero = None
    position = 0
    for character in reversed(primary):
        group = _ZERO_OF.get(ord(character))
        if group is not None:
            if zero not in (None, group):
                raise JSONataError("D3131")
            zero = group
            analysed.mandatory += 1
            position += 1
        elif character == "#":
            analysed.optional += 1
            position += 1
        else:
            analysed.separators.append((position, character))
    if zero is None:
        return IntegerPicture("sequence", token=primary)
    analysed.zero = zero
    if len({character for _, character in analysed.separators}) == 1:
        analysed.regular = regular_interval([place for place, _ in analysed.separators])
    return analysed


def regular_interval(positions: list[int]) -> int:
    """Return the interval of separators that stand at equal distances, else 0."""
    if not positions:
        return 0
    factor = reduce(math.gcd, positions)
    return factor if all(number * factor in positions for number in range(1, len(positions) + 1)) else 0


# --- writing ---------------------------------------------------------------------------------------------------------


def format_integer(value: float, picture: str) -> str:
    """Write a whole number in the form of a picture; a fraction is rounded down."""
    analysed = analyse(picture)
    number = double(value)
    if not math.isfinite(number) and analysed.kind not in ("sequence", "decimal"):
        raise JSONataError("D1001", value=None)
    return written(math.floor(number) if math.isfinite(number) else number, analysed)


def written(value: float, picture: IntegerPicture) -> str:
    """Write a whole number in the form of an analysed picture."""
    if picture.kind == "sequence":
        raise JSONataError("D3130", value=picture.token)
    return ("-" if value < 0 else "") + _WRITERS[picture.kind](abs(value), picture)


def _digits(value: float, picture: IntegerPicture) -> str:
    text = number_text(value).rjust(picture.mandatory, "0")
    if picture.zero != 0x30:
        text = "".join(chr(ord(digit) + picture.zero - 0x30) for digit in text)
    if picture.regular:
        character = picture.separators[0][1]
        for count in range((len(text) - 1) // picture.regular, 0, -1):
            place = len(text) - count * picture.regular
            text = text[:place] + character + text[place:]
    else:
        for position, character in reversed(picture.separators):
            place = len(text) - position  # before the first digit it counts from the end, as in JavaScript's substr
            text = text[: max(0, place)] + character + text[place:]
    return text + _ordinal_suffix(text) if picture.ordinal else text


def _ordinal_suffix(text: str) -> str:
    suffix = {"1": "st", "2": "nd", "3": "rd"}.get(text[-1])
    return "th" if suffix is None or text[-2:-1] == "1" else suffix


def _letters(value: float, picture: IntegerPicture) -> str:
    first, letters = ord("A" if picture.case == "upper" else "a"), ""
    rest = float(value)  # doubles, as in JavaScript, although they are not exact from 2^53
    while rest > 0:
        letters = chr(int(math.fmod(rest - 1, 26)) + first) + letters
        rest = float(math.floor((rest - 1) / 26))
    return letters


def _roman(value: float, picture: IntegerPicture) -> str:
    rest = int(min(value, _ROMAN_MAX))
    current().count_steps(rest // 1000)
    numerals = ""
    for worth, numeral in _ROMAN:
        count, rest = divmod(rest, worth)
        numerals += numeral * count
    return numerals.upper() if picture.case == "upper" else numerals


def _words(value: float, picture: IntegerPicture) -> str:
    words = _in_words(int(value), False, picture.ordinal)
    return {"upper": words.upper(), "lower": words.lower()}.get(picture.case, words)


def _in_words(value: int, follows: bool, ordinal: bool) -> str:
    if value <= 19:
        return (" and " if follows else "") + (_ORDINALS if ordinal else _FEW)[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        words = (" and " if follows else "") + _TENS[tens - 2]
        if rest:
            return f"{words}-{_in_words(rest, False, ordinal)}"
        return words[:-1] + "ieth" if ordinal else words
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        words = (", " if follows else "") + f"{_FEW[hundreds]} Hundred"
    else:
        magnitude = min(math.floor(math.log10(value) / 3), len(_MAGNITUDES))
        factor = 1000.0**magnitude  # doubles, as in JavaScript, although they are not exact from 2^53
        many = math.floor(value / factor)
        rest = int(max(0.0, float(value) - many * factor))
        words = (", " if follows else "") + f"{_in_words(many, False, False)} {_MAGNITUDES[magnitude - 1]}"
    if rest:
        return words + _in_words(rest, True, ordinal)
    return words + ("th" if ordinal else "")


_WRITERS: Final[dict[str, Callable[[float, IntegerPicture], str]]] = {
    "decimal": _digits,
    "letters": _letters,
    "roman": _roman,
    "words": _words,
}


# --- reading ---------------------------------------------------------------------------------------------------------


_WORD_VALUES: Final[dict[str, int]] = {
    **{word.lower(): value for value, word in enumerate(_FEW)},
    **{word.lower(): value for value, word in enumerate(_ORDINALS)},
    **{word.lower(): (index + 2) * 10 for index, word in enumerate(_TENS)},
    **{word.lower()[:-1] + "ieth": (index + 2) * 10 for index, word in enumerate(_TENS)},
    "hundredth": 100,
    **{word.lower(): 1000 ** (index + 1) for index, word in enumerate(_MAGNITUDES)},
    **{word.lower() + "th": 1000 ** (index + 1) for index, word in enumerate(_MAGNITUDES)},
}
_REGEXES: Final = {
    ("letters", "upper"): "[A-Z]+", ("letters", "lower"): "[a-z]+",
    ("roman", "upper"): "[MDCLXVI]+", ("roman", "lower"): "[mdclxvi]+",
}  # fmt: skip


def parse_integer(text: str, picture: str) -> float:
    """Read a whole number of the form of a picture; NaN if the text has another form."""
    analysed = analyse(picture)
    if analysed.kind == "sequence":
        raise JSONataError("D3130", value=analysed.token)
    return read(text, analysed)


def regex_of(picture: IntegerPicture) -> str:
    """Return the regular expression of the texts that an analysed picture describes."""
    if picture.kind == "sequence":
        raise JSONataError("D3130", value=picture.token)
    if picture.kind == "words":
        return "(?:" + "|".join([*_WORD_VALUES, "and", r"[\-, ]"]) + ")+"
    if picture.kind == "decimal":
        most = picture.parsed_width
        width = f"{{{max(0, most - picture.optional)},{most}}}" if most else "+"
        return f"[0-9]{width}" + ("(?:th|st|nd|rd)" if picture.ordinal else "")
    return _REGEXES[picture.kind, picture.case]


def read(text: str, picture: IntegerPicture) -> float:
    """Read a text of the form of an analysed picture."""
    current().count_steps(len(text) // PICTURE_WORK)
    return plain(_READERS[picture.kind](text, picture))


def _read_digits(text: str, picture: IntegerPicture) -> float:
    digits = text[:-2] if picture.ordinal else text
    for character in {","} if picture.regular else {character for _, character in picture.separators}:
        digits = digits.replace(character, "")
    if picture.zero != 0x30:
        digits = "".join(_shifted(digit, picture.zero) for digit in digits)
    whole = re.match(r"\s*([-+]?[0-9]+)", digits)
    return float(whole[1]) if whole is not None else math.nan


def _shifted(digit: str, zero: int) -> str:
    code = ord(digit) - zero + 0x30
    return chr(code) if code >= 0 else ""


def _read_letters(text: str, picture: IntegerPicture) -> float:
    first = ord("A" if picture.case == "upper" else "a")
    total = 0.0
    for letter in text[:200]:  # more of them are infinite
        total = total * 26 + (ord(letter) - first + 1)
    return total if len(text) <= 200 else math.inf


def _read_roman(text: str, picture: IntegerPicture) -> float:
    total, largest = 0.0, 1.0
    for letter in reversed(text if picture.case == "upper" else text.upper()):
        value = _ROMAN_DIGITS.get(letter)
        if value is None:
            return math.nan
        largest = max(largest, value)
        total += value if value == largest else -value
    return total


def _read_words(text: str, _picture: IntegerPicture) -> float:
    parts: list[float] = [0]
    for word in re.split(r",\s|\sand\s|[\s\\-]", text.lower()):
        value: Any = _WORD_VALUES.get(word)
        last = parts.pop()
        if value is None or value >= 100:
            parts.append(last * (math.nan if value is None else value))
        elif last >= 1000:
            parts += [last, value]
        else:
            parts.append(last + value)
    return sum(parts)


_READERS: Final[dict[str, Callable[[str, IntegerPicture], float]]] = {
    "decimal": _read_digits,
    "letters": _read_letters,
    "roman": _read_roman,
    "words": _read_words,
}
