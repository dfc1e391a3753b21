"""Functions of other people's machines: Python callables, and functions behind Lambda's Invoke protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workflows.cli.functions import finder
from workflows.clock import SystemClock
from workflows.embedded.http.server import HttpServer
from workflows.embedded.lambda_.functions import FunctionFailed, FunctionUnknown
from workflows.embedded.lambda_.named_functions import THREADS_MAX, HttpFunction, NamedFunctions


async def lambda_(request: Request) -> Response:
    """Stand for a service of functions: each name has one behaviour."""
    name, event = request.path_params["name"], json.loads(await request.body())
    match name:
        case "Echo":
            return Response(json.dumps(event))
        case "Qualified":
            return Response(json.dumps(dict(request.query_params)))
        case "Nothing":
            return Response(b"")
        case "Fails":
            error = {"errorType": "OutOfStock", "errorMessage": "none left"}
            return Response(json.dumps(error), headers={"X-Amz-Function-Error": "Unhandled"})
        case "Throttled":
            return Response("slow down", 429, headers={"x-amzn-ErrorType": "TooManyRequestsException:http://x"})
        case _:
            return Response("no", 404)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = Starlette(routes=[Route("/2015-03-31/functions/{name}/invocations", lambda_, methods=["POST"])])
    with closing(HttpServer(app, 0)) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_a_function_behind_an_address_is_invoked(url: str) -> None:
    """By Lambda's own protocol; no body is null."""
    assert HttpFunction(url + "/", "Echo")({"a": [1, None, "ü"]}) == {"a": [1, None, "ü"]}
    assert HttpFunction(url, "Nothing")({}) is None


@pytest.mark.parametrize(
    ("name", "error", "cause"),
    [
        ("Fails", "OutOfStock", "none left"),
        ("Throttled", "Lambda.TooManyRequestsException", "slow down"),
        ("Missing", "Lambda.ResourceNotFoundException", "Function not found: Missing"),
    ],
)
def test_a_failure_behind_an_address_has_its_name(url: str, name: str, error: str, cause: str) -> None:
    """An error of the function by its type, one of the service as Step Functions names it."""
    with pytest.raises(FunctionFailed) as failed:
        HttpFunction(url, name)({})
    assert failed.value.error == error
    assert cause in failed.value.cause


def test_a_qualifier_is_sent_to_the_address(url: str) -> None:
    """Of a name and of an ARN; $LATEST is what a name alone stands for."""
    find = finder({}, url, lambda _: None)
    for function, expected in (
        ("Qualified:live", {"Qualifier": "live"}),
        ("arn:aws:lambda:us-east-1:123456789012:function:Qualified:7", {"Qualifier": "7"}),
        ("Qualified:$LATEST", {}),
        ("Qualified", {}),
    ):
        called = find(function)
        assert called is not None
        assert called({}) == expected


def test_half_of_a_surrogate_pair_is_sent_as_json_escapes_it(url: str) -> None:
    """In an event. No function has it in its name."""
    assert HttpFunction(url, "Echo")({"half": "\ud800"}) == {"half": "\ud800"}
    with pytest.raises(FunctionFailed) as failed:
        HttpFunction(url, "\ud800")({})
    assert failed.value.error == "Lambda.ResourceNotFoundException"


def test_an_address_that_does_not_answer_is_an_error_of_the_client() -> None:
    """It can be retried."""
    with pytest.raises(FunctionFailed) as failed:
        HttpFunction("http://127.0.0.1:9", "F")({})
    assert failed.value.error == "Lambda.SdkClientException"


def functions(**named: Callable[..., Any]) -> NamedFunctions:
    return NamedFunctions(named.get, clock=SystemClock())


def test_an_unknown_function_is_refused_at_once() -> None:
    """Nothing is queued."""
    with pytest.raises(FunctionUnknown):
        functions().invoke("F", {})


def test_a_function_that_cannot_be_looked_up_is_unknown() -> None:
    """The lookup may run code of a module."""

    def find(_: str) -> Any:
        raise ImportError("no")

    with pytest.raises(FunctionUnknown):
        NamedFunctions(find, clock=SystemClock()).invoke("F", {})


def test_an_exception_without_a_text_fails_the_call() -> None:
    """Its class is the error; the thread goes on."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def fail(_: Any) -> None:
        raise Mute

    failed = functions(Fail=fail).invoke("Fail", {}).exception(20)
    assert isinstance(failed, FunctionFailed)
    assert failed.error == "Mute"


def test_a_function_that_ends_its_process_fails() -> None:
    """As on Lambda; the thread goes on with other calls."""

    def leave(_: Any) -> None:
        raise SystemExit(3)

    named = functions(Leave=leave, Echo=lambda event: event)
    failed = named.invoke("Leave", {}).exception(20)
    assert isinstance(failed, FunctionFailed)
    assert failed.error == "Runtime.ExitError"
    assert named.invoke("Echo", [1]).result(20) == [1]


def test_more_calls_than_threads_wait_for_one_another() -> None:
    """Blocked functions do not keep others from being queued, and all of them end."""
    gate = threading.Event()
    named = functions(Block=lambda event: gate.wait(20) and event)
    called = [named.invoke("Block", number) for number in range(1, THREADS_MAX + 9)]
    gate.set()
    assert [answer.result(20) for answer in called] == list(range(1, THREADS_MAX + 9))
