"""Credits after the pickup and after completion: the provider refunds, the books agree, and an open refund is named."""

from __future__ import annotations

import pytest

from domain.order.order import Order
from tests.simulated_engine import SimulatedEngine
from workflows.client import ApiProblem
from workflows.sandbox.payment import PaymentPosition
from workflows.simulation.baskets import eur


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(SecondPersonAbove="20.00 EUR")


def is_completed(order: Order) -> bool:
    return order.status.value == "completed"


def position(engine: SimulatedEngine, order_id: str) -> PaymentPosition:
    found = engine.world.sandbox.payments.position(order_id)
    assert found is not None
    return found


def test_a_credit_on_a_completed_order_is_refunded_by_the_provider_and_completes_it_again(engine):
    """The machine of the order had ended: a new run performs the refund. Log and provider agree to the cent."""
    order_id, sue = engine.completed(), engine.client("support", "sue")
    planned = sue.credit(order_id, eur("5.00"), "restaurant", "a dish was cold", dry_run=True)["plan"]
    assert [run["intent"] for run in planned["runs"]] == ["PaymentRefundRequested"]
    assert [(move["what"], move["amount"]) for move in planned["money"]] == [
        ("credit", eur("5.00")),
        ("refund", eur("5.00")),
    ]
    assert is_completed(engine.order(order_id))
    done = sue.credit(order_id, eur("5.00"), "restaurant", "a dish was cold")["order"]
    assert [call["intent"] for call in done["pending"]] == ["PaymentRefundRequested"]
    order = engine.until(order_id, is_completed)
    assert engine.kinds(order_id)[-5:] == [
        "CreditGranted",
        "PaymentRefundRequested",
        "RunStarted",
        "PaymentRefunded",
        "OrderCompleted",
    ]
    assert order.run == 2
    assert position(engine, order_id).refunded.minor == 500
    assert engine.differences == []


def test_a_credit_after_the_pickup_lowers_the_capture_and_calls_no_provider_for_it(engine):
    order_id, sue = engine.picked_up(), engine.client("support", "sue")
    planned = sue.credit(order_id, eur("5.00"), "courier", "an hour late", dry_run=True)["plan"]
    assert planned["runs"] == []
    assert [move["what"] for move in planned["money"]] == ["credit"]
    sue.credit(order_id, eur("5.00"), "courier", "an hour late")
    engine.client("courier", "cou_1").deliver(order_id)
    engine.until(order_id, is_completed)
    assert position(engine, order_id).captured.minor == 2300
    assert engine.differences == []


def test_the_preview_of_a_credit_names_no_call_that_the_order_makes_anyway(engine):
    """The restaurant has a ticket to answer, whether there is a credit or not."""
    order_id, sue = engine.ticketed(), engine.client("support", "sue")
    assert sue.get(order_id)["pending"]
    assert sue.credit(order_id, eur("5.00"), "platform", "late", dry_run=True)["plan"]["runs"] == []


def test_why_names_the_open_refund_until_the_provider_has_answered(engine):
    order_id, sue = engine.completed(), engine.client("support", "sue")
    engine.fail_provider("payments", 100)
    sue.credit(order_id, eur("5.00"), "platform", "charged for a bag")
    engine.sleep(5)  # the circuit of payments is still closed
    explained = sue.why(order_id)
    assert "refund" in explained["sentence"]
    assert explained["owed"][0]["amount"] == eur("5.00")
    engine.until(order_id, is_completed)
    assert sue.why(order_id)["sentence"] == "Completed: delivered and paid."
    assert position(engine, order_id).refunded.minor == 500


def test_a_refund_that_the_provider_refuses_is_an_incident_that_names_what_is_owed(engine):
    order_id, sue = engine.completed("pm_refund_refused"), engine.client("support", "sue")
    sue.credit(order_id, eur("5.00"), "restaurant", "a dish was missing")
    engine.until(order_id, lambda order: order.run_state.value == "parked")
    incident = sue.incident(order_id)
    assert "refused" in incident["detail"]
    assert [(item["amount"], item["refused"]) for item in incident["owed"]] == [(eur("5.00"), True)]
    assert {"retry", f"write_off {incident['owed'][0]['intent']}"} <= set(incident["plans"])


def test_credits_that_add_up_to_more_than_the_limit_need_a_second_person(engine):
    """Nothing moves before; the person who asked cannot approve."""
    order_id, sue, sam = engine.completed(), engine.client("support", "sue"), engine.client("support", "sam")
    sue.credit(order_id, eur("15.00"), "platform", "never warm")
    engine.until(order_id, is_completed)
    planned = sue.credit(order_id, eur("10.00"), "platform", "and late", dry_run=True)["plan"]
    assert planned["second_person_for"] == eur("10.00")
    [request] = sue.credit(order_id, eur("10.00"), "platform", "and late")["approvals"]
    assert (request["action"], request["amount"]) == ("credit", eur("10.00"))
    assert position(engine, order_id).refunded.minor == 1500
    with pytest.raises(ApiProblem, match="second person"):
        sue.approve(order_id, request["approval"], "checked")
    sam.approve(order_id, request["approval"], "checked")
    engine.until(order_id, is_completed)
    assert position(engine, order_id).refunded.minor == 2500
    assert engine.differences == []


def test_nothing_is_given_back_that_was_not_taken(engine):
    """Whatever was credited before, also while a refund is under way."""
    engine = SimulatedEngine(SecondPersonAbove="1000.00 EUR")
    order_id, sue = engine.completed(), engine.client("support", "sue")
    sue.credit(order_id, eur("20.00"), "platform", "cold")
    refused = sue.credit(order_id, eur("8.01"), "platform", "cold", dry_run=True)["plan"]["refused"]
    assert refused["rule"] == "CreditExceedsDue"
    with pytest.raises(ApiProblem) as problem:
        sue.credit(order_id, eur("8.01"), "platform", "cold")
    assert problem.value.name == "CreditExceedsDue"
    sue.credit(order_id, eur("8.00"), "platform", "cold")
    engine.until(order_id, is_completed)
    assert position(engine, order_id).refunded == position(engine, order_id).captured
    assert engine.differences == []


def test_the_same_request_again_is_the_same_credit_and_another_one_is_another(engine):
    order_id, sue = engine.completed(), engine.client("support", "sue")
    for key in ("one", "one", "two"):
        sue.credit(order_id, eur("2.00"), "platform", "cold", key=key)
    engine.until(order_id, is_completed)
    assert engine.kinds(order_id).count("CreditGranted") == 2
    assert position(engine, order_id).refunded.minor == 400


def test_an_order_that_was_cancelled_gets_no_credit(engine):
    """The customer pays nothing for it."""
    order_id, sue = engine.ticketed(), engine.client("support", "sue")
    sue.cancel(order_id, "the customer called")
    with pytest.raises(ApiProblem) as problem:
        sue.credit(order_id, eur("1.00"), "platform", "cold")
    assert problem.value.name == "OrderAlreadyCancelling"
