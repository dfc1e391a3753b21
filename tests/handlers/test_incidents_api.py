"""Incidents, bulk jobs and circuits over HTTP: support acts, auditors read, other roles see nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.identifiers import Actor, OrderId, Role
from domain.order.commands import ParkOrder
from tests.handlers.conftest import NOON
from workflows.breakers.dependencies import Dependency
from workflows.projections.open_orders import refresh
from workflows.sagas.circuit_waits import AWAIT_CIRCUIT_TO_UNDO, CircuitWait, register
from workflows.settings import read
from workflows.time_budgets import read_budgets

CAUSE = "PaymentsUnavailable@payments"
WHY = {"reason": "the provider is back"}
ROLES = sorted(set(Role) - {Role.SYSTEM})

# Each route: what is sent, the status, and whether auditors may.
ROUTES: dict[tuple[str, str], tuple[Any, int, bool]] = {
    ("GET", "/incidents"): (None, 200, True),
    ("GET", "/incidents/{order_id}"): (None, 200, True),
    ("POST", "/incidents/{order_id}/retry"): (WHY, 200, False),
    ("POST", "/incidents/{order_id}/resolve"): ({**WHY, "how": "cancel"}, 200, False),
    ("POST", "/incidents/{order_id}/approve"): ({**WHY, "approval": 4}, 200, False),
    ("POST", "/incidents/{order_id}/note"): ({"text": "called them"}, 200, False),
    ("POST", "/incidents/{order_id}/reject"): ({**WHY, "approval": 4}, 200, False),
    ("POST", "/incidents/{order_id}/assign"): ({**WHY, "to": "sue"}, 200, False),
    ("POST", "/bulk"): ({**WHY, "action": "retry", "group": CAUSE, "dry_run": True}, 200, False),
    ("GET", "/bulk/{job_id}"): (None, 200, True),
    ("POST", "/bulk/{job_id}/advance"): (None, 200, False),
    ("POST", "/bulk/{job_id}/stop"): (WHY, 200, False),
    ("POST", "/bulk/{job_id}/resume"): (WHY, 200, False),
    ("GET", "/circuits"): (None, 200, True),
    ("GET", "/circuits/{dependency}"): (None, 200, True),
    ("POST", "/circuits/{dependency}/open"): (WHY, 200, False),
    ("POST", "/circuits/{dependency}/close"): (WHY, 200, False),
}


def park(shop, error="PaymentsUnavailable", **how):
    """Park an order of 27.40 whose authorization failed."""
    order_id = shop.place(**how)
    shop.command(order_id, ParkOrder(run=1, error=error, detail="no answer", compensating=False))
    refresh(shop.engine, order_id, read({}, read_budgets))
    return order_id


def ask(shop, method, path, sent=None, *, role="support", sub="sue", **how):
    return shop.call(method, path, *(() if sent is None else (sent,)), role=role, sub=sub, **how)


def begun(shop, key="job", **changes):
    wanted = {**WHY, "action": "retry", "group": CAUSE, **changes}
    token = ask(shop, "POST", "/bulk", {**wanted, "dry_run": True}, key=key).json["plan"]["token"]
    answer = ask(shop, "POST", "/bulk", {**wanted, "token": token}, key=key)
    assert answer.status == 201, answer
    return answer.json["job"]["id"]


@pytest.fixture
def parked(shop):
    """An incident with a request (version 4) that waits for a second person, a bulk job, and the ids of both."""
    order_id = park(shop)
    resolve = {**WHY, "how": "abandon"}
    shop.environment |= {"SECOND_PERSON_ABOVE": "10.00 EUR"}
    answer = ask(shop, "POST", f"/incidents/{order_id}/resolve", resolve, sub="sam")
    assert answer.json["approvals"][0]["approval"] == 4, answer
    return {"order_id": order_id, "job_id": begun(shop), "dependency": "payments"}


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_support_may_do_everything_auditors_may_read_and_others_nothing(shop, parked, route, role):
    """A refused request changes nothing."""
    (method, path), (sent, status, audited) = route, ROUTES[route]
    before = shop.stored()
    answer = ask(shop, method, path.format(**parked), sent, role=role, sub="ada", key="k" if method == "POST" else None)
    if role == "support" or (role == "auditor" and audited):
        assert answer.status == status, answer
    else:
        assert answer.status in {403, 404}, answer
        assert answer.problem in {"NotAllowed", "OrderNotFound"}
        assert shop.stored() == before


def test_every_route_of_the_template_is_in_this_table(shop):
    """Other tags have tables of their own."""
    routes = {(route.method, route.path) for _, route in shop.template_routes}
    ours = ("/incidents", "/bulk", "/circuits")
    assert {route for route in routes if route[1].startswith(ours)} == set(ROUTES)


def test_an_auditor_sees_no_personal_data_of_an_incident(shop, parked):
    """The reason of a request is not the customer's: it is written for auditors."""
    order_id = parked["order_id"]
    seen = ask(shop, "GET", f"/incidents/{order_id}", role="auditor")
    assert "Ada Byron" not in seen.text
    assert WHY["reason"] in seen.text
    assert "Ada Byron" in ask(shop, "GET", f"/incidents/{order_id}").text


