"""Behaviour of Step Functions as it was recorded on AWS, where its documentation says less or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from workflows.asl import answers
from workflows.asl.answers import ChildExecution
from workflows.asl.reading.definition import InvalidDefinition, parse
from workflows.asl.run import run
from workflows.asl.signals import ExecutionStatus, Mode, TaskSubmitted

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
PASS = {"Type": "Pass", "End": True}
STATES = "arn:aws:states:::states:startExecution"
SYNC_EXPRESS = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
INVOKE = "arn:aws:states:::lambda:invoke"


def each(**fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}}, "End": True} | fields


# --- Map and Wait --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (1, "number", "1"),
        ("string", "string", '"string"'),
        (True, "boolean", "true"),
        ({"foo": "bar"}, "object", '{"foo":"bar"}'),
        (None, "null", "null"),
    ],
)
def test_items_that_are_no_list(begin: Begin, value: object, kind: str, text: str) -> None:
    """EvaluationFailed after the state before, MapStateFailed after it, and the value at the end of the cause."""
    driver = begin(
        {
            "Start": {"Type": "Pass", "Assign": {"ItemsVar": value}, "Next": "MapIterateState"},
            "MapIterateState": each(Items="{% $ItemsVar %}"),
        }
    )
    cause = (
        "An error occurred while executing the state 'MapIterateState' (entered at the event id #4). The JSONata "
        "expression '$ItemsVar' specified for the field 'Items' returned an unexpected result type. Expected 'array', "
        f"but was '{kind}' for value: {text}"
    )
    assert driver.chain()[4:] == [(5, 3, "EvaluationFailed"), (6, 5, "MapStateFailed"), (7, 6, "ExecutionFailed")]
    error = "States.QueryEvaluationError"
    assert driver.details("EvaluationFailed") == [
        {"cause": cause, "error": error, "location": "Items", "state": "MapIterateState"}
    ]
    assert driver.details("ExecutionFailed") == [{"cause": cause, "error": error}]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), ({"foo": "bar"}, '{"foo":"bar"}'), (None, "null")])
def test_the_input_of_a_map_without_items_is_no_list(begin: Begin, value: object, text: str) -> None:
    """No field is at fault, so the event has no location."""
    driver = begin({"Start": {"Type": "Pass", "Output": value, "Next": "MapIterateState"}, "MapIterateState": each()})
    assert driver.chain()[4:] == [(5, 3, "EvaluationFailed"), (6, 5, "MapStateFailed"), (7, 6, "ExecutionFailed")]
    [failed] = driver.details("EvaluationFailed")
    assert failed == {
        "cause": "An error occurred while executing the state 'MapIterateState' (entered at the event id #4). "
        f"Map state input must be an array but was: {text}",
        "error": "States.QueryEvaluationError",
        "state": "MapIterateState",
    }


def test_a_map_that_failed_before_its_first_iteration_is_caught(begin: Begin) -> None:
    """MapStateFailed stands before the Catch too."""
    caught = each(Items="{% 5 %}", Catch=[{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "After"}])
    driver = begin({"M": caught, "After": {"Type": "Succeed", "Output": "caught"}})
    assert driver.types()[2:5] == ["EvaluationFailed", "MapStateFailed", "MapStateExited"]
    assert driver.output == "caught"


def test_tolerated_failures_of_an_inline_map_are_accepted(begin: Begin, task: Build) -> None:
    """AWS takes both fields; in an inline Map the first failure still fails the state."""
    processor = {"StartAt": "T", "States": {"T": task()}}
    driver = begin({"M": each(ItemProcessor=processor, ToleratedFailureCount=1, ToleratedFailurePercentage=50)}, [1, 2])
    driver.fail_call("Boom")
    assert (driver.end.status, driver.end.error) == (ExecutionStatus.FAILED, "Boom")


@pytest.mark.parametrize(
    "text",
    ["2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-13-05T21:29:29Z", "2016-12-05T25:29:29Z",
     "05-12-2016T21:29:29Z"],
)  # fmt: skip
def test_a_timestamp_that_cannot_be_read(begin: Begin, text: str) -> None:
    """No T, no offset, no such month, no such hour, another order."""
    driver = begin({"W": {"Type": "Wait", "Timestamp": "{% $states.input %}", "End": True}}, text)
    [failed] = driver.details("EvaluationFailed")
    assert failed == {
        "cause": "An error occurred while executing the state 'W' (entered at the event id #2). The Timestamp field "
        f"cannot be parsed as an ISO-8601 extended offset date-time format string: {text}",
        "error": "States.QueryEvaluationError",
        "location": "Timestamp",
        "state": "W",
    }


def test_seconds_over_the_maximum_fail_the_state(begin: Begin) -> None:
    """AWS docs, Wait: an expression must give a whole number from 0 to 99999999; the words are those of its schema."""
    driver = begin({"W": {"Type": "Wait", "Seconds": "{% $states.input %}", "End": True}}, 10**15)
    [failed] = driver.details("EvaluationFailed")
    assert failed["error"] == "States.QueryEvaluationError"
    assert str(failed["cause"]).endswith(
        "The JSONata expression '$states.input' specified for the field 'Seconds' returned a value that is too large. "
        "Maximum value is 99999999, but was: 1000000000000000"
    )


@pytest.mark.parametrize(("text", "waits"), [("9999-12-31T23:59:59-14:00", True), ("0001-01-01T00:00:00+14:00", False)])
def test_a_timestamp_beyond_the_calendar_in_utc(begin: Begin, text: str, waits: bool) -> None:
    """It is the first or the last moment of the calendar, and no fault."""
    driver = begin({"W": {"Type": "Wait", "Timestamp": "{% $states.input %}", "End": True}}, text)
    assert (driver.execution.status == "RUNNING") is waits


# --- lambda:invoke -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "event"),
    [("true", True), ("null", None), ('"text"', "text"), ('{"a": [1]}', {"a": [1]}), (None, {}),
     ({"a": None}, {"a": None})],
)  # fmt: skip
def test_a_payload_text_is_json_text(begin: Begin, task: Build, payload: object, event: object) -> None:
    """The function gets what the text encodes. Null is no payload, which is the empty object."""
    driver = begin({"A": task(Arguments={"FunctionName": "f", "Payload": payload})})
    assert driver.calls()[0].payload == event


def test_a_payload_text_that_is_no_json_fails_the_task(begin: Begin, task: Build) -> None:
    """Lambda refuses the request. The machine can catch and retry it."""
    catch = [{"ErrorEquals": ["Lambda.InvalidRequestContentException"], "Next": "B"}]
    driver = begin({"A": task(Arguments={"FunctionName": "f", "Payload": "a text"}, Catch=catch), "B": PASS})
    assert driver.types()[2:6] == ["TaskScheduled", "TaskStarted", "TaskFailed", "TaskStateExited"]
    assert driver.details("TaskFailed")[0]["cause"].startswith("Could not parse request body into json: ")
    assert driver.effects == [driver.end]


def test_the_result_of_a_function_carries_the_metadata_of_its_request(begin: Begin, task: Build) -> None:
    """Keys in order. Content-Length is that of the payload."""
    driver = begin({"A": {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": "f"}, "End": True}})
    driver.answer("HelloWorld!")
    result = driver.output
    assert list(result) == ["ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"]
    request_id = result["SdkResponseMetadata"]["RequestId"]
    metadata = result["SdkHttpMetadata"]
    assert list(metadata) == ["AllHttpHeaders", "HttpHeaders", "HttpStatusCode"]
    headers = metadata["HttpHeaders"]
    assert headers.pop("X-Amzn-Trace-Id")
    assert headers == {
        "Connection": "keep-alive",
        "Content-Length": "13",
        "Content-Type": "application/json",
        "Date": "Sat, 14 Mar 2026 12:00:00 GMT",
        "X-Amz-Executed-Version": "$LATEST",
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": request_id,
    }
    assert metadata["AllHttpHeaders"]["Content-Length"] == ["13"]


def test_the_log_of_a_function_is_in_its_result_if_it_is_wanted(begin: Begin, task: Build) -> None:
    """LogType Tail. Functions have no log here, so it is empty."""
    for log_type, shown in (("Tail", True), ("None", False)):
        arguments = {"FunctionName": "f", "LogType": log_type}
        driver = begin({"A": task(Arguments=arguments, Output="{% $states.result %}")})
        driver.answer({})
        assert ("LogResult" in driver.output) is shown


def test_bytes_that_a_function_returns_are_the_response(machine: Build, task: Build) -> None:
    """As in Lambda's Python runtime: they are not encoded again."""
    definition = machine({"A": task()})
    assert run(definition, functions={"f": lambda _: b'"HelloWorld!"'}).output == "HelloWorld!"
    assert run(definition, functions={"f": lambda _: b'{"a":1}'}).output == {"a": 1}
    assert run(definition, functions={"f": lambda _: b"no json"}).error == "Runtime.MarshalError"


