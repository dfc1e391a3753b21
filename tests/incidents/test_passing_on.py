"""Reports that support passes on: recorded as the party's, with who said so, and contradictions as for the parties."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.simulated_engine import SimulatedEngine
from workflows.client import ApiProblem
from workflows.simulation.baskets import eur

SAID = ("the courier, by phone", "the courier's phone was broken")


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(SecondPersonAbove="20.00 EUR")


def last(engine: SimulatedEngine, order_id: str, kind: str, role: str = "auditor") -> Any:
    events = list(engine.client(role, "ida").history(order_id))
    return [event for event in events if event["type"] == kind][-1]


def test_a_delivery_that_was_not_reported_is_passed_on_and_the_order_completes(engine):
    """Auditors read who said so and why; the courier and the customer see that support reported it."""
    order_id, sue = engine.picked_up(), engine.client("support", "sue")
    planned = sue.pass_on(order_id, "delivered", *SAID, dry_run=True)["plan"]
    assert planned["events"] == ["OrderDelivered", "ReportedOnBehalf", "PaymentCaptureRequested"]
    assert [(move["what"], move["amount"]) for move in planned["money"]] == [("capture", eur("28.00"))]
    assert "OrderDelivered" not in engine.kinds(order_id)
    sue.pass_on(order_id, "delivered", *SAID)
    engine.until(order_id, lambda order: order.status.value == "completed")
    said = last(engine, order_id, "ReportedOnBehalf")
    assert said["actor"] == {"role": "support", "id": "sue"}
    assert said["data"] == {
        "report": last(engine, order_id, "OrderDelivered")["version"],
        "on_behalf_of": "courier",
        "said_by": SAID[0],
        "reason": SAID[1],
        "by": {"role": "support", "id": "sue"},
    }
    [seen] = [e for e in engine.client("customer", "cus_1").history(order_id) if e["type"] == "ReportedOnBehalf"]
    assert (seen["data"]["said_by"], seen["data"]["reason"]) == ("(withheld)", "(withheld)")


def test_every_report_of_an_order_can_be_passed_on(engine):
    """A restaurant and a courier without a device get their order to its good end."""
    order_id, sue = engine.ticketed(), engine.client("support", "sue")
    ready_at = engine.world.scheduler.now() + timedelta(minutes=20)
    sue.pass_on(order_id, "accepted", "the owner, by phone", "no tablet", ready_at=ready_at)
    missing = {"line": 2, "available": 0}
    plan = sue.pass_on(order_id, "item_unavailable", "the owner", "no tablet", details=missing, dry_run=True)["plan"]
    assert [(move["what"], move["amount"]) for move in plan["money"]] == [("credit", eur("3.00"))]
    sue.pass_on(order_id, "item_unavailable", "the owner", "no tablet", details=missing)
    sue.pass_on(order_id, "assigned", *SAID, details={"courier_id": "cou_9"})
    sue.pass_on(order_id, "ready", "the owner, by phone", "no tablet")
    sue.pass_on(order_id, "picked_up", *SAID)
    sue.pass_on(order_id, "delivered", *SAID)
    engine.until(order_id, lambda order: order.status.value == "completed")
    assert engine.kinds(order_id).count("ReportedOnBehalf") == 6
    assert engine.differences == []


def test_a_report_that_contradicts_another_has_no_effect_until_a_person_decides(engine):
    """As if the party had made it: the order is parked with both reports in view."""
    order_id, sue = engine.completed(), engine.client("support", "sue")
    details = {"party_reason": "it was stolen", "fault": "courier"}
    planned = sue.pass_on(order_id, "failed", *SAID, details=details, dry_run=True)["plan"]
    assert planned["events"][:3] == ["ReportContested", "DeliveryFailed", "ReportedOnBehalf"]
    sue.pass_on(order_id, "failed", *SAID, details=details)
    order = engine.order(order_id)
    assert order.run_state.value == "parked"
    assert last(engine, order_id, "ReportedOnBehalf")["data"]["report"] == order.contest
    assert sue.incident(order_id)["error"] == "ContradictingReports"


def test_a_failed_delivery_above_the_limit_waits_for_a_second_person_with_who_said_so(engine):
    order_id, sue = engine.picked_up(), engine.client("support", "sue")
    details = {"party_reason": "it was stolen", "fault": "courier"}
    [request] = sue.pass_on(order_id, "failed", *SAID, details=details)["approvals"]
    assert (request["action"], request["amount"]) == ("delivery_failed", eur("28.00"))
    assert last(engine, order_id, "ReportedOnBehalf")["data"]["report"] == request["approval"]
    engine.client("support", "sam").approve(order_id, request["approval"], "checked")
    engine.until(order_id, lambda order: order.status.value == "cancelled")


def test_the_plan_of_a_request_says_what_its_approval_does_with_the_money_of_all(engine):
    """Who asks knows what the second person will decide, and both see the same. Asking again changes nothing of it."""
    order_id, sue, sam = engine.completed(), engine.client("support", "sue"), engine.client("support", "sam")
    details = {"party_reason": "it was stolen", "fault": "courier"}
    sue.pass_on(order_id, "failed", *SAID, details=details)
    report = engine.order(order_id).contest
    planned = sue.resolve(order_id, "confirm_report", "they admit it", intent=report, dry_run=True)["plan"]
    assert (planned["money"], planned["pay"], planned["status"]) == ([], [], "delivered")
    [request] = sue.resolve(order_id, "confirm_report", "they admit it", intent=report)["approvals"]
    approval = sam.approve(order_id, request["approval"], "checked", dry_run=True)["plan"]
    assert planned["once_approved"] == approval
    again = sue.resolve(order_id, "confirm_report", "they admit it", intent=report, dry_run=True)["plan"]
    assert again["once_approved"] == approval
    assert [(move["what"], move["amount"]) for move in approval["money"]] == [("refund", eur("28.00"))]
    assert approval["status"] == "cancelling"
    assert [(each["party"], each["amount"]) for each in approval["pay"]] == [
        ("restaurant", eur("-23.00")),
        ("courier", eur("-4.00")),
    ]


def test_the_same_report_again_adds_nothing(engine):
    order_id, sue = engine.picked_up(), engine.client("support", "sue")
    for _ in range(2):
        sue.pass_on(order_id, "delivered", *SAID)
    assert engine.kinds(order_id).count("ReportedOnBehalf") == 1


@pytest.mark.parametrize(
    ("fact", "details", "field"),
    [
        ("accepted", {}, "ready_at"),
        ("failed", {"party_reason": "rain"}, "fault"),
        ("delivered", {"fault": "courier"}, "fault"),
        ("item_unavailable", {"line": 1}, "available"),
    ],
)
def test_a_report_with_too_little_or_too_much_is_refused_and_names_the_field(engine, fact, details, field):
    order_id = engine.ticketed()
    with pytest.raises(ApiProblem, match=field) as problem:
        engine.client("support", "sue").pass_on(order_id, fact, *SAID, details=details)
    assert problem.value.status == 422


@pytest.mark.parametrize("role", ["service", "auditor", "restaurant"])
def test_support_alone_passes_reports_on(engine, role):
    """A party reports for itself, and a service has the routes of the parties."""
    order_id = engine.ticketed()
    with pytest.raises(ApiProblem) as problem:
        engine.client(role, "rst_1").pass_on(order_id, "ready", *SAID)
    assert problem.value.name == "NotAllowed"
