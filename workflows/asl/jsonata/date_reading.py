"""Read times: ``$toMillis``, with a picture or as ISO 8601.

Times are milliseconds since 1970 in UTC. A picture that reads a time becomes a regular expression on RE2. What the text
leaves out on the left, such as the day of a time of day, is that of the signal.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import re2

from workflows.asl.jsonata.calendar_times import COMPONENTS, DAY_MS, MILLIS_MAX, CalendarTime, day_millis
from workflows.asl.jsonata.date_pictures import DAYS, MONTHS, PicturePart, parts_of
from workflows.asl.jsonata.date_writing import millis
from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, count_scanned
from workflows.asl.jsonata.integer_pictures import read, regex_of
from workflows.asl.jsonata.limits import EvaluationFailed

_ISO_TEXT: Final = re.compile(
    r"(\d{4})(-[01]\d)*(-[0-3]\d)*(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.ASCII
)
_HALVES: Final = re.compile("[\ud800-\udfff]")
_ISO_PARTS: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-]\d\d):?(\d\d))?)?Z?", re.ASCII
)


def to_millis(text: str, picture: Any) -> Any:
    """Read a time and return milliseconds since 1970; UNDEFINED if it does not have the form of the picture."""
    if picture is not UNDEFINED:
        return _read(text, picture)
    if not _ISO_TEXT.fullmatch(text):
        raise JSONataError("D3110", value=text)
    return _read_iso(text)


def _read_iso(text: str) -> float:
    """Read ISO 8601 as JavaScript's ``Date.parse`` does; NaN if it is no time."""
    match = _ISO_PARTS.fullmatch(text)
    if match is None:
        return math.nan
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(match.groups()[:6], "011000", strict=True)
    )
    fraction = int((match[7] or "0")[:3].ljust(3, "0"))
    is_midnight = hour == 24 and minute == second == fraction == 0
    if not (1 <= month <= 12 and 1 <= day <= 31 and (hour <= 23 or is_midnight)):
        return math.nan
    zone_hours = int(match[8] or 0)
    if abs(zone_hours) > 23:
        return math.nan
    zone = zone_hours * 60 + int(match[9] or 0) * (-1 if (match[8] or "").startswith("-") else 1)
    return day_millis(year, month, day) + ((hour * 60 + minute - zone) * 60 + second) * 1000 + fraction


def _read(text: str, picture: str) -> Any:
    parts = parts_of(picture)
    pattern = _linear("^" + "".join(f"({_regex(part)})" for part in parts) + "$")
    count_scanned(len(text) * (pattern.groups + 1))
    match = pattern.search(_without_halves(text))
    if match is None:
        return UNDEFINED
    components: dict[str, Any] = {}
    for part, found in zip(parts, match.groups(), strict=True):
        if part.literal is None:
            components[part.component] = _value(part, found)
    return _completed(components) if components else UNDEFINED


def _without_halves(text: str) -> str:
    """Replace each half of a surrogate pair, which RE2 cannot read, by a character of private use for it alone."""
    return _HALVES.sub(lambda half: chr(ord(half[0]) - 0xD800 + 0x10F000), text)


