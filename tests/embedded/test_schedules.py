"""Functions by the clock: what EventBridge Scheduler does on AWS."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.embedded.conftest import ManualClock, make_function
from workflows.embedded.lambda_.functions import FunctionFailed
from workflows.embedded.lambda_.schedules import Schedules
from workflows.embedded.template import Schedule
from workflows.hub.deferred import Deferred


@dataclass
class HandAlarms:
    """Alarms that a test fires."""

    clock: ManualClock
    pending: list[tuple[Any, Any]] = field(default_factory=list)

    def set(self, at, callback):
        self.pending.append((at, callback))

    def advance(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)
        due = [entry for entry in self.pending if entry[0] <= self.clock.time]
        self.pending = [entry for entry in self.pending if entry[0] > self.clock.time]
        for _, callback in due:
            callback()


class HandFunctions:
    """Calls that end when the test ends them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, Deferred[Any]]] = []

    def invoke(self, function, payload):
        self.calls.append((function, payload, Deferred()))
        return self.calls[-1][2]


def schedules() -> tuple[HandAlarms, HandFunctions]:
    clock = ManualClock()
    alarms, functions = HandAlarms(clock), HandFunctions()
    timer = replace(make_function("Timer", "echo"), schedules=(Schedule(every_s=60, event={"for_s": 50}),))
    hands: Any = functions
    bells: Any = alarms
    Schedules({"Timer": timer, "Other": make_function("Other", "echo")}, hands, clock=clock, alarms=bells).begin()
    return alarms, functions


def test_a_function_is_called_every_period_with_its_event():
    alarms, functions = schedules()
    alarms.advance(59)
    assert functions.calls == []
    for number in (1, 2, 3):
        alarms.advance(60)
        assert [(name, event) for name, event, _ in functions.calls] == [("Timer", {"for_s": 50})] * number
        functions.calls[-1][2].set_result({})


def test_a_scheduled_call_is_skipped_while_the_previous_one_runs():
    """The next call on time does the work of both."""
    alarms, functions = schedules()
    alarms.advance(60)
    alarms.advance(60)
    assert len(functions.calls) == 1
    functions.calls[0][2].set_result({})
    alarms.advance(60)
    assert len(functions.calls) == 2


def test_a_call_that_fails_is_made_again_at_the_next_time():
    alarms, functions = schedules()
    alarms.advance(60)
    functions.calls[0][2].set_exception(FunctionFailed("StreamUnavailable", "{}"))
    alarms.advance(60)
    assert len(functions.calls) == 2


def test_after_the_machine_was_suspended_there_is_one_call():
    """Not one for each that was missed."""
    alarms, functions = schedules()
    alarms.advance(3600)
    functions.calls[0][2].set_result({})
    alarms.advance(1)
    assert len(functions.calls) == 1
    alarms.advance(59)
    assert len(functions.calls) == 2