# --- incidents --------------------------------------------------------------------------------------------------------


def test_the_list_groups_by_cause_and_can_be_narrowed(shop):
    """Longest parked first, with the number of those not listed."""
    first = park(shop, key="1")
    park(shop, key="2")
    park(shop, "KeyError", key="3")
    found = ask(shop, "GET", "/incidents").json
    assert [(group["cause"], group["orders"]) for group in found["groups"]] == [(CAUSE, 2), ("KeyError", 1)]
    assert found["groups"][0]["at_stake"] == [{"amount": "54.80", "currency": "EUR"}]
    narrow = ask(shop, "GET", "/incidents", query={"cause": CAUSE, "limit": 1}).json
    assert ([line["order_id"] for line in narrow["incidents"]], narrow["more"]) == ([first], 1)


def test_a_dry_run_returns_the_plan_and_changes_nothing(shop):
    order_id = park(shop)
    before = shop.stored()
    answer = ask(shop, "POST", f"/incidents/{order_id}/retry", {**WHY, "dry_run": True})
    plan = answer.json["plan"]
    assert (answer.json["order"], plan["events"]) == (None, ["RunStarted"])
    assert plan["runs"] == [{"version": 2, "intent": "PaymentAuthorizationRequested"}]
    assert plan["money"] == [{"what": "authorize", "amount": {"amount": "27.40", "currency": "EUR"}, "intent": 2}]
    assert shop.stored() == before


def test_a_retry_records_its_actor_and_reason_once_a_key(shop):
    order_id = park(shop)
    first = ask(shop, "POST", f"/incidents/{order_id}/retry", WHY, key="k")
    again = ask(shop, "POST", f"/incidents/{order_id}/retry", WHY, key="k")
    assert (first.json["order"]["run"], again.json["order"]["run"]) == (2, 2)
    assert again.headers["idempotent-replayed"] == "true"
    last = shop.call("GET", f"/orders/{order_id}/history", role="support").json["events"][-1]
    assert last["data"] == {"run": 2, "by": {"role": "support", "id": "sue"}, "reason": WHY["reason"]}


def test_above_the_limit_a_second_person_has_to_approve(shop, parked):
    """The first person's own approval is refused by name."""
    path = f"/incidents/{parked['order_id']}/approve"
    refused = ask(shop, "POST", path, {**WHY, "approval": 4}, sub="sam")
    assert (refused.status, refused.problem) == (403, "SecondPersonNeeded")
    done = ask(shop, "POST", path, {**WHY, "approval": 4})
    assert done.json["order"]["status"] == "abandoned"


