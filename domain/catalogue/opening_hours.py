"""Opening hours: weekly periods by the clock on the wall of the restaurant, across midnight and clock changes.

A period begins at the first moment at which the local clock shows its opening time or later, and ends at the first
moment at which it shows its closing time or later. So a time that a clock change skips is the moment of the change, and
a time that occurs twice is its first occurrence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPeriod:
    """Open on ``weekday`` (0 is Monday) from ``opens`` to ``closes``, local times in whole minutes.

    A ``closes`` at or before ``opens`` is on the next day; equal times mean 24 hours.
    """

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``start``, included, to ``end``, excluded. Both in UTC."""

    start: datetime
    end: datetime


def is_open(periods: tuple[OpeningPeriod, ...], zone: ZoneInfo, at: datetime) -> bool:
    """Whether one of the periods includes the moment ``at``."""
    day = at.astimezone(zone).date()
    # A period of yesterday may last until now. A zone that skips a whole day needs the day before it too.
    return any(i.start <= at < i.end for i in _intervals(periods, zone, day - 2 * _DAY, day))


def next_opening(periods: tuple[OpeningPeriod, ...], zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return the first moment from ``at`` on at which a period includes it, in UTC. None without periods."""
    day = at.astimezone(zone).date()
    coming = [i for i in _intervals(periods, zone, day - 2 * _DAY, day + 8 * _DAY) if at < i.end]
    return max(at.astimezone(UTC), min(i.start for i in coming)) if coming else None


def _intervals(
    periods: tuple[OpeningPeriod, ...], zone: ZoneInfo, first_day: date, last_day: date
) -> Iterator[Interval]:
    for offset in range((last_day - first_day).days + 1):
        day = first_day + offset * _DAY
        for period in periods:
            if period.weekday == day.weekday():
                closes_on = day if period.closes > period.opens else day + _DAY
                start, end = _moment(day, period.opens, zone), _moment(closes_on, period.closes, zone)
                if start < end:  # a clock change can skip all of a period
                    yield Interval(start, end)


def _moment(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    """Return the first moment of ``day`` at which the local clock shows ``clock_time`` or later, in UTC."""
    local = datetime.combine(day, clock_time)
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # The clock change skips this time. The change is between the two readings that Python offers for it (PEP 495).
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment - early > _MINUTE:
        middle = early + (moment - early) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            early = middle
        else:
            moment = middle
    return moment.replace(second=0, microsecond=0)
