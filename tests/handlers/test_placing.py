"""Placing an order over HTTP: once, however often the request is repeated."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from domain.identifiers import SYSTEM, Actor, Role
from tests.handlers.conftest import money, priced_body
from workflows.orders.command_handling import load
from workflows.tracing import trace_of_xray


def test_a_placed_order_is_answered_with_its_etag_and_location(shop, body):
    """201, its path as Location, its version as ETag, and the lines with their prices."""
    answer = shop.call("POST", "/orders", body(), key="key-1")
    order = answer.json
    assert answer.status == 201
    assert answer.headers["location"] == f"/orders/{order['id']}"
    assert answer.etag == '"2"'
    assert order["totals"]["total"] == {"amount": "27.40", "currency": "EUR"}
    assert (order["customer"], order["restaurant"], order["status"]) == ("ada", "rosa", "placed")
    assert order["pending"] == [{"version": 2, "intent": "PaymentAuthorizationRequested"}]
    assert "idempotent-replayed" not in answer.headers


def test_the_same_key_and_body_is_the_same_order(shop, body):
    """A retry is answered like the first attempt, is marked, and adds nothing."""
    first = shop.call("POST", "/orders", body(), key="key-1")
    before = shop.stored()
    again = shop.call("POST", "/orders", body(), key="key-1")
    assert (again.status, again.json["id"]) == (201, first.json["id"])
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.stored() == before


def test_a_retry_that_comes_late_shows_the_order_as_it_is(shop, body):
    """Its current state, not the state after the first attempt."""
    order_id = shop.picked_up()
    again = shop.call("POST", "/orders", body(), key="key-1")
    assert (again.json["id"], again.json["status"]) == (order_id, "picked_up")


def test_the_same_key_with_another_body_is_refused(shop, body):
    """It is not a retry, and must not be answered with the first order."""
    shop.place()
    before = shop.stored()
    answer = shop.call("POST", "/orders", body(restaurant="luigi"), key="key-1")
    assert (answer.status, answer.problem, answer.fields) == (422, "KeyReused", ["Idempotency-Key"])
    assert shop.stored() == before


def test_a_price_written_differently_is_the_same_body(shop, body):
    """9.5 and 9.50 are one amount, and the order of fields has no meaning."""
    shop.place()
    reordered = dict(reversed(body(tip={"currency": "EUR", "amount": "1.5"}).items()))
    assert shop.call("POST", "/orders", reordered, key="key-1").headers["idempotent-replayed"] == "true"


def test_one_key_of_two_customers_identifies_two_orders(shop):
    """A key counts for one caller only."""
    assert shop.place(key="key-1", sub="ada") != shop.place(key="key-1", sub="bob")


def test_a_service_places_for_the_customer_it_names(shop, body):
    """And that customer sees the order."""
    answer = shop.call("POST", "/orders", body(customer="bob"), key="key-1", role="service", sub="shopfront")
    assert (answer.status, answer.json["customer"]) == (201, "bob")
    assert shop.call("GET", f"/orders/{answer.json['id']}", sub="bob").status == 200


def test_a_service_must_name_the_customer(shop, body):
    """It is not a customer itself."""
    answer = shop.call("POST", "/orders", body(), key="key-1", role="service", sub="shopfront")
    assert (answer.status, answer.fields) == (422, ["customer"])


SHOPFRONT: dict[str, Any] = {"role": "service", "sub": "shopfront"}


def test_fees_and_tip_are_zero_unless_given(shop):
    """In the currency of the prices."""
    sent = priced_body()
    del sent["delivery_fee"], sent["tip"]
    assert shop.call("POST", "/orders", sent, key="key-1", **SHOPFRONT).json["totals"]["total"] == {
        "amount": "23.00",
        "currency": "EUR",
    }


def test_an_order_shows_the_menu_that_its_prices_are_from(shop, body):
    """A service's own prices are marked: such an order has no menu."""
    from_menu = shop.call("POST", "/orders", body(), key="key-1").json
    assert from_menu["menu_version"] == 1
    assert from_menu["lines"][0]["options"] == [{"name": "Burrata", "price": money("2.00")}]
    own = shop.call("POST", "/orders", priced_body(), key="key-1", **SHOPFRONT).json
    assert own["menu_version"] is None
    assert own["totals"] == from_menu["totals"]


