"""``expediter asl serve``: a machine of somebody else's outlives a kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from workflows.embedded.local_step_functions import LocalStepFunctions

SHOP = """
def Charge(event):
    return {"charged": event["amount"]}

def Ask(event):
    print(event["token"], file=open("token", "w"))
"""

ORDER = {
    "Comment": "Charge, ask somebody, and charge again.",
    "QueryLanguage": "JSONata",
    "StartAt": "First",
    "States": {
        "First": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Charge",
            "Assign": {"first": "{% $states.result.charged %}"},
            "Next": "Answer",
        },
        "Answer": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "Ask", "Payload": {"token": "{% $states.context.Task.Token %}"}},
            "Next": "Second",
        },
        "Second": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Charge",
            "Arguments": {"amount": "{% $first + $states.input %}"},
            "End": True,
        },
    },
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], Any]]]:
    """Start the command on a folder and a free port, with a client; its processes are killed after the test."""
    (tmp_path / "shop.py").write_text(SHOP)
    processes: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], Any]:
        command = [sys.executable, "-m", "workflows.cli", "asl", "serve", "--data", "data", "--functions", "shop"]
        paths = os.pathsep.join(sys.path)  # the command's own folder is another one
        environment = {**os.environ, "PYTHONPATH": paths}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        )
        processes.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate()
        client = boto3.client(
            "stepfunctions",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        return process, client

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_an_execution_goes_on_after_a_kill(serve: Callable[[], tuple[Any, Any]], tmp_path: Path) -> None:
    """Its machine, its variables, its history and the token that is outside are still there."""
    process, sfn = serve()
    role = "arn:aws:iam::123456789012:role/any"
    machine = sfn.create_state_machine(name="Order", definition=json.dumps(ORDER), roleArn=role)["stateMachineArn"]
    arn = sfn.start_execution(stateMachineArn=machine, name="one", input='{"amount": 30}')["executionArn"]
    before = _history_until(sfn, arn, "TaskSubmitted")
    process.send_signal(signal.SIGKILL)
    process.wait()

    process, sfn = serve()
    assert _history(sfn, arn) == before
    sfn.send_task_success(taskToken=(tmp_path / "token").read_text().strip(), output="12")
    after = _history_until(sfn, arn, "ExecutionSucceeded")
    assert after[: len(before)] == before
    assert json.loads(sfn.describe_execution(executionArn=arn)["output"]) == {"charged": 42}
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=machine, name="one", input='{"amount": 30}')
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def _history(sfn: Any, arn: str) -> list[dict[str, Any]]:
    """Read the history in pages of three events."""
    pages = sfn.get_paginator("get_execution_history").paginate(executionArn=arn, PaginationConfig={"PageSize": 3})
    return [event for page in pages for event in page["events"]]


def _history_until(sfn: Any, arn: str, last: str) -> list[dict[str, Any]]:
    """Read the history until its last event is of this type; the service answers after each commit."""
    for _ in range(2000):
        events = _history(sfn, arn)
        if events[-1]["type"] == last:
            return events
    raise AssertionError(f"the history ends with {events[-1]['type']}")


def test_a_stored_machine_without_its_service_is_named(expediter: Any, tmp_path: Path) -> None:
    """The command does not start, so that no execution fails for want of an option."""
    resource = "arn:aws:states:::sqs:sendMessage"
    task = {"Type": "Task", "Resource": resource, "Arguments": {}, "End": True}
    text = json.dumps({"QueryLanguage": "JSONata", "StartAt": "Send", "States": {"Send": task}})
    with LocalStepFunctions.open(tmp_path, find={resource: dict}.get) as service:
        sfn = boto3.client("stepfunctions", endpoint_url=service.url, region_name="us-east-1",
                           aws_access_key_id="any", aws_secret_access_key="any")  # fmt: skip
        sfn.create_state_machine(name="Sends", definition=text, roleArn="arn:aws:iam::123456789012:role/any")
    result = expediter("asl", "serve", "--data", tmp_path)
    assert result.code == 1, result.err
    assert f"a stored machine cannot run: Sends: state 'Send': Resource: nothing performs calls of '{resource}'" in (
        result.err
    )


def test_a_target_that_is_not_there_is_named(expediter: Any, tmp_path: Path) -> None:
    """Before anything is served."""
    folder = tmp_path / "data"
    for options, words in (
        (("--functions", "no_such_module"), "no_such_module cannot be imported"),
        (("--function", "F=json:nothing"), "json has no callable nothing"),
        (("--endpoint", "localhost:4566"), "is not an HTTP address"),
    ):
        result = expediter("asl", "serve", "--data", folder, *options)
        assert result.code == 2, result.err
        assert words in result.err
    assert not folder.exists()
