"""Catch: what it sees, where it leads, and what it cannot catch (AWS docs, Error handling)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def test_it_sees_the_error_and_the_input(begin: Begin, task: Build) -> None:
    """$states.errorOutput is {Error, Cause}; $states.input is the input of the state that failed."""
    hand = begin(
        {
            "A": task(
                Catch=[
                    {"ErrorEquals": ["Other"], "Next": "C"},
                    {
                        "ErrorEquals": ["Boom"],
                        "Next": "B",
                        "Assign": {"why": "{% $states.errorOutput.Cause %}"},
                        "Output": {"in": "{% $states.input %}", "error": "{% $states.errorOutput %}"},
                    },
                ]
            ),
            "B": {"Type": "Succeed", "Output": ["{% $states.input %}", "{% $why %}"]},
            "C": {"Type": "Succeed"},
        },
        {"a": 1},
    )
    hand.break_("Boom", "bang")
    assert hand.output == [{"in": {"a": 1}, "error": {"Error": "Boom", "Cause": "bang"}}, "bang"]


def test_its_default_output_is_the_error(begin: Begin, task: Build) -> None:
    """Not the input: JSONata catchers have no ResultPath. Without a cause it is the empty string."""
    states = {
        "A": task(TimeoutSeconds=5, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "B"}]),
        "B": {"Type": "Succeed"},
    }
    hand = begin(states)
    hand.wait(5)
    assert hand.output == {"Error": "States.Timeout", "Cause": ""}


def test_the_state_s_own_assign_and_output_do_not_apply(begin: Begin, task: Build) -> None:
    """They belong to success."""
    hand = begin(
        {
            "A": task(Assign={"x": 1}, Output="never", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]),
            "B": {"Type": "Succeed", "Output": "{% [$exists($x), $states.input.Error] %}"},
        }
    )
    hand.break_("Boom")
    assert hand.output == [False, "Boom"]


def test_what_a_catcher_throws_is_not_caught_by_its_own_state(begin: Begin, task: Build) -> None:
    """A scope around it may."""
    inner = task(
        Catch=[
            {"ErrorEquals": ["Boom"], "Next": "Never", "Output": "{% $nope %}"},
            {"ErrorEquals": ["States.ALL"], "Next": "Never"},
        ]
    )
    hand = begin(
        {
            "P": {
                "Type": "Parallel",
                "Branches": [{"StartAt": "A", "States": {"A": inner, "Never": {"Type": "Succeed"}}}],
                "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"}],
                "End": True,
            },
            "B": {"Type": "Succeed", "Output": "caught outside"},
        }
    )
    hand.break_("Boom")
    assert hand.output == "caught outside"
    assert hand.details("EvaluationFailed")[0]["location"] == "Catch[0]/Output"


def test_a_runtime_error_is_caught_by_nothing(begin: Begin, task: Build) -> None:
    """States.Runtime always fails the execution, even under its own name."""
    broken = task(
        Arguments={"FunctionName": "{% $states.input.f %}"},
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=[{"ErrorEquals": ["States.Runtime"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}],
    )
    hand = begin({"A": broken, "B": {"Type": "Succeed"}}, {"f": 5})
    assert hand.end.error == "States.Runtime"
    assert "the value for the field 'FunctionName' must be a STRING" in hand.end.cause
    assert hand.calls() == []


def test_a_failed_expression_is_caught(begin: Begin, task: Build) -> None:
    """Here of Arguments: the task is never scheduled."""
    hand = begin(
        {
            "A": task(Arguments={"FunctionName": "{% $nope %}"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]),
            "B": {"Type": "Succeed", "Output": "{% $states.input.Error %}"},
        }
    )
    assert hand.output == "States.QueryEvaluationError"
    assert "TaskScheduled" not in hand.types()
