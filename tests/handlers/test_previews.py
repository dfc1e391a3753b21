"""Every write of support can be tried first, and carries a reason. A new route cannot forget it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.documented import documentation

PARTIES = "a report of a restaurant or courier; support passes it on with POST /orders/{order_id}/facts"
ADVANCING = "does sooner what the job does by itself"
READING = "changes nothing"
CATALOGUE = "a restaurant's own catalogue"
SUBSCRIBING = "webhooks of a service; changes no order"

OTHERS: dict[tuple[str, str], str] = {
    ("post", "/orders"): "a customer's new order",
    ("post", "/quotes"): READING,
    ("post", "/orders/search"): READING,
    ("post", "/audit/query"): READING,
    ("post", "/exports"): READING,
    ("post", "/live-tickets"): READING,
    **{
        ("post", f"/orders/{{order_id}}/{report}"): PARTIES
        for report in (
            *("preparation/accept", "preparation/reject", "preparation/item-unavailable", "preparation/ready"),
            *("delivery/assign", "delivery/decline", "delivery/pick-up", "delivery/deliver", "delivery/fail"),
            "delivery/position",
        )
    },
    ("post", "/bulk/{job_id}/advance"): ADVANCING,
    ("post", "/restaurants"): CATALOGUE,
    **{
        ("post", f"/restaurants/{{restaurant_id}}/{change}"): CATALOGUE
        for change in ("profile", "menu", "pictures", "pause", "resume", "sold-out", "back-in-stock")
    },
    ("post", "/views/retry"): "the rows of a view follow from the log: no order changes",
    ("post", "/webhooks"): SUBSCRIBING,
    ("patch", "/webhooks/{webhook_id}"): SUBSCRIBING,
    ("delete", "/webhooks/{webhook_id}"): SUBSCRIBING,
    ("post", "/webhooks/{webhook_id}/rotate"): SUBSCRIBING,
    ("post", "/webhooks/{webhook_id}/test"): SUBSCRIBING,
    ("post", "/deliveries/{delivery_id}/resend"): SUBSCRIBING,
}
"""The writes that are no repairs, and why."""

REASON_NAMED_OTHERWISE = {("post", "/incidents/{order_id}/note"): "text"}


def writes() -> dict[tuple[str, str], Any]:
    """Return the schema of the body of each write, by method and path; empty without a body."""
    document = documentation()
    schemas = document["components"]["schemas"]
    return {
        (method, path): _body(operation, schemas)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in {"post", "put", "patch", "delete"}
    }


def _body(operation: Any, schemas: Any) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()), {"schema": {}})["schema"]
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


WRITES = writes()


@pytest.mark.parametrize("route", sorted(set(WRITES) - set(OTHERS)), ids=" ".join)
def test_a_repair_takes_a_dry_run_and_a_reason(route):
    """Without the reason it is refused."""
    fields = WRITES[route].get("properties", {})
    reason = REASON_NAMED_OTHERWISE.get(route, "reason")
    assert {"dry_run", reason} <= set(fields), route
    assert reason in WRITES[route]["required"]


def test_the_writes_that_are_no_repairs_exist():
    """An entry without a route is out of date."""
    assert set(OTHERS) <= set(WRITES)


def test_a_dry_run_of_each_repair_changes_nothing(shop):
    """In any state of the order, a dry run answers with the refusal or with the plan."""
    order_id = shop.authorized()
    bodies = {
        "/orders/{order_id}/cancel": {},
        "/orders/{order_id}/credits": {"amount": {"amount": "1.00", "currency": "EUR"}, "fault": "platform"},
        "/orders/{order_id}/extra-captures": {
            "capture_id": "cap_1",
            "amount": {"amount": "1.00", "currency": "EUR"},
        },
        "/orders/{order_id}/facts": {"fact": "rejected", "said_by": "the cook", "party_reason": "closed"},
        "/incidents/{order_id}/retry": {},
        "/incidents/{order_id}/resolve": {"how": "abandon"},
        "/incidents/{order_id}/approve": {"approval": 4},
        "/incidents/{order_id}/reject": {"approval": 4},
        "/incidents/{order_id}/assign": {"to": "sue"},
        "/incidents/{order_id}/note": {"text": "called"},
        "/circuits/{dependency}/open": {},
        "/circuits/{dependency}/close": {},
        "/bulk": {"action": "cancel", "order_ids": [order_id]},
        "/bulk/{job_id}/stop": {},
        "/bulk/{job_id}/resume": {},
    }
    erasing = {f"/customers/{{customer_id}}/erase{step}" for step in ("", "/approve", "/reject")}  # tests/erasure
    assert {path for _, path in set(WRITES) - set(OTHERS)} == set(bodies) | erasing
    before = shop.stored()
    for path, body in bodies.items():
        reason = {} if "text" in body else {"reason": "only looking"}
        target = path.format(order_id=order_id, dependency="payments", job_id="bulk_1")
        sent = {**body, **reason, "dry_run": True}
        answer = shop.call("POST", target, sent, role="support", sub="sue", key="k")
        assert answer.status in {200, 404, 409}, answer
        assert shop.stored() == before, path


def test_the_plan_of_a_cancellation_names_its_calls_and_its_money(shop):
    order_id = shop.accepted()
    sent = {"reason": "the customer called", "dry_run": True}
    plan = shop.call("POST", f"/orders/{order_id}/cancel", sent, role="support", sub="sue").json["plan"]
    assert plan["money"][0]["what"] == "release"
    calls = {"PaymentVoidRequested", "PreparationCancellationRequested", "CourierReleaseRequested"}
    assert {call["intent"] for call in plan["runs"]} == calls
    assert plan["status"] == "cancelling"


def test_a_customer_may_look_before_cancelling_and_a_stranger_may_not(shop):
    order_id = shop.authorized()
    sent = {"reason": "too late", "dry_run": True}
    assert shop.call("POST", f"/orders/{order_id}/cancel", sent, sub="ada").json["plan"]["refused"] is None
    assert shop.call("POST", f"/orders/{order_id}/cancel", sent, sub="eve").status == 404


def test_the_plan_of_a_circuit_names_its_state_and_who_waits(shop):
    planned = shop.call(
        "POST", "/circuits/payments/open", {"reason": "x", "dry_run": True}, role="support", sub="sue"
    ).json
    assert planned["plan"] == {"events": ["CircuitHeldOpen"], "state": "held_open", "waiting": 0}
    assert planned["circuit"]["state"] == "closed"
    again = shop.call("POST", "/circuits/payments/close", {"reason": "x", "dry_run": True}, role="support", sub="sue")
    assert again.json["plan"]["events"] == []


def test_the_reason_of_an_approval_and_of_a_claim_is_in_the_history(shop):
    """As the reasons of all other changes; auditors read them."""
    shop.environment |= {"SECOND_PERSON_ABOVE": "1.00 EUR"}
    order_id = shop.authorized()
    credit = {"amount": {"amount": "2.00", "currency": "EUR"}, "fault": "platform", "reason": "late"}
    asked = shop.call("POST", f"/orders/{order_id}/credits", credit, role="support", sub="sue", key="k").json
    approval = asked["approvals"][0]["approval"]
    sent = {"approval": approval, "reason": "the customer is right"}
    shop.call("POST", f"/incidents/{order_id}/approve", sent, role="support", sub="sam")
    events = shop.call("GET", f"/orders/{order_id}/history", role="auditor").json["events"]
    given = next(event for event in events if event["type"] == "ApprovalGiven")
    assert given["data"]["reason"] == "the customer is right"
