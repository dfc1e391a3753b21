"""Bulk jobs: planned first, begun with the token of a plan that holds, at a pace, with the outcome of each order."""

from __future__ import annotations

from typing import Any

import pytest

from domain.order.order import RunState
from tests.simulated_engine import SimulatedEngine
from workflows.client import ApiProblem, ExpediterClient
from workflows.incidents import bulk_actions
from workflows.simulation.baskets import eur


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(SecondPersonAbove="20.00 EUR")


@pytest.fixture
def sue(engine) -> ExpediterClient:
    return engine.client("support", "sue")


def ended(engine: SimulatedEngine, sue: ExpediterClient, job_id: str) -> dict[str, str]:
    """Let the timer do the job, and return the outcome of each order."""
    for _ in range(20):
        engine.sleep(60)
        job: Any = sue.bulk_job(job_id)
        if job["state"] == "done":
            return {order["order_id"]: order["outcome"] for order in job["orders"]}
    raise AssertionError(job)


def begin(sue: ExpediterClient, action: str, reason: str, **how: Any) -> str:
    plan = sue.bulk(action, reason, **how)["plan"]
    job = sue.bulk(action, reason, **how, token=plan["token"])["job"]
    return str(job["id"])


def test_a_plan_sums_calls_and_money_and_names_where_the_action_is_refused(engine, sue):
    done, gone = engine.completed(), engine.ticketed()
    sue.cancel(gone, "no")
    plan = sue.bulk("credit", "the app was down", order_ids=[done, gone], amount=eur("5.00"))["plan"]
    assert [each["order_id"] for each in plan["orders"]] == [done]
    assert (plan["calls"], plan["money"]) == (
        1,
        [{"what": "credit", "amount": eur("5.00")}, {"what": "refund", "amount": eur("5.00")}],
    )
    assert [(each["order_id"], each["rule"]) for each in plan["refused"]] == [(gone, "OrderAlreadyCancelling")]
    assert "CreditGranted" not in engine.kinds(done)


def test_credits_are_granted_by_the_timer_and_their_refunds_are_the_outcome(engine, sue):
    """No caller advances the job; the books agree afterwards."""
    orders = [engine.completed(), engine.completed("pm_refund_refused"), engine.picked_up()]
    job_id = begin(sue, "credit", "the app was down", order_ids=orders, amount=eur("5.00"))
    assert ended(engine, sue, job_id) == dict(zip(orders, ["ended", "parked_again", "done"], strict=True))
    assert [engine.kinds(order).count("CreditGranted") for order in orders] == [1, 1, 1]
    assert engine.differences == []


def test_a_credit_of_a_completed_order_is_done_when_its_refund_is(engine, sue):
    """While the provider is down, the refund is open."""
    order = engine.completed()
    engine.fail_provider("payments", 400)
    job_id = begin(sue, "credit", "the app was down", order_ids=[order], amount=eur("5.00"))
    engine.until(order, lambda credited: credited.credits)
    engine.sleep(61)  # a round of the timer, which looks for outcomes
    assert sue.bulk_job(job_id)["orders"][0]["outcome"] == "started"
    assert ended(engine, sue, job_id) == {order: "ended"}


def test_a_credit_above_the_limit_waits_for_a_second_person(engine, sue):
    order = engine.completed()
    job_id = begin(sue, "credit", "wrong meals", order_ids=[order], amount=eur("25.00"))
    assert ended(engine, sue, job_id) == {order: "needs_approval"}


def test_orders_are_cancelled_and_noted_in_bulk(engine, sue):
    orders = [engine.ticketed(), engine.accepted()]
    assert set(ended(engine, sue, begin(sue, "cancel", "the street is closed", order_ids=orders)).values()) == {"ended"}
    assert {engine.order(order).status.value for order in orders} == {"cancelled"}
    noted = ended(engine, sue, begin(sue, "note", "the street was closed", order_ids=orders))
    assert set(noted.values()) == {"done"}
    assert all(engine.kinds(order)[-1] == "NoteAdded" for order in orders)


def test_a_job_begins_only_with_the_token_of_a_plan_that_holds(engine, sue):
    """An order that changed, another amount, and fifteen minutes are another plan."""
    order = engine.ticketed()
    how: Any = {"order_ids": [order]}
    token = sue.bulk("cancel", "closed", **how)["plan"]["token"]
    engine.client("restaurant", "rst_1").reject(order, "closed")
    for late_s in (0, 1000):
        engine.sleep(late_s)
        with pytest.raises(ApiProblem) as problem:
            sue.bulk("cancel", "closed", **how, token=token)
        assert problem.value.name == "PlanOutdated"


