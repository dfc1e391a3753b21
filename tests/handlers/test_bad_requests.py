"""Bad requests: each is answered with a problem that names the field, and nothing is recorded."""

from __future__ import annotations

import base64
import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.conftest import priced_body
from tests.handlers.documented import documentation


def _json(**changes: Any) -> dict[str, Any]:
    return {"body": changes}


def _with(path: str, value: Any) -> dict[str, Any]:
    return {"change": (path, value)}


EUR, YEN = "EUR", "JPY"
LONG = "x" * 501
SURROGATE = "\\ud800"

PLACING: dict[str, tuple[dict[str, Any], int, str]] = {
    # --- the body as a whole
    "no body": ({"no_body": True}, 422, "restaurant"),
    "not JSON": ({"text": "{'restaurant': 1}"}, 400, "body"),
    "half a document": ({"text": '{"restaurant": "ro'}, 400, "body"),
    "two documents": ({"text": "{} {}"}, 400, "body"),
    "a list": ({"text": "[]"}, 422, "body"),
    "a list of one order": ({"text": "[{}]"}, 422, "body"),
    "a text": ({"text": '"order"'}, 422, "body"),
    "null": ({"text": "null"}, 422, "body"),
    "NaN": ({"text": '{"lines": NaN}'}, 400, "body"),
    "Infinity": ({"text": '{"lines": -Infinity}'}, 400, "body"),
    "a number of 5000 digits": ({"text": '{"lines": ' + "9" * 5000 + "}"}, 400, "body"),
    "a number beyond 2**53": ({"text": '{"lines": 9007199254740993}'}, 400, "body"),
    "a float beyond all": ({"text": '{"lines": 1e999}'}, 400, "lines"),
    "100,000 levels deep": ({"text": '{"lines": ' + "[" * 100_000}, 400, "body"),
    "the same key twice": ({"text": '{"tip": null, "tip": null}'}, 400, "tip"),
    "half a surrogate pair": ({"text": '{"restaurant": "' + SURROGATE + '"}'}, 400, "restaurant"),
    "half a surrogate pair as a key": ({"text": '{"' + SURROGATE + '": 1}'}, 400, "\\ud800"),
    "Latin-1": ({"text": '{"restaurant": "café"}'.encode("latin-1")}, 400, "body"),
    "UTF-16": ({"text": "{}".encode("utf-16")}, 400, "body"),
    "a byte order mark": ({"text": "\ufeff{}"}, 400, "body"),
    "too large": ({"text": json.dumps({"restaurant": "x" * 600_000})}, 413, "body"),
    "a form": ({"headers": {"content-type": "application/x-www-form-urlencoded"}}, 415, "Content-Type"),
    "another charset": ({"headers": {"content-type": "application/json; charset=utf-16"}}, 415, "Content-Type"),
    "multipart": ({"headers": {"content-type": "multipart/form-data; boundary=x"}}, 415, "Content-Type"),
    "no content type": ({"headers": {"content-type": ""}}, 415, "Content-Type"),
    # --- headers and query
    "no Idempotency-Key": ({"key": None}, 400, "Idempotency-Key"),
    "an empty Idempotency-Key": ({"key": ""}, 400, "Idempotency-Key"),
    "a long Idempotency-Key": ({"key": "k" * 129}, 400, "Idempotency-Key"),
    "an Idempotency-Key with spaces": ({"key": "a b"}, 400, "Idempotency-Key"),
    "an Idempotency-Key that is not ASCII": ({"key": "schl\u00fcssel"}, 400, "Idempotency-Key"),
    "an unknown query parameter": ({"query": {"dry_run": "1"}}, 400, "dry_run"),
    # --- fields
    "no lines": (_with("lines", []), 422, "lines"),
    "101 lines": ({"lines": 101}, 422, "lines"),
    "lines as an object": (_with("lines", {"0": {}}), 422, "lines"),
    "a line as a string": (_with("lines[0]", "pizza"), 422, "lines[0]"),
    "an unknown field": (_with("coupon", "FREE"), 422, "coupon"),
    "an unknown field inside a line": (_with("lines[0].price", 1), 422, "lines[0].price"),
    "no restaurant": (_with("restaurant", None), 422, "restaurant"),
    "a restaurant id with a slash": (_with("restaurant", "../rosa"), 422, "restaurant"),
    "a restaurant id with a null byte": (_with("restaurant", "rosa\0"), 422, "restaurant"),
    "an order id among the fields": (_with("order_id", "ord_1"), 422, "order_id"),
    "a sku that is too long": (_with("lines[0].sku", "s" * 65), 422, "lines[0].sku"),
    "quantity zero": (_with("lines[0].quantity", 0), 422, "lines[0].quantity"),
    "quantity below zero": (_with("lines[0].quantity", -2), 422, "lines[0].quantity"),
    "quantity 1000": (_with("lines[0].quantity", 1000), 422, "lines[0].quantity"),
    "half a pizza": (_with("lines[0].quantity", 0.5), 422, "lines[0].quantity"),
    "quantity as a float": (_with("lines[0].quantity", 2.0), 422, "lines[0].quantity"),
    "quantity as a text": (_with("lines[0].quantity", "2"), 422, "lines[0].quantity"),
    "quantity true": (_with("lines[0].quantity", True), 422, "lines[0].quantity"),
    "21 options": ({"options": 21}, 422, "lines[0].options"),
    "an empty name": (_with("lines[0].name", ""), 422, "lines[0].name"),
    "a name of spaces": (_with("lines[0].name", "   "), 422, "lines[0].name"),
    "a name that clears the terminal": (_with("contact.name", "Ada\x1b[2J"), 422, "contact.name"),
    "a null byte in the address": (_with("contact.address", "a\0b"), 422, "contact.address"),
    "a long address": (_with("contact.address", LONG), 422, "contact.address"),
    "an invalid phone": (_with("contact.phone", "call me"), 422, "contact.phone"),
    "no contact": (_with("contact", None), 422, "contact"),
    "contact as a text": (_with("contact", "Ada, Lindenstrasse 9"), 422, "contact"),
    "a payment method with spaces": (_with("payment_method", "card 4242 4242"), 422, "payment_method"),
    # --- money
    "a price as a number": (_with("lines[0].unit_price", 9.5), 422, "lines[0].unit_price"),
    "an amount as a number": (_with("tip", {"amount": 1.5, "currency": EUR}), 422, "tip.amount"),
    "an amount without a currency": (_with("tip", {"amount": "1.50"}), 422, "tip.currency"),
    "a tip below zero": (_with("tip", {"amount": "-1.50", "currency": EUR}), 422, "tip.amount"),
    "a price below zero": (
        _with("lines[0].unit_price", {"amount": "-9", "currency": EUR}),
        422,
        "lines[0].unit_price.amount",
    ),
    "a fraction of a cent": (_with("tip", {"amount": "1.505", "currency": EUR}), 422, "tip.amount"),
    "a fraction of a yen": (_with("tip", {"amount": "1.5", "currency": YEN}), 422, "tip.amount"),
    "a comma for a point": (_with("tip", {"amount": "1,50", "currency": EUR}), 422, "tip.amount"),
    "an amount in e notation": (_with("tip", {"amount": "1e3", "currency": EUR}), 422, "tip.amount"),
    "an amount of NaN": (_with("tip", {"amount": "NaN", "currency": EUR}), 422, "tip.amount"),
    "Arabic digits": (_with("tip", {"amount": "\u0661\u0662", "currency": EUR}), 422, "tip.amount"),
    "a billion": (_with("tip", {"amount": "1000000000.00", "currency": EUR}), 422, "tip.amount"),
    "an unknown currency": (_with("tip", {"amount": "1.50", "currency": "XXX"}), 422, "tip.currency"),
    "a currency in small letters": (_with("tip", {"amount": "1.50", "currency": "eur"}), 422, "tip.currency"),
    "two currencies": (_with("tip", {"amount": "1.50", "currency": "USD"}), 422, "tip"),
    "two currencies in one line": (
        _with("lines[0].options", [{"name": "Basil", "price": {"amount": "150", "currency": YEN}}]),
        422,
        "lines[0].options[0].price",
    ),
    "nothing to pay": ({"free": True}, 422, "lines"),
}


