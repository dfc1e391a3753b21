"""Calls functions at points in time: the timers of executions, the deadlines of functions, the retries of the feed.

Stands for the timers inside AWS Step Functions, AWS Lambda and Amazon EventBridge Scheduler. Times are absolute times
of the engine's clock. The thread reads the clock at least once a second, because a machine may have been suspended; a
test that moves its clock calls ``look``.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from itertools import count

from workflows.clock import Clock

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0


class Alarm:
    """A call that is due at a point in time. See ``Alarms.set`` and ``Alarms.cancel``."""

    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False


class Alarms:
    """One thread that calls what is due. Callbacks must be short and must not raise: they pass work on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[tuple[datetime, int, Alarm]] = []
        self._order = count()  # alarms of the same time are due in the order in which they were set
        self._cancelled = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
        self._thread.start()

    def set(self, at: datetime, callback: Callable[[], None]) -> Alarm:
        """Call ``callback`` at ``at``, or at once if that time has passed."""
        alarm = Alarm(callback)
        with self._changed:
            heapq.heappush(self._heap, (at, next(self._order), alarm))
            if self._heap[0][2] is alarm:
                self._changed.notify()
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Cancel an alarm. Its callback may still run if it is due at this moment."""
        with self._changed:
            alarm.cancelled = True
            self._cancelled += 1
            if self._cancelled > 1000 and self._cancelled * 2 > len(self._heap):  # drop them from the heap
                self._heap = [entry for entry in self._heap if not entry[2].cancelled]
                heapq.heapify(self._heap)
                self._cancelled = 0

    def look(self) -> None:
        """Read the clock now, because it was moved."""
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Call nothing more. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            for alarm in due:
                try:
                    alarm.callback()
                except Exception:
                    log.exception("an alarm's callback failed")  # the others must run

    def _wait(self) -> list[Alarm] | None:
        """Wait until alarms are due, and return them; None after ``close``."""
        with self._changed:
            while not self._closed:
                if due := self._due():
                    return due
                self._changed.wait(self._idle_s())
        return None

    def _due(self) -> list[Alarm]:
        now, due = self._clock.now(), []
        while self._heap and self._heap[0][0] <= now:
            alarm = heapq.heappop(self._heap)[2]
            if not alarm.cancelled:
                due.append(alarm)
        return due

    def _idle_s(self) -> float | None:
        if not self._heap:
            return None
        return min(_LOOK_AGAIN_S, (self._heap[0][0] - self._clock.now()).total_seconds())
