"""Parallel: all branches succeed, or the first failure stops the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.asl.signals import InvokeFunction, StopExecution

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
CHILD = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "child"},
    "End": True,
}


def branch(name: str, state: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state, **more}}


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    state = {"Type": "Parallel", "Branches": list(branches)} | fields
    return state if "Next" in state else {**state, "End": True}


def test_a_parallel_returns_the_outputs_in_the_order_of_its_branches(begin: Begin, task: Build) -> None:
    """Whichever branch ends first."""
    driver = begin(
        {"P": parallel(branch("A", task()), branch("B", task()), branch("C", {"Type": "Succeed", "Output": 3}))}
    )
    driver.answer("second", task=2)
    driver.answer("first", task=1)
    assert driver.output == ["first", "second", 3]


def test_every_branch_gets_the_same_input(begin: Begin) -> None:
    """The state's Arguments, or else its input. Output can read $states.result."""
    echo = {"Type": "Succeed", "Output": "{% $states.input %}"}
    count = {"Arguments": {"n": "{% $count($states.input) %}"}, "Output": "{% $states.result[0].n %}"}
    first = parallel(branch("A", echo), branch("B", echo), Next="Q")
    driver = begin({"P": first, "Q": parallel(branch("C", echo), **count)}, {"a": 1})
    assert driver.details("ParallelStateExited")[0]["output"] == '[{"a":1},{"a":1}]'
    assert driver.output == 2


def test_a_branch_reads_outer_variables_and_keeps_its_own(begin: Begin) -> None:
    """AWS docs, Variables: an inner scope reads outer variables; its own end with it."""
    driver = begin(
        {
            "Set": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "P"},
            "P": parallel(
                branch(
                    "A",
                    {"Type": "Pass", "Assign": {"inner": "{% $outer + 1 %}"}, "Next": "A2"},
                    A2={"Type": "Succeed", "Output": "{% $inner %}"},
                ),
                branch(
                    "B",
                    {"Type": "Pass", "Assign": {"inner": 10}, "Next": "B2"},
                    B2={"Type": "Succeed", "Output": "{% $inner %}"},
                ),
                Assign={"total": "{% $sum($states.result) %}"},
                Next="End",
            ),
            "End": {"Type": "Succeed", "Output": {"total": "{% $total %}", "leaked": "{% $exists($inner) %}"}},
        }
    )
    assert driver.output == {"total": 12, "leaked": False}


def test_the_first_failure_stops_the_others(begin: Begin, task: Build, callback: Build) -> None:
    """Timers are cancelled, tokens closed, .sync children stopped; late answers are ignored."""
    driver = begin(
        {
            "P": parallel(
                branch("A", task(TimeoutSeconds=99)),
                branch("B", CHILD),
                branch("C", callback()),
                branch("D", {"Type": "Wait", "Seconds": 60, "End": True}),
            )
        }
    )
    token = driver.token
    driver.fail_call("Boom", "bang", task=1)
    assert (driver.end.error, driver.end.cause) == ("Boom", "bang")
    assert StopExecution(task=2) in driver.effects
    assert driver.execution.outstanding() == []
    assert [driver.finish(1, task=2).settled, driver.settle(token=token).settled] == [False, False]
    assert driver.types()[-7:] == [
        "TaskFailed", "TaskStateAborted", "TaskStateAborted", "TaskStateAborted", "WaitStateAborted",
        "ParallelStateFailed", "ExecutionFailed",
    ]  # fmt: skip


def test_the_catch_of_a_parallel_sees_the_error_of_the_branch(begin: Begin, task: Build) -> None:
    """The error is the branch's own, and the state's variables are unchanged."""
    driver = begin(
        {
            "P": parallel(
                branch(
                    "A",
                    {"Type": "Pass", "Assign": {"x": 1}, "Next": "A2"},
                    A2={"Type": "Fail", "Error": "E", "Cause": "c"},
                ),
                branch("B", task()),
                Catch=[{"ErrorEquals": ["E"], "Next": "End", "Output": "{% [$states.errorOutput, $exists($x)] %}"}],
            ),
            "End": {"Type": "Succeed"},
        }
    )
    assert driver.output == [{"Error": "E", "Cause": "c"}, False]
    assert driver.calls() == []
    assert not [e for e in driver.effects if type(e).__name__ == "InvokeFunction"], (
        "started and abandoned by one signal"
    )


def test_a_parallel_retries_all_its_branches(begin: Begin, task: Build) -> None:
    """From the start, with fresh variables; open tasks are stopped first."""
    driver = begin(
        {
            "P": parallel(
                branch("A", task()), branch("B", CHILD), Retry=[{"ErrorEquals": ["Boom"], "IntervalSeconds": 7}]
            )
        }
    )
    driver.fail_call("Boom", task=1)
    assert StopExecution(task=2) in driver.effects
    assert driver.armed() == {"retry": 7.0}
    driver.wait(7)
    assert [call.task for call in driver.calls()] == [3, 4]
    driver.answer("a", task=3)
    driver.finish("b", task=4)
    assert driver.output == ["a", "b"]
    assert driver.types().count("ParallelStateStarted") == 2
    assert driver.types().count("ParallelStateEntered") == 1


def test_a_failure_inside_a_nested_parallel_is_caught_by_an_outer_one(begin: Begin, task: Build) -> None:
    """The nearest matching catcher counts; all branches below it are stopped."""
    inner = parallel(branch("A", task()), branch("B", CHILD))
    driver = begin(
        {
            "P": parallel(
                branch("I", inner),
                branch("C", CHILD),
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}],
            ),
            "End": {"Type": "Succeed"},
        }
    )
    function = next(call for call in driver.calls() if isinstance(call, InvokeFunction))
    children = {call.task for call in driver.calls()} - {function.task}
    driver.fail_call("Boom", task=function.task)
    assert {e.task for e in driver.effects if isinstance(e, StopExecution)} == children
    assert len(children) == 2
    assert driver.output["Error"] == "Boom"


def test_succeed_in_a_branch_ends_only_that_branch(begin: Begin, task: Build) -> None:
    """The other branches go on."""
    driver = begin({"P": parallel(branch("A", {"Type": "Succeed", "Output": 1}), branch("B", task()))})
    assert driver.calls()
    driver.answer(2)
    assert driver.output == [1, 2]


def test_history_chains_within_each_branch(begin: Begin) -> None:
    """Recorded on AWS: a branch follows ParallelStateStarted; Exited has the predecessor of Succeeded."""
    driver = begin(
        {"P": parallel(branch("A", {"Type": "Pass", "End": True}), branch("B", {"Type": "Pass", "End": True}))}
    )
    assert driver.chain() == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "ParallelStateEntered"),
        (3, 2, "ParallelStateStarted"),
        (4, 3, "PassStateEntered"),
        (5, 4, "PassStateExited"),
        (6, 3, "PassStateEntered"),
        (7, 6, "PassStateExited"),
        (8, 7, "ParallelStateSucceeded"),
        (9, 7, "ParallelStateExited"),
        (10, 9, "ExecutionSucceeded"),
    ]
