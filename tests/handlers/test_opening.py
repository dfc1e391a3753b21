"""A function on AWS opens its engine from its environment: once, or with an error that names every wrong variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import handlers
from tests.handlers.test_execution_faults import fault, message
from workflows import engine as ports
from workflows.aws import clients
from workflows.aws.opening import open_engine, read_engine_settings
from workflows.breakers.dependencies import Dependency
from workflows.embedded.lambda_.feed import stream_record
from workflows.engine import Engine, engine, event_bus
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.keyring import KeysWithheld, NoKeys
from workflows.gateways.http.settings import PROVIDERS
from workflows.settings import KEYS, SettingsRefused, read, read_order_machine

STORED = {"EVENTS_TABLE": "events", "DOCUMENTS_TABLE": "documents", "ARCHIVE_BUCKET": "archive"}
PROVIDED = {
    "PAYMENTS_URL": "https://payments.example.com",
    "KITCHEN_URL": "https://kitchen.example.com",
    "COURIERS_URL": "https://couriers.example.com",
    "PROVIDERS_SECRET": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:providers",
}


def opened_with(environment: dict[str, str]) -> Engine:
    return open_engine(read(environment, read_engine_settings))


@pytest.fixture(autouse=True)
def a_process_of_its_own(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open no engine, and set no variable of an engine."""
    monkeypatch.setattr(ports, "_opener", handlers.AwsPorts(os.environ))
    for name in (*STORED, *KEYS, *PROVIDERS, "ORDER_MACHINE", "EVENT_BUS"):
        monkeypatch.delenv(name, raising=False)


def test_all_missing_variables_are_named_at_once() -> None:
    """One deployment can then fix them all."""
    with pytest.raises(
        SettingsRefused, match="EVENTS_TABLE, DOCUMENTS_TABLE, ARCHIVE_BUCKET, ORDER_MACHINE must be set"
    ):
        engine(read_order_machine)
    with pytest.raises(SettingsRefused) as refused:
        opened_with({"EVENTS_TABLE": "e", "KEYS_TABLE": "k", "KITCHEN_URL": "https://kitchen.example.com"})
    missing = ("DOCUMENTS_TABLE", "CUSTOMER_KEY", "PAYMENTS_URL", "COURIERS_URL", "PROVIDERS_SECRET", "ARCHIVE_BUCKET")
    assert refused.value.missing == missing
    with pytest.raises(SettingsRefused, match="EVENT_BUS must be set"):
        event_bus()


def test_a_port_without_its_variables_fails_when_it_is_used(deployed: dict[str, Any]) -> None:
    """The role of the function would refuse the call too. A port that is not used needs no variables."""
    opened = engine()
    with pytest.raises(SettingsRefused, match="PAYMENTS_URL"):
        opened.payments.void(authorization_id="a", key="k", timeout_s=1)


def test_a_function_without_keys_reads_personal_fields_as_erased_and_writes_none() -> None:
    """The feed and the publisher read no names of people."""
    log: Any = opened_with(STORED).log
    keyring = log._codec._keyring
    assert isinstance(keyring, NoKeys)
    assert keyring.find("any") is None
    with pytest.raises(KeysWithheld):
        keyring.current("cleo")


def test_the_function_that_calls_providers_opens_a_key_only_for_the_payment_method() -> None:
    """Each step loads the order: with keys, each would call KMS."""
    opened: Any = opened_with({**STORED, **PROVIDED, "KEYS_TABLE": "keys", "CUSTOMER_KEY": "key"})
    assert isinstance(opened.log._codec._keyring, NoKeys)
    assert not isinstance(opened.log_with_keys._codec._keyring, NoKeys)
    for variables in (STORED, {**STORED, "KEYS_TABLE": "keys", "CUSTOMER_KEY": "key"}):
        other: Any = opened_with(variables)
        assert other.log._codec._keyring is other.log_with_keys._codec._keyring


def test_no_client_is_made_before_it_is_used() -> None:
    """Creating a client takes 0.1 s on a small function. Every call needs the stores only."""
    opened_with({**STORED, **PROVIDED, "KEYS_TABLE": "keys", "CUSTOMER_KEY": "key"})
    assert list(clients._made) == ["dynamodb"]


def test_circuits_have_the_settings_of_the_environment() -> None:
    """The variables are those of the embedded engine."""
    opened = opened_with({**STORED, "EXPEDITER_BREAKER_PAYMENTS_WINDOW_S": "7"})
    assert opened.breakers[Dependency.PAYMENTS].settings.window_s == 7
    with pytest.raises(SettingsRefused):
        opened_with({**STORED, "EXPEDITER_BREAKER_PAYMENT_WINDOW_S": "7"})


def test_wrong_provider_urls_are_named_by_their_variables_all_at_once() -> None:
    """The error names the variables that a deployment sets."""
    wrong = {"PAYMENTS_URL": "payments.example.com", "COURIERS_URL": "http://couriers.example.com"}
    with pytest.raises(SettingsRefused) as refused:
        opened_with({**STORED, **PROVIDED, **wrong})
    message = str(refused.value)
    assert "PAYMENTS_URL is 'payments.example.com', which is not an http or https URL of a provider" in message
    assert "COURIERS_URL is 'http://couriers.example.com', which would send our credential unencrypted" in message
    assert "KITCHEN_URL" not in message


