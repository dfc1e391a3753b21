"""``run``: one execution and its children in this process, under a virtual clock."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.asl import virtual
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.run import START, NothingMoves, run
from workflows.asl.signals import ExecutionStatus

Build = Callable[..., dict[str, Any]]
CHILD = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
STATES = "arn:aws:states:::states:startExecution"


def test_functions_are_found_by_name_or_arn(machine: Build, task: Build) -> None:
    """In whichever form the definition and the caller give it."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:live"
    definition = machine({"A": task(Arguments={"FunctionName": arn, "Payload": {"n": 2}})})
    for key in ("f", arn, "arn:aws:lambda:eu-west-1:123456789012:function:f"):
        assert run(definition, functions={key: lambda event: event["n"] * 2}).output == 4


def test_waits_take_no_time(machine: Build) -> None:
    """A wait of a year ends at once; the history shows the virtual time."""
    begun = time.monotonic()
    ended = run(machine({"A": {"Type": "Wait", "Seconds": 31_536_000, "End": True}}), {"a": 1})
    assert time.monotonic() - begun < 5
    assert ended.output == {"a": 1}
    assert ended.events[-1]["timestamp"] == START + timedelta(days=365)


def test_exceptions_are_retried_by_their_class_name(machine: Build, task: Build) -> None:
    """With the delays of the definition."""

    class Unavailable(Exception):
        pass

    calls: list[Any] = []

    def flaky(event: Any) -> str:
        calls.append(event)
        if len(calls) < 3:
            raise Unavailable("not yet")
        return "at last"

    retry = [{"ErrorEquals": ["Unavailable"], "IntervalSeconds": 10}]
    ended = run(machine({"A": task(Retry=retry)}), functions={"f": flaky})
    assert (ended.status, ended.output, len(calls)) == (ExecutionStatus.SUCCEEDED, "at last", 3)
    assert ended.events[-1]["timestamp"] - START == timedelta(seconds=30)


def test_a_function_that_ends_its_process_fails_its_task(machine: Build, task: Build) -> None:
    """On Lambda it ends only the runtime. Here it must not end the process that runs the execution."""
    ended = run(machine({"A": task()}), functions={"f": lambda _: sys.exit(3)})
    assert (ended.status, ended.error) == (ExecutionStatus.FAILED, "Runtime.ExitError")
    assert json.loads(ended.cause or "")["errorMessage"] == "Runtime exited with 3"


def test_a_stack_trace_begins_with_the_function(machine: Build, task: Build) -> None:
    """As on AWS, it does not show the frames of the caller."""

    def broken(_: Any) -> None:
        raise KeyError("total")

    ended = run(machine({"A": task()}), functions={"f": broken})
    trace = json.loads(ended.cause or "")["stackTrace"]
    assert len(trace) == 1
    assert "in broken" in trace[0]


def test_a_callback_may_be_settled_later(machine: Build, callback: Build) -> None:
    """After ``after_s`` seconds of virtual time; a heartbeat before keeps the task open."""

    def answer_later(_event: Any, task: Any) -> None:
        task.heartbeat(after_s=50)
        task.succeed({"yes": True}, after_s=100)
        task.fail("TooLate", after_s=200)

    ended = run(machine({"A": callback(HeartbeatSeconds=60)}), functions={"f": answer_later})
    assert ended.output == {"yes": True}
    assert ended.events[-1]["timestamp"] - START == timedelta(seconds=100)


def test_a_function_may_answer_slowly(machine: Build, task: Build) -> None:
    """So that timeouts can be tested."""
    definition = machine({"A": task(TimeoutSeconds=5)})
    assert run(definition, functions={"f": lambda _, task: task.later("ok", after_s=4)}).output == "ok"
    late = run(definition, functions={"f": lambda _, task: task.later("ok", after_s=6)})
    assert (late.status, late.error, late.cause) == (ExecutionStatus.FAILED, "States.Timeout", None)


def test_a_wait_without_an_end_is_an_error(machine: Build, callback: Build) -> None:
    """No function settles the token and there is no timeout; AWS would wait a year."""
    with pytest.raises(NothingMoves, match="state 'A' for its task"):
        run(machine({"A": callback()}), functions={"f": lambda _: None})


def test_a_function_that_is_missing_is_named(machine: Build, task: Build) -> None:
    """As on AWS: an error that can be caught."""
    ended = run(machine({"A": task()}), functions={"g": lambda _: None})
    assert ended.error == "Lambda.ResourceNotFoundException"
    assert ended.cause is not None
    assert ended.cause.startswith("Function not found: f (Service: Lambda, Status Code: 404, ")
    caught = task(Catch=[{"ErrorEquals": ["Lambda.ResourceNotFoundException"], "Next": "B"}])
    assert run(machine({"A": caught, "B": {"Type": "Succeed", "Output": "caught"}})).output == "caught"


def test_what_a_function_returns_must_be_json(machine: Build, task: Build) -> None:
    """Lambda reports Runtime.MarshalError."""
    assert run(machine({"A": task()}), functions={"f": lambda _: object()}).error == "Runtime.MarshalError"


def test_functions_cannot_change_what_the_machine_holds(machine: Build, task: Build) -> None:
    """They get a copy of the payload, as on Lambda."""

    def spoil(event: Any) -> Any:
        event["list"].append("spoiled")
        return None

    arguments = {"FunctionName": "f", "Payload": "{% $states.input %}"}
    definition = machine({"A": task(Arguments=arguments, Output="{% $states.input %}")})
    assert run(definition, {"list": []}, {"f": spoil}).output == {"list": []}


def start(resource: str, **arguments: Any) -> dict[str, Any]:
    arguments = {"StateMachineArn": CHILD, "Input": {"n": "{% $states.input.n %}"}} | arguments
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "Output": "{% $states.result %}", "End": True}


