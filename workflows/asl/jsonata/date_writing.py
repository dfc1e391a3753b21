"""Write times: ``$now`` and ``$fromMillis``, in the form of a picture."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from workflows.asl.jsonata.calendar_times import COMPONENTS, CalendarTime
from workflows.asl.jsonata.date_pictures import DAYS, MONTHS, PicturePart, parts_of
from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.integer_pictures import written
from workflows.asl.jsonata.limits import EvaluationFailed

_ISO: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"


def millis() -> int:
    """Return the time of the signal in milliseconds since 1970."""
    return round(current().at.timestamp() * 1000)


def now(picture: Any, timezone: Any) -> str:
    """Format the time of the signal, which is the same at every call."""
    return from_millis(millis(), picture, timezone)


def from_millis(moment: float, picture: Any, timezone: Any) -> str:
    """Format a time, given in milliseconds since 1970, in a time zone such as ``+0100``."""
    hours, minutes = _zone(timezone)
    parts = parts_of(_ISO if picture is UNDEFINED else picture)
    local = CalendarTime.of(moment + (60 * hours + minutes) * 60_000)
    return "".join(
        part.literal if part.literal is not None else _written(local, part, hours, minutes) for part in parts
    )


def _zone(timezone: Any) -> tuple[int, int]:
    if timezone is UNDEFINED:
        return 0, 0
    offset = re.match(r"\s*([-+]?[0-9]+)", timezone)
    if offset is None:
        raise EvaluationFailed(f"the time zone '{timezone[:20]}' is not like +0100")
    value = int(offset[1][:9])
    return value // 100, int(math.fmod(value, 100))


def _written(moment: CalendarTime, part: PicturePart, hours: int, minutes: int) -> str:
    if part.component in ("Z", "z"):
        return _written_zone(part, hours, minutes)
    value = COMPONENTS[part.component](moment) if part.component in COMPONENTS else ""
    if isinstance(value, str):
        return value.upper() if part.names == "upper" and part.component == "P" else value
    if part.names is not None:
        return _name(part, value)
    if part.component == "Y" and part.digits != -1:
        value = int(math.fmod(value, 10**part.digits))
    assert part.number is not None  # numbers that are not names have a form
    return written(value, part.number)


def _name(part: PicturePart, value: int) -> str:
    if part.component in ("M", "x"):
        name = MONTHS[value - 1]
    elif part.component == "F":
        name = DAYS[value - 1]
    elif part.component == "f":
        raise EvaluationFailed("fractions of a second have no names")
    else:
        raise JSONataError("D3133", value=part.component)
    name = {"upper": name.upper(), "lower": name.lower()}.get(part.names or "", name)
    return name if part.width_max is None else name[: part.width_max]


def _written_zone(part: PicturePart, hours: int, minutes: int) -> str:
    number = part.number
    assert number is not None  # zones have a form
    offset = hours * 100 + minutes
    if number.regular or number.kind != "decimal":
        text = written(offset, number)
    elif number.mandatory in (1, 2):
        text = written(hours, number)
        if minutes:
            text += f":{'-' if minutes < 0 else ''}{abs(minutes):02d}"
    elif number.mandatory in (3, 4):
        text = written(offset, number)
    else:
        raise JSONataError("D3134", value=number.mandatory)
    text = ("+" if offset >= 0 else "") + text
    text = "GMT" + text if part.component == "z" else text
    return "Z" if offset == 0 and part.traditional else text
