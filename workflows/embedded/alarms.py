"""Calls functions at points in time: the timers of executions, the deadlines of functions, the retries of the feed.

Stands for the timers inside AWS Step Functions, AWS Lambda and Amazon EventBridge Scheduler. Times are absolute times
of the engine's clock. The hub reads the clock at least once a second, because a machine may have been suspended; a test
that moves its clock calls ``look``.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from datetime import datetime
from itertools import count

from workflows.clock import Clock
from workflows.hub.hub import Hub

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0


class Alarm:
    """A call that is due at a point in time. See ``Alarms.set`` and ``Alarms.cancel``."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False


class Alarms:
    """Calls what is due, on the hub. Callbacks must be short and must not wait: they pass work on."""

    def __init__(self, clock: Clock, hub: Hub) -> None:
        self._clock = clock
        self._hub = hub
        self._heap: list[tuple[datetime, int, Alarm]] = []
        self._order = count()  # alarms of the same time are due in the order in which they were set
        self._cancelled = 0
        self._closed = False
        self._looks = 0  # only the newest scheduled look counts

    def set(self, at: datetime, callback: Callable[[], None]) -> Alarm:
        """Call ``callback`` at ``at``, or at once if that time has passed. From any thread."""
        alarm = Alarm(callback)
        self._hub.call(lambda: self._add(at, alarm))
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Cancel an alarm. Its callback may still run if it is due at this moment."""
        alarm.cancelled = True
        self._cancelled += 1
        if self._cancelled > 1000:
            self._hub.soon(self._forget_cancelled)

    def look(self) -> None:
        """Read the clock now, because it was moved."""
        self._hub.soon(self._look)

    def close(self) -> None:
        """Call nothing more. Idempotent."""
        self._closed = True

    def _add(self, at: datetime, alarm: Alarm) -> None:
        heapq.heappush(self._heap, (at, next(self._order), alarm))
        if self._heap[0][2] is alarm:
            self._look_later()

    def _look_later(self) -> None:
        self._looks += 1
        number = self._looks
        idle_s = (self._heap[0][0] - self._clock.now()).total_seconds()
        self._hub.after(max(0.0, min(_LOOK_AGAIN_S, idle_s)), lambda: self._look(number))

    def _look(self, number: int | None = None) -> None:
        if number not in (None, self._looks):
            return  # a newer look is scheduled
        now = self._clock.now()
        while not self._closed and self._heap and self._heap[0][0] <= now:
            alarm = heapq.heappop(self._heap)[2]
            if not alarm.cancelled:
                self._call_soon(alarm)
        if self._heap and not self._closed:
            self._look_later()

    def _call_soon(self, alarm: Alarm) -> None:
        self._hub.soon(lambda: None if alarm.cancelled else alarm.callback())

    def _forget_cancelled(self) -> None:
        if self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].cancelled]
            heapq.heapify(self._heap)
            self._cancelled = 0
