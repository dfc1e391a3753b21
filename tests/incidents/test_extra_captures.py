"""A payment that the provider took twice: asked for at the provider first, then refunded once, and in the books."""

from __future__ import annotations

import pytest

from domain.order.order import Order, RunState
from tests.simulated_engine import SimulatedEngine
from workflows.client import ApiProblem
from workflows.sandbox.ledger import Entry
from workflows.simulation.baskets import eur


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine()


def is_completed(order: Order) -> bool:
    return order.status.value == "completed"


def second_payment(engine: SimulatedEngine, order_id: str) -> Entry:
    lines = engine.world.sandbox.payments.entries(order_id)
    return next(line for line in lines if line.kind == "captured" and line.key.endswith("/again"))


def test_it_is_refunded_after_the_provider_has_confirmed_it(engine):
    """The preview names the question and the money; the view of the order has both payments."""
    order_id, sue = engine.completed("pm_taken_twice"), engine.client("support", "sue")
    assert "the provider has" in engine.differences[-1]
    extra = second_payment(engine, order_id)
    plan = sue.refund_extra(order_id, extra.id, eur("28.00"), "the bank shows two", dry_run=True)["plan"]
    assert [run["intent"] for run in plan["runs"]] == ["PaymentLookupRequested"]
    assert [(move["what"], move["amount"]) for move in plan["money"]] == [("refund", eur("28.00"))]
    sue.refund_extra(order_id, extra.id, eur("28.00"), "the bank shows two")
    assert "look up a capture" in sue.why(order_id)["sentence"]
    engine.until(order_id, is_completed)
    assert engine.kinds(order_id)[-6:] == [
        "PaymentLookupRequested",
        "RunStarted",
        "PaymentFound",
        "PaymentRefundRequested",
        "PaymentRefunded",
        "OrderCompleted",
    ]
    payment = sue.get(order_id)["payment"]
    assert (payment["captured"], payment["refunded"]) == (eur("56.00"), eur("28.00"))
    assert engine.differences == []


def test_what_the_provider_did_not_take_for_this_order_and_amount_is_not_refunded(engine):
    """Neither an unknown payment, nor that of another order, nor another amount."""
    other = engine.completed("pm_taken_twice")
    order_id, sue = engine.completed("pm_taken_twice"), engine.client("support", "sue")
    for capture_id, amount in (
        ("cap_unknown", "28.00"),
        (second_payment(engine, other).id, "28.00"),
        (second_payment(engine, order_id).id, "27.00"),
    ):
        sue.refund_extra(order_id, capture_id, eur(amount), "the bank shows two")
        engine.until(order_id, is_completed)
        assert engine.kinds(order_id)[-2:] == ["PaymentNotFound", "OrderCompleted"]
    events = [each for each in sue.history(order_id) if each["type"] == "PaymentNotFound"]
    reasons = [event["data"]["reason"] for event in events]
    assert reasons == ["unknown_capture", "unknown_capture", "the provider took 28.00 EUR"]
    assert not any(line.kind == "refunded" for line in engine.world.sandbox.payments.entries())


def test_what_was_refunded_at_the_provider_by_hand_is_not_refunded_again(engine):
    order_id, sue = engine.completed("pm_taken_twice"), engine.client("support", "sue")
    extra = second_payment(engine, order_id)
    engine.world.sandbox.payments.refund(capture_id=extra.id, amount=extra.amount, key="by-hand", timeout_s=10)
    sue.refund_extra(order_id, extra.id, eur("28.00"), "the bank shows two")
    engine.until(order_id, is_completed)
    assert engine.kinds(order_id)[-2:] == ["PaymentNotFound", "OrderCompleted"]


def test_two_colleagues_who_report_it_have_it_refunded_once(engine):
    order_id = engine.completed("pm_taken_twice")
    extra = second_payment(engine, order_id)
    for name in ("sue", "sam", "sue"):
        engine.client("support", name).refund_extra(order_id, extra.id, eur("28.00"), f"reported to {name}")
        engine.until(order_id, is_completed)
    refunds = [line for line in engine.world.sandbox.payments.entries(order_id) if line.kind == "refunded"]
    assert [line.amount for line in refunds] == [extra.amount]


def test_the_orders_own_payment_is_refused_with_what_helps_instead(engine):
    order_id, sue = engine.completed(), engine.client("support", "sue")
    [own] = [each for each in engine.world.sandbox.payments.entries(order_id) if each.kind == "captured"]
    with pytest.raises(ApiProblem, match="Grant a credit instead") as refused:
        sue.refund_extra(order_id, own.id, eur("28.00"), "charged twice")
    assert refused.value.name == "CaptureRecorded"


def test_an_order_on_its_way_asks_the_provider_when_it_is_settled(engine):
    order_id, sue = engine.picked_up(), engine.client("support", "sue")
    sue.refund_extra(order_id, "cap_unknown", eur("28.00"), "the customer says so")
    assert engine.order(order_id).run_state is RunState.RUNNING
    engine.client("courier", "cou_1").deliver(order_id)
    engine.until(order_id, is_completed)
    assert {"PaymentNotFound", "PaymentCaptured"} <= set(engine.kinds(order_id))
