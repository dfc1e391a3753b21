"""Histories in the form of GetExecutionHistory: types, order, predecessors and details, as recorded on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
NOT_TRUNCATED = {"truncated": False}


def test_a_service_task(begin: Begin, task: Build) -> None:
    """Every event of lambda:invoke, in full."""
    driver = begin({"A": task(TimeoutSeconds=9, Assign={"x": "{% $states.input.a %}"})}, {"a": "ü"})
    driver.answer([1])
    result = driver.details("TaskSucceeded")[0]["output"]
    assert result.startswith('{"ExecutedVersion":"$LATEST","Payload":[1],"SdkHttpMetadata":{"AllHttpHeaders":{')
    at = driver.now
    resource = {"resourceType": "lambda", "resource": "invoke"}
    assert driver.events == [
        {
            "timestamp": at, "type": "ExecutionStarted", "id": 1, "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": '{"a":"ü"}', "inputDetails": NOT_TRUNCATED, "roleArn": "arn:aws:iam::123456789012:role/r"},
        },
        {
            "timestamp": at, "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "A", "input": '{"a":"ü"}', "inputDetails": NOT_TRUNCATED},
        },
        {
            "timestamp": at, "type": "TaskScheduled", "id": 3, "previousEventId": 2,
            "taskScheduledEventDetails": resource | {
                "region": "eu-west-1", "parameters": '{"FunctionName":"f","Payload":{}}', "timeoutInSeconds": 9},
        },
        {"timestamp": at, "type": "TaskStarted", "id": 4, "previousEventId": 3, "taskStartedEventDetails": resource},
        {
            "timestamp": at, "type": "TaskSucceeded", "id": 5, "previousEventId": 4,
            "taskSucceededEventDetails": resource | {"output": result, "outputDetails": NOT_TRUNCATED},
        },
        {
            "timestamp": at, "type": "TaskStateExited", "id": 6, "previousEventId": 5,
            "stateExitedEventDetails": {
                "name": "A", "output": "[1]", "outputDetails": NOT_TRUNCATED,
                "assignedVariables": {"x": '"ü"'}, "assignedVariablesDetails": NOT_TRUNCATED},
        },
        {
            "timestamp": at, "type": "ExecutionSucceeded", "id": 7, "previousEventId": 6,
            "executionSucceededEventDetails": {"output": "[1]", "outputDetails": NOT_TRUNCATED},
        },
    ]  # fmt: skip


def test_a_function_by_its_arn(begin: Begin, task: Build) -> None:
    """LambdaFunction events; LambdaFunctionStarted has no details; the output is the bare result."""
    state = task(Resource=FUNCTION, Arguments={"a": 1}, Output="{% $states.result %}", TimeoutSeconds=5)
    driver = begin({"A": state})
    driver.answer({"b": 2})
    assert driver.types()[2:5] == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    assert driver.details("LambdaFunctionScheduled") == [
        {"resource": FUNCTION, "input": '{"a":1}', "inputDetails": NOT_TRUNCATED, "timeoutInSeconds": 5}
    ]
    assert set(driver.events[3]) == {"timestamp", "type", "id", "previousEventId"}
    assert driver.details("LambdaFunctionSucceeded") == [{"output": '{"b":2}', "outputDetails": NOT_TRUNCATED}]
    broken = begin({"A": state})
    broken.fail_call("Boom", "why")
    assert broken.details("LambdaFunctionFailed") == [{"error": "Boom", "cause": "why"}]


def test_each_attempt_is_scheduled_again(begin: Begin, task: Build) -> None:
    """A retry follows the failure before it; the state is entered once."""
    driver = begin({"A": task(Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}])})
    driver.fail_call()
    driver.wait(1)
    driver.fail_call("Boom", "again")
    assert driver.chain()[2:] == [
        (3, 2, "TaskScheduled"), (4, 3, "TaskStarted"), (5, 4, "TaskFailed"),
        (6, 5, "TaskScheduled"), (7, 6, "TaskStarted"), (8, 7, "TaskFailed"),
        (9, 8, "ExecutionFailed"),
    ]  # fmt: skip
    assert driver.details("TaskFailed")[1] == {
        "error": "Boom", "cause": "again", "resource": "invoke", "resourceType": "lambda"}  # fmt: skip
    assert driver.details("ExecutionFailed") == [{"error": "Boom", "cause": "again"}]


def test_a_caught_failure_exits_the_state(begin: Begin, task: Build) -> None:
    """TaskFailed, then TaskStateExited with the catcher's output and variables."""
    catch = [{"ErrorEquals": ["Boom"], "Next": "B", "Assign": {"e": "{% $states.errorOutput %}"}, "Output": "caught"}]
    driver = begin({"A": task(Catch=catch), "B": {"Type": "Fail", "Error": "E", "Cause": "C"}})
    driver.fail_call()
    assert driver.chain()[4:] == [
        (5, 4, "TaskFailed"), (6, 5, "TaskStateExited"), (7, 6, "FailStateEntered"), (8, 7, "ExecutionFailed")
    ]  # fmt: skip
    assert driver.details("TaskStateExited")[0]["output"] == '"caught"'
    assert json.loads(driver.details("TaskStateExited")[0]["assignedVariables"]["e"]) == {
        "Error": "Boom",
        "Cause": "why",
    }
    assert driver.details("ExecutionFailed") == [{"error": "E", "cause": "C"}]


def test_states_without_a_task_are_entered_and_exited(begin: Begin) -> None:
    """Pass, Choice, Wait and Succeed have no other events."""
    driver = begin(
        {
            "P": {"Type": "Pass", "Next": "C"},
            "C": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "W"}]},
            "W": {"Type": "Wait", "Seconds": 1, "Next": "S"},
            "S": {"Type": "Succeed"},
        }
    )
    driver.wait(1)
    assert driver.types()[1:-1] == [
        "PassStateEntered", "PassStateExited", "ChoiceStateEntered", "ChoiceStateExited",
        "WaitStateEntered", "WaitStateExited", "SucceedStateEntered", "SucceedStateExited",
    ]  # fmt: skip
    assert all(previous == max(number - 1, 0) for number, previous, _ in driver.chain()[2:])
    exited = [e["stateExitedEventDetails"] for e in driver.events if e["type"].endswith("Exited")]
    assert all("assignedVariables" not in details for details in exited)


def test_times_never_go_back(begin: Begin, task: Build) -> None:
    """Not even when the clock of the machine goes back."""
    driver = begin({"A": task()})
    first = driver.now
    driver.now = first.replace(year=2020)
    driver.answer(1)
    assert {event["timestamp"] for event in driver.events} == {first}