@pytest.fixture
def child(machine: Build) -> dict[str, Any]:
    """A machine that fails if ``n`` is 0, and otherwise returns ``n`` after a minute."""
    return machine(
        {
            "C": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.n = 0 %}", "Next": "Bad"}],
                "Default": "W",
            },
            "W": {"Type": "Wait", "Seconds": 60, "Next": "Good"},
            "Good": {"Type": "Succeed", "Output": "{% $states.input.n %}"},
            "Bad": {"Type": "Fail", "Error": "Zero", "Cause": "n is 0"},
        }
    )


def test_child_executions_run_under_the_same_clock(machine: Build, child: dict[str, Any]) -> None:
    """.sync:2 waits for the output; the machine is found by its ARN or name."""
    ended = run(machine({"A": start(STATES + ".sync:2")}), {"n": 5}, machines={"child": child})
    assert (ended.output["Output"], ended.output["Status"]) == (5, "SUCCEEDED")
    assert ended.events[-1]["timestamp"] - START == timedelta(seconds=60)
    quick = run(machine({"A": start(STATES)}), {"n": 5}, machines={"child": child})
    assert {"ExecutionArn", "StartDate"} < set(quick.output)
    assert quick.events[-1]["timestamp"] == START


def test_a_failed_child_fails_sync_and_not_express(machine: Build, child: dict[str, Any]) -> None:
    """.sync fails with States.TaskFailed; startSyncExecution returns a Status."""
    ended = run(machine({"A": start(STATES + ".sync")}), {"n": 0}, machines={"child": child})
    assert ended.error == "States.TaskFailed"
    assert json.loads(ended.cause or "")["Error"] == "Zero"
    express = start("arn:aws:states:::aws-sdk:sfn:startSyncExecution", Input="{% $string($states.input) %}")
    answered = run(machine({"A": express}), {"n": 0}, machines={"child": child})
    assert (answered.status, answered.output["Status"], answered.output["Error"]) == (
        ExecutionStatus.SUCCEEDED,
        "FAILED",
        "Zero",
    )


def test_a_name_starts_once(machine: Build, child: dict[str, Any]) -> None:
    """The same name and input mean the same execution while it runs. Afterwards the name is taken."""
    both = {
        "P": {
            "Type": "Parallel",
            "Branches": [{"StartAt": s, "States": {s: start(STATES + ".sync:2", Name="once")}} for s in ("A", "B")],
            "Next": "Again",
        },
        "Again": start(STATES, Name="once", Input={"n": 9}),
    }
    ended = run(machine(both), {"n": 5}, machines={"child": child})
    assert ended.error == "StepFunctions.ExecutionAlreadyExistsException"
    arns = {json.loads(e["taskSubmittedEventDetails"]["output"])["ExecutionArn"]
            for e in ended.events if e["type"] == "TaskSubmitted"}  # fmt: skip
    assert len(arns) == 1


def test_an_unknown_machine_is_an_error_of_the_task(machine: Build) -> None:
    """The error that the service answers."""
    ended = run(machine({"A": start(STATES)}), {"n": 1})
    assert ended.error == "StepFunctions.StateMachineDoesNotExistException"


def test_a_failed_branch_stops_the_child_of_another(machine: Build, callback: Build, child: dict[str, Any]) -> None:
    """The child is aborted, and the parent does not wait for it."""
    states = {
        "P": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "A", "States": {"A": start(STATES + ".sync:2")}},
                {"StartAt": "B", "States": {"B": callback()}},
            ],
            "End": True,
        }
    }
    ended = run(
        machine(states), {"n": 1}, {"f": lambda _, task: task.fail("Stop", after_s=5)}, machines={"child": child}
    )
    assert (ended.status, ended.error) == (ExecutionStatus.FAILED, "Stop")
    assert ended.events[-1]["timestamp"] - START == timedelta(seconds=5)


def test_a_run_is_decided_by_its_seed(machine: Build) -> None:
    """The same seed gives the same run, to the last event."""
    definition = machine({"A": {"Type": "Pass", "Output": "{% [$uuid(), $random(), $now()] %}", "End": True}})
    assert run(definition, seed="1") == run(definition, seed="1")
    assert run(definition, seed="1").output != run(definition, seed="2").output
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert run(definition, start=noon).output[2] == "2030-01-01T12:00:00.000Z"


def test_a_machine_times_out_at_its_own_limit(machine: Build) -> None:
    """TIMED_OUT, after exactly its TimeoutSeconds; the result names no error, as DescribeExecution does not."""
    ended = run(machine({"A": {"Type": "Wait", "Seconds": 100, "End": True}}, TimeoutSeconds=7))
    assert (ended.status, ended.error, ended.cause) == (ExecutionStatus.TIMED_OUT, None, None)
    assert ended.events[-1]["timestamp"] - START == timedelta(seconds=7)


def test_a_definition_may_be_text_or_an_object(machine: Build) -> None:
    """YAML, JSON or a mapping. An invalid one is refused before anything runs."""
    assert run("QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Succeed, Output: 1}}").output == 1
    assert run(json.dumps(machine({"A": {"Type": "Succeed"}})), [1]).output == [1]
    with pytest.raises(InvalidDefinition):
        run(machine({"A": {"Type": "Pass"}}))


def test_machines_that_start_themselves_come_to_an_end(machine: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on AWS, where the quota of open executions ends them: the innermost task fails, and with it all others."""
    monkeypatch.setattr(virtual, "EXECUTIONS_MAX", 500)
    again = start(STATES + ".sync:2", Input={})
    ended = run(machine({"A": again}), machines={"child": machine({"A": again})})
    assert (ended.status, ended.error) == (ExecutionStatus.FAILED, "States.TaskFailed")
