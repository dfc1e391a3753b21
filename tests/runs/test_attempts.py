"""Attempts and the last error of the call that an order waits for, which only its execution has."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from domain.money import Money
from domain.order.order import RunState
from tests.runs.conftest import BUDGETS, MACHINES, SUE, ReadWorld
from workflows.executions import ExecutionsUnavailable
from workflows.incidents.why import Why, why
from workflows.simulation.wire import outage


def explained(read: ReadWorld, order_id) -> Why:
    return why(read.ports, order_id, SUE, BUDGETS, lambda currency: Money(1000, currency), machines=MACHINES)


def with_kitchens_down(seed: int = 5) -> ReadWorld:
    """A world whose kitchens do not answer for a quarter of an hour."""
    read = ReadWorld(seed, {}, orders=1)
    read.world.wire.outages["kitchen"] = outage(read.world.scheduler.now(), timedelta(minutes=15).total_seconds())
    return read


def test_a_call_that_is_repeated_is_explained_with_its_attempts_and_its_last_error():
    """Not in the log, which has outcomes alone: a provider that does not answer has none."""
    read, seen = with_kitchens_down(), []

    def look() -> None:
        for order_id in read.order_ids():
            answer = explained(read, order_id)
            seen.extend((answer, wait) for wait in answer.waits if wait.tried is not None and wait.tried.failed)

    read.at_intervals(1, look)
    read.world.scheduler.run(lambda: bool(seen), steps_max=200_000)
    answer, wait = seen[0]
    assert (wait.what, wait.tried.state, wait.tried.error) == ("acceptance", "RequestPreparation", "KitchenUnavailable")
    assert wait.tried.attempts >= wait.tried.failed >= 1
    assert "of RequestPreparation failed, the last with KitchenUnavailable" in answer.sentence


def test_a_ticket_that_was_sent_is_explained_with_the_time():
    """The log has the request and the answer; that the call between them was made is in the execution alone."""
    read, seen = ReadWorld(3, {}, orders=1), []

    def look() -> None:
        for order_id in read.order_ids():
            waits = explained(read, order_id).waits
            seen.extend(wait.words for wait in waits if wait.what == "acceptance" and ", sent " in wait.words)

    read.at_intervals(0.1, look)
    read.world.scheduler.run(lambda: bool(seen), steps_max=200_000)
    assert re.fullmatch(r"the restaurant to accept ticket 4, sent [-0-9]{10} [:0-9]{8} UTC", seen[0])


def test_an_order_whose_executions_cannot_be_read_is_explained_from_its_log():
    """Throttled by Step Functions, or ninety days after the end of its execution."""

    class Throttled:
        def describe(self, **_):
            raise ExecutionsUnavailable("ThrottlingException")

    read = ReadWorld(3, {}, orders=1)
    read.world.scheduler.run(lambda: bool(read.order_ids()), steps_max=100_000)
    read.ports = replace(read.ports, execution_reads=Throttled())
    answer = explained(read, read.order_ids()[0])
    assert answer.order.run_state is RunState.RUNNING
    assert answer.sentence.startswith("Waits for")
    assert {wait.tried for wait in answer.waits} == {None}
