"""A function with a wrong environment: its first call fails as a whole, and names the variables to mend.

If each record failed by itself, only the class of the error would be logged, and the stream would stand still.
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
from tests.template.translated import state_outputs
from workflows import engine as ports
from workflows.embedded.template import Function, read_template
from workflows.incidents.approval_limits import SETTING
from workflows.settings import SettingsRefused, read
from workflows.time_budgets import TIMEOUTS, read_budgets

URLS = {f"{name}Url": f"https://{name.lower()}.example.com" for name in ("Payments", "Kitchen", "Couriers")}
STORES = ("EVENTS_TABLE", "DOCUMENTS_TABLE", "ARCHIVE_BUCKET")
FUNCTIONS = read_template(ROOT / "template.yaml", URLS | state_outputs()).functions
SETTINGS = {SETTING, "VIEWS_SECRET", "ARCHIVE_AFTER_DAYS", "WEBHOOK_TARGETS", *(name for name, _ in TIMEOUTS.values())}
"""Variables with defaults."""


@pytest.fixture(autouse=True)
def a_process_of_its_own(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open no engine, and set no variable of a function."""
    monkeypatch.setattr(ports, "_opener", handlers.AwsPorts(os.environ))
    for function in FUNCTIONS.values():
        for name in function.environment:
            monkeypatch.delenv(name, raising=False)


def needed(function: Function) -> set[str]:
    return set(function.environment) - SETTINGS


def call(function: Function) -> Any:
    """Call it with one message or request, which it must not read before its environment."""
    module, _, name = function.handler.rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
    records = [message(fault())] if function.logical_id == "ExecutionFaults" else [{"eventName": "INSERT"}]
    return handler({"Records": records, "routeKey": "GET /nowhere", "rawPath": "/nowhere"}, None)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_function_without_its_variables_names_all_of_them(function: Function) -> None:
    """A deployment is mended in one go, without reading the code for the names."""
    assert needed(function) >= set(STORES)
    with pytest.raises(SettingsRefused) as refused:
        call(function)
    assert set(refused.value.missing) == needed(function)


@pytest.mark.parametrize("stores", [True, False], ids=["with the stores", "without them"])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_a_function_with_some_of_its_variables_names_the_others(
    function: Function, stores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the variables that are set are enough to open the engine."""
    given = {name for name in function.environment if (name in STORES) is stores}
    for name in given:
        monkeypatch.setenv(name, function.environment[name])
    missing = needed(function) - given
    if missing:
        with pytest.raises(SettingsRefused) as refused:
            call(function)
        assert set(refused.value.missing) == missing


# --- wrong values --------------------------------------------------------------------------------


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Function]:
    """Set all variables of a function, with these changes."""

    def given(name: str, **changes: str) -> Function:
        for variable, value in {**FUNCTIONS[name].environment, **changes}.items():
            monkeypatch.setenv(variable, value)
        return FUNCTIONS[name]

    return given


NO_TIMEOUTS = ["abc", "", "-1", "0", "1.5", "1_000", " 60", "100000000", "9" * 5000]


@pytest.mark.parametrize("text", NO_TIMEOUTS, ids=[text[:20] for text in NO_TIMEOUTS])
@pytest.mark.parametrize("name", ["Feed", "Timer", "IncidentsApi"])
def test_a_wrong_timeout_is_refused_under_the_name_of_its_variable(
    name: str, text: str, given: Callable[..., Function]
) -> None:
    """All at once. With a negative timeout the watchdog would restart every order."""
    with pytest.raises(match="give a whole number of seconds, from 1 to 99999999") as refused:
        call(given(name, KITCHEN_ANSWER_SECONDS=text, COURIER_ANSWER_SECONDS="soon"))
    assert f"KITCHEN_ANSWER_SECONDS is {text!r}" in str(refused.value)
    assert "COURIER_ANSWER_SECONDS is 'soon'" in str(refused.value)
    assert "KITCHEN_READY_SECONDS" not in str(refused.value)


def test_a_missing_timeout_has_the_templates_default() -> None:
    """The machines of such a template have it too."""
    assert read({}, read_budgets) == read(FUNCTIONS["Feed"].environment, read_budgets)


@pytest.mark.parametrize("text", ["lots", "100", "-1.00 EUR", "100.00 EUR, lots"])
def test_a_wrong_approval_limit_is_refused_by_the_first_request(text: str, given: Callable[..., Function]) -> None:
    """Whatever the request is. Otherwise the error would show only when a person has to decide an incident."""
    with pytest.raises(SettingsRefused, match=SETTING):
        call(given("IncidentsApi", SECOND_PERSON_ABOVE=text))


def test_one_error_names_what_is_missing_and_what_is_wrong(
    given: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the engine's settings and of the function's own, whichever room reads them."""
    incidents = given(
        "IncidentsApi",
        SECOND_PERSON_ABOVE="lots",
        KITCHEN_ANSWER_SECONDS="soon",
        EXPEDITER_BREAKER_PAYMENTS_WINDOW_S="0",
        EXPEDITER_BREAKER_PAYMENT_WINDOW_S="60",
    )
    monkeypatch.delenv("DOCUMENTS_TABLE")
    with pytest.raises(SettingsRefused) as refused:
        call(incidents)
    assert refused.value.missing == ("DOCUMENTS_TABLE",)
    assert set(refused.value.wrong) == {
        "SECOND_PERSON_ABOVE",
        "KITCHEN_ANSWER_SECONDS",
        "EXPEDITER_BREAKER_PAYMENTS_WINDOW_S",
        "EXPEDITER_BREAKER_PAYMENT_WINDOW_S",
    }
