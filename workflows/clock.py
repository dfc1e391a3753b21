"""The time, as a port: whoever needs it is given one, so that a simulation or a test can say what time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """``now`` is aware and in UTC. It may go backwards, as real ones do."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, so that text order is time order. Raises ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
