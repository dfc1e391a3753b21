"""Service quotas: 256 KiB a payload, 25,000 events a history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from workflows.asl.interpreter.history import TEXTS_MAX, ExecutionHistory
from workflows.asl.interpreter.payloads import BYTES_MAX, exceeds
from workflows.asl.json_text import to_text
from workflows.asl.jsonata import evaluation
from workflows.asl.signals import StopExecution

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
LARGE = "x" * (BYTES_MAX - 1)


def test_bytes_of_utf_8_are_counted() -> None:
    """Not characters: an umlaut has two bytes, and the quotes count."""
    assert not exceeds(to_text("x" * (BYTES_MAX - 2)))
    assert exceeds(to_text("x" * (BYTES_MAX - 1)))
    assert not exceeds(to_text("ü" * (BYTES_MAX // 2 - 1)))
    assert exceeds(to_text("ü" * (BYTES_MAX // 2)))


def test_a_result_over_the_quota_fails_the_task(begin: Begin, task: Build) -> None:
    """Recorded on AWS: the cause, and that its own name catches it. States.ALL does not (AWS docs)."""
    catch = [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}]
    driver = begin({"A": task(Catch=catch), "B": {"Type": "Succeed"}})
    driver.answer(LARGE)
    cause = "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit."
    assert driver.output == {"Error": "States.DataLimitExceeded", "Cause": cause}
    assert driver.details("TaskFailed")[0]["error"] == "States.DataLimitExceeded"
    uncaught = begin({"A": task(Catch=catch[1:]), "B": {"Type": "Succeed"}})
    uncaught.answer(LARGE)
    assert uncaught.end.error == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Output": "{% $pad('x', 262143) %}", "End": True},
        {"Type": "Pass", "Assign": {"a": "{% $pad('x', 131072) %}", "b": "{% $pad('x', 131072) %}"}, "End": True},
        {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f", "End": True,
         "Arguments": "{% $pad('x', 262143) %}"},
    ],
)  # fmt: skip
def test_outputs_assigns_and_arguments_have_the_same_quota(begin: Begin, state: dict[str, Any]) -> None:
    """AWS docs, quotas: input or result of a task, state or execution, and all variables of one Assign."""
    assert begin({"A": state}).end.error == "States.DataLimitExceeded"


def test_an_input_over_the_quota_fails_at_once(begin: Begin) -> None:
    """StartExecution refuses it; an execution started with it ends before its first state."""
    driver = begin({"A": {"Type": "Succeed"}}, LARGE)
    assert driver.end.error == "States.DataLimitExceeded"
    assert driver.types() == ["ExecutionStarted", "ExecutionFailed"]


def test_the_25_000th_event_is_the_failure(begin: Begin) -> None:
    """Recorded on AWS: id, predecessor, error and cause. Child executions of other branches are stopped."""
    spin = {"Type": "Pass", "Next": "Spin2"}
    child = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync",
        "Arguments": {"StateMachineArn": "child"},
        "End": True,
    }
    again = {"Type": "Choice", "Choices": [{"Condition": True, "Next": "Spin"}], "Default": "Never"}
    driver = begin(
        {
            "P": {
                "Type": "Parallel",
                "End": True,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
                "Branches": [
                    {"StartAt": "C", "States": {"C": child}},
                    {"StartAt": "W", "States": {
                        "W": {"Type": "Wait", "Seconds": 1, "Next": "Spin"}, "Spin": spin, "Spin2": again,
                        "Never": {"Type": "Succeed"}}},
                ],
            },
            "Caught": {"Type": "Succeed"},
        }
    )  # fmt: skip
    driver.wait(1)
    assert len(driver.events) == 25_000
    last = driver.events[-1]
    assert (last["id"], last["previousEventId"], last["type"]) == (25_000, 24_999, "ExecutionFailed")
    assert last["executionFailedEventDetails"] == {
        "error": "States.Runtime",
        "cause": "The execution reached the maximum number of history events (25000).",
    }
    assert StopExecution(task=1) in driver.effects
    assert driver.execution.outstanding() == []


def test_a_map_with_large_outputs_fails_before_it_fills_the_memory(begin: Begin) -> None:
    """8,000 outputs of 200 KB would be 1.6 GB, although the state's own output is small."""
    large = {"Type": "Pass", "Output": "{% $pad('x', 200000) %}", "End": True}
    machine = {
        "M": {
            "Type": "Map",
            "Items": "{% [1..8000] %}",
            "ItemProcessor": {"StartAt": "I", "States": {"I": large}},
            "Output": "{% $count($states.result) %}",
            "End": True,
        }
    }
    driver = begin(machine)
    assert driver.end.error == "States.DataLimitExceeded"
    assert sum(event["type"] == "MapIterationSucceeded" for event in driver.events) < 100


