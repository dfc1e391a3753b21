"""The definitions, state by state: transitions, timeouts, retries, catches and names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

import domain
import workflows
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.reading import definition
from workflows.asl.reading.source import read
from workflows.embedded.template import read_template
from workflows.sagas.actions import ACTIONS

ROOT = Path(__file__).parents[2]
MACHINES = {
    "order": "OrderMachine",
    "payment": "PaymentMachine",
    "preparation": "PreparationMachine",
    "delivery": "DeliveryMachine",
}
"""All but the first serve executions that began with an earlier definition of it."""
PARKING_PATH = {"ParkOrder"}
LAMBDA_BUSY = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
}
"""Errors of Lambda itself, by which no order is at fault:
https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""

SERVICE_ERRORS = LAMBDA_BUSY | {
    "StepFunctions.ExecutionLimitExceeded",
    "StepFunctions.AWSStepFunctionsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
}
THROTTLED_FOR_S = 600.0
"""Throttling of this length must park no order."""
STATES_ERRORS = {"States.ALL", "States.TaskFailed", "States.Timeout"}


@cache
def raw(machine: str) -> dict[str, Any]:
    return cast("dict[str, Any]", read((ROOT / f"statemachines/{machine}.asl.yaml").read_text()))


def scopes(scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield scope
    for state in scope["States"].values():
        for branch in state.get("Branches", []):
            yield from scopes(branch)


def states(machine: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for scope in scopes(raw(machine)):
        yield from scope["States"].items()


def every_state() -> list[Any]:
    return [pytest.param(m, n, s, id=f"{m}.{n}") for m in MACHINES for n, s in states(m)]


def every_task() -> list[Any]:
    return [p for p in every_state() if p.values[2]["Type"] == "Task"]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@cache
def exception_classes() -> set[str]:
    """Collect the names of all exception classes of the domain and the workflows."""
    names = set()
    for package in (domain, workflows):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if "cli" not in module.name:
                members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
                names |= {name for name, kind in members if issubclass(kind, Exception)}
    return names


@pytest.mark.parametrize("machine", MACHINES)
def test_the_engine_accepts_the_definition_with_the_template_s_substitutions(machine):
    """The embedded engine runs what is deployed: the text of the file with the template's substitutions."""
    deployed = read_template(ROOT / "template.yaml").machines[MACHINES[machine]]
    definition.parse(definition.substitute(deployed.definition, deployed.substitutions), name=machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_transition_names_a_state_of_its_scope_and_every_state_is_reached(machine):
    """A transition to a missing state is found here, not by the first order that takes it."""
    for scope in scopes(raw(machine)):
        reached, todo = set(), [scope["StartAt"]]
        while todo:
            name = todo.pop()
            assert name in scope["States"], f"{name} does not exist"
            if name in reached:
                continue
            reached.add(name)
            state = scope["States"][name]
            todo += [state[k] for k in ("Next", "Default") if k in state]
            todo += [rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))]
        assert reached == set(scope["States"])


@pytest.mark.parametrize(("machine", "name", "state"), every_state())
def test_every_state_has_a_comment(machine, name, state):
    """It says what undoes the state, or what the state is for."""
    assert len(state.get("Comment", "").split()) >= 4


@pytest.mark.parametrize(("machine", "name", "state"), every_task())
def test_every_task_has_a_timeout_and_retries_with_a_cap_and_full_jitter(machine, name, state):
    """Without a timeout a lost token waits a year; without cap and jitter a recovering provider is overloaded."""
    assert "TimeoutSeconds" in state
    assert state["Retry"]
    for retrier in state["Retry"]:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["MaxDelaySeconds"] > 0
        assert retrier["MaxAttempts"] > 0


def waits_s(retrier: dict[str, Any]) -> list[float]:
    """List the longest waits of a retrier; with full jitter each wait is between zero and this."""
    waits = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** retry for retry in range(retrier["MaxAttempts"])]
    return [min(wait, retrier["MaxDelaySeconds"]) for wait in waits]


