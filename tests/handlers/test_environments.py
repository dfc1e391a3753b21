"""What is wrong with a function's environment: its first call fails as a whole, and says which variables to mend.

Nothing is said record by record: then only the class of an error is logged, and the stream waits for nobody knows what.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

import pytest

import handlers
from tests.handlers.conftest import ROOT
from tests.handlers.test_execution_faults import fault, message
from workflows import engine as ports
from workflows.aws.opening import STORES
from workflows.embedded.template import Function, read_template
from workflows.engine import EnvironmentIncomplete
from workflows.incidents.approval_limits import SETTING, LimitRefused
from workflows.time_budgets import _OF_PEOPLE, TimeoutsRefused, budgets

URLS = {f"{name}Url": f"https://{name.lower()}.example.com" for name in ("Payments", "Kitchen", "Couriers")}
FUNCTIONS = read_template(ROOT / "template.yaml", URLS).functions
SETTINGS = {SETTING, *(name for name, _ in _OF_PEOPLE.values())}
"""These have defaults."""


@pytest.fixture(autouse=True)
def a_process_of_its_own(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine is open, and no variable of a function is set."""
    monkeypatch.setattr(ports, "_opener", handlers.AwsPorts(os.environ))
    for function in FUNCTIONS.values():
        for name in function.environment:
            monkeypatch.delenv(name, raising=False)


def needed(function: Function) -> set[str]:
    return set(function.environment) - SETTINGS


def call(function: Function) -> Any:
    """With one message or request, which is not looked at before the environment is."""
    module, _, name = function.handler.rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
    records = [message(fault())] if function.logical_id == "ExecutionFaults" else [{"eventName": "INSERT"}]
    return handler({"Records": records}, None)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_function_without_its_variables_names_all_of_them(function: Function) -> None:
    """Whoever mends a deployment should not have to deploy it once a variable, nor read the code for their names."""
    assert needed(function) >= set(STORES)
    with pytest.raises(EnvironmentIncomplete) as refused:
        call(function)
    assert set(refused.value.missing) == needed(function)


@pytest.mark.parametrize("stores", [True, False], ids=["with the stores", "without them"])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_function_with_some_of_its_variables_names_the_others(
    function: Function, stores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when those it has are enough to open its engine."""
    given = {name for name in function.environment if (name in STORES) is stores}
    for name in given:
        monkeypatch.setenv(name, function.environment[name])
    missing = needed(function) - given
    if missing:
        with pytest.raises(EnvironmentIncomplete) as refused:
            call(function)
        assert set(refused.value.missing) == missing


# --- variables that say what cannot be --------------------------------------------------------------------------------


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Function]:
    """A function with all its variables, and these changes."""

    def given(name: str, **changes: str) -> Function:
        for variable, value in {**FUNCTIONS[name].environment, **changes}.items():
            monkeypatch.setenv(variable, value)
        return FUNCTIONS[name]

    return given


NO_TIMEOUTS = ["abc", "", "-1", "0", "1.5", "1_000", " 60", "100000000", "9" * 5000]


@pytest.mark.parametrize("text", NO_TIMEOUTS, ids=[text[:20] for text in NO_TIMEOUTS])
@pytest.mark.parametrize("name", ["Feed", "Timer", "IncidentsApi"])
def test_what_is_no_timeout_is_refused_under_the_name_of_its_variable(
    name: str, text: str, given: Callable[..., Function]
) -> None:
    """And all at once. A negative one would have the watchdog hurry every order."""
    with pytest.raises(TimeoutsRefused, match="give a whole number of seconds, from 1 to 99999999") as refused:
        call(given(name, KITCHEN_ANSWER_SECONDS=text, COURIER_ANSWER_SECONDS="soon"))
    assert f"KITCHEN_ANSWER_SECONDS is {text!r}" in str(refused.value)
    assert "COURIER_ANSWER_SECONDS is 'soon'" in str(refused.value)
    assert "KITCHEN_READY_SECONDS" not in str(refused.value)


def test_a_timeout_that_is_missing_is_the_templates() -> None:
    """The machines have that one, where nobody gave them another."""
    assert budgets({}) == budgets(FUNCTIONS["Feed"].environment)


@pytest.mark.parametrize("text", ["lots", "100", "-1.00 EUR", "100.00 EUR, lots"])
def test_what_is_no_limit_is_refused_before_the_first_incident_is_looked_at(
    text: str, given: Callable[..., Function]
) -> None:
    """Whatever was asked for: else the list works, and nobody learns of it before somebody has to decide."""
    with pytest.raises(LimitRefused, match=SETTING):
        call(given("IncidentsApi", SECOND_PERSON_ABOVE=text))