def test_the_events_of_one_signal_hold_a_bounded_amount_of_text(begin: Begin) -> None:
    """A loop without a wait enters 12,000 states in one signal; later texts are truncated, and the machine goes on."""
    again = {"Type": "Pass", "Output": "{% $pad('x', 200000 + $random() * 100) %}", "Next": "Again"}
    choice = {"Type": "Choice", "Choices": [{"Condition": False, "Next": "End"}], "Default": "Pad"}
    driver = begin({"Pad": again, "Again": choice, "End": {"Type": "Succeed"}})
    texts = [details.get("output", "") for details in driver.details("PassStateExited")]
    assert sum(map(len, texts)) < 17 * 2**20
    assert driver.details("PassStateExited")[0]["outputDetails"] == {"truncated": False}
    assert driver.details("PassStateExited")[-1]["outputDetails"] == {"truncated": True}
    assert len(driver.events) == 25_000


@pytest.mark.parametrize("details", [{"output": "x"}, {"assignedVariables": {"v": "x"}}, {"cause": "x"}])
def test_all_texts_of_an_event_count(details: dict[str, Any]) -> None:
    """Variables and causes are as long as outputs, and as many."""
    of = ExecutionHistory()
    for _ in range(2000):
        large = {key: {name: text * 2**15 for name, text in value.items()} if isinstance(value, dict) else value * 2**15
                 for key, value in details.items()}  # fmt: skip
        of.add("PassStateExited", 0, datetime(2026, 1, 1, tzinfo=UTC), large)
    assert len(str(of.added)) < 2 * TEXTS_MAX + 2000 * 2**10


def test_errors_and_causes_are_cut_to_the_lengths_of_the_api(begin: Begin, task: Build) -> None:
    """256 characters of error, 32,768 of cause."""
    driver = begin({"A": task()})
    driver.fail_call("E" * 1000, "c" * 40_000)
    assert (len(driver.end.error), len(driver.end.cause)) == (256, 32_768)


def assigning(name: str, follower: str) -> dict[str, Any]:
    return {"Type": "Pass", "Assign": {name: "{% $pad('x', 200000) %}"}, "Next": follower}


def test_all_variables_together_have_a_quota(begin: Begin) -> None:
    """AWS docs, quotas: 10 MiB an execution. A variable that is assigned again counts once."""
    states: dict[str, Any] = {f"A{n}": assigning(f"v{n}", f"A{n + 1}") for n in range(60)}
    driver = begin({"Again": assigning("v0", "A0"), **states, "A60": {"Type": "Succeed"}})
    assert driver.end.error == "States.DataLimitExceeded"
    assert "larger than 10485760 bytes together" in driver.end.cause
    assert len(driver.details("PassStateExited")) == 1 + 52  # 10 MiB / 200 KB


def test_variables_of_an_iteration_that_has_ended_do_not_count(begin: Begin) -> None:
    """40 iterations at once hold 16 MB; one after the other they hold 400 KB."""
    waiting = {"Type": "Wait", "Seconds": 1, "End": True}
    machine = {
        "M": {
            "Type": "Map",
            "Items": "{% [1..100] %}",
            "ItemProcessor": {
                "StartAt": "I",
                "States": {"I": assigning("v", "J"), "J": assigning("w", "W"), "W": waiting},
            },
            "Output": 1,
            "End": True,
        }
    }
    assert begin(machine).end.error == "States.DataLimitExceeded"
    machine["M"]["MaxConcurrency"] = 1
    driver = begin(machine)
    for _ in range(100):
        driver.wait(1)
    assert driver.output == 1


def test_the_expressions_of_a_state_make_a_bounded_amount_of_data_together(begin: Begin) -> None:
    """All of it is in memory until the state exits: 300 texts of 6 MB took 5 GB."""
    driver = begin({"A": {"Type": "Pass", "Output": ["{% $pad('x', 6000000) %}"] * 300, "End": True}})
    assert "memory limit exceeded" in driver.end.cause
    joined = "{% " + " & ".join(["$states.input"] * 40) + " %}"  # compiled to a closure
    driver = begin({"A": {"Type": "Pass", "Output": [joined] * 10, "End": True}}, "x" * 100_000)
    assert "memory limit exceeded" in driver.end.cause


def test_the_states_of_one_signal_take_a_bounded_number_of_steps_together(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop without a wait enters 12,000 states, each with a second of evaluation: some hours."""
    monkeypatch.setattr(evaluation, "SIGNAL_STEPS_MAX", 20_000)
    slow = {"Condition": "{% $sum([1..2000].($ * 0)) > 1 %}", "Next": "End"}
    one = {"Type": "Choice", "Choices": [slow], "Default": "Other"}
    driver = begin({"One": one, "Other": {**one, "Default": "One"}, "End": {"Type": "Succeed"}})
    assert driver.end.error == "States.QueryEvaluationError"
    assert "timeout" in driver.end.cause
