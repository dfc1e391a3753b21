"""Functions that run in this process as Lambda runs them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import toy_handlers as toys

from workflows import engine as ports
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import FunctionFailed, Functions, FunctionUnknown
from workflows.engine import Engine, NoEngine, engine
from workflows.hub.hub import Hub

DEADLINE_S = 20.0


@pytest.fixture(params=["in threads", "on the hub"])
def functions(request: pytest.FixtureRequest, make_functions: Callable[..., Any]) -> Callable[..., Functions]:
    """Makes functions that never block, which run in both ways alike."""
    return partial(make_functions, on_hub=request.param == "on the hub")


@pytest.fixture
def make_functions(manual_clock: Any, toy_function: Callable[..., Any]) -> Iterator[Callable[..., Functions]]:
    """Makes functions named after their handlers."""
    hub, made = Hub(), []
    alarms = Alarms(manual_clock, hub)
    manual_clock.alarms = alarms

    def make(*handlers: str, workers: int = 2, on_hub: bool = False, **options: Any) -> Functions:
        named = {handler: toy_function(handler, handler, **options) for handler in handlers}
        made.append(
            Functions(named, clock=manual_clock, hub=hub, alarms=alarms, workers=workers, on_hub=lambda _: on_hub)
        )
        ports: dict[str, Any] = dict.fromkeys(Engine.__dataclass_fields__)
        made[-1].start(Engine(**{**ports, "clock": manual_clock}))
        return made[-1]

    yield make
    for each in made:
        each.close(DEADLINE_S)
    alarms.close()
    hub.close()


def answer(functions: Functions, name: str, payload: Any = None) -> Any:
    return functions.invoke(name, payload).result(DEADLINE_S)


def test_a_function_shares_no_object_with_its_caller(functions: Any) -> None:
    """On AWS event and result are sent as JSON; a handler that changes its event changes only its own copy."""
    payload = {"list": [1, 2.5, None, True, "é"]}
    changed = answer(functions("change_event"), "change_event", payload)
    assert (changed, payload) == ({**payload, "changed": True}, {"list": [1, 2.5, None, True, "é"]})


def test_a_function_is_found_by_name_or_arn_with_or_without_a_version(functions: Any) -> None:
    """The forms that FunctionName accepts."""
    made = functions("echo")
    arn = "arn:aws:lambda:local:000000000000:function:echo"
    assert [answer(made, name, 1) for name in ("echo", arn, f"{arn}:$LATEST", f"{arn}:live")] == [1] * 4


def test_functions_close_again_after_their_hub(functions: Any, make_functions: Any) -> None:
    """A second close has nothing to wait for, so it does not wait for a hub that runs no more."""
    made = functions("echo")
    assert made.close(DEADLINE_S)
    made._hub.close()
    assert made.close(0.0)


def test_an_unknown_function_is_refused_by_name(functions: Any) -> None:
    """The message lists the known names."""
    with pytest.raises(FunctionUnknown, match="nobody; the functions are: echo"):
        functions("echo").invoke("nobody", None)


def test_a_function_runs_under_its_own_environment_and_the_engine(
    functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only while it runs."""
    monkeypatch.setattr(ports, "_opener", None)
    made = functions("environment", environment={"ORDER_MACHINE": "arn"})
    assert answer(made, "environment") == {"ORDER_MACHINE": "arn"}
    with pytest.raises(NoEngine):
        engine()


def test_the_context_is_lambdas(functions: Any) -> None:
    """As far as Python code reads it."""
    context = answer(functions("describe_context"), "describe_context")
    assert context.pop("request")
    assert context == {
        "name": "describe_context",
        "arn": "arn:aws:lambda:local:000000000000:function:describe_context",
        "memory": "128",
        "version": "$LATEST",
        "has_time": True,
    }


