"""One thread that rings at a time: the timers of executions, the deadlines of functions, the retries of the feed.

Times are absolute. The thread looks at the clock again at least once a second, so a clock that was set, or a machine
that slept, is noticed; a clock that a test moves says so with ``look``.
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
    """What ``Alarms.set`` returns: cancel it, or let it ring."""

    __slots__ = ("cancelled", "ring")

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring = ring
        self.cancelled = False


class Alarms:
    """``ring`` runs in the alarms' own thread, so it must be short and must not raise: it hands the news on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[tuple[datetime, int, Alarm]] = []
        self._order = count()  # two alarms of one time ring in the order in which they were set
        self._cancelled = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
        self._thread.start()

    def set(self, at: datetime, ring: Callable[[], None]) -> Alarm:
        """Ring at ``at``, or at once when that has passed."""
        alarm = Alarm(ring)
        with self._changed:
            heapq.heappush(self._heap, (at, next(self._order), alarm))
            if self._heap[0][2] is alarm:
                self._changed.notify()
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """An alarm that rings at this moment may still be heard."""
        with self._changed:
            alarm.cancelled = True
            self._cancelled += 1
            if self._cancelled > 1000 and self._cancelled * 2 > len(self._heap):  # forget them, now and then
                self._heap = [entry for entry in self._heap if not entry[2].cancelled]
                heapq.heapify(self._heap)
                self._cancelled = 0

    def look(self) -> None:
        """Look at the clock now: it was moved."""
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Ring no more. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            for alarm in due:
                try:
                    alarm.ring()
                except Exception:
                    log.exception("an alarm broke")  # the others must ring

    def _wait(self) -> list[Alarm] | None:
        """The alarms whose time has come, once there is one; None at the end."""
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
