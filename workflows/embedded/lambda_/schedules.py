"""Invokes the functions that the template schedules: stands for Amazon EventBridge Scheduler.

The first call is one period after the start. A call that is due while the previous one runs is skipped: the next call
does its work.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from workflows.asl.signals import JSON
from workflows.clock import Clock
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.template import Function, Schedule
from workflows.hub.deferred import Deferred

log = logging.getLogger(__name__)


class Schedules:
    """Invokes scheduled functions from ``begin`` until the alarms are closed."""

    def __init__(self, template: Mapping[str, Function], functions: Functions, *, clock: Clock, alarms: Alarms) -> None:
        self._functions = functions
        self._clock = clock
        self._alarms = alarms
        self._scheduled = [(name, schedule) for name, function in template.items() for schedule in function.schedules]

    def begin(self) -> None:
        """Set an alarm for the first call of each schedule."""
        for name, schedule in self._scheduled:
            self._set(name, schedule, self._clock.now(), None)

    def _set(self, name: str, schedule: Schedule, after: datetime, running: Deferred[JSON] | None) -> None:
        at = after + timedelta(seconds=schedule.every_s)
        self._alarms.set(at, lambda: self._invoke(name, schedule, max(at, self._clock.now()), running))

    def _invoke(self, name: str, schedule: Schedule, at: datetime, running: Deferred[JSON] | None) -> None:
        """Runs in the alarms' thread.

        After the machine was suspended there is one call, not one for each that was missed.
        """
        if running is None or running.done():
            running = self._functions.invoke(name, dict(schedule.event))
            running.add_done_callback(lambda done: _log_failure(name, done))
        self._set(name, schedule, at, running)


def _log_failure(name: str, done: Deferred[JSON]) -> None:
    if not done.cancelled() and (failure := done.exception()) is not None:
        log.error("a scheduled function failed and will be called again: %s", failure, extra={"function": name})
