"""Histories as GetExecutionHistory gives them: types, order, predecessors and details, as recorded on AWS."""

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
    hand = begin({"A": task(TimeoutSeconds=9, Assign={"x": "{% $states.input.a %}"})}, {"a": "ü"})
    hand.answer([1])
    result = '{"ExecutedVersion":"$LATEST","Payload":[1],"StatusCode":200}'
    at = hand.now
    resource = {"resourceType": "lambda", "resource": "invoke"}
    assert hand.events == [
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
    hand = begin({"A": state})
    hand.answer({"b": 2})
    assert hand.types()[2:5] == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]
    assert hand.details("LambdaFunctionScheduled") == [
        {"resource": FUNCTION, "input": '{"a":1}', "inputDetails": NOT_TRUNCATED, "timeoutInSeconds": 5}
    ]
    assert set(hand.events[3]) == {"timestamp", "type", "id", "previousEventId"}
    assert hand.details("LambdaFunctionSucceeded") == [{"output": '{"b":2}', "outputDetails": NOT_TRUNCATED}]
    broken = begin({"A": state})
    broken.break_("Boom", "why")
    assert broken.details("LambdaFunctionFailed") == [{"error": "Boom", "cause": "why"}]


def test_each_attempt_is_scheduled_anew(begin: Begin, task: Build) -> None:
    """A retry follows the failure before it; the state is entered once."""
    hand = begin({"A": task(Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}])})
    hand.break_()
    hand.wait(1)
    hand.break_("Boom", "again")
    assert hand.chain()[2:] == [
        (3, 2, "TaskScheduled"), (4, 3, "TaskStarted"), (5, 4, "TaskFailed"),
        (6, 5, "TaskScheduled"), (7, 6, "TaskStarted"), (8, 7, "TaskFailed"),
        (9, 8, "ExecutionFailed"),
    ]  # fmt: skip
    assert hand.details("TaskFailed")[1] == {
        "error": "Boom", "cause": "again", "resource": "invoke", "resourceType": "lambda"}  # fmt: skip
    assert hand.details("ExecutionFailed") == [{"error": "Boom", "cause": "again"}]


def test_a_caught_failure_leaves_the_state(begin: Begin, task: Build) -> None:
    """TaskFailed, then TaskStateExited with the catcher's output and variables."""
    catch = [{"ErrorEquals": ["Boom"], "Next": "B", "Assign": {"e": "{% $states.errorOutput %}"}, "Output": "caught"}]
    hand = begin({"A": task(Catch=catch), "B": {"Type": "Fail", "Error": "E", "Cause": "C"}})
    hand.break_()
    assert hand.chain()[4:] == [
        (5, 4, "TaskFailed"), (6, 5, "TaskStateExited"), (7, 6, "FailStateEntered"), (8, 7, "ExecutionFailed")
    ]  # fmt: skip
    assert hand.details("TaskStateExited")[0]["output"] == '"caught"'
    assert json.loads(hand.details("TaskStateExited")[0]["assignedVariables"]["e"]) == {"Error": "Boom", "Cause": "why"}
    assert hand.details("ExecutionFailed") == [{"error": "E", "cause": "C"}]


def test_the_states_that_do_no_work(begin: Begin) -> None:
    """Pass, Choice, Wait and Succeed are entered and left."""
    hand = begin(
        {
            "P": {"Type": "Pass", "Next": "C"},
            "C": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "W"}]},
            "W": {"Type": "Wait", "Seconds": 1, "Next": "S"},
            "S": {"Type": "Succeed"},
        }
    )
    hand.wait(1)
    assert hand.types()[1:-1] == [
        "PassStateEntered", "PassStateExited", "ChoiceStateEntered", "ChoiceStateExited",
        "WaitStateEntered", "WaitStateExited", "SucceedStateEntered", "SucceedStateExited",
    ]  # fmt: skip
    assert all(previous == max(number - 1, 0) for number, previous, _ in hand.chain()[2:])
    exited = [e["stateExitedEventDetails"] for e in hand.events if e["type"].endswith("Exited")]
    assert all("assignedVariables" not in details for details in exited)


def test_times_never_go_back(begin: Begin, task: Build) -> None:
    """The clock of a machine may; a history may not."""
    hand = begin({"A": task()})
    first = hand.now
    hand.now = first.replace(year=2020)
    hand.answer(1)
    assert {event["timestamp"] for event in hand.events} == {first}
