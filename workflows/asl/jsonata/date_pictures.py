"""Times: ``$toMillis`` and ``$fromMillis``, with pictures such as ``[Y0001]-[M01]-[D01]`` as in XPath.

Times are milliseconds since 1970 in UTC. Pictures that read a time become a regular expression on RE2. What the
text leaves out on the left, such as the day of a time of day, is that of the signal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import re2

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, count_scanned, current
from workflows.asl.jsonata.integer_pictures import PICTURE_WORK, IntegerPicture, analyse, read, regex_of, written
from workflows.asl.jsonata.limits import EvaluationFailed

_DEFAULTS: Final = {
    "Y": "1", "M": "1", "D": "1", "d": "1", "F": "n", "W": "1", "w": "1", "X": "1", "x": "1", "H": "1", "h": "1",
    "P": "n", "m": "01", "s": "01", "f": "1", "Z": "01:01", "z": "01:01", "C": "n", "E": "n",
}  # fmt: skip
_NUMBERS: Final = "YMDdFWwXxHhmsf"
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ISO: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
_ISO_TEXT: Final = re.compile(
    r"(\d{4})(-[01]\d)*(-[0-3]\d)*(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.ASCII
)
_ISO_PARTS: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-]\d\d):?(\d\d))?)?Z?", re.ASCII
)
_WIDTH_MAX: Final = 100  # digits
_DAY_MS: Final = 86_400_000
_MILLIS_MAX: Final = 8.64e15  # JavaScript has no time beyond
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ERA_DAYS: Final = 146_097  # days in 400 years, after which the calendar repeats


@dataclass(slots=True)
class _Part:
    """A part of a picture: a literal text, or a component with the form of its number or name."""

    literal: str | None = None
    component: str = ""
    names: str | None = None  # upper, lower or title
    number: IntegerPicture | None = None
    digits: int = -1
    width_max: int | None = None
    traditional: bool = False


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time in UTC, also before the year 1 and after 9999, which Python's dates do not reach."""

    year: int
    month: int
    day: int
    millis_of_day: int

    @classmethod
    def of(cls, millis: float) -> _Moment:
        if not abs(millis) <= _MILLIS_MAX:
            raise EvaluationFailed(f"{millis:g} milliseconds since 1970 is no time")
        days, rest = divmod(math.trunc(millis), _DAY_MS)
        era, within = divmod(days, _ERA_DAYS)
        date = _EPOCH + timedelta(days=within)
        return cls(date.year + 400 * era, date.month, date.day, rest)

    def millis(self) -> int:
        return _day_millis(self.year, self.month, self.day) + self.millis_of_day


def _day_millis(year: int, month: int = 1, day: float = 1) -> int:
    """Return the first millisecond of a day; months and days may be beyond their ranges, as in JavaScript."""
    years, month = divmod(month - 1, 12)
    era, within = divmod(year + years - 1970, 400)
    first = datetime(1970 + within, month + 1, 1, tzinfo=UTC)
    return ((first - _EPOCH).days + era * _ERA_DAYS + int(day) - 1) * _DAY_MS


# --- functions -------------------------------------------------------------------------------------------------------


def millis() -> int:
    """Return the time of the signal in milliseconds since 1970."""
    return round(current().at.timestamp() * 1000)


def now(picture: Any, timezone: Any) -> str:
    """Format the time of the signal, which is the same at every call."""
    return from_millis(millis(), picture, timezone)


def from_millis(moment: float, picture: Any, timezone: Any) -> str:
    """Format a time, given in milliseconds since 1970, in a time zone such as ``+0100``."""
    hours, minutes = _zone(timezone)
    parts = _analyse(_ISO if picture is UNDEFINED else picture)
    local = _Moment.of(moment + (60 * hours + minutes) * 60_000)
    return "".join(
        part.literal if part.literal is not None else _written(local, part, hours, minutes) for part in parts
    )


def to_millis(text: str, picture: Any) -> Any:
    """Read a time and return milliseconds since 1970; UNDEFINED if it does not have the form of the picture."""
    if picture is not UNDEFINED:
        return _read(text, picture)
    if not _ISO_TEXT.fullmatch(text):
        raise JSONataError("D3110", value=text)
    return _read_iso(text)