@pytest.mark.parametrize(("machine", "name", "state"), every_task())
def test_errors_of_the_services_themselves_have_a_retrier_of_their_own(machine, name, state):
    """It outlasts ten minutes of throttling, almost surely: 4.5 standard deviations below its mean."""
    busy = {
        "arn:aws:states:::states:startExecution.sync:2": {
            "StepFunctions.ExecutionLimitExceeded",
            "StepFunctions.AWSStepFunctionsException",
        },
        "arn:aws:states:::aws-sdk:sfn:startSyncExecution": {"States.TaskFailed"},
        # A step that waits ends its own task if the answer is there already, so it may be refused SendTaskSuccess.
        "arn:aws:states:::lambda:invoke.waitForTaskToken": LAMBDA_BUSY | {"ExecutionsUnavailable"},
    }.get(state["Resource"], LAMBDA_BUSY)
    (own,) = [retrier for retrier in state["Retry"] if busy & set(retrier["ErrorEquals"])]
    assert set(own["ErrorEquals"]) == busy
    if machine == "payment":  # an Express execution cannot wait for minutes: its parent does
        assert {"ErrorEquals": own["ErrorEquals"], "Next": "Throttled"} in state["Catch"]
        assert sum(waits_s(own)) < raw(machine)["TimeoutSeconds"]
        return
    mean = sum(wait / 2 for wait in waits_s(own))
    deviation = sum(wait**2 / 12 for wait in waits_s(own)) ** 0.5
    assert mean - 4.5 * deviation > THROTTLED_FOR_S
    assert max(waits_s(own)) <= 60


def test_no_task_of_an_order_waits_for_another_execution():
    """Step Functions would poll DescribeExecution for it, of which an account has 10 or 15 a second."""
    assert not [name for name, state in states("order") if "Execution" in state.get("Resource", "")]


def test_every_task_of_the_parent_outside_its_parking_path_has_a_catch_all():
    """An unexpected error leads to FindReason, which reads the log, not to a failed execution."""

    def check(scope: dict[str, Any], caught_outside: bool) -> None:
        for name, state in scope["States"].items():
            caught = caught_outside or any("States.ALL" in c["ErrorEquals"] for c in state.get("Catch", []))
            for branch in state.get("Branches", []):
                check(branch, caught)
            assert caught or state["Type"] in {"Choice", "Succeed", "Wait"} or name in PARKING_PATH, name

    check(raw("order"), caught_outside=False)


@pytest.mark.parametrize(("machine", "name", "state"), every_task())
def test_every_error_name_is_a_class_or_an_error_of_a_service(machine, name, state):
    """A renamed exception class would silently stop matching."""
    for rule in (*state.get("Retry", []), *state.get("Catch", [])):
        for error in rule["ErrorEquals"]:
            assert error in STATES_ERRORS | SERVICE_ERRORS | exception_classes(), error


@pytest.mark.parametrize(("machine", "name", "state"), every_state())
def test_every_expression_parses(machine, name, state):
    """Invalid JSONata is found before it is deployed. Each branch is checked separately."""
    for text in texts({key: value for key, value in state.items() if key != "Branches"}):
        if text.startswith("{%"):
            assert text.endswith("%}")
            compile_expression(re.sub(r"\$\{\w+\}", "1", text[2:-2]))


@pytest.mark.parametrize("machine", MACHINES)
def test_the_template_substitutes_exactly_the_placeholders(machine):
    """A placeholder without a value is an invalid ARN; a value without a placeholder has no effect."""
    deployed = read_template(ROOT / "template.yaml").machines[MACHINES[machine]]
    used = set(re.findall(r"\$\{(\w+)\}", "".join(texts(raw(machine)))))
    assert used == set(deployed.substitutions)


def test_the_definitions_use_exactly_the_actions_that_exist():
    """Every action in a definition exists in the code, and every action is used."""
    used = set()
    for machine in MACHINES:
        for text in texts(raw(machine)):
            used |= set(re.findall(r"'action': '(\w+)'", text))
    assert used == set(ACTIONS)


def test_record_timeout_names_the_action_that_waited():
    """The step finds the intent that timed out by the action that registered the wait."""
    for machine in MACHINES:
        for _, state in states(machine):
            for rule in state.get("Catch", []):
                if rule["ErrorEquals"] == ["States.Timeout"]:
                    assert f"'action': '{rule['Output']['waited']}'" in state["Arguments"]["Payload"]
