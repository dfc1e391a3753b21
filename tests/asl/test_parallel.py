"""Parallel: scopes side by side, all succeed or the first failure stops the rest."""

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


def test_it_returns_the_outputs_in_the_order_of_the_branches(begin: Begin, task: Build) -> None:
    """However they finish."""
    hand = begin(
        {"P": parallel(branch("A", task()), branch("B", task()), branch("C", {"Type": "Succeed", "Output": 3}))}
    )
    hand.answer("second", task=2)
    hand.answer("first", task=1)
    assert hand.output == ["first", "second", 3]


def test_every_branch_gets_the_same_input(begin: Begin) -> None:
    """Arguments if there are any, else the input of the state; Output sees $states.result."""
    echo = {"Type": "Succeed", "Output": "{% $states.input %}"}
    count = {"Arguments": {"n": "{% $count($states.input) %}"}, "Output": "{% $states.result[0].n %}"}
    first = parallel(branch("A", echo), branch("B", echo), Next="Q")
    hand = begin({"P": first, "Q": parallel(branch("C", echo), **count)}, {"a": 1})
    assert hand.details("ParallelStateExited")[0]["output"] == '[{"a":1},{"a":1}]'
    assert hand.output == 2


def test_a_branch_reads_outer_variables_and_keeps_its_own(begin: Begin) -> None:
    """AWS docs, Variables: inner scopes read outer ones; what they assign ends with them."""
    hand = begin(
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
    assert hand.output == {"total": 12, "leaked": False}


def test_the_first_failure_stops_the_others(begin: Begin, task: Build, callback: Build) -> None:
    """Tasks are forgotten, timers cancelled, tokens closed, children of .sync stopped; late answers mean nothing."""
    hand = begin(
        {
            "P": parallel(
                branch("A", task(TimeoutSeconds=99)),
                branch("B", CHILD),
                branch("C", callback()),
                branch("D", {"Type": "Wait", "Seconds": 60, "End": True}),
            )
        }
    )
    token = hand.token
    hand.break_("Boom", "bang", task=1)
    assert (hand.end.error, hand.end.cause) == ("Boom", "bang")
    assert StopExecution(task=2) in hand.effects
    assert hand.execution.outstanding() == []
    assert [hand.finish(1, task=2).settled, hand.settle(token=token).settled] == [False, False]
    assert hand.types()[-7:] == [
        "TaskFailed", "TaskStateAborted", "TaskStateAborted", "TaskStateAborted", "WaitStateAborted",
        "ParallelStateFailed", "ExecutionFailed",
    ]  # fmt: skip


def test_its_catch_sees_the_error_of_the_branch(begin: Begin, task: Build) -> None:
    """The error is the branch's own, and the state's variables are unchanged."""
    hand = begin(
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
    assert hand.output == [{"Error": "E", "Cause": "c"}, False]
    assert hand.calls() == []
    assert not [e for e in hand.effects if type(e).__name__ == "InvokeFunction"], "asked for and given up in one step"


def test_it_retries_all_its_branches(begin: Begin, task: Build) -> None:
    """From the start, with fresh scopes; what was under way is stopped first."""
    hand = begin(
        {
            "P": parallel(
                branch("A", task()), branch("B", CHILD), Retry=[{"ErrorEquals": ["Boom"], "IntervalSeconds": 7}]
            )
        }
    )
    hand.break_("Boom", task=1)
    assert StopExecution(task=2) in hand.effects
    assert hand.armed() == {"retry": 7.0}
    hand.wait(7)
    assert [call.task for call in hand.calls()] == [3, 4]
    hand.answer("a", task=3)
    hand.finish("b", task=4)
    assert hand.output == ["a", "b"]
    assert hand.types().count("ParallelStateStarted") == 2
    assert hand.types().count("ParallelStateEntered") == 1


def test_a_failure_inside_a_nested_parallel_climbs_until_caught(begin: Begin, task: Build) -> None:
    """Each level may catch; what is inside is stopped on the way."""
    inner = parallel(branch("A", task()), branch("B", CHILD))
    hand = begin(
        {
            "P": parallel(
                branch("I", inner),
                branch("C", CHILD),
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}],
            ),
            "End": {"Type": "Succeed"},
        }
    )
    function = next(call for call in hand.calls() if isinstance(call, InvokeFunction))
    children = {call.task for call in hand.calls()} - {function.task}
    hand.break_("Boom", task=function.task)
    assert {e.task for e in hand.effects if isinstance(e, StopExecution)} == children
    assert len(children) == 2
    assert hand.output["Error"] == "Boom"


def test_succeed_in_a_branch_ends_the_branch_alone(begin: Begin, task: Build) -> None:
    """The others go on."""
    hand = begin({"P": parallel(branch("A", {"Type": "Succeed", "Output": 1}), branch("B", task()))})
    assert hand.calls()
    hand.answer(2)
    assert hand.output == [1, 2]


def test_history_chains_within_each_branch(begin: Begin) -> None:
    """Recorded on AWS: a branch follows ParallelStateStarted; Exited has the predecessor of Succeeded."""
    hand = begin(
        {"P": parallel(branch("A", {"Type": "Pass", "End": True}), branch("B", {"Type": "Pass", "End": True}))}
    )
    assert hand.chain() == [
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
