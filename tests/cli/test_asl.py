"""User-supplied state machine definitions, checked and run from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workflows.embedded.http.server import HttpServer

_REPOSITORY = Path(__file__).parents[2]

_CHARGE = """
QueryLanguage: JSONata
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: 86400, Next: Charge}
  Charge:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: Charge, Payload: "{% $states.input %}"}
    Output: "{% $states.result.Payload %}"
    End: true
"""


def test_the_machines_of_the_saga_have_no_problems(expediter: Any) -> None:
    """They are checked with their substitutions, as the template sets them."""
    values = {"SagaStep": "s", "PaymentMachine": "p", "PreparationMachine": "q", "DeliveryMachine": "d"}
    values |= {f"{name}Seconds": "60" for name in ("KitchenAnswer", "KitchenReady", "CourierAnswer")}
    values |= {"CourierPickupSeconds": "60", "CourierDeliverySeconds": "60"}
    files = sorted(map(str, (_REPOSITORY / "statemachines").glob("*.asl.yaml")))
    result = expediter("asl", "check", *files, *(f"--substitute={name}={value}" for name, value in values.items()))
    assert result.code == 0, result.out
    assert result.out.count(": ok\n") == len(files)


def test_every_problem_of_every_file_is_listed(expediter: Any, written: Callable[[str, str], str]) -> None:
    """One run names them all, in JSON too."""
    bad = written("bad.yaml", "QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, Next: B, Foo: 1}}")
    good = written("good.yaml", _CHARGE)
    checked = expediter("asl", "check", bad, good, "--json")
    assert checked.code == 1
    assert checked.json["ok"] is False
    assert {problem["field"] for problem in checked.json["files"][bad]} >= {"Next", "Foo"}
    assert checked.json["files"][good] == []


def test_a_run_skips_waits_and_calls_the_given_function(expediter: Any, written: Callable[[str, str], str]) -> None:
    """A day passes on the virtual clock. The output goes to stdout, the status to stderr."""
    file = written("charge.asl.yaml", _CHARGE)
    result = expediter("asl", "run", file, "--input", '{"n": 1}', "--function", "Charge=builtins:dict")
    assert (result.code, result.out, result.err) == (0, '{\n  "n": 1\n}\n', "SUCCEEDED\n")


def test_a_run_calls_a_function_behind_an_address(expediter: Any, written: Callable[[str, str], str]) -> None:
    """Its result and its errors are those of Lambda's Invoke protocol."""

    async def invoke(request: Request) -> Response:
        event = await request.json()
        failed = {"x-amz-function-error": "Unhandled"} if event["n"] > 1 else {}
        return Response(json.dumps({"errorType": "TooMany"} if failed else event), headers=failed)

    path = "/2015-03-31/functions/Charge/invocations"
    with closing(HttpServer(Starlette(routes=[Route(path, invoke, methods=["POST"])]), 0)) as server:
        function = f"--function=Charge=http://127.0.0.1:{server.port}"
        file = written("charge.asl.yaml", _CHARGE)
        assert expediter("asl", "run", file, "--input", '{"n": 1}', function).out == '{\n  "n": 1\n}\n'
        failed = expediter("asl", "run", file, "--input", '{"n": 2}', function)
    assert (failed.code, failed.err) == (1, 'FAILED: TooMany: {"errorType": "TooMany"}\n')


def test_a_run_without_a_function_names_the_option(expediter: Any, written: Callable[[str, str], str]) -> None:
    """The task fails as on AWS, and a line says how to give the function."""
    result = expediter("asl", "run", written("charge.asl.yaml", _CHARGE))
    assert result.code == 1
    assert result.err.startswith("FAILED: Lambda.ResourceNotFoundException: Function not found: Charge")
    assert "--function NAME=MODULE:CALLABLE" in result.err


def test_a_run_without_a_machine_names_the_option(expediter: Any, written: Callable[[str, str], str]) -> None:
    """By either integration."""
    for resource in ("states:startExecution.sync:2", "aws-sdk:sfn:startSyncExecution"):
        start = f"{{Type: Task, Resource: arn:aws:states:::{resource}, Arguments: {{StateMachineArn: Pay}}, End: true}}"
        file = written("parent.yaml", f"QueryLanguage: JSONata\nStartAt: A\nStates: {{A: {start}}}")
        result = expediter("asl", "run", file)
        assert result.code == 1
        assert "StateMachineDoesNotExistException: State Machine Does Not Exist: 'Pay'" in result.err
        assert "--machine NAME=FILE" in result.err


def test_resources_of_services_are_checked_and_need_a_callable_to_run(
    expediter: Any, written: Callable[[str, str], str]
) -> None:
    """The callable is given by the name of the Resource."""
    resource = "arn:aws:states:::sqs:sendMessage"
    file = written("send.asl.yaml", _CHARGE.replace("arn:aws:states:::lambda:invoke", resource))
    assert expediter("asl", "check", file).code == 0
    refused = expediter("asl", "run", file)
    assert refused.code == 2
    assert f"nothing performs calls of '{resource}' here" in refused.err
    sent = expediter("asl", "run", file, "--input", '{"n": 1}', "--function", f"{resource}=builtins:dict")
    assert (sent.code, sent.out) == (0, '{\n  "n": 1\n}\n')


def test_an_express_machine_is_checked_as_one(expediter: Any, written: Callable[[str, str], str]) -> None:
    """With --type EXPRESS; the same machine may be a Standard one."""
    waiting = _CHARGE.replace("lambda:invoke", "lambda:invoke.waitForTaskToken")
    file = written("token.asl.yaml", waiting)
    assert expediter("asl", "check", file).code == 0
    refused = expediter("asl", "check", file, "--type", "EXPRESS")
    assert refused.code == 1
    assert "Express state machine does not support '.waitForTaskToken' service integration" in refused.out


def test_a_failed_run_prints_error_and_cause(expediter: Any, written: Callable[[str, str], str]) -> None:
    """The exit code is 1, and the error is the exception's class name."""
    file = written("charge.asl.yaml", _CHARGE)
    result = expediter("asl", "run", file, "--input", "[1]", "--function", "Charge=json:loads", "--json")
    assert result.code == 1
    assert (result.json["status"], result.json["error"]) == ("FAILED", "TypeError")


def test_the_history_has_the_events_of_get_execution_history(
    expediter: Any, written: Callable[[str, str], str]
) -> None:
    """Events have AWS's types and are numbered from 1."""
    file = written("charge.asl.yaml", _CHARGE)
    call = ("asl", "run", file, "--function", "Charge=builtins:dict", "--history")
    events = expediter(*call, "--json").json["events"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert "WaitStateEntered" in expediter(*call).out


def test_a_machine_can_start_another(expediter: Any, written: Callable[[str, str], str]) -> None:
    """``--machine NAME=FILE`` names the other definition."""
    parent = written(
        "parent.yaml",
        """
QueryLanguage: JSONata
StartAt: Child
States:
  Child:
    Type: Task
    Resource: arn:aws:states:::states:startExecution.sync:2
    Arguments: {StateMachineArn: Child, Input: {n: 2}}
    Output: "{% $states.result.Output %}"
    End: true
""",
    )
    child = written("child.yaml", "QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, End: true}}")
    result = expediter("asl", "run", parent, "--machine", f"Child={child}")
    assert (result.code, result.out) == (0, '{\n  "n": 2\n}\n')