def test_the_same_request_is_the_same_job_and_another_one_under_its_key_is_refused(engine, sue):
    order = engine.ticketed()
    token = sue.bulk("note", "hello", order_ids=[order])["plan"]["token"]
    jobs = {sue.bulk("note", "hello", order_ids=[order], token=token, key="k")["job"]["id"] for _ in range(2)}
    assert len(jobs) == 1
    with pytest.raises(ApiProblem) as problem:
        sue.bulk("note", "other", order_ids=[order], token=token, key="k")
    assert problem.value.name == "KeyReused"


def test_a_plan_begins_one_job_whatever_the_key(engine, sue):
    """Two jobs of one plan would credit every customer twice."""
    order = engine.completed()
    how: Any = {"order_ids": [order], "amount": eur("5.00")}
    token = sue.bulk("credit", "late", **how)["plan"]["token"]
    sue.bulk("credit", "late", **how, token=token, key="one")
    with pytest.raises(ApiProblem) as problem:
        sue.bulk("credit", "late", **how, token=token, key="other")
    assert problem.value.name == "PlanBegun"


def test_a_stopped_job_acts_on_no_more_orders_until_it_is_resumed(engine, sue):
    order = engine.ticketed()
    job_id = begin(sue, "note", "hello", order_ids=[order])
    planned = sue.stop_bulk_job(job_id, "only looking", dry_run=True)
    assert planned["plan"] == {"state": "stopped", "changes": True, "waiting": 1, "started": 0}
    assert (planned["state"], planned["changes"]) == ("running", [])
    sue.stop_bulk_job(job_id, "wrong text")
    engine.sleep(600)
    assert "NoteAdded" not in engine.kinds(order)
    assert sue.stop_bulk_job(job_id, "again", dry_run=True)["plan"]["changes"] is False
    assert sue.resume_bulk_job(job_id, "only looking", dry_run=True)["state"] == "stopped"
    sue.resume_bulk_job(job_id, "it was right")
    assert ended(engine, sue, job_id) == {order: "done"}
    changes = sue.bulk_job(job_id)["changes"]
    assert [(each["state"], each["by"]["id"], each["reason"]) for each in changes] == [
        ("stopped", "sue", "wrong text"),
        ("running", "sue", "it was right"),
    ]


def parked(engine: SimulatedEngine, sue: ExpediterClient) -> str:
    """Bring an order to an incident: the provider refuses the refund of a credit."""
    order = engine.completed("pm_refund_refused")
    sue.credit(order, eur("5.00"), "platform", "late")
    engine.until(order, lambda each: each.run_state is RunState.PARKED)
    engine.sleep(5)
    return order


def test_incidents_that_came_since_the_plan_of_their_group_are_counted_and_left_out(engine, sue):
    """In an outage incidents come all the time: a plan would otherwise be outdated before a person has read it."""
    first = parked(engine, sue)
    (group,) = sue.incidents()["groups"]
    how: Any = {"group": group["cause"]}
    token = sue.bulk("retry", "the bank is back", **how)["plan"]["token"]
    later = parked(engine, sue)
    job = sue.bulk("retry", "the bank is back", **how, token=token)["job"]
    assert [each["order_id"] for each in job["orders"]] == [first]
    assert job["new_failures"] == 1
    assert [each["order_id"] for each in sue.bulk("retry", "x", **how)["plan"]["orders"]] == sorted([first, later])


def test_more_orders_than_one_job_takes_are_left_for_the_next_one(engine, sue, monkeypatch):
    """Those parked longest come first, and the plan says how many are left."""
    monkeypatch.setattr(bulk_actions, "ORDERS_MAX", 1)
    first, _ = parked(engine, sue), parked(engine, sue)
    plan = sue.bulk("retry", "x", group=sue.incidents()["groups"][0]["cause"])["plan"]
    assert ([each["order_id"] for each in plan["orders"]], plan["more"]) == ([first], 1)


def test_the_reason_is_no_part_of_the_plan(engine, sue):
    """A person reads the plan, and then writes why."""
    order = engine.ticketed()
    token = sue.bulk("cancel", "preview", order_ids=[order])["plan"]["token"]
    job = sue.bulk("cancel", "the street is closed", order_ids=[order], token=token)["job"]
    assert job["reason"] == "the street is closed"


def test_other_orders_under_the_key_of_a_job_are_refused(engine, sue):
    """The caller would otherwise take the job of before for the one it sent."""
    one, other = engine.ticketed(), engine.ticketed()
    token = sue.bulk("note", "hello", order_ids=[one])["plan"]["token"]
    sue.bulk("note", "hello", order_ids=[one], token=token, key="k")
    with pytest.raises(ApiProblem) as problem:
        sue.bulk("note", "hello", order_ids=[other], token=token, key="k")
    assert problem.value.name == "KeyReused"


def test_an_order_that_does_not_exist_is_refused_in_the_plan(sue):
    refused = sue.bulk("cancel", "x", order_ids=["ord_qb7sg5jrmwm74kcdldslq4kd3e"])["plan"]["refused"]
    assert [each["rule"] for each in refused] == ["OrderNotFound"]
