"""Catch: its input and output, and the errors it cannot catch (AWS docs, Error handling)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def test_a_catcher_sees_the_error_and_the_input(begin: Begin, task: Build) -> None:
    """$states.errorOutput is {Error, Cause}; $states.input is the input of the state that failed."""
    driver = begin(
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
    driver.fail_call("Boom", "bang")
    assert driver.output == [{"in": {"a": 1}, "error": {"Error": "Boom", "Cause": "bang"}}, "bang"]


def test_the_default_output_of_a_catcher_is_the_error(begin: Begin, task: Build) -> None:
    """Not the input, because JSONata catchers have no ResultPath. A missing cause becomes the empty string."""
    states = {
        "A": task(TimeoutSeconds=5, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "B"}]),
        "B": {"Type": "Succeed"},
    }
    driver = begin(states)
    driver.wait(5)
    assert driver.output == {"Error": "States.Timeout", "Cause": ""}


def test_the_state_s_own_assign_and_output_do_not_apply_to_a_caught_error(begin: Begin, task: Build) -> None:
    """They apply to success only."""
    driver = begin(
        {
            "A": task(Assign={"x": 1}, Output="never", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]),
            "B": {"Type": "Succeed", "Output": "{% [$exists($x), $states.input.Error] %}"},
        }
    )
    driver.fail_call("Boom")
    assert driver.output == [False, "Boom"]


def test_an_error_in_a_catcher_is_not_caught_by_its_own_state(begin: Begin, task: Build) -> None:
    """Only the scope around it can catch it."""
    inner = task(
        Catch=[
            {"ErrorEquals": ["Boom"], "Next": "Never", "Output": "{% $nope %}"},
            {"ErrorEquals": ["States.ALL"], "Next": "Never"},
        ]
    )
    driver = begin(
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
    driver.fail_call("Boom")
    assert driver.output == "caught outside"
    assert driver.details("EvaluationFailed")[0]["location"] == "Catch[0]/Output"


def test_a_runtime_error_cannot_be_caught(begin: Begin, task: Build) -> None:
    """States.Runtime always fails the execution, even under its own name."""
    broken = task(
        Arguments={"FunctionName": "{% $states.input.f %}"},
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=[{"ErrorEquals": ["States.Runtime"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}],
    )
    driver = begin({"A": broken, "B": {"Type": "Succeed"}}, {"f": 5})
    assert driver.end.error == "States.Runtime"
    assert "the value for the field 'FunctionName' must be a STRING" in driver.end.cause
    assert driver.calls() == []


def test_a_failed_expression_is_caught(begin: Begin, task: Build) -> None:
    """If Arguments fail to evaluate, the task is never scheduled."""
    driver = begin(
        {
            "A": task(Arguments={"FunctionName": "{% $nope %}"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]),
            "B": {"Type": "Succeed", "Output": "{% $states.input.Error %}"},
        }
    )
    assert driver.output == "States.QueryEvaluationError"
    assert "TaskScheduled" not in driver.types()