def _zone(timezone: Any) -> tuple[int, int]:
    if timezone is UNDEFINED:
        return 0, 0
    offset = re.match(r"\s*([-+]?[0-9]+)", timezone)
    if offset is None:
        raise EvaluationFailed(f"the time zone '{timezone[:20]}' is not like +0100")
    value = int(offset[1][:9])
    return value // 100, int(math.fmod(value, 100))


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
    return _day_millis(year, month, day) + ((hour * 60 + minute - zone) * 60 + second) * 1000 + fraction


# --- analysing -------------------------------------------------------------------------------------------------------


def _analyse(picture: str) -> list[_Part]:
    current().count_steps(len(picture) // PICTURE_WORK)
    parts: list[_Part] = []
    begin = position = 0

    def add_literal(end: int) -> None:
        if end > begin:
            parts.append(_Part(literal=picture[begin:end].replace("]]", "]")))

    while position < len(picture):
        if picture.startswith("[[", position):
            add_literal(position)
            parts.append(_Part(literal="["))
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


def _component(marker: str) -> _Part:
    part = _Part(component=marker[:1])
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


def _set_width(part: _Part, number: IntegerPicture) -> None:
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


# --- writing ---------------------------------------------------------------------------------------------------------


def _written(moment: _Moment, part: _Part, hours: int, minutes: int) -> str:
    if part.component in ("Z", "z"):
        return _written_zone(part, hours, minutes)
    value = _FRAGMENTS[part.component](moment) if part.component in _FRAGMENTS else ""
    if isinstance(value, str):
        return value.upper() if part.names == "upper" and part.component == "P" else value
    if part.names is not None:
        return _name(part, value)
    if part.component == "Y" and part.digits != -1:
        value = int(math.fmod(value, 10**part.digits))
    assert part.number is not None  # numbers that are not names have a form
    return written(value, part.number)


def _name(part: _Part, value: int) -> str:
    if part.component in ("M", "x"):
        name = _MONTHS[value - 1]
    elif part.component == "F":
        name = _DAYS[value - 1]
    elif part.component == "f":
        raise EvaluationFailed("fractions of a second have no names")
    else:
        raise JSONataError("D3133", value=part.component)
    name = {"upper": name.upper(), "lower": name.lower()}.get(part.names or "", name)
    return name if part.width_max is None else name[: part.width_max]


def _written_zone(part: _Part, hours: int, minutes: int) -> str:
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


def _weekday(millis_of_day: int) -> int:
    return (millis_of_day // _DAY_MS + 3) % 7 + 1


def _first_week(year: int, month: int) -> int:
    """Return the first day of the first week: the one that has the first Thursday of the year or month."""
    first = _day_millis(year, month)
    weekday = _weekday(first)
    return first + (8 - weekday if weekday > 4 else 1 - weekday) * _DAY_MS


def _week(moment: _Moment, month: int, following: tuple[int, int], before: tuple[int, int], most: int) -> int:
    today = _day_millis(moment.year, moment.month, moment.day)
    week = (today - _first_week(moment.year, month)) // (7 * _DAY_MS) + 1
    if week > most and today >= _first_week(*following):
        return 1
    return (today - _first_week(*before)) // (7 * _DAY_MS) + 1 if week < 1 else week


def _month_after(moment: _Moment) -> tuple[int, int]:
    return (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)


def _month_before(moment: _Moment) -> tuple[int, int]:
    return (moment.year - 1, 12) if moment.month == 1 else (moment.year, moment.month - 1)


def _week_year(moment: _Moment) -> int:
    now_ms = moment.millis()
    if now_ms < _first_week(moment.year, 1):
        return moment.year - 1
    return moment.year + (now_ms >= _first_week(moment.year + 1, 1))


def _week_month(moment: _Moment) -> int:
    now_ms = moment.millis()
    if now_ms < _first_week(moment.year, moment.month):
        return _month_before(moment)[1]
    return _month_after(moment)[1] if now_ms >= _first_week(*_month_after(moment)) else moment.month


_FRAGMENTS: Final[dict[str, Callable[[_Moment], int | str]]] = {
    "Y": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "D": lambda moment: moment.day,
    "d": lambda moment: (_day_millis(moment.year, moment.month, moment.day) - _day_millis(moment.year)) // _DAY_MS + 1,
    "F": lambda moment: _weekday(_day_millis(moment.year, moment.month, moment.day)),
    "W": lambda moment: _week(moment, 1, (moment.year + 1, 1), (moment.year - 1, 1), 52),
    "w": lambda moment: _week(moment, moment.month, _month_after(moment), _month_before(moment), 4),
    "X": _week_year,
    "x": _week_month,
    "H": lambda moment: moment.millis_of_day // 3_600_000,
    "h": lambda moment: moment.millis_of_day // 3_600_000 % 12 or 12,
    "P": lambda moment: "pm" if moment.millis_of_day >= 43_200_000 else "am",
    "m": lambda moment: moment.millis_of_day // 60_000 % 60,
    "s": lambda moment: moment.millis_of_day // 1000 % 60,
    "f": lambda moment: moment.millis_of_day % 1000,
    "C": lambda moment: "ISO",
    "E": lambda moment: "ISO",
}


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(text: str, picture: str) -> Any:
    parts = _analyse(picture)
    pattern = _linear("^" + "".join(f"({_regex(part)})" for part in parts) + "$")
    count_scanned(len(text) * (pattern.groups + 1))
    match = pattern.search(text)
    if match is None:
        return UNDEFINED
    components: dict[str, Any] = {}
    for part, found in zip(parts, match.groups(), strict=True):
        if part.literal is None:
            components[part.component] = _value(part, found)
    return _completed(components) if components else UNDEFINED


def _linear(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr
    options.case_sensitive = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise EvaluationFailed("the picture of a time is too long to read times with") from None


def _regex(part: _Part) -> str:
    if part.literal is not None:
        return str(re2.escape(part.literal))
    if part.component in ("Z", "z"):
        separator = _zone_separator(part)
        minutes = f"{re2.escape(separator)}[0-9]+" if separator else ""
        return ("GMT" if part.component == "z" else "") + "[-+][0-9]+" + minutes
    if part.number is not None:
        return regex_of(part.number)
    if part.component not in ("M", "x", "F", "P"):
        raise JSONataError("D3133", value=part.component)
    return "[a-zA-Z]+"


def _zone_separator(part: _Part) -> str | None:
    number = part.number
    return number.separators[0][1] if number is not None and number.regular else None


def _value(part: _Part, text: str) -> Any:
    """Return the value of what a part matched; UNDEFINED for an unknown name."""
    if part.component in ("Z", "z"):
        return _zone_minutes(part, text)
    if part.number is not None:
        return read(text, part.number)
    if part.component == "P":
        return {"am": 0, "AM": 0, "pm": 1, "PM": 1}.get(text, UNDEFINED)
    names = _DAYS if part.component == "F" else _MONTHS
    known = {name[: part.width_max] if part.width_max else name: index for index, name in enumerate(names, start=1)}
    return known.get(text, UNDEFINED)


def _zone_minutes(part: _Part, text: str) -> int:
    text = text[3:] if part.component == "z" else text
    separator = _zone_separator(part)
    if separator:
        hours, _, minutes = text.partition(separator)
    elif len(text) <= 3:
        hours, minutes = text, "0"
    else:
        hours, minutes = text[:3], text[3:]
    return int(hours) * 60 + int(minutes)


def _completed(found: dict[str, Any]) -> Any:
    """Return the time of the components: what is missing on the left is that of the signal, on the right zero."""
    dates, times = _combination(found)
    at = _Moment.of(millis())
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
            fragment = _FRAGMENTS[name](at)
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
        moment = _Moment.of(_day_millis(_full_year(year)) + (found["d"] - 1) * _DAY_MS)
        month, day = moment.month, moment.day
    if times == "Phmsf":
        hour = (0 if found["h"] == 12 else found["h"]) + (12 if found["P"] == 1 else 0)
    numbers = [year, month, day, hour, found["m"], found["s"], found["f"]]
    if any(number is UNDEFINED or not math.isfinite(number) for number in numbers):
        return math.nan
    if any(abs(number) > _MILLIS_MAX for number in numbers):
        return math.nan
    year, month, day, hour, minute, second, fraction = map(int, numbers)
    total = _day_millis(_full_year(year), month, day) + ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    total -= (found.get("Z") or found.get("z") or 0) * 60_000
    return total if abs(total) <= _MILLIS_MAX else math.nan


def _full_year(year: float) -> int:
    """Return the year that JavaScript's ``Date.UTC`` means: 0 to 99 are those of the 20th century."""
    whole = int(year)
    return 1900 + whole if 0 <= whole <= 99 else whole