@pytest.mark.parametrize(
    ("action", "sent", "status", "problem"),
    [
        ("retry", {}, 422, "InvalidRequest"),
        ("retry", {"reason": " "}, 422, "InvalidRequest"),
        ("resolve", {**WHY, "how": "delete"}, 422, "InvalidRequest"),
        ("resolve", {**WHY, "how": "write_off"}, 422, "WriteOffNeedsIntent"),
        ("resolve", {**WHY, "how": "write_off", "intent": 1}, 409, "NothingOwed"),
        ("approve", {**WHY, "approval": 99}, 404, "NoSuchApproval"),
        ("approve", {"approval": 99}, 422, "InvalidRequest"),
    ],
)
def test_an_impossible_action_is_refused_by_name(shop, action, sent, status, problem):
    order_id = park(shop)
    answer = ask(shop, "POST", f"/incidents/{order_id}/{action}", sent)
    assert (answer.status, answer.problem) == (status, problem), answer


def test_an_order_that_is_not_parked_is_not_an_incident(shop):
    order_id = shop.place()
    for answer in (
        ask(shop, "GET", f"/incidents/{order_id}"),
        ask(shop, "POST", f"/incidents/{order_id}/retry", WHY),
    ):
        assert (answer.status, answer.problem) == (409, "NotAnIncident")


# --- bulk jobs --------------------------------------------------------------------------------------------------------


def test_a_bulk_job_advances_at_its_pace_and_reports_the_outcome_of_each_order(shop):
    for key in "abc":
        park(shop, key=key)
    job_id = begun(shop, per_s=1.0)
    seen = [ask(shop, "POST", f"/bulk/{job_id}/advance").json["counts"]["started"] for _ in range(3)]
    assert seen[-1] == 3
    assert ask(shop, "GET", f"/bulk/{job_id}").json["counts"]["waiting"] == 0


def test_the_plan_of_a_group_lists_its_orders_and_the_money_at_stake_and_starts_nothing(shop):
    """The job has the same orders and sums as its plan."""
    orders = {park(shop, key=key) for key in "ab"}
    park(shop, "KeyError", key="other")
    before = shop.stored()
    wanted = {**WHY, "action": "retry", "group": CAUSE}
    planned = ask(shop, "POST", "/bulk", {**wanted, "dry_run": True}, key="k").json
    assert (planned["job"], shop.stored()) == (None, before)
    assert {order["order_id"] for order in planned["plan"]["orders"]} == orders
    assert planned["plan"]["at_stake"] == [{"amount": "54.80", "currency": "EUR"}]
    job = ask(shop, "GET", f"/bulk/{begun(shop, key='k')}").json
    assert (job["at_stake"], job["group"], job["dependency"]) == (planned["plan"]["at_stake"], CAUSE, "payments")


def test_an_unknown_group_is_not_found(shop):
    """A mistyped cause must not look like a group that was retried."""
    wanted = {**WHY, "action": "retry", "group": "NoSuchCause", "dry_run": True}
    answer = ask(shop, "POST", "/bulk", wanted, key="k")
    assert (answer.status, answer.problem) == (404, "NoSuchGroup")


def test_the_person_who_takes_an_incident_on_is_named_as_a_user(shop):
    """Not as a customer, as whom the error named it."""
    answer = ask(shop, "POST", f"/incidents/{park(shop)}/assign", {**WHY, "to": "a b"})
    assert (answer.status, answer.fields) == (422, ["to"])
    assert "is not a user id" in answer.json["detail"]


DIGEST = "0" * 32


@pytest.mark.parametrize(
    "token", ["", ".", "x.y", f"{'9' * 40}.{DIGEST}", "1.y", f"\u0663.{DIGEST}", f"1.{DIGEST}x", f"1.{DIGEST}\n"]
)
def test_a_token_that_no_plan_can_have_is_refused_by_field(shop, token):
    """It is no plan that has expired."""
    park(shop)
    answer = ask(shop, "POST", "/bulk", {**WHY, "action": "retry", "group": CAUSE, "token": token}, key="k")
    assert (answer.status, answer.fields) == (422, ["token"]), answer


