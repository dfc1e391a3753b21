"""The time as a port, so that tests and simulations set it; and the one reader and writer of RFC 3339 times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Protocol

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:(\.\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


class TimeUnreadable(ValueError):
    """The text is not an RFC 3339 time with an offset. The message names the form to use. HTTP: 4xx."""


class Clock(Protocol):
    """``now`` is aware and in UTC. It may go backwards, as a real clock may."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def read_timestamp(text: str) -> datetime:
    """Read an RFC 3339 time with any offset and return it in UTC.

    Args:
        text: For instance ``2026-03-01T19:30:00.123456789+01:00``. Digits beyond microseconds are dropped.

    Raises:
        TimeUnreadable: The text has another form, or names a time that does not exist.
    """
    parts = _RFC3339.fullmatch(text)
    if not parts:
        raise TimeUnreadable("use RFC 3339 with an offset, e.g. 2026-03-01T18:30:00Z or 2026-03-01T19:30:00+01:00")
    try:
        return datetime.fromisoformat("".join(part or "" for part in parts.groups()).upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeUnreadable("there is no such time") from None


def read_day(text: str) -> date:
    """Read a day as RFC 3339 writes it: ``2026-03-01``. Raises TimeUnreadable."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise TimeUnreadable("use a day that exists, e.g. 2026-03-01") from None


_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def is_timestamp(text: str) -> bool:
    """Whether a text has the form that ``timestamp`` writes, in which times compare as texts do."""
    return _TIMESTAMP.fullmatch(text) is not None


def timestamp(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, so that text order is time order.

    Raises:
        ValueError: ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    in_utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{in_utc.isoformat(timespec='microseconds')[:-6]}Z"