def test_a_process_opens_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if several threads need it first."""
    for name, value in STORED.items():
        monkeypatch.setenv(name, value)
    with ThreadPoolExecutor(8) as pool:
        found = {id(opened) for opened in pool.map(lambda _: engine(), range(32))}
    assert len(found) == 1
    with pytest.raises(SettingsRefused, match="ORDER_MACHINE"):
        engine(read_order_machine)  # also if it is open already


@pytest.mark.parametrize(("variables", "opened"), [(STORED, True), ({}, False)], ids=["complete", "incomplete"])
def test_on_lambda_the_engine_is_open_before_the_first_call(variables: dict[str, str], opened: bool) -> None:
    """A function has a whole CPU while it starts. An error in its environment is raised by the first call."""
    code = "import json, handlers.feed; print(json.dumps(handlers._aws._engine is not None))"
    environment = {**os.environ, **variables, "AWS_LAMBDA_FUNCTION_NAME": "Feed"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) is opened


# --- the handlers on it, against moto ---------------------------------------------------------------------------------


@pytest.fixture
def deployed(moto: None, create_table: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Create the tables, a key, a machine and a bus, and set the environment that names them."""
    import boto3

    dynamodb = clients.dynamodb()
    machine = boto3.client("stepfunctions").create_state_machine(
        name="OrderMachine",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}),
        roleArn="arn:aws:iam::123456789012:role/machine",
    )["stateMachineArn"]
    boto3.client("events").create_event_bus(Name="orders")
    environment = {
        "EVENTS_TABLE": create_table(dynamodb, "events", pk="S", sk="N"),
        "DOCUMENTS_TABLE": create_table(dynamodb, "documents", pk="S", sk="S"),
        "ARCHIVE_BUCKET": "archive",
        "KEYS_TABLE": create_table(dynamodb, "keys", pk="S"),
        "CUSTOMER_KEY": boto3.client("kms").create_key()["KeyMetadata"]["Arn"],
        "ORDER_MACHINE": machine,
        "EVENT_BUS": "orders",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def body() -> dict[str, Any]:
    def money(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": "EUR"}

    return {
        "customer": "cst_1",
        "restaurant": "rst_1",
        "lines": [{"sku": "pizza", "name": "Pizza", "quantity": 1, "unit_price": money("9.50")}],
        "delivery_fee": money("2.90"),
        "payment_method": "pm_ok",
        "contact": {"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, Berlin"},
    }


def placing() -> dict[str, Any]:
    claims = {"sub": "0b6d", "username": "shopfront", "cognito:groups": "[service]", "token_use": "access"}
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": "first"},
        "requestContext": {
            "requestId": "r",
            "stage": "$default",
            "http": {"method": "POST", "path": "/orders"},
            "authorizer": {"jwt": {"claims": claims, "scopes": None}},
        },
        "body": json.dumps(body()),
        "isBase64Encoded": False,
    }


def stream(log: Any, order_id: str) -> dict[str, Any]:
    commits: list[Commit] = list(log.read(f"order#{order_id}"))
    return {"Records": [stream_record(FeedEntry(number, commit)) for number, commit in enumerate(commits, start=1)]}


def test_the_handlers_work_on_the_engine_of_their_environment(
    deployed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order is placed, the feed starts its run, the publisher publishes it, and a failed run becomes an incident."""
    from handlers import execution_faults, feed, orders_api, publisher

    answer = orders_api.handler(placing(), None)
    assert answer["statusCode"] == 201, answer
    order_id = json.loads(answer["body"])["id"]
    assert json.loads(answer["body"])["contact"]["name"] == "Ada Byron"

    for name in KEYS:  # only the APIs have them
        monkeypatch.delenv(name)
    monkeypatch.setattr(ports, "_opener", handlers.AwsPorts(os.environ))
    records = stream(engine().log, order_id)
    assert feed.handler(records, None) == {"batchItemFailures": []}
    started = clients.step_functions().list_executions(stateMachineArn=deployed["ORDER_MACHINE"])["executions"]
    assert [found["name"] for found in started] == [f"{order_id}-1"]

    assert publisher.handler(records, None) == {"batchItemFailures": []}

    failed = {"Records": [message(fault(name=f"{order_id}-1", status="TIMED_OUT"))]}
    assert execution_faults.handler(failed, None) == {"batchItemFailures": []}
    recorded = engine().log.load(f"order#{order_id}").recorded
    assert type(recorded[-1].event).__name__ == "OrderParked"
    assert str(getattr(recorded[0].event, "contact", "")) == "(erased)"


def test_an_order_is_the_callers_by_the_name_in_the_token(deployed: dict[str, Any]) -> None:
    """The customer of the order is the user of the pool."""
    from handlers import orders_api

    placed = json.loads(orders_api.handler(placing(), None)["body"])
    assert placed["customer"] == "cst_1"
