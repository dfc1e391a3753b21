"""A seeded scheduler of plain blocking code, under a virtual clock.

Every task is a greenlet, so that real handlers run as they are. Wherever a task pauses, others run, and it goes on
later. The seed decides everything: the same seed gives the same schedule.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from greenlet import getcurrent, greenlet

EPOCH = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
"""When every simulation begins: a Monday, before lunch."""


@dataclass(order=True, slots=True)
class _Event:
    at: datetime
    order: float
    number: int
    action: Callable[[], object] = field(compare=False)


class Scheduler:
    """Calls actions in the order of their time; among those of one instant the seed chooses. A ``Clock``, too."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.time = EPOCH
        self.steps = 0
        self._events: list[_Event] = []
        self._numbered = 0
        self._loop: greenlet | None = None

    def now(self) -> datetime:
        return self.time

    def at(self, at: datetime, action: Callable[[], object]) -> None:
        """Call ``action`` in the loop at that time, or now if that is past."""
        self._numbered += 1
        heapq.heappush(self._events, _Event(max(at, self.time), self.random.random(), self._numbered, action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        self.at(self.time + timedelta(seconds=seconds), action)

    def spawn(self, code: Callable[[], object], delay_s: float = 0.0) -> None:
        """Begin a task after a delay."""
        self.after(delay_s, greenlet(code).switch)

    def pause(self, seconds: float) -> None:
        """Stop the task that calls this for so long."""
        assert self._loop is not None  # a task runs in the loop
        self.after(seconds, getcurrent().switch)
        self._loop.switch()

    def run(self, until: Callable[[], bool], *, steps_max: int) -> bool:
        """Run until the condition holds, or nothing is left, or the steps are used up. Says whether it holds."""
        self._loop = getcurrent()
        while not until():
            if not self._events or self.steps >= steps_max:
                return False
            event = heapq.heappop(self._events)
            self.time = event.at
            self.steps += 1
            event.action()
        return True
