"""Pictures of numbers, as ``$formatNumber`` uses them: ``#,##0.00``, as in XPath's ``format-number``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.integer_pictures import PICTURE_WORK, regular_interval
from workflows.asl.jsonata.limits import EvaluationFailed
from workflows.asl.jsonata.number_functions import round_half_even
from workflows.asl.jsonata.values import double, number_text

_SYMBOLS: Final = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "infinity": "Infinity",
    "minus-sign": "-",
    "NaN": "NaN",
    "percent": "%",
    "per-mille": "\u2030",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}
_PLACES_MAX: Final = 100  # JavaScript writes no more decimal places
_EXACT: Final = Context(prec=400)


def format_number(value: float, picture: Any, options: Any) -> str:
    """Write a number in the form of a picture.

    Raises:
        JSONataError: D308x or D309x: the picture is not one; T0410: it is undefined.
    """
    if picture is UNDEFINED:
        raise JSONataError("T0410", value=picture, index=2)
    current().count_steps(len(picture) // PICTURE_WORK)
    given = {} if options is UNDEFINED else options
    if not all(isinstance(symbol, str) and symbol for symbol in given.values()):
        raise EvaluationFailed("a symbol in the options of $formatNumber is not a text")
    symbols = {**_SYMBOLS, **given}
    return _NumberWriter(symbols).write(double(value), _pictures(picture, tuple(symbols.items())))


@dataclass(frozen=True, slots=True)
class _Picture:
    """One of the two parts of a picture: of positive and of negative numbers."""

    text: str
    prefix: str
    suffix: str
    grouping: tuple[int, ...]
    regular: int
    integer_min: int
    scaling: int
    fraction_grouping: tuple[int, ...]
    fraction_min: int
    fraction_max: int
    exponent_min: int


@lru_cache(maxsize=256)
def _pictures(picture: str, symbols: tuple[tuple[str, str], ...]) -> tuple[_Picture, _Picture]:
    analyst = _Analyst(dict(symbols))
    texts = picture.split(analyst.symbols["pattern-separator"])
    if len(texts) > 2:
        raise JSONataError("D3080")
    positive, *negative = [analyst.analyse(text) for text in texts]
    minus = analyst.symbols["minus-sign"]
    return positive, negative[0] if negative else replace(positive, prefix=minus + positive.prefix)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The texts of one of the two parts of a picture."""

    text: str
    prefix: str
    suffix: str
    body: str
    mantissa: str
    integer: str
    fraction: str
    exponent: str | None


class _Analyst:
    """Analyses and validates parts of a picture."""

    def __init__(self, symbols: dict[str, str]) -> None:
        self.symbols = symbols
        self.family = _digit_family(symbols)
        self._digits = {*self.family, symbols["digit"]}
        names = ("decimal-separator", "exponent-separator", "grouping-separator", "digit", "pattern-separator")
        self._active = {*self.family, *(symbols[name] for name in names)}

    def analyse(self, text: str) -> _Picture:
        exponent_sign, point = self.symbols["exponent-separator"], self.symbols["decimal-separator"]
        active = [place for place, each in enumerate(text) if each in self._active and each != exponent_sign]
        if not active:
            raise JSONataError("D3085")
        prefix, suffix = text[: active[0]], text[active[-1] + 1 :]
        body = text[len(prefix) : len(text) - len(suffix)]
        at = text.find(exponent_sign, len(prefix))
        exponent = None
        mantissa = body
        if at != -1 and at <= len(text) - len(suffix):
            mantissa, exponent = body[:at], body[at + 1 :]
        integer, dot, fraction = mantissa.partition(point)
        if not dot:
            fraction = suffix
        parts = _Parts(text, prefix, suffix, body, mantissa, integer, fraction, exponent)
        self._validate(parts)
        return self._measure(parts)

    def _validate(self, parts: _Parts) -> None:
        """Find the last of the rules that the picture breaks, as the reference does. Raises JSONataError."""
        point, comma = self.symbols["decimal-separator"], self.symbols["grouping-separator"]
        percent, mille, optional = self.symbols["percent"], self.symbols["per-mille"], self.symbols["digit"]
        text, integer, fraction, exponent = parts.text, parts.integer, parts.fraction, parts.exponent
        at, first, last = text.find(point), integer.find(optional), fraction.rfind(optional)
        beside_point = at != -1 and comma in (text[max(0, at - 1) : at], text[at + 1 : at + 2])
        broken = {
            "D3081": text.find(point) != text.rfind(point),
            "D3082": text.find(percent) != text.rfind(percent),
            "D3083": text.find(mille) != text.rfind(mille),
            "D3084": percent in text and mille in text,
            "D3085": not any(each in self._digits for each in parts.mantissa),
            "D3086": any(each not in self._active for each in parts.body),
            "D3087": beside_point,
            "D3088": at == -1 and integer.endswith(comma),
            "D3089": comma + comma in text,
            "D3090": first != -1 and any(each in self.family for each in integer[:first]),
            "D3091": last != -1 and any(each in self.family for each in fraction[last:]),
            "D3092": bool(exponent) and (percent in text or mille in text),
            "D3093": exponent is not None and (not exponent or any(each not in self.family for each in exponent)),
        }
        codes = [code for code, holds in broken.items() if holds]
        if codes:
            raise JSONataError(codes[-1])

    def _measure(self, parts: _Parts) -> _Picture:
        integer, fraction, exponent = parts.integer, parts.fraction, parts.exponent
        scaling = integer_min = sum(each in self.family for each in integer)
        fraction_min = sum(each in self.family for each in fraction)
        fraction_max = sum(each in self._digits for each in fraction)
        if integer_min == 0 and fraction_max == 0:
            if exponent is None:
                integer_min = 1
            else:
                fraction_min = fraction_max = 1
        if exponent is not None and integer_min == 0 and self.symbols["digit"] in integer:
            integer_min = 1
        if integer_min == 0 and fraction_min == 0:
            fraction_min = 1
        grouping = self._grouping(integer, integer, False)
        return _Picture(
            text=parts.text,
            prefix=parts.prefix,
            suffix=parts.suffix,
            grouping=tuple(grouping),
            regular=regular_interval(grouping),
            integer_min=integer_min,
            scaling=scaling,
            fraction_grouping=tuple(self._grouping(fraction, integer, True)),
            fraction_min=fraction_min,
            fraction_max=fraction_max,
            exponent_min=sum(each in self.family for each in exponent or ""),
        )

    def _grouping(self, part: str, integer: str, to_left: bool) -> list[int]:
        """Count the digits beside each separator. After the first the reference searches the integer part only."""
        comma, positions = self.symbols["grouping-separator"], []
        at = part.find(comma)
        while at != -1:
            side = part[:at] if to_left else part[at:]
            positions.append(sum(each in self._digits for each in side))
            at = integer.find(comma, at + 1)
        return positions


