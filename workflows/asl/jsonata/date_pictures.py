"""Pictures of times as in XPath, such as ``[Y0001]-[M01]-[D01]``: a list of literal texts and components."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import current
from workflows.asl.jsonata.integer_pictures import PICTURE_WORK, IntegerPicture, analyse
from workflows.asl.jsonata.limits import EvaluationFailed

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DEFAULTS: Final = {
    "Y": "1", "M": "1", "D": "1", "d": "1", "F": "n", "W": "1", "w": "1", "X": "1", "x": "1", "H": "1", "h": "1",
    "P": "n", "m": "01", "s": "01", "f": "1", "Z": "01:01", "z": "01:01", "C": "n", "E": "n",
}  # fmt: skip
_NUMBERS: Final = "YMDdFWwXxHhmsf"
_WIDTH_MAX: Final = 100  # digits


@dataclass(slots=True)
class PicturePart:
    """A part of a picture: a literal text, or a component with the form of its number or name."""

    literal: str | None = None
    component: str = ""
    names: str | None = None  # upper, lower or title
    number: IntegerPicture | None = None
    digits: int = -1
    width_max: int | None = None
    traditional: bool = False


def parts_of(picture: str) -> list[PicturePart]:
    """Split a picture into its parts.

    Raises:
        JSONataError: D313x: the picture is not one.
        EvaluationFailed: A width is too large.
    """
    current().count_steps(len(picture) // PICTURE_WORK)
    parts: list[PicturePart] = []
    begin = position = 0

    def add_literal(end: int) -> None:
        if end > begin:
            parts.append(PicturePart(literal=picture[begin:end].replace("]]", "]")))

    while position < len(picture):
        if picture.startswith("[[", position):
            add_literal(position)
            parts.append(PicturePart(literal="["))
            position += 2
            begin = position
        elif picture[position] == "[":
            add_literal(position)
            end = picture.find("]", position)
            if end == -1:
                raise JSONataError("D3135")
            parts.append(_component("".join(picture[position + 1 : end].split())))
            position = begin = end + 1
        else:
            position += 1
    add_literal(position)
    return parts


def _component(marker: str) -> PicturePart:
    part = PicturePart(component=marker[:1])
    form, comma, widths = marker.rpartition(",")
    width_min = None
    if comma:
        low, _, high = widths.partition("-")
        width_min, part.width_max = _width(low), _width(high)
    else:
        form = marker
    form, modifier = form[1:], ""
    if len(form) > 1 and form[-1] in "atco":
        form, modifier = form[:-1], form[-1]
    form = form or _DEFAULTS.get(part.component, "")
    if not form:
        raise JSONataError("D3132", value=part.component)
    part.traditional = modifier == "t"
    if form[0] in "nN":
        part.names = "lower" if form[0] == "n" else "title" if form[1:2] == "n" else "upper"
    elif part.component in _NUMBERS and part.component:
        part.number = analyse(f"{form};{modifier}" if modifier else form)
        part.number.mandatory = max(part.number.mandatory, width_min or 0)
        if part.component in "YMD":
            _set_width(part, part.number)
    if part.component in ("Z", "z"):
        part.number = analyse(form)
    return part


def _set_width(part: PicturePart, number: IntegerPicture) -> None:
    """Set how many digits a year, month or day has."""
    digits = number.mandatory + number.optional
    if part.width_max is not None:
        part.digits = number.mandatory = part.width_max
    elif digits >= 2:
        part.digits = digits
    number.parsed_width = max(0, part.digits)


def _width(digits: str) -> int | None:
    """Read a width in a picture: the ``4`` or the ``8`` of ``[Y,4-8]``.

    Raises:
        EvaluationFailed: It is larger than any number of digits that a time has.
    """
    match = re.match("[0-9]+", digits)
    if match is None:
        return None
    if len(match[0]) > 9 or int(match[0]) > _WIDTH_MAX:
        raise EvaluationFailed(f"the width {match[0][:20]} in the picture of a time is over {_WIDTH_MAX}")
    return int(match[0])