@pytest.mark.parametrize("case", PLACING)
def test_an_order_that_cannot_be_read_is_refused_by_field_and_not_placed(shop, case):
    """Never a 500 and never an event: the problem names the field and what to do about it."""
    how, status, field = PLACING[case]
    answer = shop.call("POST", "/orders", **_request(how, priced_body()), role="service", sub="shopfront")
    assert (answer.status, field in answer.fields) == (status, True), answer
    assert all(error["problem"] for error in answer.json["errors"])
    assert not any(re.match(r"[a-z_.]+: ", error["problem"]) for error in answer.json["errors"]), "a field in the text"
    assert shop.stored() == []


def _request(how: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {"key": "key-1", "body": copy.deepcopy(body)}
    if "change" in how:
        _set(sent["body"], *how["change"])
    if "lines" in how:
        sent["body"]["lines"] *= how["lines"]
    if "options" in how:
        sent["body"]["lines"][0]["options"] *= how["options"]
    if "free" in how:
        sent["body"]["lines"][0] |= {"unit_price": {"amount": "0", "currency": EUR}, "options": []}
        del sent["body"]["delivery_fee"], sent["body"]["tip"]
    if "no_body" in how:
        del sent["body"]
    return sent | {name: how[name] for name in ("text", "headers", "key", "query") if name in how}


def _set(body: Any, path: str, value: Any) -> None:
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    for step in steps:
        body = body[int(step) if step.isdecimal() else step]
    body[int(last) if last.isdecimal() else last] = value


ACTING: dict[str, tuple[str, Any, int, str]] = {
    "accept without a time": ("preparation/accept", {}, 422, "ready_at"),
    "ready at a naive time": ("preparation/accept", {"ready_at": "2026-05-04T12:30:00"}, 422, "ready_at"),
    "ready at a number": ("preparation/accept", {"ready_at": 1777896000}, 422, "ready_at"),
    "ready at a date": ("preparation/accept", {"ready_at": "2026-05-04"}, 422, "ready_at"),
    "ready on 30 February": ("preparation/accept", {"ready_at": "2026-02-30T12:00:00Z"}, 422, "ready_at"),
    "ready at 25 o'clock": ("preparation/accept", {"ready_at": "2026-05-04T25:00:00Z"}, 422, "ready_at"),
    "ready an hour ago": ("preparation/accept", {"ready_at": "2026-05-04T11:00:00Z"}, 422, "ready_at"),
    "ready in a week": ("preparation/accept", {"ready_at": "2026-05-11T12:00:00Z"}, 422, "ready_at"),
    "ready at the end of time": ("preparation/accept", {"ready_at": "9999-12-31T23:59:59-01:00"}, 422, "ready_at"),
    "ready before the beginning": ("preparation/accept", {"ready_at": "0001-01-01T00:00:00+01:00"}, 422, "ready_at"),
    "ready at a time in words": ("preparation/accept", {"ready_at": "in half an hour"}, 422, "ready_at"),
    "a ticket of text": ("preparation/ready", {"ticket": "4"}, 422, "ticket"),
    "ticket zero": ("preparation/ready", {"ticket": 0}, 422, "ticket"),
    "a ticket below zero": ("preparation/ready", {"ticket": -4}, 422, "ticket"),
    "an offer for a kitchen": ("preparation/ready", {"offer": 4}, 422, "offer"),
    "reject without a reason": ("preparation/reject", {}, 422, "reason"),
    "reject for no reason": ("preparation/reject", {"reason": " "}, 422, "reason"),
    "line zero": ("preparation/item-unavailable", {"line": 0, "available": 1}, 422, "line"),
    "line 101": ("preparation/item-unavailable", {"line": 101, "available": 1}, 422, "line"),
    "a line beyond the last": ("preparation/item-unavailable", {"line": 2, "available": 1}, 422, "line"),
    "available below zero": ("preparation/item-unavailable", {"line": 1, "available": -1}, 422, "available"),
    "courier with a space": ("delivery/assign", {"courier_id": "carl c"}, 422, "courier_id"),
    "another courier": ("delivery/assign", {"courier_id": "cleo"}, 422, "courier_id"),
    "decline without a reason": ("delivery/decline", {}, 422, "reason"),
    "fail without a fault": ("delivery/fail", {"reason": "rain"}, 422, "fault"),
    "the weather's fault": ("delivery/fail", {"reason": "rain", "fault": "weather"}, 422, "fault"),
    "cancel without a reason": ("cancel", {}, 422, "reason"),
    "cancel for a long reason": ("cancel", {"reason": LONG}, 422, "reason"),
    "cancel for a list of reasons": ("cancel", {"reason": ["a", "b"]}, 422, "reason"),
}


@pytest.mark.parametrize("case", ACTING)
def test_a_report_that_cannot_be_read_is_refused_by_field_and_not_recorded(shop, case):
    """A fact is never refused for its content, but a report must be readable."""
    action, body, status, field = ACTING[case]
    order_id = shop.accepted()
    before = shop.stored()
    who = {"role": "customer", "sub": "ada"} if action == "cancel" else {}
    answer = shop.act(order_id, action, body, **who)
    assert (answer.status, answer.fields) == (status, [field]), answer
    assert shop.stored() == before


def query_parameters() -> list[tuple[str, str]]:
    """Every path that is read, with the name of each of its query parameters."""
    return [
        (path, parameter["name"])
        for path, operations in sorted(documentation()["paths"].items())
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["in"] == "query"
    ]


PLACES = {"dependency": "payments", "export_id": "0" * 32, "number": "1", "name": "order"}
VALIDATORS_WORDS = re.compile(r"\b(input|string|value) (should|is)\b|unable to")
"""As pydantic says it: about types, not about what to send."""


@pytest.mark.parametrize(("path", "name"), query_parameters())
@pytest.mark.parametrize("value", ["?\u00e4", "-1", "1e99", ""])
def test_no_parameter_is_refused_in_the_words_of_a_library(shop, path, name, value):
    """A refusal says what to send; a parameter that takes any text may take this one."""
    order_id = shop.place()
    target = re.sub(r"\{(\w+)\}", lambda part: PLACES.get(part[1], order_id if part[1] == "order_id" else "x1"), path)
    answer = shop.call("GET", target, query={name: value}, role="auditor", sub="ann")
    for error in answer.json.get("errors", ()) if "json" in answer.headers["content-type"] else ():
        assert not VALIDATORS_WORDS.search(error["problem"]), error


FIVE = {"amount": "5.00", "currency": "EUR"}
FACT = {"said_by": "the cook, by phone", "reason": "their tablet is broken"}
BULK: dict[str, Any] = {"action": "note", "order_ids": ["ord_" + "a" * 26], "reason": "late", "dry_run": True}

REPAIRING: dict[str, tuple[str, dict[str, Any], str]] = {
    "a fact without what it needs": ("/orders/{id}/facts", {**FACT, "fact": "rejected"}, "party_reason"),
    "a fact with what it does not need": ("/orders/{id}/facts", {**FACT, "fact": "ready", "line": 1}, "line"),
    "a credit below zero": (
        "/orders/{id}/credits",
        {"amount": {**FIVE, "amount": "-5.00"}, "fault": "platform", "reason": "late"},
        "amount.amount",
    ),
    "a credit in no currency": (
        "/orders/{id}/credits",
        {"amount": {**FIVE, "currency": "euro"}, "fault": "platform", "reason": "late"},
        "amount.currency",
    ),
    "a bulk job of no orders": ("/bulk", {**BULK, "order_ids": None}, "order_ids"),
    "a bulk job of orders and a group": ("/bulk", {**BULK, "group": "CircuitOpen@payments"}, "order_ids"),
    "a bulk credit without an amount": ("/bulk", {**BULK, "action": "credit"}, "amount"),
    "a bulk note with an amount": ("/bulk", {**BULK, "amount": FIVE}, "amount"),
    "a bulk job without its plan": ("/bulk", {**BULK, "dry_run": False}, "token"),
    "a bulk job with another text than a token": ("/bulk", {**BULK, "dry_run": False, "token": "abc"}, "token"),
    "a reason of control characters": ("/orders/{id}/cancel", {"reason": "a\x07"}, "reason"),
    "a reason that reverses what follows": ("/orders/{id}/cancel", {"reason": "late \u202e.RUE 5"}, "reason"),
    "a note that reverses what follows": ("/incidents/{id}/note", {"text": "called\u2067back"}, "text"),
    "a reason of 100,000 characters": ("/orders/{id}/cancel", {"reason": "x" * 100_000}, "reason"),
}


@pytest.mark.parametrize("case", REPAIRING)
def test_a_repair_that_cannot_be_read_is_refused_by_field(shop, case):
    """Also if only the whole body shows what is wrong: the name of the field is not left to the text."""
    path, body, field = REPAIRING[case]
    target = path.format(id=shop.accepted())
    before = shop.stored()
    answer = shop.call("POST", target, body, role="support", sub="sue", key="k")
    assert (answer.status, answer.fields) == (422, [field]), answer
    assert answer.json["detail"].startswith(f"{field}: "), answer
    assert shop.stored() == before


def test_no_check_of_a_body_hides_the_name_of_its_field_in_the_text():
    """``OfField`` has it."""
    models = (Path(__file__).parents[2] / "handlers").rglob("*.py")
    hidden = [path for path in models if re.search(r"raise ValueError\(f?[\"'][a-z_{}.]+: ", path.read_text())]
    assert hidden == []


@pytest.mark.parametrize("etag", ["7", '"', "", "\x00", '"1" "2"', '"1",', ',"1"', '*, "1"', 'w/"1"', '"1" or "2"'])
def test_an_if_match_that_is_no_list_of_etags_is_refused(shop, etag):
    """A condition that cannot be read must not be taken for one that holds."""
    order_id = shop.place()
    before = shop.stored()
    answer = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": etag})
    assert (answer.status, answer.fields) == (400, ["If-Match"])
    assert shop.stored() == before


READING: dict[str, tuple[str, dict[str, str], int, str]] = {
    "version zero": ("", {"version": "0"}, 400, "version"),
    "a version below zero": ("", {"version": "-1"}, 400, "version"),
    "a version of words": ("", {"version": "latest"}, 400, "version"),
    "a version with an underscore": ("", {"version": "1_0"}, 400, "version"),
    "a version of 40 digits": ("", {"version": "9" * 40}, 400, "version"),
    "two versions": ("", {"version": "1,2"}, 400, "version"),
    "a naive time": ("", {"at": "2026-05-04T12:00:00"}, 400, "at"),
    "an invalid time": ("", {"at": "yesterday"}, 400, "at"),
    "a version and a time": ("", {"version": "1", "at": "2026-05-04T12:00:00Z"}, 400, "at"),
    "an unknown parameter": ("", {"expand": "lines"}, 400, "expand"),
    "limit zero": ("/history", {"limit": "0"}, 400, "limit"),
    "limit 101": ("/history", {"limit": "101"}, 400, "limit"),
    "a limit of words": ("/history", {"limit": "all"}, 400, "limit"),
    "an invalid cursor": ("/history", {"cursor": "2"}, 400, "cursor"),
    "a cursor of control characters": ("/history", {"cursor": "\x00\xff"}, 400, "cursor"),
    "a cursor of another order": (
        "/history",
        {"cursor": base64.urlsafe_b64encode(b"ord_" + b"a" * 26 + b":1").decode().rstrip("=")},
        400,
        "cursor",
    ),
    "replay at no version": ("/replay", {}, 400, "at"),
    "replay at version zero": ("/replay", {"at": "0"}, 400, "at"),
    "replay at a naive time": ("/replay", {"at": "2026-05-04T12:00:00"}, 400, "at"),
    "replay at a version and more": ("/replay", {"at": "1", "to": "2"}, 400, "to"),
}


@pytest.mark.parametrize("case", READING)
def test_a_query_that_cannot_be_read_is_refused_by_parameter(shop, case):
    """An unreadable parameter is never ignored: that would answer another question."""
    path, query, status, field = READING[case]
    order_id = shop.place()
    answer = shop.call("GET", f"/orders/{order_id}{path}", query=query)
    assert (answer.status, answer.fields) == (status, [field]), answer


@pytest.mark.parametrize(
    "order_id", ["ord_1", "x", "ORD_" + "A" * 26, "ord_" + "a" * 27, "ord_" + "1" * 26, "%00", "a b"]
)
def test_an_id_that_no_order_can_have_is_refused_as_malformed(shop, order_id):
    """422, not 404: it can never become the id of an order."""
    answer = shop.call("GET", f"/orders/{order_id}")
    assert (answer.status, answer.fields) == (422, ["order_id"])


@pytest.mark.parametrize("order_id", ["ord_\0", "\u2603" * 5, "..", "\n"])
def test_a_path_full_of_rubbish_is_answered_with_a_problem(shop, order_id):
    """Whatever characters the path has."""
    answer = shop.call("GET", f"/orders/{order_id}")
    assert answer.status in {404, 422}
    assert answer.problem


@pytest.mark.parametrize("behind", ["\n", "\r\n", "\n\n", " ", "\t", "\v", "\u2028", "\x00"])
def test_an_order_id_ends_where_it_ends(shop, behind):
    """One order has one path. With ``%0a`` behind it, it is another path, where there is nothing."""
    order_id = shop.place()
    assert shop.call("GET", f"/orders/{order_id}").status == 200
    answer = shop.call("GET", f"/orders/{order_id}{behind}")
    assert answer.status in {404, 422}
    assert answer.problem


def test_no_route_matches_a_path_with_a_line_break_behind_it(shop):
    """Checked for every route of the template."""
    order_id = shop.place()
    before = shop.stored()
    for function, route in shop.template_routes:
        path = re.sub(r"{\w+}", order_id, route.path) + "\n"
        event = _event(shop) | {"routeKey": f"{route.method} {route.path}", "rawPath": path}
        event["requestContext"]["http"] |= {"method": route.method, "path": path}
        answer = shop.invoke(function, event)
        assert (answer.status, answer.problem) == (404, "NoSuchPath"), route
    assert shop.stored() == before


def test_a_base64_body_is_read_as_its_bytes(shop, body):
    """API Gateway encodes bodies that it does not recognise as text; that is not the caller's mistake."""
    event = _event(shop)
    event |= {"body": base64.b64encode(json.dumps(body()).encode()).decode(), "isBase64Encoded": True}
    assert shop.invoke("handlers.orders_api.handler", event).status == 201


@pytest.mark.parametrize("sent", ["%%%", "YQ", "/w==", "W10="])
def test_a_body_that_is_not_base64_or_not_json_is_refused(shop, sent):
    """Not base64, cut off, not UTF-8, not an object."""
    answer = shop.invoke("handlers.orders_api.handler", _event(shop) | {"body": sent, "isBase64Encoded": True})
    assert (answer.status in {400, 422}, answer.fields) == (True, ["body"])
    assert shop.stored() == []


def test_a_body_with_half_a_surrogate_pair_as_it_stands_is_refused(shop):
    """It can reach Lambda in the event's JSON, but cannot be written as UTF-8."""
    answer = shop.invoke("handlers.orders_api.handler", _event(shop) | {"body": '{"restaurant": "\ud800"}'})
    assert (answer.status, answer.fields) == (400, ["body"])


def _event(shop: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /orders",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": "key-1"},
        "requestContext": {
            "authorizer": {"jwt": {"claims": {"sub": "ada", "cognito:groups": "[customer]"}, "scopes": None}},
            "http": {"method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "", "userAgent": ""},
            "requestId": "request-1",
            "stage": "$default",
        },
    }


def test_a_route_that_the_function_does_not_have_is_not_found(shop):
    """The template sends it none, but a route that is added there alone must not end in a 500."""
    answer = shop.invoke("handlers.orders_api.handler", _event(shop) | {"routeKey": "POST /menus"})
    assert (answer.status, answer.problem) == (404, "NoSuchPath")


def test_a_customer_cannot_place_for_another_one(shop, body):
    """The problem names the field."""
    answer = shop.call("POST", "/orders", body(customer="bob"), key="key-1")
    assert (answer.status, answer.problem, answer.fields) == (422, "InvalidOrder", ["customer"])
    assert shop.stored() == []


def test_a_problem_does_not_repeat_what_was_sent(shop, body):
    """Personal data must not be copied into error messages, which others may log."""
    sent = body(contact={"name": "Ada", "phone": "my secret", "address": "Lindenstrasse 9", "x": "hidden"})
    answer = shop.call("POST", "/orders", sent, key="key-1")
    assert answer.status == 422
    assert not any(text in answer.text for text in ("my secret", "hidden", "Lindenstrasse"))
