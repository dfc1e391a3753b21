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


def parallel(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    scopes = [{"StartAt": next(iter(states)), "States": states} for states in branches]
    return {"P": {"Type": "Parallel", "Branches": scopes, "End": True, **more}}


def test_only_branches_that_did_not_end_are_redriven(begin: Begin, task: Build) -> None:
    """AWS docs: those that failed or were stopped; the output of the others is kept, and so are their variables."""
    stopped = {"S": task(Assign={"kept": 1}, Next="T"), "T": task(Output="{% [$kept, $states.result.Payload] %}")}
    driver = begin(parallel({"A": task()}, {"B": task()}, stopped))
    driver.answer("done", task=1)
    driver.answer("first", task=3)
    driver.fail_call("Down", task=2)
    assert redrive(driver).settled
    assert [event["type"] for event in driver.last.events] == [
        "ExecutionRedriven",
        *["TaskScheduled", "TaskStarted"] * 2,
    ]
    driver.answer("b")
    driver.answer("s")
    assert driver.output == ["done", "b", [1, "s"]]


def test_the_variables_of_redriven_branches_count_once(begin: Begin, task: Build) -> None:
    """Against the quota of all variables of an execution, also after several redrives."""
    driver = begin(parallel({"S": task(Assign={"kept": "12345"}, Next="T"), "T": task()}, {"B": task()}))
    driver.answer()
    counted = driver.execution.assigned_bytes
    for _ in range(2):
        driver.fail_call("Down")
        assert driver.execution.assigned_bytes == 0
        redrive(driver)
        assert driver.execution.assigned_bytes == counted == len('"12345"')


def test_iterations_that_did_not_end_are_redriven_before_those_that_never_began(begin: Begin, task: Build) -> None:
    """With their items, and as many at once as before."""
    item = "{% [$states.context.Map.Item.Index, $states.result.Payload] %}"
    processor = {"StartAt": "T", "States": {"T": task(Output=item)}}
    driver = begin({"M": {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 2, "End": True}}, [1, 2, 3])
    driver.answer("a")
    driver.fail_call("Down")
    redrive(driver)
    assert len(driver.calls()) == 2
    for payload in ("b", "c"):
        driver.answer(payload)
    assert driver.output == [[0, "a"], [1, "b"], [2, "c"]]


def test_branches_inside_of_branches_are_redriven(begin: Begin, task: Build) -> None:
    """At every depth, and also after a redrive that failed again."""
    inner = parallel({"A": task()}, {"B": task()})
    driver = begin(parallel({"Inner": inner["P"]}, {"C": task()}))
    driver.answer("a", task=2)
    for _ in range(2):
        driver.fail_call("Down")
        redrive(driver)
    for payload in ("c", "b"):
        driver.answer(payload)
    assert driver.output == [["a", "b"], "c"]


@pytest.mark.parametrize("stop", ["abort", "time out"])
def test_a_parallel_that_was_stopped_goes_on_in_its_branches(begin: Begin, task: Build, stop: str) -> None:
    """Those that wait begin their wait again."""
    driver = begin(parallel({"A": task()}, {"W": {"Type": "Wait", "Seconds": 60, "End": True}}), TimeoutSeconds=10)
    driver.answer("a")
    if stop == "abort":
        driver.abort()
    else:
        driver.wait(10)
    redrive(driver)
    assert driver.armed() == {"execution": 10, "wait": 60}


def test_a_parallel_that_failed_after_its_branches_evaluates_its_output_again(begin: Begin, task: Build) -> None:
    """No branch failed, so none runs again."""
    output = "{% $states.context.Execution.RedriveCount = 0 ? $error('not yet') : $states.result %}"
    driver = begin(parallel({"A": task()}, {"B": task()}, Output=output))
    driver.answer("a")
    driver.answer("b")
    assert driver.execution.status is ExecutionStatus.FAILED
    redrive(driver)
    assert driver.output == ["a", "b"]


def test_a_parallel_whose_data_was_too_large_runs_again_as_a_whole(begin: Begin, task: Build) -> None:
    """AWS docs: including the branches that were successful."""
    driver = begin(parallel({"A": task()}, {"B": task()}))
    driver.answer("a" * 200_000)
    driver.answer("b" * 200_000)
    assert driver.execution.error == "States.DataLimitExceeded"
    redrive(driver)
    assert driver.types().count("ParallelStateStarted") == 2
    for payload in ("a", "b"):
        driver.answer(payload)
    assert driver.output == ["a", "b"]


def test_an_iteration_whose_input_failed_is_evaluated_again(begin: Begin, task: Build) -> None:
    """It had no state to go on at."""
    selector = "{% $states.context.Execution.RedriveCount = 0 ? $error('not yet') : $states.context.Map.Item.Value %}"
    processor = {"StartAt": "T", "States": {"T": task()}}
    driver = begin({"M": {"Type": "Map", "ItemProcessor": processor, "ItemSelector": selector, "End": True}}, [1, 2])
    assert driver.execution.status is ExecutionStatus.FAILED
    redrive(driver)
    for payload in ("a", "b"):
        driver.answer(payload)
    assert driver.output == ["a", "b"]


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
