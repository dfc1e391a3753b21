"""Times in UTC as JavaScript has them, and the components of a time that the calendar gives, such as its week."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from workflows.asl.jsonata.limits import EvaluationFailed
from workflows.asl.jsonata.values import double

DAY_MS: Final = 86_400_000
MILLIS_MAX: Final = 8.64e15  # JavaScript has no time beyond
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ERA_DAYS: Final = 146_097  # days in 400 years, after which the calendar repeats


@dataclass(frozen=True, slots=True)
class CalendarTime:
    """A time in UTC, also before the year 1 and after 9999, which Python's dates do not reach."""

    year: int
    month: int
    day: int
    millis_of_day: int

    @classmethod
    def of(cls, millis: float) -> CalendarTime:
        """Make it from milliseconds since 1970. Raises EvaluationFailed beyond the times that JavaScript has."""
        if not abs(millis) <= MILLIS_MAX:
            raise EvaluationFailed(f"{double(millis):g} milliseconds since 1970 is no time")
        days, rest = divmod(math.trunc(millis), DAY_MS)
        era, within = divmod(days, _ERA_DAYS)
        date = _EPOCH + timedelta(days=within)
        return cls(date.year + 400 * era, date.month, date.day, rest)

    def millis(self) -> int:
        """Return the milliseconds since 1970."""
        return day_millis(self.year, self.month, self.day) + self.millis_of_day


def day_millis(year: int, month: int = 1, day: float = 1) -> int:
    """Return the first millisecond of a day; months and days may be beyond their ranges, as in JavaScript."""
    years, month = divmod(month - 1, 12)
    era, within = divmod(year + years - 1970, 400)
    first = datetime(1970 + within, month + 1, 1, tzinfo=UTC)
    return ((first - _EPOCH).days + era * _ERA_DAYS + int(day) - 1) * DAY_MS


def _weekday(millis_of_day: int) -> int:
    return (millis_of_day // DAY_MS + 3) % 7 + 1


def _first_week(year: int, month: int) -> int:
    """Return the first day of the first week: the one that has the first Thursday of the year or month."""
    first = day_millis(year, month)
    weekday = _weekday(first)
    return first + (8 - weekday if weekday > 4 else 1 - weekday) * DAY_MS


def _week(moment: CalendarTime, month: int, following: tuple[int, int], before: tuple[int, int], most: int) -> int:
    today = day_millis(moment.year, moment.month, moment.day)
    week = (today - _first_week(moment.year, month)) // (7 * DAY_MS) + 1
    if week > most and today >= _first_week(*following):
        return 1
    return (today - _first_week(*before)) // (7 * DAY_MS) + 1 if week < 1 else week


def _month_after(moment: CalendarTime) -> tuple[int, int]:
    return (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)


def _month_before(moment: CalendarTime) -> tuple[int, int]:
    return (moment.year - 1, 12) if moment.month == 1 else (moment.year, moment.month - 1)


def _week_year(moment: CalendarTime) -> int:
    now_ms = moment.millis()
    if now_ms < _first_week(moment.year, 1):
        return moment.year - 1
    return moment.year + (now_ms >= _first_week(moment.year + 1, 1))


def _week_month(moment: CalendarTime) -> int:
    now_ms = moment.millis()
    if now_ms < _first_week(moment.year, moment.month):
        return _month_before(moment)[1]
    return _month_after(moment)[1] if now_ms >= _first_week(*_month_after(moment)) else moment.month


# The value of each component, by its letter in a picture.
COMPONENTS: Final[dict[str, Callable[[CalendarTime], int | str]]] = {
    "Y": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "D": lambda moment: moment.day,
    "d": lambda moment: (day_millis(moment.year, moment.month, moment.day) - day_millis(moment.year)) // DAY_MS + 1,
    "F": lambda moment: _weekday(day_millis(moment.year, moment.month, moment.day)),
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
