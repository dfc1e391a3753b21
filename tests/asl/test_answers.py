"""Answers of functions and child executions, in the shapes of AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.asl import answers
from workflows.asl.answers import ChildExecution, TaskError
from workflows.asl.reading.integrations import function_name, machine_name
from workflows.asl.signals import ExecutionStatus, InvokeFunction, Mode, StartExecution

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
STATES = "arn:aws:states:::states:startExecution"
EXPRESS = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"


def child(**fields: Any) -> ChildExecution:
    defaults: dict[str, Any] = {
        "execution_arn": "arn:c",
        "machine_arn": "arn:m",
        "name": "n",
        "input": '{"a":1}',
        "started_at": NOON,
        "stopped_at": NOON + timedelta(seconds=2),
        "status": ExecutionStatus.SUCCEEDED,
        "output": {"b": 2},
    }
    return ChildExecution(**(defaults | fields))


def test_sync_and_sync_2_differ_in_text_and_json() -> None:
    """Recorded on AWS: .sync gives Input and Output as JSON text, .sync:2 parsed."""
    expected = {
        "ExecutionArn": "arn:c",
        "Input": '{"a":1}',
        "InputDetails": {"Included": True},
        "Name": "n",
        "Output": '{"b":2}',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": 1773489600000,
        "StateMachineArn": "arn:m",
        "Status": "SUCCEEDED",
        "StopDate": 1773489602000,
    }
    assert answers.child_ended(child(), Mode.SYNC) == expected
    assert answers.child_ended(child(), Mode.SYNC_2) == expected | {"Input": {"a": 1}, "Output": {"b": 2}}


def test_a_failed_sync_child_is_a_failed_task_with_the_execution_as_cause() -> None:
    """Recorded on AWS: States.TaskFailed; Cause is JSON with keys in order, Input as text."""
    failed = answers.child_ended(child(status=ExecutionStatus.FAILED, error="E", cause="c", output=None), Mode.SYNC_2)
    assert isinstance(failed, TaskError)
    assert failed.error == "States.TaskFailed"
    assert failed.cause == (
        '{"Cause":"c","Error":"E","ExecutionArn":"arn:c","Input":"{\\"a\\":1}","InputDetails":{"Included":true},'
        '"Name":"n","StartDate":1773489600000,"StateMachineArn":"arn:m","Status":"FAILED","StopDate":1773489602000}'
    )


def test_a_timed_out_child_names_no_error() -> None:
    """Recorded on AWS: DescribeExecution of a timed out execution has neither error nor cause."""
    timed_out = answers.child_ended(
        child(status=ExecutionStatus.TIMED_OUT, error="States.Timeout", output=None), Mode.SYNC
    )
    assert isinstance(timed_out, TaskError)
    assert "Error" not in json.loads(timed_out.cause)


def test_a_failed_express_child_is_a_result() -> None:
    """StartSyncExecution answers 200 even if the execution fails; a parent must look at Status."""
    failed = answers.child_ended(child(status=ExecutionStatus.FAILED, error="E", cause="c", output=None), Mode.EXPRESS)
    assert isinstance(failed, dict)
    assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "E", "c")
    assert "Output" not in failed
    succeeded = answers.child_ended(child(), Mode.EXPRESS)
    assert isinstance(succeeded, dict)
    assert (succeeded["Output"], succeeded["StartDate"]) == ('{"b":2}', "2026-03-14T12:00:00.000Z")


class PaymentDeclined(Exception):
    pass


def test_an_exception_is_an_error_by_its_class_name() -> None:
    """As Lambda's Python runtime reports it. ErrorEquals compares this name."""
    try:
        raise PaymentDeclined("no money")
    except PaymentDeclined as error:
        name, cause = answers.function_failed(error, "r-1")
    details = json.loads(cause)
    assert name == "PaymentDeclined"
    assert list(details) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (details["errorMessage"], details["errorType"], details["requestId"]) == (
        "no money",
        "PaymentDeclined",
        "r-1",
    )
    assert 'raise PaymentDeclined("no money")' in details["stackTrace"][0]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (answers.machine_missing("arn:m", Mode.SYNC_2), "StepFunctions.StateMachineDoesNotExistException"),
        (answers.machine_missing("arn:m", Mode.EXPRESS), "Sfn.StateMachineDoesNotExistException"),
        (answers.name_taken("arn:e", Mode.SYNC_2), "StepFunctions.ExecutionAlreadyExistsException"),
        (answers.type_not_supported("arn:m", Mode.EXPRESS), "Sfn.StateMachineTypeNotSupportedException"),
        (answers.function_missing("f"), "Lambda.ResourceNotFoundException"),
        (answers.function_timed_out(3), "Sandbox.Timedout"),
    ],
)
def test_service_errors_are_named_as_their_integration_does(failure: tuple[str, str], error: str) -> None:
    """StepFunctions in the optimised integration, Sfn in the SDK integration."""
    assert failure[0] == error
    assert failure[1]