def test_a_service_also_orders_from_the_menu(shop, body):
    """At the menu's prices."""
    placed = shop.call("POST", "/orders", body(customer="ada"), key="key-1", **SHOPFRONT)
    assert (placed.status, placed.json["menu_version"]) == (201, 1)


def test_the_kitchen_and_the_customer_read_the_note_to_the_kitchen(shop, body):
    """Couriers do not, and auditors read no personal text."""
    sent = body(kitchen_note="no basil, please")
    order_id = shop.call("POST", "/orders", sent, key="key-1").json["id"]
    notes = {
        role: shop.call("GET", f"/orders/{order_id}", role=role, sub=sub).json["kitchen_note"]
        for role, sub in (("customer", "ada"), ("restaurant", "rosa"), ("support", "sue"), ("auditor", "al"))
    }
    assert notes == {
        **dict.fromkeys(("customer", "restaurant", "support"), "no basil, please"),
        "auditor": "(withheld)",
    }
    carried = shop.assigned(key="key-2", kitchen_note="no basil, please")
    assert shop.call("GET", f"/orders/{carried}", role="courier", sub="carl").json["kitchen_note"] == "(withheld)"


def test_a_retry_has_the_price_of_the_first_attempt(shop, body):
    """The menu may have changed in between, or the item may be sold out."""
    first = shop.call("POST", "/orders", body(), key="key-1").json
    shop.call("POST", "/restaurants/rosa/sold-out", {"sku": "pizza-margherita"}, role="support", sub="sue")
    again = shop.call("POST", "/orders", body(), key="key-1")
    assert (again.json["id"], again.json["totals"]) == (first["id"], first["totals"])
    refused = shop.call("POST", "/orders", body(), key="key-2")
    assert (refused.status, refused.problem) == (409, "ItemSoldOut")


def test_the_largest_order_fits(shop):
    """100 lines of 20 options with the longest texts are one commit, with a total just below the bound."""
    price = {"amount": "4700.00", "currency": "EUR"}
    option = {"name": "o" * 100, "price": price}
    line = {"sku": "s" * 64, "name": "n" * 100, "quantity": 999, "unit_price": price, "options": [option] * 20}
    answer = shop.call("POST", "/orders", priced_body(lines=[line] * 100), key="key-1", **SHOPFRONT)
    assert (answer.status, answer.json["totals"]["total"]["amount"]) == (201, _total())
    assert shop.order(answer.json["id"]).lines[99].quantity == 999


def _total() -> str:
    cents = 470_000 * 21 * 999 * 100 + 290 + 150
    return f"{cents // 100}.{cents % 100:02d}"


def test_an_order_larger_than_a_commit_is_refused(shop):
    """413 before anything is written: characters beyond ASCII take more than one byte."""
    price = {"amount": "1.00", "currency": "EUR"}
    option = {"name": "\u2603" * 100, "price": price}
    line = {"sku": "s", "name": "n", "quantity": 1, "unit_price": price, "options": [option] * 20}
    text = json.dumps(priced_body(lines=[line] * 60), ensure_ascii=False)
    answer = shop.call("POST", "/orders", key="key-1", text=text, **SHOPFRONT)
    assert (answer.status, answer.problem) == (413, "CommitTooLarge")
    assert shop.stored() == []


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("sent", "correlation"),
    [
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", TRACE),
        ("Self=1-00000001-000000000000000000000002;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1", TRACE),
        ("Root=1-4bf92f35-77b34da6a3ce929d0e0e47", "request-1"),
        ("Self=1-4bf92f35-77b34da6a3ce929d0e0e4736", "request-1"),
        ("", "request-1"),
    ],
)
def test_a_request_without_a_traceparent_has_the_trace_of_its_x_ray_header(shop, body, sent, correlation):
    """API Gateway adds the header to each request; its trace is that of the function's own segment."""
    answer = shop.call("POST", "/orders", body(), key="key-1", headers={"x-amzn-trace-id": sent})
    history, _ = load(shop.log, answer.json["id"])
    assert {event.correlation for event in history.recorded} == {correlation}


