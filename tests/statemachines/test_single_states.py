"""The table of single states, checked against the interpreter and, with credentials, against AWS itself.

``pytest -m aws`` calls the TestState API of AWS, or of an emulator at ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.statemachines.single_states import SINGLE_STATES, SingleState, definition_of
from workflows.asl.run import FunctionTask, run
from workflows.asl.signals import ExecutionStatus

TOKEN_RESOURCE = ".waitForTaskToken"
TRIES_MAX = 10
"""More than any Retry of ours has: the next error is caught."""


def cut(machine: str, state: str) -> dict[str, Any]:
    """Build a machine of one state. Every next state only outputs its own name and its input."""
    whole = definition_of(machine)
    kept = whole["States"][state]
    ends = {
        name: {"Type": "Succeed", "Output": {"then": name, "output": "{% $states.input %}"}} for name in nexts(kept)
    }
    return {**whole, "StartAt": state, "States": {**ends, state: kept}}


def nexts(state: dict[str, Any]) -> set[str]:
    """Name the next states of a state."""
    rules = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {rule[field] for rule in rules for field in ("Next", "Default") if field in rule}


@pytest.mark.parametrize("single", SINGLE_STATES, ids=lambda single: single.name)
def test_the_interpreter_runs_each_state_as_in_the_table(single: SingleState) -> None:
    """Its task answers once, or fails until no retry is left."""
    definition = cut(single.machine, single.state)
    is_end = single.then is None
    ended = run(
        definition,
        dict(single.state_input),
        {"SagaStep": answering(single, definition["States"][single.state].get("Resource", ""))},
    )
    assert ended.status is ExecutionStatus.SUCCEEDED, (ended.error, ended.cause)
    outcome: Any = {"then": None, "output": ended.output} if is_end else ended.output
    assert outcome["then"] == single.then
    if single.tells_output:
        assert outcome["output"] == single.output


def answering(single: SingleState, resource: str) -> Any:
    """Build a SagaStep that answers as in the row."""

    def settle(event: Any, task: FunctionTask) -> Any:
        if not isinstance(single.answers, str):
            task.succeed(single.answers)
        elif single.answers != "States.Timeout":  # the token is not settled, and the task times out
            task.fail(single.answers, "why")
        return {}

    def answer(event: Any) -> Any:
        if isinstance(single.answers, str):
            raise type(single.answers, (Exception,), {})("why")
        return (single.answers or {})["Payload"]

    return settle if resource.endswith(TOKEN_RESOURCE) else answer


@pytest.fixture
def step_functions(request: pytest.FixtureRequest) -> Any:
    """A client of AWS, or of the emulator."""
    if "aws" not in request.config.getoption("markexpr"):
        pytest.skip("asks AWS itself: pytest -m aws, with credentials")
    session = boto3.Session()
    if session.get_credentials() is None:
        pytest.skip("no AWS credentials: TestState needs them")
    at_an_emulator = "AWS_ENDPOINT_URL" in os.environ  # its host is an address, which cannot get the prefix "sync-"
    config = Config(inject_host_prefix=not at_an_emulator)
    return session.client("stepfunctions", region_name=session.region_name or "us-east-1", config=config)


@pytest.mark.aws
@pytest.mark.parametrize("single", SINGLE_STATES, ids=lambda single: single.name)
def test_aws_runs_each_state_as_in_the_table(step_functions: Any, single: SingleState) -> None:
    """TestState with a mocked answer of the task. An error comes after the last retry, so that it is caught."""
    execution = {"Input": dict(single.state_input), "Name": f"{single.state_input.get('order_id', 'ord')}-1"}
    request: dict[str, Any] = {
        "definition": json.dumps(definition_of(single.machine)),
        "stateName": single.state,
        "input": json.dumps(single.state_input),
        "context": json.dumps({"Execution": execution, "Task": {"Token": "a token"}}),
    }
    if isinstance(single.answers, str):
        request["mock"] = {"errorOutput": {"error": single.answers, "cause": "why"}}
        request["stateConfiguration"] = {"retrierRetryCount": TRIES_MAX}
    elif single.answers is not None:
        request["mock"] = {"result": json.dumps(single.answers), "fieldValidationMode": "NONE"}
    answer = step_functions.test_state(**request)
    assert answer["status"] == ("CAUGHT_ERROR" if isinstance(single.answers, str) else "SUCCEEDED"), answer
    assert answer.get("nextState") == single.then
    if single.tells_output:
        assert json.loads(answer["output"]) == single.output
