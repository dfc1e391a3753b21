"""Requests of every shape to the local Step Functions: a wrong one is refused, and none stops the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import httpx
import pytest

from workflows.embedded import arns
from workflows.embedded.local_step_functions import LocalStepFunctions
from workflows.embedded.step_functions.request_shapes import REQUEST

MODEL = botocore.session.get_session().get_service_model("stepfunctions")
ROLE = "arn:aws:iam::123456789012:role/any"
MACHINE = arns.machine_arn("M")
EXPRESS = arns.machine_arn("X")
EXECUTION = arns.execution_arn("M", "e")
ROUTES = [{"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}]
PASS = {"Type": "Pass", "End": True}
TEXT = json.dumps({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": PASS}})
TASK = json.dumps({"QueryLanguage": "JSONata", "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                   "Arguments": {"FunctionName": "F"}, "End": True})  # fmt: skip

RIGHT: dict[str, dict[str, Any]] = {
    "CreateStateMachine": {"name": "Other", "definition": TEXT, "roleArn": ROLE},
    "CreateStateMachineAlias": {"name": "P", "routingConfiguration": ROUTES},
    "StartSyncExecution": {"stateMachineArn": EXPRESS},
    "TestState": {"definition": TASK, "mock": {"result": "{}"}},
    "UpdateStateMachine": {"definition": TEXT},
    "UpdateStateMachineAlias": {"stateMachineAliasArn": f"{MACHINE}:P", "description": "d"},
    "ValidateStateMachineDefinition": {"definition": TEXT},
}
COMMON = {
    "stateMachineArn": MACHINE,
    "executionArn": EXECUTION,
    "resourceArn": MACHINE,
    "stateMachineVersionArn": f"{MACHINE}:7",
    "stateMachineAliasArn": f"{MACHINE}:NONE",
}
ODD: list[Any] = [
    None, 5, -1, 1.5, 10**30, True, [], {}, [1], [None], [{}], {"a": 1}, "", " ", "\x00", "²", "٣", "a" * 3000,
    "\ud800", [{"key": "\ud800", "value": "v"}], ["\ud800"], "arn:", "arn:aws:states:a:b:stateMachine:", EXECUTION,
    f"{MACHINE}:٣", f"{MACHINE}:1:2", "[" * 10_000, '{"a":' * 5000, "NaN", {"result": 5}, {"errorOutput": {"error": 5}},
    {"result": "[" * 10_000}, {"retrierRetryCount": "1"}, [{"stateMachineVersionArn": 5, "weight": "x"}],
]  # fmt: skip


class Service:
    """A service with a machine, an Express machine, a version and an execution."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=20)
        self.call("CreateStateMachine", {"name": "M", "definition": TEXT, "roleArn": ROLE, "publish": True})
        self.call("CreateStateMachine", {"name": "X", "definition": TEXT, "roleArn": ROLE, "type": "EXPRESS"})
        self.call("StartExecution", {"stateMachineArn": MACHINE, "name": "e"})

    def send(self, operation: str, body: bytes) -> httpx.Response:
        return self._client.post("/", content=body, headers={"x-amz-target": f"AWSStepFunctions.{operation}"})

    def call(self, operation: str, parameters: Any) -> httpx.Response:
        return self.send(operation, json.dumps(parameters).encode())

    def error(self, operation: str, **parameters: Any) -> str:
        response = self.call(operation, parameters)
        assert response.status_code == 400
        return str(response.json()["__type"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with LocalStepFunctions.open(tmp_path_factory.mktemp("requests"), find={"F": lambda _: 1}.get) as opened:
        yield Service(opened.url)
        assert not opened.failed.done()


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_no_value_of_a_member_is_an_error_of_the_service(service: Service, operation: str) -> None:
    """A wrong one is refused with an error that has a name; the service goes on."""
    shape: Any = MODEL.operation_model(operation).input_shape
    right = {name: COMMON.get(name, "x") for name in shape.required_members} | RIGHT.get(operation, {})
    for member in (*shape.members, "unknown"):
        for odd in ODD:
            response = service.call(operation, {**right, member: odd})
            assert response.status_code in (200, 400), (member, odd, response.text)
    assert service.call("DescribeExecution", {"executionArn": EXECUTION}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"{", b"\xff", b"null", b"{}{}", b"NaN", b"[" * 100_000, b'{"a":' * 100_000]
)
def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    """As AWS refuses it."""
    response = service.send("ListStateMachines", body)
    assert (response.status_code, response.json()["__type"]) == (400, "SerializationException")


def test_types_and_lengths_are_those_of_the_model(service: Service) -> None:
    """A wrong type cannot be read; a long text is not valid; null is no value."""
    assert service.error("StartExecution", stateMachineArn=MACHINE, input={"a": 1}) == "SerializationException"
    assert service.error("ListExecutions", stateMachineArn=MACHINE, maxResults="5") == "SerializationException"
    assert service.error("TagResource", resourceArn=MACHINE, tags={"a": "b"}) == "SerializationException"
    text = json.dumps("a" * 262_143)
    assert service.error("StartExecution", stateMachineArn=MACHINE, input=text) == "ValidationException"
    assert service.error("SendTaskFailure", taskToken="x", error="e" * 257) == "ValidationException"
    long = [{"key": "k", "value": "v" * 257}]
    assert service.error("TagResource", resourceArn=MACHINE, tags=long) == "ValidationException"
    assert service.call("ListExecutions", {"stateMachineArn": MACHINE, "maxResults": None}).status_code == 200


def test_a_text_that_names_something_has_whole_characters(service: Service) -> None:
    """UTF-8 cannot encode half of a surrogate pair. The cause of an error may have one."""
    for operation, member in (("RedriveExecution", "executionArn"), ("CreateStateMachine", "name")):
        right = {"definition": TEXT, "roleArn": ROLE, member: "\ud800"}
        assert service.error(operation, **right) == "SerializationException"
    waiting = {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}
    text = json.dumps({"QueryLanguage": "JSONata", "StartAt": "W", "States": waiting})
    service.call("CreateStateMachine", {"name": "W", "definition": text, "roleArn": ROLE})
    service.call("StartExecution", {"stateMachineArn": arns.machine_arn("W"), "name": "w"})
    arn = arns.execution_arn("W", "w")
    assert service.call("StopExecution", {"executionArn": arn, "cause": "half \ud800"}).status_code == 200
    assert service.call("DescribeExecution", {"executionArn": arn}).json()["cause"].startswith("half ")


def test_the_members_are_those_of_the_model() -> None:
    """Each with its type, and texts with their length, but for names: InvalidName says what is wrong with one."""
    kinds = {"string": str, "integer": int, "boolean": bool, "list": list, "structure": dict}
    served = [name for name in MODEL.operation_names if "Activit" not in name and "MapRun" not in name]
    shapes: list[Any] = [MODEL.operation_model(name).input_shape for name in served]
    for name, member in ((name, member) for shape in shapes for name, member in shape.members.items()):
        assert REQUEST.members[name].kind is kinds[member.type_name], name
        longest = max(
            (shape.members[name].metadata.get("max", 0) for shape in shapes if name in shape.members), default=0
        )
        if member.type_name == "string" and name != "name":
            assert REQUEST.members[name].length_max == (longest or None), name
