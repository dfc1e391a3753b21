"""The simulated processes that run functions: each has a clock of its own, which may be wrong or jump."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime, timedelta
from random import Random

from workflows.embedded.steady_clock import SteadyClock
from workflows.simulation.scheduler import Scheduler

PROCESSES = 3
SKEW_S = 120.0
JUMP_S = (600.0, 18_000.0)
"""By how much a wall clock jumps, forward or back: up to five hours."""

JUMP_LASTS_S = (6.0, 1200.0)

PROCESS: ContextVar[int] = ContextVar("process", default=0)
"""The number of the running process."""

SKEW: ContextVar[float] = ContextVar("skew", default=0.0)
"""By how many seconds its clock is wrong."""


class ProcessClock:
    """The clock of the current process: the engine's steady clock on a wall clock that may jump, plus the skew.

    ``moved_s`` is by how much jumps moved a process's clock at most.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.moved_s = 0.0
        self._jumped_s = [0.0] * PROCESSES
        self._clocks = [self._steady_clock(process) for process in range(PROCESSES)]

    def now(self) -> datetime:
        time = self._clocks[PROCESS.get()].now()
        self.moved_s = max(self.moved_s, abs((time - self._scheduler.now()).total_seconds()))
        return time + timedelta(seconds=SKEW.get())

    def jump(self, process: int, seconds: float, lasting_s: float) -> None:
        """Set the wall clock of a process wrong for a time."""
        self._jumped_s[process] = seconds
        self._scheduler.after(lasting_s, lambda: self._jumped_s.__setitem__(process, 0.0))

    def _steady_clock(self, process: int) -> SteadyClock:
        def world_s() -> float:
            return self._scheduler.now().timestamp()

        return SteadyClock(wall_s=lambda: world_s() + self._jumped_s[process], steady_s=world_s)


def drawn_jump(random: Random) -> tuple[float, float]:
    """Draw by how many seconds a wall clock jumps, and for how many."""
    return random.choice((-1, 1)) * random.uniform(*JUMP_S), random.uniform(*JUMP_LASTS_S)
