"""RedriveExecution: an execution goes on at the state in which it stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.asl.snapshots import snapshot
from workflows.asl.interpreter import interpreter, redriving
from workflows.asl.signals import ExecutionStatus, Redriven

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def failed(begin: Begin, task: Build) -> Any:
    """Fail at the second of two tasks, after a retry."""
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    first = task(Assign={"first": "{% $states.result.Payload %}"}, Next="B")
    driver = begin({"A": first, "B": task(Retry=retry, Output="{% [$first, $states.result.Payload] %}")})
    driver.answer("kept")
    driver.fail_call("Down")
    driver.wait(1)
    driver.fail_call("Down")
    assert driver.execution.status is ExecutionStatus.FAILED
    return driver


def redrive(driver: Any) -> Any:
    driver.effects.clear()  # a redriven execution ends a second time
    return driver.send(Redriven)


def test_the_state_that_failed_runs_again_and_those_before_it_do_not(begin: Begin, task: Build) -> None:
    """With the same input and variables, in the same history; AWS enters no state again."""
    driver = failed(begin, task)
    entered = driver.types().count("TaskStateEntered")
    assert redrive(driver).settled
    assert driver.types()[-3:] == ["ExecutionRedriven", "TaskScheduled", "TaskStarted"]
    assert driver.details("ExecutionRedriven") == [{"redriveCount": 1}]
    assert driver.types().count("TaskStateEntered") == entered
    driver.answer("again")
    assert driver.output == ["kept", "again"]


def test_retries_are_counted_from_zero(begin: Begin, task: Build) -> None:
    """And it may be redriven again; the context has the number."""
    driver = failed(begin, task)
    for number in (1, 2):
        redrive(driver)
        driver.fail_call("Down")
        assert driver.execution.status is ExecutionStatus.RUNNING
        driver.wait(1)
        driver.fail_call("Down")
        assert driver.end.status is ExecutionStatus.FAILED
        assert driver.execution.context["Execution"]["RedriveCount"] == number


@pytest.mark.parametrize("stop", ["abort", "time out"])
def test_a_stopped_execution_goes_on_with_a_new_time_limit(begin: Begin, task: Build, stop: str) -> None:
    """An aborted one and one that ran out of time alike. A late answer of the first attempt changes nothing."""
    driver = begin({"A": task()}, TimeoutSeconds=10)
    if stop == "abort":
        driver.abort("E", "why")
    else:
        driver.wait(10)
    assert redrive(driver).settled
    assert (driver.execution.error, driver.execution.stopped_at) == (None, None)
    assert driver.armed() == {"execution": 10}
    assert not driver.answer("late", task=1).settled
    driver.answer("done")
    assert driver.output == "done"


def test_a_running_or_successful_execution_is_not_redriven(begin: Begin, task: Build) -> None:
    """The reason is AWS's."""
    driver = begin({"A": task()})
    assert redriving.problem_of(driver.execution) == "Execution is RUNNING and cannot be redriven"
    assert not driver.send(Redriven).settled
    driver.answer(1)
    assert redriving.problem_of(driver.execution) == "Execution is SUCCEEDED and cannot be redriven"
    assert not driver.send(Redriven).settled


def test_branches_are_not_redriven(begin: Begin, task: Build) -> None:
    """Refused by name: what the other branches had reached is gone."""
    driver = begin({"P": {"Type": "Parallel", "Branches": [{"StartAt": "T", "States": {"T": task()}}], "End": True}})
    driver.fail_call("Down")
    assert "inside a Parallel or Map" in str(redriving.problem_of(driver.execution))
    assert not driver.send(Redriven).settled


def test_a_redriven_execution_is_the_fold_of_its_signals(begin: Begin, task: Build) -> None:
    """As every execution."""
    driver = failed(begin, task)
    redrive(driver)
    driver.answer("again")
    folded = None
    for signal in driver.journal:
        folded = interpreter.apply(driver.definition, folded, signal).execution
    assert folded is not None
    assert snapshot(folded) == snapshot(driver.execution)