def test_names_are_found_in_arns() -> None:
    """A definition may use a name, a partial or a full ARN, with a qualifier."""
    for text in ("f", "f:live", "arn:aws:lambda:eu-west-1:123456789012:function:f", "123456789012:function:f",
                 "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST"):  # fmt: skip
        assert function_name(text) == "f"
    for text in ("m", "arn:aws:states:eu-west-1:123456789012:stateMachine:m", "arn:x:stateMachine:m:PROD"):
        assert machine_name(text) == "m"


def start(resource: str, **arguments: Any) -> dict[str, Any]:
    arguments = {"StateMachineArn": "child"} | arguments
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({}, "{}"), ({"Input": None}, "{}"), ({"Input": {"a": [1]}}, '{"a":[1]}'), ({"Input": '{"b": 2}'}, '{"b": 2}')],
)
def test_the_child_s_input_is_json_text(begin: Begin, arguments: dict[str, Any], text: str) -> None:
    """An absent Input is the empty object, an object is encoded, and a text is taken as it is."""
    driver = begin({"A": start(STATES + ".sync:2", Name="{% 'order-' & $states.input.id %}", **arguments)}, {"id": 7})
    assert driver.calls() == [StartExecution(task=1, machine="child", name="order-7", input=text, mode=Mode.SYNC_2)]


def test_a_sync_child_shows_its_start_and_its_end(begin: Begin) -> None:
    """TaskSubmitted with the ARN and date, then TaskSucceeded with the whole execution."""
    driver = begin({"A": start(STATES + ".sync:2") | {"Output": "{% $states.result.Output %}"}})
    driver.finish(answers.child_ended(child(), Mode.SYNC_2))
    assert driver.types()[2:] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    submitted = json.loads(driver.details("TaskSubmitted")[0]["output"])
    assert submitted["ExecutionArn"] == "arn:c"
    assert submitted["StartDate"] == 1773489600000
    assert driver.details("TaskScheduled")[0]["resource"] == "startExecution.sync:2"
    assert driver.output == {"b": 2}


def test_reading_the_output_of_a_failed_express_child_is_an_error_that_can_be_caught(begin: Begin) -> None:
    """There is no Output, so reading it is States.QueryEvaluationError."""
    state = start(EXPRESS, Input="{% $string($states.input) %}") | {
        "Output": "{% $parse($states.result.Output) %}",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}],
    }
    driver = begin({"A": state, "B": {"Type": "Succeed", "Output": "{% $states.input.Error %}"}}, {"a": 1})
    assert driver.calls()[0].input == '{"a":1}'
    driver.finish(answers.child_ended(child(status=ExecutionStatus.FAILED, error="E", output=None), Mode.EXPRESS))
    assert driver.output == "States.QueryEvaluationError"


def test_a_child_may_settle_the_token(begin: Begin) -> None:
    """startExecution.waitForTaskToken: the start of the child only submits the task; the token ends it."""
    driver = begin({"A": start(STATES + ".waitForTaskToken", Input={"t": "{% $states.context.Task.Token %}"})})
    assert json.loads(driver.calls()[0].input) == {"t": driver.token}
    driver.finish(answers.child_started(child(), Mode.TOKEN))
    driver.settle("done")
    assert driver.output == "done"


def test_a_qualifier_belongs_to_the_function(begin: Begin, task: Build) -> None:
    """lambda:invoke takes it as an argument or within the name. Without Payload the function gets an empty object."""
    driver = begin({"A": task(Arguments={"FunctionName": "f", "Qualifier": "live"})})
    assert driver.calls() == [InvokeFunction(task=1, function="f:live", payload={})]
