"""Differences between the log and the engine: none on a healthy order at any moment, and each kind where it exists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.order import events as e
from tests.runs.conftest import BUDGETS, ReadWorld
from workflows.runs.differences import LINGERS_AFTER, RunDifferenceKind, differences
from workflows.simulation.faults import RATES


@pytest.mark.parametrize("rates", [{}, RATES], ids=["calm", "with faults"])
@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_order_has_no_differences_at_any_moment(seed, rates):
    """Whatever is under way: between a call and its record, during a retry, while a run is about to begin."""
    read, found, looks = ReadWorld(seed, rates, orders=3), [], []

    def look() -> None:
        for order_id in read.order_ids():
            runs = read.runs(order_id)
            looks.append(runs)
            found.extend((order_id, read.world.scheduler.now(), each) for each in differences(runs, BUDGETS))

    read.at_intervals(60, look)
    read.run()
    assert found == []
    assert any(run.executions for runs in looks for run in runs.runs)


def kinds(read) -> list[RunDifferenceKind]:
    return [each.kind for each in differences(read, BUDGETS)]


def without(history, *types):
    """The history as if the events of these types had never been recorded."""
    kept = tuple(each for each in history.recorded if not isinstance(each.event, types))
    return replace(history, recorded=kept)


def with_parent(read, **changes):
    [run] = read.runs
    parent = replace(run.parent, **changes)
    return replace(read, runs=(replace(run, executions=(parent, *run.executions[1:])),))


def as_if_running(read):
    """The order as if its end had not been recorded."""
    from workflows.orders.command_handling import fold

    after = without(read.after, e.OrderCompleted)
    return replace(read, after=after, order=fold(read.order.order_id, after.events))


def test_log_and_engine_agree_on_a_completed_order(completed):
    """The tests below change one thing each."""
    assert kinds(completed) == []


def test_a_settled_execution_whose_order_is_open_is_named_twice(completed):
    """The end that the engine reported is not in the log, and no run moves the order any more."""
    assert kinds(as_if_running(completed)) == [
        RunDifferenceKind.EXECUTION_ENDED,
        RunDifferenceKind.OUTCOME_NOT_RECORDED,
    ]


def test_an_execution_that_failed_is_named_while_its_order_is_open(completed):
    """Until its failure is recorded as an incident."""
    read = as_if_running(completed)
    failed = with_parent(read, visits=(), described=replace(read.runs[0].parent.described, status="FAILED"))
    assert RunDifferenceKind.EXECUTION_ENDED in kinds(failed)


def test_a_run_that_the_engine_never_started_is_named_after_its_time_budget(completed):
    """Before that it may be about to start."""
    read = as_if_running(completed)
    [run] = read.runs
    began = run.began.recorded_at
    missing = replace(read, runs=(replace(run, executions=()),), read_at=began + timedelta(minutes=29))
    assert kinds(missing) == []
    assert kinds(replace(missing, read_at=began + timedelta(minutes=31))) == [RunDifferenceKind.RUN_NOT_STARTED]


def test_an_execution_that_step_functions_has_forgotten_is_no_difference(completed):
    """Ninety days after its end nothing can be compared any more."""
    read = as_if_running(completed)
    [run] = read.runs
    missing = replace(run, executions=())
    assert kinds(replace(read, runs=(missing,), read_at=run.began.recorded_at + timedelta(days=91))) == []


def test_an_execution_that_goes_on_after_its_run_is_named(completed):
    """A wait that nothing ends any more; a wait for a circuit may take six hours."""
    described = replace(completed.runs[0].parent.described, status="RUNNING", stopped_at=None)
    over = completed.after.recorded[-1].recorded_at
    for after, expected in (
        (timedelta(hours=1), []),
        (LINGERS_AFTER + timedelta(1), [RunDifferenceKind.EXECUTION_LINGERS]),
    ):
        assert kinds(replace(with_parent(completed, described=described), read_at=over + after)) == expected


def test_an_event_of_a_step_that_no_state_asked_for_is_named_with_its_version(completed):
    """Something else recorded it in the name of the run."""
    visits = tuple(visit for visit in completed.runs[0].parent.visits if visit.action != "authorize")
    found = differences(with_parent(completed, visits=visits), BUDGETS)
    assert [(each.kind, each.version) for each in found] == [(RunDifferenceKind.STATE_NOT_ENTERED, 3)]


def test_an_event_of_the_last_minute_may_be_ahead_of_the_engine(completed):
    """Step Functions shows what it did some seconds late."""
    visits = tuple(visit for visit in completed.runs[0].parent.visits if visit.action != "authorize")
    read = replace(with_parent(completed, visits=visits), read_at=completed.after.recorded[2].recorded_at)
    assert kinds(read) == []


def test_an_event_recorded_after_the_engine_was_read_is_no_difference(completed):
    """A step went on while the engine was read: only the second read of the log has its event."""
    visits = tuple(visit for visit in completed.runs[0].parent.visits if visit.action != "settle")
    read = replace(with_parent(completed, visits=visits), read_at=completed.read_at + timedelta(hours=1))
    assert kinds(read) == [RunDifferenceKind.STATE_NOT_ENTERED]
    assert kinds(replace(read, before=without(read.before, e.PaymentCaptured, e.OrderCompleted))) == []


def test_states_after_the_first_thousand_events_are_not_missed(completed):
    """A history that was read in part proves nothing about what is not in it."""
    assert kinds(with_parent(completed, visits=(), whole=False)) == []


@pytest.mark.parametrize("missing", [e.PaymentAuthorizationRequested, e.CourierRequested])
def test_a_state_that_asks_for_an_intent_which_the_log_lacks_is_named(completed, missing):
    """Intent before effect: the state must not have been entered."""
    assert kinds(replace(completed, after=without(completed.after, missing))) == [RunDifferenceKind.INTENT_NOT_RECORDED]


@pytest.mark.parametrize(
    "missing", [(e.PreparationReady, e.OrderPickedUp, e.OrderDelivered), (e.OrderDelivered,), (e.OrderCompleted,)]
)
def test_an_answer_that_the_engine_got_and_the_log_lacks_is_named(completed, missing):
    """A wait is settled by an event in the log alone."""
    assert set(kinds(replace(completed, after=without(completed.after, *missing)))) == {
        RunDifferenceKind.OUTCOME_NOT_RECORDED
    }