def test_the_token_of_another_plan_is_refused_with_what_may_differ(shop):
    """The orders need not have changed: the plan may be of another person. An old token has expired."""
    order_id = park(shop)
    wanted = {**WHY, "action": "retry", "order_ids": [order_id]}
    token = ask(shop, "POST", "/bulk", {**wanted, "dry_run": True}, key="k").json["plan"]["token"]
    other = ask(shop, "POST", "/bulk", {**wanted, "token": token}, key="k", sub="sam")
    assert (other.status, other.problem) == (409, "PlanOutdated"), other
    assert "by another person" in other.json["detail"]
    old = ask(shop, "POST", "/bulk", {**wanted, "token": f"1.{DIGEST}"}, key="k")
    assert (old.status, "expired" in old.json["detail"]) == (409, True), old


def test_an_unknown_bulk_job_is_not_found(shop):
    answer = ask(shop, "POST", "/bulk/bulk_nothing/advance")
    assert (answer.status, answer.problem) == (404, "NoSuchJob")


# --- circuits ---------------------------------------------------------------------------------------------------------


def test_a_circuit_opened_and_closed_by_hand_records_the_actor_and_reason(shop):
    opened = ask(shop, "POST", "/circuits/payments/open", {"reason": "maintenance"}).json
    assert opened["circuit"]["state"] == "held_open"
    assert ask(shop, "GET", "/circuits").json["circuits"][0]["state"] == "held_open"
    closed = ask(shop, "POST", "/circuits/payments/close", {"reason": "done"}, sub="sam").json
    assert closed["circuit"]["state"] == "closed"
    assert [(each["type"], each["actor"]["id"], each["data"]["reason"]) for each in closed["transitions"]] == [
        ("CircuitHeldOpen", "sue", "maintenance"),
        ("CircuitForcedClosed", "sam", "done"),
    ]


def test_a_late_copy_of_opening_a_circuit_is_answered_with_the_circuit_as_it_is(shop):
    """A connection that was cut delivers a request after the next one."""
    opening, closing = {"reason": "maintenance"}, {"reason": "done"}
    ask(shop, "POST", "/circuits/payments/open", {**opening, "dry_run": True}, key="first")
    ask(shop, "POST", "/circuits/payments/open", opening, key="first")
    ask(shop, "POST", "/circuits/payments/close", closing, key="second")
    copied = ask(shop, "POST", "/circuits/payments/open", opening, key="first")
    assert (copied.status, copied.json["circuit"]["state"]) == (200, "closed")
    assert len(copied.json["transitions"]) == 2
    other = ask(shop, "POST", "/circuits/payments/open", {"reason": "fraud"}, key="first")
    assert (other.status, other.problem, other.fields) == (422, "KeyReused", ["Idempotency-Key"])


@pytest.mark.parametrize("more", [0, 1])
def test_the_orders_that_wait_for_a_circuit_are_listed_oldest_first_with_the_end_of_their_wait(shop, more):
    """Support sees which orders a provider holds up and whether they wait to give something back."""
    engine = shop.engine
    breaker = engine.breakers[Dependency.PAYMENTS]
    breaker.hold_open(Actor(Role.SUPPORT, "sue"), "an outage")
    orders = [f"ord_{first}{second}".ljust(30, "a") for first in "abcdefg" for second in "abcdefgh"][: 50 + more]
    for number, order_id in enumerate(orders):
        wait = CircuitWait(
            order_id=OrderId(order_id), run=1, action="await_circuit" if number else AWAIT_CIRCUIT_TO_UNDO,
            dependency=Dependency.PAYMENTS, opened="", since=NOON + timedelta(seconds=number), token=str(number),
        )  # fmt: skip
        register(engine.documents, engine.executions, breaker, wait)
    answer = ask(shop, "GET", "/circuits/payments").json
    assert [each["order_id"] for each in answer["waiting"]] == orders[:50]
    assert [each["undoing"] for each in answer["waiting"]] == [True] + [False] * 49
    assert answer["waiting"][0]["until"] == "2026-05-04T18:10:00.000000Z"
    assert answer["waiting_more"] is bool(more)
    assert ask(shop, "GET", "/circuits/couriers").json["waiting"] == []


def test_an_unknown_circuit_is_refused(shop):
    assert ask(shop, "GET", "/circuits/weather").status == 422