def _linear(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr
    options.case_sensitive = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise EvaluationFailed("the picture of a time is too long to read times with") from None


def _regex(part: PicturePart) -> str:
    if part.literal is not None:
        return str(re2.escape(_without_halves(part.literal)))
    if part.component in ("Z", "z"):
        separator = _without_halves(_zone_separator(part) or "")
        minutes = f"{re2.escape(separator)}[0-9]+" if separator else ""
        return ("GMT" if part.component == "z" else "") + "[-+][0-9]+" + minutes
    if part.number is not None:
        return regex_of(part.number)
    if part.component not in ("M", "x", "F", "P"):
        raise JSONataError("D3133", value=part.component)
    return "[a-zA-Z]+"


def _zone_separator(part: PicturePart) -> str | None:
    number = part.number
    return number.separators[0][1] if number is not None and number.regular else None


def _value(part: PicturePart, text: str) -> Any:
    """Return the value of what a part matched; UNDEFINED for an unknown name."""
    if part.component in ("Z", "z"):
        return _zone_minutes(part, text)
    if part.number is not None:
        return read(text, part.number)
    if part.component == "P":
        return {"am": 0, "AM": 0, "pm": 1, "PM": 1}.get(text, UNDEFINED)
    names = DAYS if part.component == "F" else MONTHS
    known = {name[: part.width_max] if part.width_max else name: index for index, name in enumerate(names, start=1)}
    return known.get(text, UNDEFINED)


def _zone_minutes(part: PicturePart, text: str) -> float:
    text = text[3:] if part.component == "z" else text
    separator = _without_halves(_zone_separator(part) or "")
    if separator:
        hours, _, minutes = text.partition(separator)
    elif len(text) <= 3:
        hours, minutes = text, "0"
    else:
        hours, minutes = text[:3], text[3:]
    return _minutes(hours) * 60 + _minutes(minutes)


def _minutes(digits: str) -> float:
    """Read digits; of many, Python reads no whole number."""
    return int(digits) if len(digits) < 20 else float(digits)


def _completed(found: dict[str, Any]) -> Any:
    """Return the time of the components: what is missing on the left is that of the signal, on the right zero."""
    dates, times = _combination(found)
    at = CalendarTime.of(millis())
    begun = ended = False
    for name in dates + times:
        if found.get(name, UNDEFINED) is not UNDEFINED:
            if ended:
                raise JSONataError("D3136")
            begun = True
        elif begun:
            found[name] = 1 if name in "MDd" else 0
            ended = True
        else:
            fragment = COMPONENTS[name](at)
            found[name] = fragment if name != "P" else UNDEFINED
    if dates in ("XxwF", "XWF"):
        raise JSONataError("D3136")
    return _millis_of(found, dates, times)


def _combination(found: dict[str, Any]) -> tuple[str, str]:
    """Choose the components that make a time, as the reference does."""
    mask = {name for name, value in found.items() if value is not UNDEFINED and value != 0 and not math.isnan(value)}

    def has_only(names: str, among: str) -> bool:
        given = mask & set(among)
        return bool(given) and given <= set(names)

    dates, date_names = "YMD", "YXMxWwdD"
    if not has_only("YMD", date_names):
        for combination, names in (("YD", "Yd"), ("XxwF", "Xxw"), ("XWF", "XW")):
            if has_only(names, date_names):
                dates = combination
                break
    is_half_day = not has_only("Hmsf", "PHhmsf") and has_only("Phmsf", "PHhmsf")
    return dates, "Phmsf" if is_half_day else "Hmsf"


def _millis_of(found: dict[str, Any], dates: str, times: str) -> float:
    month = found.get("M", 0)
    month = month if month and month > 0 else 1
    year, day = found.get("Y", math.nan), found.get("D", math.nan)
    hour = found.get("H", UNDEFINED)
    if dates == "YD":
        moment = CalendarTime.of(day_millis(_full_year(year)) + (found["d"] - 1) * DAY_MS)
        month, day = moment.month, moment.day
    if times == "Phmsf":
        hour = (0 if found["h"] == 12 else found["h"]) + (12 if found["P"] == 1 else 0)
    numbers = [year, month, day, hour, found["m"], found["s"], found["f"]]
    if any(number is UNDEFINED or not math.isfinite(number) for number in numbers):
        return math.nan
    if any(abs(number) > MILLIS_MAX for number in numbers):
        return math.nan
    year, month, day, hour, minute, second, fraction = map(int, numbers)
    total = day_millis(_full_year(year), month, day) + ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    total -= (found.get("Z") or found.get("z") or 0) * 60_000
    return total if abs(total) <= MILLIS_MAX else math.nan


def _full_year(year: float) -> int:
    """Return the year that JavaScript's ``Date.UTC`` means: 0 to 99 are those of the 20th century."""
    whole = int(year)
    return 1900 + whole if 0 <= whole <= 99 else whole