# --- executions that executions start ------------------------------------------------------------------------------


def child(driver: Any, status: ExecutionStatus, **fields: Any) -> ChildExecution:
    return ChildExecution(
        execution_arn="arn:c", machine_arn="arn:m", name="n", input="{}", started_at=driver.now,
        stopped_at=driver.now, status=status, **fields,
    )  # fmt: skip


def submitted(begin: Begin, mode: Mode) -> Any:
    """Start a child; it runs."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::states:{mode}", "End": True}
    driver = begin({"A": state | {"Arguments": {"StateMachineArn": "m"}}})
    started = answers.child_started(child(driver, ExecutionStatus.RUNNING), mode)
    driver.send(TaskSubmitted, task=1, output=started)
    return driver


@pytest.mark.parametrize("mode", [Mode.SYNC, Mode.SYNC_2])
def test_the_start_of_a_child_is_shown_while_it_runs(begin: Begin, mode: Mode) -> None:
    """Once, also if the driver sends it again, and with the metadata of the request."""
    driver = submitted(begin, mode)
    assert driver.types()[2:] == ["TaskScheduled", "TaskStarted", "TaskSubmitted"]
    output = json.loads(driver.details("TaskSubmitted")[0]["output"])
    assert list(output) == ["ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
    assert output["SdkHttpMetadata"]["HttpHeaders"]["Content-Type"] == "application/x-amz-json-1.0"
    driver.finish(answers.child_ended(child(driver, ExecutionStatus.SUCCEEDED, output=1), mode))
    assert driver.types()[5:] == ["TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"]
    assert driver.output["RedriveStatus"] == "NOT_REDRIVABLE"


def test_the_start_of_a_child_that_failed_is_shown_too(begin: Begin) -> None:
    """Its Cause has no fields of a redrive."""
    driver = submitted(begin, Mode.SYNC_2)
    failure = answers.child_ended(child(driver, ExecutionStatus.FAILED, error="E", cause="c"), Mode.SYNC_2)
    assert isinstance(failure, answers.TaskError)
    driver.fail_call(*failure)
    assert driver.types()[4:] == ["TaskSubmitted", "TaskFailed", "ExecutionFailed"]
    assert "Redrive" not in failure.cause


def test_a_run_shows_the_start_of_children(machine: Build) -> None:
    """Also of one that fails at once."""
    parent = machine({"A": {"Type": "Task", "Resource": f"{STATES}.sync:2", "End": True,
                            "Arguments": {"StateMachineArn": "child"}}})  # fmt: skip
    for last, kind in (({"Type": "Fail", "Error": "E"}, "TaskFailed"), ({"Type": "Succeed"}, "TaskSucceeded")):
        ended = run(parent, machines={"child": machine({"C": last})})
        assert [event["type"] for event in ended.events][3:6] == ["TaskStarted", "TaskSubmitted", kind]


def test_the_sdk_integration_takes_an_object_as_input(begin: Begin) -> None:
    """It is encoded, as by the optimised integration."""
    state = {"Type": "Task", "Resource": SYNC_EXPRESS, "Arguments": {"StateMachineArn": "m", "Input": {"a": 1}}}
    assert begin({"A": state | {"End": True}}).calls()[0].input == '{"a":1}'


@pytest.mark.parametrize("caught", ["FailureType", "States.ALL"])
def test_a_parallel_fails_with_the_error_of_its_branch(begin: Begin, caught: str) -> None:
    """Not with States.BranchFailed: https://github.com/localstack/localstack/pull/9891, test_parallel_state_catch."""
    failed = {"Type": "Fail", "Error": "FailureType", "Cause": "Cause description"}
    parallel = {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": failed}}], "Next": "Final"}
    catch = [{"ErrorEquals": ["States.BranchFailed"], "Next": "Final"}, {"ErrorEquals": [caught], "Next": "Caught"}]
    states = {"P": parallel | {"Catch": catch}, "Final": PASS | {"Output": "of the branch"}, "Caught": PASS}
    assert begin(states).output == {"Error": "FailureType", "Cause": "Cause description"}


# --- definitions ---------------------------------------------------------------------------------------------------


def test_a_branch_may_assign_what_the_catch_of_its_parallel_assigns(machine: Build) -> None:
    """The branches are over when the Catch assigns. A name that another state assigns too stays refused."""
    branch = {"StartAt": "B", "States": {"B": PASS | {"Assign": {"why": "inside"}}}}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "After", "Assign": {"why": "caught"}}]
    parallel = {"Type": "Parallel", "Branches": [branch], "Catch": catch, "Next": "After"}
    assert parse(json.dumps(machine({"P": parallel, "After": PASS})), name="m")
    with pytest.raises(InvalidDefinition, match="belongs to the scope around this one"):
        parse(json.dumps(machine({"P": parallel, "After": PASS | {"Assign": {"why": 1}}})), name="m")