FAILURES = [
    ("fail", "ToyFailed", "as asked"),
    ("not_json", "Runtime.MarshalError", "not JSON serializable"),
    ("half_a_character", "Runtime.MarshalError", "surrogates not allowed"),
    ("not_a_number", "Runtime.MarshalError", "not JSON compliant"),
    ("too_large", "Function.ResponseSizeTooLarge", "6291556"),
    ("leave", "Runtime.ExitError", "3"),
    ("no_such_handler", "Runtime.HandlerNotFound", "no_such_handler"),
]


@pytest.mark.parametrize(("handler", "error", "message"), FAILURES)
def test_a_failure_is_lambdas_error_object(functions: Any, handler: str, error: str, message: str) -> None:
    """State machines match on its type, which is the class name of an exception."""
    with pytest.raises(FunctionFailed) as failed:
        answer(functions(handler), handler)
    cause = json.loads(failed.value.cause)
    assert (failed.value.error, cause["errorType"]) == (error, error)
    assert message in cause["errorMessage"]
    assert isinstance(cause["stackTrace"], list)
    assert cause["requestId"]


def test_the_stack_trace_begins_in_the_handler(functions: Any) -> None:
    """Not in our own code."""
    with pytest.raises(FunctionFailed) as failed:
        answer(functions("fail"), "fail")
    assert "toy_handlers.py" in failed.value.trace[0]


def test_a_missing_module_is_an_import_error(functions: Any, toy_function: Any, manual_clock: Any) -> None:
    """With Lambda's error."""
    made = functions("echo")
    made._functions["echo"] = toy_function("echo", "deeper.echo")
    with pytest.raises(FunctionFailed) as failed:
        answer(made, "echo")
    assert failed.value.error == "Runtime.ImportModuleError"


def test_a_function_out_of_time_fails_and_its_thread_is_replaced(make_functions: Any, manual_clock: Any) -> None:
    """Its thread runs to its end and the result is dropped; the next call does not wait for it."""
    made = make_functions("wait_at_gate", "echo", workers=1, timeout_s=3)
    place = toys.PLACES["zombie"]
    slow = made.invoke("wait_at_gate", {"place": "zombie"})
    assert place.came.acquire(timeout=DEADLINE_S)
    manual_clock.time += timedelta(seconds=3)
    manual_clock.alarms.look()
    with pytest.raises(FunctionFailed) as failed:
        slow.result(DEADLINE_S)
    assert failed.value.error == "Sandbox.Timedout"
    assert "Task timed out after 3.00 seconds" in failed.value.cause
    assert answer(made, "echo", "next") == "next"
    place.gate.set()


def test_functions_that_hang_take_a_bounded_number_of_threads(make_functions: Any, manual_clock: Any) -> None:
    """Twice the workers at most."""
    made = make_functions("wait_at_gate", workers=2, timeout_s=3)
    place, before = toys.PLACES["hanging"], threading.active_count()
    calls = [made.invoke("wait_at_gate", {"place": "hanging"}) for _ in range(8)]
    for _ in range(2):
        assert all(place.came.acquire(timeout=DEADLINE_S) for _ in range(2))
        manual_clock.time += timedelta(seconds=3)
        manual_clock.alarms.look()
    assert [type(call.exception(DEADLINE_S)) for call in calls[:4]] == [FunctionFailed] * 4
    assert threading.active_count() <= before + 2
    place.gate.set()
    assert [call.result(DEADLINE_S)["place"] for call in calls[4:]] == ["hanging"] * 4


def test_closing_drops_the_calls_that_wait_and_finishes_those_under_way(make_functions: Any) -> None:
    """A dropped call is made again from the journal, or is answered 503."""
    made = make_functions("wait_at_gate", "echo", workers=1)
    place = toys.PLACES["closing"]
    under_way = made.invoke("wait_at_gate", {"place": "closing"})
    assert place.came.acquire(timeout=DEADLINE_S)
    waiting = made.invoke("echo", None)
    assert not made.close(0.0)
    place.gate.set()
    assert made.close(DEADLINE_S)
    assert under_way.result(DEADLINE_S)
    assert waiting.cancelled()
