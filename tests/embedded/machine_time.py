"""The two clocks of a machine, set by a test, and the engine's clock on them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from workflows.embedded.steady_clock import SteadyClock

NOON_S = datetime(2026, 3, 14, 12, tzinfo=UTC).timestamp()


class MachineTime:
    """The time of a machine: a test lets it pass, and sets the wall clock wrong."""

    def __init__(self) -> None:
        self.since_boot = 100.0
        self.wall_is_ahead = 0.0
        self.boot = "first boot"

    def wall_s(self) -> float:
        return NOON_S + self.since_boot + self.wall_is_ahead

    def steady_s(self) -> float:
        return self.since_boot

    def clock(self) -> SteadyClock:
        return SteadyClock(wall_s=self.wall_s, steady_s=self.steady_s)

    def clock_of(self, folder: Path) -> SteadyClock:
        return SteadyClock.of(folder, wall_s=self.wall_s, steady_s=self.steady_s, boot=self.boot)
