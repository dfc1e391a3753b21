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
