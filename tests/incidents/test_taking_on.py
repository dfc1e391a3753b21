"""Incidents that a person takes on, and requests that a second person rejects."""

from __future__ import annotations

import pytest

from tests.simulated_engine import SimulatedEngine
from workflows.client import ApiProblem
from workflows.simulation.baskets import eur


@pytest.fixture
def engine() -> SimulatedEngine:
    return SimulatedEngine(SecondPersonAbove="20.00 EUR")


@pytest.fixture
def parked(engine) -> str:
    """An order of 28.00 that was delivered and whose capture was refused."""
    order_id = engine.picked_up("pm_capture_refused")
    engine.client("courier", "cou_1").deliver(order_id)
    engine.until(order_id, lambda order: order.run_state.value == "parked")
    engine.sleep(5)  # the view follows
    return order_id


def test_an_incident_is_taken_on_and_released_and_the_list_shows_by_whom(engine, parked):
    sue, sam = engine.client("support", "sue"), engine.client("support", "sam")
    assert [line["order_id"] for line in sue.incidents(unassigned=True)["incidents"]] == [parked]
    sue.assign_incident(parked, "sue", "I know them")
    engine.sleep(5)
    assert [line["assignee"] for line in sam.incidents(assignee="sue")["incidents"]] == ["sue"]
    assert sam.incidents(assignee="sam")["incidents"] == sam.incidents(unassigned=True)["incidents"] == []
    assert sam.incident(parked)["assignee"] == "sue"
    sam.assign_incident(parked, None, "my shift is over")
    engine.sleep(5)
    assert [line["order_id"] for line in sue.incidents(unassigned=True)["incidents"]] == [parked]
    kinds = engine.kinds(parked)
    assert kinds.count("IncidentAssigned") == 2


def test_only_an_incident_can_be_taken_on(engine):
    order_id = engine.ticketed()
    with pytest.raises(ApiProblem) as problem:
        engine.client("support", "sue").assign_incident(order_id, "sue", "I know them")
    assert problem.value.name == "NotAnIncident"


def test_a_rejected_request_has_no_effect_and_cannot_be_approved_any_more(engine, parked):
    """The reason is kept for auditors."""
    sue, sam = engine.client("support", "sue"), engine.client("support", "sam")
    [request] = sue.resolve(parked, "abandon", "nothing to collect")["approvals"]
    assert request["amount"] == eur("28.00")
    planned = sam.reject_request(parked, request["approval"], "try again first", dry_run=True)["plan"]
    assert planned["events"] == ["ApprovalRejected"]
    assert sam.reject_request(parked, request["approval"], "try again first")["approvals"] == []
    with pytest.raises(ApiProblem) as problem:
        sam.approve(parked, request["approval"], "checked")
    assert problem.value.name == "NoSuchApproval"
    last = list(engine.client("auditor", "ida").history(parked))[-1]
    assert (last["type"], last["data"]["reason"]) == ("ApprovalRejected", "try again first")
    assert engine.order(parked).run_state.value == "parked"


def test_a_person_withdraws_an_own_request_and_may_make_it_again(engine, parked):
    sue = engine.client("support", "sue")
    [request] = sue.resolve(parked, "abandon", "nothing to collect", key="one")["approvals"]
    assert sue.reject_request(parked, request["approval"], "a mistake")["approvals"] == []
    [again] = sue.resolve(parked, "abandon", "nothing to collect", key="two")["approvals"]
    assert again["approval"] > request["approval"]