class _NumberWriter:
    def __init__(self, symbols: dict[str, str]) -> None:
        self._symbols = symbols
        self._family = _digit_family(symbols)

    def write(self, value: float, pictures: tuple[_Picture, _Picture]) -> str:
        picture = pictures[0] if value >= 0 else pictures[1]
        adjusted = value
        if self._symbols["percent"] in picture.text:
            adjusted = value * 100
        elif self._symbols["per-mille"] in picture.text:
            adjusted = value * 1000
        mantissa, exponent = _scaled(adjusted, picture)
        text = self._mantissa(mantissa, picture)
        if exponent is not None:
            text += self._exponent(exponent, picture)
        return picture.prefix + text + picture.suffix

    def _mantissa(self, value: float, picture: _Picture) -> str:
        point, zero = self._symbols["decimal-separator"], self._symbols["zero-digit"]
        text = self._fixed(round_half_even(value, picture.fraction_max), picture.fraction_max)
        text = text.replace(".", point, 1) if "." in text else text + point
        text = text.lstrip(zero).rstrip(zero)
        at = text.find(point)
        text = zero * (picture.integer_min - at) + text + zero * (picture.fraction_min - (len(text) - at - 1))
        text = self._grouped(text, point, picture)
        if point not in picture.text or text.find(point) == len(text) - 1:
            text = text[:-1]
        return text

    def _grouped(self, text: str, point: str, picture: _Picture) -> str:
        """Insert separators. A place before the first digit counts from the end, as in JavaScript's ``slice``."""
        comma, at = self._symbols["grouping-separator"], text.find(point)
        if picture.regular:
            for count in range(1, (at - 1) // picture.regular + 1):
                text = _inserted(text, comma, at - count * picture.regular)
        else:
            for moved, place in enumerate(picture.grouping):
                text = _inserted(text, comma, at + moved - place)
        at = text.find(point)
        for place in picture.fraction_grouping:
            text = _inserted(text, comma, place + at + 1)
        return text

    def _exponent(self, exponent: int, picture: _Picture) -> str:
        digits = self._fixed(exponent, 0).rjust(picture.exponent_min, self._symbols["zero-digit"])
        return self._symbols["exponent-separator"] + (self._symbols["minus-sign"] if exponent < 0 else "") + digits

    def _fixed(self, value: float, places: int) -> str:
        """Write the absolute value with a fixed number of decimal places, in the digits of the picture."""
        if places > _PLACES_MAX:
            raise EvaluationFailed(f"the picture of a number has {places} decimal places, over {_PLACES_MAX}")
        size = abs(double(value))
        if not math.isfinite(size) or size >= 1e21:
            return number_text(size)
        text = f"{Decimal(size).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT):f}"
        if self._symbols["zero-digit"] == "0":
            return text
        return "".join(self._family[int(each)] if each.isdigit() else each for each in text)


def _inserted(text: str, part: str, place: int) -> str:
    return text[:place] + part + text[place:]


def _digit_family(symbols: dict[str, str]) -> list[str]:
    zero = ord(symbols["zero-digit"][0])
    return [chr(zero + digit) for digit in range(10)]


def _scaled(value: float, picture: _Picture) -> tuple[float, int | None]:
    """Split a number into the mantissa of the picture's size and the exponent, if the picture has one."""
    if picture.exponent_min == 0:
        return value, None
    largest, smallest = 10.0**picture.scaling, 10.0 ** (picture.scaling - 1)
    mantissa, exponent = float(value), 0
    if mantissa <= 0 or not math.isfinite(mantissa):
        raise EvaluationFailed("a number that is not positive has no form with an exponent")
    while mantissa < smallest:
        mantissa *= 10
        exponent -= 1
    while mantissa > largest:
        mantissa /= 10
        exponent += 1
    return mantissa, exponent