def test_a_text_with_an_expression_in_its_middle_is_a_constant(begin: Begin) -> None:
    """An expression is the whole string."""
    assert begin({"A": PASS | {"Output": "100 {% of %} it"}}).output == "100 {% of %} it"


@pytest.mark.parametrize(
    ("resource", "suffix"),
    [(f"{STATES}.sync", ".sync"), (f"{STATES}.sync:2", ".sync"), (f"{STATES}.waitForTaskToken", ".waitForTaskToken"),
     (f"{INVOKE}.waitForTaskToken", ".waitForTaskToken")],
)  # fmt: skip
def test_an_express_machine_waits_for_nothing(machine: Build, resource: str, suffix: str) -> None:
    """Neither for a token nor for an execution, at any depth."""
    arguments = {"FunctionName": "f"} if "lambda" in resource else {"StateMachineArn": "m"}
    waiting = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
    text = json.dumps(machine({"M": each(ItemProcessor={"StartAt": "T", "States": {"T": waiting}})}))
    assert parse(text, name="m")
    with pytest.raises(InvalidDefinition) as refused:
        parse(text, name="m", express=True)
    [problem] = refused.value.problems
    assert (problem.state, problem.field) == ("M/ItemProcessor/T", "Resource")
    assert problem.what == f"Express state machine does not support '{suffix}' service integration"


@pytest.mark.parametrize("language", [{}, {"QueryLanguage": "JSONPath"}])
def test_a_jsonpath_machine_is_refused_with_the_way_to_move(language: dict[str, str]) -> None:
    """By name: the language, its successors for each field, and the tool that helps."""
    with pytest.raises(InvalidDefinition) as refused:
        parse(json.dumps({"StartAt": "A", "States": {"A": PASS}} | language), name="m")
    [problem] = refused.value.problems
    assert problem.field == "QueryLanguage"
    for word in ("JSONPath", "QueryLanguage: JSONata", "Arguments", "Output", "$states.input.a", "Workflow Studio"):
        assert word in problem.what
