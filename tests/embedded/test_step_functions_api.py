"""The embedded engine as boto3 sees it: Step Functions' own protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
import toy_handlers as toys
import toy_machines
from botocore.config import Config

from workflows.asl.tokens import make_token
from workflows.embedded import arns
from workflows.embedded.step_functions.api import StepFunctionsApi

DEADLINE_S = 20.0
MACHINE = arns.machine_arn("Waiting")


def token_at(place: str) -> str:
    """The token that an execution left there."""
    return toys.PLACES[place].token.result(DEADLINE_S)


class Api:
    """A client of a served driver, and the driver itself to wait for ends."""

    def __init__(self, world: Any, url: str) -> None:
        self.world = world
        self.client: Any = boto3.client(
            "stepfunctions",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.errors = self.client.exceptions

    def start(self, name: str, place: str) -> dict[str, Any]:
        started: dict[str, Any] = self.client.start_execution(
            stateMachineArn=MACHINE, name=name, input=json.dumps({"place": place})
        )
        return started

    def ended(self, arn: str) -> dict[str, Any]:
        self.world.driver.ended(arn).result(DEADLINE_S)
        described: dict[str, Any] = self.client.describe_execution(executionArn=arn)
        return described


@pytest.fixture
def api(open_world: Callable[..., Any]) -> Iterator[Api]:
    """One machine that waits for a token, behind the API."""
    world = open_world({"Waiting": toy_machines.WAITING})
    with closing(StepFunctionsApi(world.driver, world.reports)) as served:
        yield Api(world, served.url)


def test_the_same_start_again_is_the_same_execution_and_another_input_is_refused(api: Api) -> None:
    """While it runs, as at AWS; the name stays taken after its end, whatever the input."""
    first = api.start("one", "same start")
    assert api.start("one", "same start")["executionArn"] == first["executionArn"]
    with pytest.raises(api.errors.ExecutionAlreadyExists):
        api.start("one", "elsewhere")
    api.client.send_task_success(taskToken=token_at("same start"), output="{}")
    api.ended(first["executionArn"])
    with pytest.raises(api.errors.ExecutionAlreadyExists):
        api.start("one", "same start")


def test_a_token_settles_its_task_once(api: Api) -> None:
    """The output is the task's result; a settled token gets AWS's error TaskTimedOut."""
    arn = api.start("one", "settled")["executionArn"]
    token = token_at("settled")
    api.client.send_task_heartbeat(taskToken=token)
    api.client.send_task_success(taskToken=token, output='{"answer": 42}')
    described = api.ended(arn)
    assert described["status"] == "SUCCEEDED"
    assert json.loads(described["output"]) == {"answer": 42}
    for settle in (
        lambda: api.client.send_task_success(taskToken=token, output="{}"),
        lambda: api.client.send_task_failure(taskToken=token, error="E", cause=""),
        lambda: api.client.send_task_heartbeat(taskToken=token),
    ):
        with pytest.raises(api.errors.TaskTimedOut):
            settle()


def test_a_failed_token_fails_the_execution_with_its_error(api: Api) -> None:
    """With its error and its cause."""
    arn = api.start("one", "failed token")["executionArn"]
    api.client.send_task_failure(taskToken=token_at("failed token"), error="Closed", cause="for the night")
    described = api.ended(arn)
    assert (described["status"], described["error"], described["cause"]) == ("FAILED", "Closed", "for the night")


def test_reports_have_the_shapes_that_boto3_reads(api: Api) -> None:
    """Times are parsed; histories begin with the start and can be read in reverse."""
    arn = api.start("one", "reported")["executionArn"]
    token_at("reported")
    api.client.stop_execution(executionArn=arn, error="Stopped", cause="by a test")
    described = api.ended(arn)
    assert described["status"] == "ABORTED"
    assert described["startDate"] <= described["stopDate"]
    [listed] = api.client.list_executions(stateMachineArn=MACHINE, statusFilter="ABORTED")["executions"]
    assert listed["executionArn"] == arn
    events = api.client.get_execution_history(executionArn=arn)["events"]
    assert events[0]["type"] == "ExecutionStarted"
    assert api.client.get_execution_history(executionArn=arn, reverseOrder=True)["events"] == events[::-1]


def test_a_wrong_request_gets_the_error_of_aws(api: Api) -> None:
    """A client tells its own bugs from outages by the name of the error."""
    client, errors, unknown = api.client, api.errors, arns.execution_arn("Waiting", "nobody")
    with pytest.raises(errors.StateMachineDoesNotExist):
        client.start_execution(stateMachineArn=arns.machine_arn("Nothing"), name="one")
    with pytest.raises(errors.InvalidName):
        client.start_execution(stateMachineArn=MACHINE, name="no spaces")
    with pytest.raises(errors.InvalidExecutionInput):
        client.start_execution(stateMachineArn=MACHINE, input="{")
    for reading in (client.describe_execution, client.get_execution_history, client.stop_execution):
        with pytest.raises(errors.ExecutionDoesNotExist):
            reading(executionArn=unknown)
    with pytest.raises(errors.InvalidToken):
        client.send_task_success(taskToken="no token", output="{}")
    with pytest.raises(errors.TaskTimedOut):
        client.send_task_success(taskToken=make_token(unknown, b"x" * 24), output="{}")
    with pytest.raises(errors.InvalidOutput):
        client.send_task_success(taskToken=make_token(unknown, b"x" * 24), output="{")
    with pytest.raises(errors.ClientError, match="UnknownOperationException"):
        client.list_activities()
    with pytest.raises(errors.ClientError, match="ValidationException"):
        client.list_executions(stateMachineArn=MACHINE, statusFilter="ASLEEP")