@pytest.mark.parametrize("status", [201, 422])
def test_an_answer_has_the_trace_of_its_request(shop, body, status):
    """An error's too: its client searches for it."""
    sent = body() if status == 201 else body(restaurant=1)
    answer = shop.call("POST", "/orders", sent, key="key-1", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert (answer.status, trace_of_xray(answer.headers["x-amzn-trace-id"])) == (status, TRACE)
    assert "x-amzn-trace-id" not in shop.call("POST", "/orders", body(), key="key-1").headers


def test_a_traceparent_goes_before_the_x_ray_header(shop, body):
    """The client has a trace of its own, and looks for the order in that."""
    traced = {
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "x-amzn-trace-id": "Root=1-00000001-000000000000000000000002",
    }
    answer = shop.call("POST", "/orders", body(), key="key-1", headers=traced)
    history, _ = load(shop.log, answer.json["id"])
    assert {event.correlation for event in history.recorded} == {TRACE}


@pytest.mark.parametrize(
    ("sent", "correlation"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", "request-1"),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", "request-1"),
        (f"00-{TRACE}-{'0' * 16}-01", "request-1"),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", "request-1"),
        ("rubbish", "request-1"),
        ("", "request-1"),
    ],
)
def test_events_carry_the_trace_they_belong_to(shop, body, sent, correlation):
    """The correlation is a valid traceparent's trace id, else the request's id, which is also the causation."""
    answer = shop.call("POST", "/orders", body(), key="key-1", headers={"traceparent": sent})
    history, _ = load(shop.log, answer.json["id"])
    assert {(event.correlation, event.causation) for event in history.recorded} == {(correlation, "request-1")}
    assert {event.actor for event in history.recorded} == {Actor(Role.CUSTOMER, "ada")} != {SYSTEM}


def test_no_personal_data_is_logged(shop, body, caplog):
    """By no library, at no level, whether the order is accepted or refused."""
    caplog.set_level(logging.DEBUG)
    shop.call("POST", "/orders", body(), key="key-1")
    shop.call("POST", "/orders", body(restaurant=1), key="key-2")
    assert not any(text in caplog.text for text in ("Byron", "1234567", "Lindenstrasse"))


@pytest.mark.parametrize(
    ("claims", "status", "problem"),
    [
        (None, 401, "Unauthenticated"),
        ({"sub": "ada"}, 403, "RoleUnclear"),
        ({"sub": "ada", "cognito:groups": []}, 403, "RoleUnclear"),
        ({"sub": "ada", "cognito:groups": ["admin"]}, 403, "RoleUnclear"),
        ({"sub": "ada", "cognito:groups": ["system"]}, 403, "RoleUnclear"),
        ({"sub": "ada", "cognito:groups": ["customer", "support"]}, 403, "RoleUnclear"),
        ({"sub": "ada", "cognito:groups": {"customer": 1}}, 403, "RoleUnclear"),
        ({"cognito:groups": ["customer"]}, 403, "SubjectUnusable"),
        ({"sub": "a/b", "cognito:groups": ["customer"]}, 403, "SubjectUnusable"),
        ({"sub": "", "cognito:groups": ["customer"]}, 403, "SubjectUnusable"),
    ],
)
def test_a_token_must_carry_a_name_and_exactly_one_role(shop, body, claims, status, problem):
    """A caller whose name or role is unclear can do nothing."""
    answer = shop.call_as(claims, "POST", "/orders", body(), key="key-1")
    assert (answer.status, answer.problem) == (status, problem)
    assert shop.stored() == []


@pytest.mark.parametrize(
    "groups", [["customer"], "customer", "[customer]", "[eu-west-1_pool_Google customer]", "customer,x"]
)
def test_the_role_is_read_however_the_authorizer_writes_it(shop, body, groups):
    """Cognito sends a list, API Gateway a text of it; groups that are not roles are ignored."""
    answer = shop.call_as({"sub": "ada", "cognito:groups": groups}, "POST", "/orders", body(), key="key-1")
    assert answer.status == 201
