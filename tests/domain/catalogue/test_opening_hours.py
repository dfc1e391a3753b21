"""Opening hours: by the local clock, across midnight and across clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.opening_hours import OpeningPeriod, is_open, next_opening

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY, MONDAY, SATURDAY = 6, 0, 5
DAY = timedelta(days=1)


def berlin(month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def period(weekday: int, opens: str, closes: str) -> tuple[OpeningPeriod, ...]:
    return (OpeningPeriod(weekday=weekday, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes)),)


def test_the_opening_minute_is_open_and_the_closing_minute_is_not():
    """Saturday, 9 May 2026."""
    lunch = period(SATURDAY, "12:00", "14:30")
    assert not is_open(lunch, BERLIN, berlin(5, 9, 11, 59))
    assert is_open(lunch, BERLIN, berlin(5, 9, 12))
    assert is_open(lunch, BERLIN, berlin(5, 9, 14, 29))
    assert not is_open(lunch, BERLIN, berlin(5, 9, 14, 30))
    assert next_opening(lunch, BERLIN, berlin(5, 9, 15)) == berlin(5, 16, 12)


def test_a_period_lasts_across_midnight():
    """It belongs to the day on which it begins, also from Sunday to Monday."""
    night = period(SUNDAY, "18:00", "02:00")
    assert is_open(night, BERLIN, berlin(5, 10, 23, 59))
    assert is_open(night, BERLIN, berlin(5, 11, 1, 59))
    assert not is_open(night, BERLIN, berlin(5, 11, 2))
    assert not is_open(night, BERLIN, berlin(5, 10, 1))


def test_equal_times_mean_a_whole_day():
    """Open on Monday from midnight to midnight."""
    monday = period(MONDAY, "00:00", "00:00")
    assert is_open(monday, BERLIN, berlin(5, 11, 0))
    assert is_open(monday, BERLIN, berlin(5, 11, 23, 59))
    assert not is_open(monday, BERLIN, berlin(5, 12, 0))


def test_periods_that_touch_leave_no_minute_closed():
    """The end of one is the beginning of the next."""
    touching = period(SATURDAY, "12:00", "18:00") + period(SATURDAY, "18:00", "23:00")
    assert all(is_open(touching, BERLIN, berlin(5, 9, *at)) for at in ((17, 59), (18,), (22, 59)))
    assert not is_open(touching, BERLIN, berlin(5, 9, 23))


def test_in_spring_a_time_that_is_skipped_is_the_moment_of_the_change():
    """On 29 March 2026 the clock goes from 01:59 to 03:00."""
    skipped = period(SUNDAY, "02:30", "04:00")
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert not is_open(skipped, BERLIN, change - timedelta(minutes=1))
    assert next_opening(skipped, BERLIN, change - DAY) == change
    assert is_open(skipped, BERLIN, berlin(3, 29, 3, 59))
    assert not is_open(skipped, BERLIN, berlin(3, 29, 4))
    assert not is_open(period(SUNDAY, "02:10", "02:50"), BERLIN, change)


def test_in_autumn_a_time_that_occurs_twice_is_its_first_occurrence():
    """On 25 October 2026 the clock goes from 02:59 back to 02:00."""
    night = period(SATURDAY, "20:00", "02:30")
    assert is_open(night, BERLIN, berlin(10, 25, 2, 29))
    assert not is_open(night, BERLIN, berlin(10, 25, 2, 30))
    assert not is_open(night, BERLIN, berlin(10, 25, 2, 15, fold=1))
    breakfast = period(SUNDAY, "02:15", "03:00")
    assert next_opening(breakfast, BERLIN, berlin(10, 25, 1)) == berlin(10, 25, 2, 15)
    assert is_open(breakfast, BERLIN, berlin(10, 25, 2, 5, fold=1))


def test_without_periods_it_never_opens():
    """There is no time to name."""
    assert next_opening((), BERLIN, berlin(5, 9, 12)) is None
    assert not is_open((), BERLIN, berlin(5, 9, 12))


# Zones with changes of an hour, of half an hour, at midnight, and without any.
ZONES = [ZoneInfo(name) for name in ("Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo")]
periods = st.lists(
    st.builds(
        OpeningPeriod,
        weekday=st.integers(0, 6),
        opens=st.times().map(lambda t: time(t.hour, t.minute)),
        closes=st.times().map(lambda t: time(t.hour, t.minute)),
    ),
    max_size=4,
).map(tuple)
moments = st.integers(0, 365 * 24 * 60 * 60).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(periods, st.sampled_from(ZONES), moments)
def test_the_next_opening_is_the_first_moment_at_which_it_is_open(hours, zone, at):
    """It is open then, and not at any quarter of an hour before."""
    opening = next_opening(hours, zone, at)
    if opening is None:
        assert not any(is_open(hours, zone, at + DAY * n / 24) for n in range(24 * 8))
        return
    assert is_open(hours, zone, opening)
    assert (opening == at) == is_open(hours, zone, at)
    steps = int((opening - at) / timedelta(minutes=15))
    assert not any(is_open(hours, zone, at + timedelta(minutes=15 * n)) for n in range(steps) if opening > at)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_day_of_opening_hours_is_open_once_a_minute_of_the_local_clock(zone):
    """On days without a clock change: a moment is open exactly if the local clock is within the period."""
    hours = period(SATURDAY, "09:30", "17:45")
    begin = datetime(2026, 6, 20, tzinfo=zone).astimezone(UTC)  # a Saturday
    for minute in range(0, 24 * 60, 5):
        at = begin + timedelta(minutes=minute)
        local = at.astimezone(zone).time()
        assert is_open(hours, zone, at) == (time(9, 30) <= local < time(17, 45))
