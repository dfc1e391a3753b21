"""A seeded scheduler of plain blocking code, under a virtual clock.

Every task is a greenlet, so that real handlers run unchanged. While a task pauses, others run. The seed decides
everything: the same seed gives the same schedule.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from greenlet import getcurrent, greenlet

EPOCH = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
"""The start of every simulation: a Monday, before lunch."""


class _ScheduledAction(NamedTuple):
    """An entry of the heap. ``number`` is unique, so that two entries are compared by their first three fields."""

    at: datetime
    order: float
    number: int
    action: Callable[[], object]
    watches: bool = False


class Scheduler:
    """Calls actions in order of time; the seed orders actions of the same instant. Also a ``Clock``."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.time = EPOCH
        self.steps = 0
        self._events: list[_ScheduledAction] = []
        self._numbered = 0
        self._loop: greenlet | None = None

    def now(self) -> datetime:
        return self.time

    def at(self, at: datetime, action: Callable[[], object]) -> None:
        """Schedule an action for a time, or for now if the time is past."""
        self._numbered += 1
        heapq.heappush(self._events, _ScheduledAction(max(at, self.time), self.random.random(), self._numbered, action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Schedule an action after a delay."""
        self.at(self.time + timedelta(seconds=seconds), action)

    def watch(self, code: Callable[[], object]) -> None:
        """Start a task that only watches the world: it draws nothing and counts no step, so no schedule changes."""
        self._watch_after(0.0, greenlet(code, parent=self._loop).switch)

    def watch_pause(self, seconds: float) -> None:
        """Pause a task that was started by ``watch``."""
        assert self._loop is not None  # a task runs in the loop
        self._watch_after(seconds, getcurrent().switch)
        self._loop.switch()

    def _watch_after(self, seconds: float, action: Callable[[], object]) -> None:
        self._numbered += 1
        at = self.time + timedelta(seconds=seconds)
        heapq.heappush(self._events, _ScheduledAction(at, 1.0, self._numbered, action, watches=True))

    def spawn(self, code: Callable[[], object], delay_s: float = 0.0) -> None:
        """Start a task after a delay. When it ends, the loop goes on, and not the task that started it."""
        self.after(delay_s, greenlet(code, parent=self._loop).switch)

    def pause(self, seconds: float) -> None:
        """Pause the calling task."""
        assert self._loop is not None  # a task runs in the loop
        self.after(seconds, getcurrent().switch)
        self._loop.switch()

    def run(self, until: Callable[[], bool], *, steps_max: int) -> bool:
        """Run until the condition holds.

        Returns:
            False if no action is left, or ``steps_max`` is reached, before the condition holds.
        """
        self._loop = getcurrent()
        while not until():
            if not self._events or self.steps >= steps_max:
                return False
            event = heapq.heappop(self._events)
            self.time = event.at
            self.steps += not event.watches
            event.action()
        return True

    def close(self) -> None:
        """End the tasks that wait, and forget what was scheduled.

        A task that waits keeps all that its frames refer to, and the garbage collector does not look into those.
        """
        self._loop = getcurrent()
        while self._events:
            scheduled, self._events = self._events, []
            for event in scheduled:
                task = getattr(event.action, "__self__", None)
                if isinstance(task, greenlet):
                    task.parent = self._loop
                    task.throw()
