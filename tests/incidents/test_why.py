"""Why an order is where it is: each state has a sentence, what happens next by itself, and the actions that help."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order.commands import Awaited
from domain.order.events import PaymentCaptureRequested
from domain.order.order import RunState
from domain.order.refusals import Rejected
from handlers.http import passing_on
from tests.domain.order import stories as s
from tests.domain.order.world import played, plays
from tests.projections.histories import OneOrderLog
from tests.recorded import START, Shop
from workflows.breakers.dependencies import Dependency
from workflows.client.incident_json import FactName
from workflows.incidents.incidents import action_plans
from workflows.incidents.possible_reports import FACTS
from workflows.incidents.remedies import REPORTS, with_remedies
from workflows.incidents.why import Why, why
from workflows.orders.command_handling import folded_order
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.settings import read
from workflows.time_budgets import CIRCUIT_WAIT, read_budgets

BUDGETS = read({}, read_budgets)
ALICE = Actor(Role.SUPPORT, "alice")


def asked(shop: Shop, actor: Actor = ALICE) -> Why:
    return why(shop.engine, s.ORDER_ID, actor, BUDGETS, lambda currency: Money(1000, currency), machines={})


def told(*lines: s.StoryLine) -> Why:
    """Explain the order with these events."""
    shop = Shop()
    shop.play(*lines)
    return asked(shop)


STATES = {
    "authorizing": (s.PLACED, "Waits for the payment provider to authorize the payment", "attempts are used up"),
    "accepting": (s.AUTHORIZED, "Waits for the restaurant to accept ticket 4, until 2026-05-04 12:10", "is cancelled"),
    "cooking": (
        s.ACCEPTED,
        "a courier to take offer 6, until .*; and for the restaurant to finish the meal of ticket",
        "2 of 5",
    ),
    "assigned": (
        s.ASSIGNED,
        "the courier of offer 6 to pick up the meal, until .*; and for the restaurant to finish",
        "the next offer is made",
    ),
    "ready": (s.READY, "Waits for the courier of offer 6 to pick up the meal, until", "the next offer is made"),
    "carried": (s.PICKED_UP, "Waits for the courier of offer 6 to deliver the meal, until", "parked for a person"),
    "capturing": (s.DELIVERED, "Waits for the payment provider to capture the payment", "attempts are used up"),
    "completed": (s.COMPLETED, "Completed: delivered and paid.", "Nothing"),
    "given up": (
        (*s.DELIVERED, s.capture_refused(), s.write_off(PaymentCaptureRequested), s.voided()),
        "Completed: delivered and 40.00 EUR of the price given up.",
        "Nothing",
    ),
    "releasing": ((*s.AUTHORIZED, s.cancel()), "Waits for the payment provider to release", "attempts are used up"),
    "cancelled": ((*s.PLACED, s.declined()), "Cancelled because the payment was declined", "Nothing"),
    "cancelled by the customer": (
        (*s.AUTHORIZED, s.cancel(), s.voided(), s.ticket_cancelled()),
        "Cancelled on request of customer",
        "Nothing",
    ),
    "parked": ((*s.AUTHORIZED, s.park()), "Parked since 2026-05-04 .* because of ", "a person has to choose"),
    "abandoned": ((*s.AUTHORIZED, s.park(), s.abandon()), "Abandoned by a person: nothing was reversed.", "Nothing"),
    "a request for a second person": (
        (*s.AUTHORIZED, s.park(), s.abandon(limit="1.00")),
        r"Parked since .*: a request waits for a second person \(event \d+\)",
        "a second person has to approve",
    ),
    "contradicting reports": (
        (*s.DELIVERED, s.failed(), s.park()),
        r"the reports of events \d+ and \d+ contradict each other",
        "confirm one of the reports",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_sentence_and_says_what_happens_next(state):
    """A person who is asked about an order can answer at once, and knows whether anything has to be done."""
    lines, sentence, following = STATES[state]
    answer = told(*lines)
    assert re.search(sentence, answer.sentence), answer.sentence
    assert following in answer.next, answer.next


@pytest.mark.parametrize("number", range(1, 6))
def test_an_offer_says_which_one_it_is_and_what_follows_the_last(number):
    """After the last offer the order is cancelled, which support should know before it happens."""
    lines: list[s.StoryLine] = [*s.ACCEPTED]
    for _ in range(number - 1):
        lines.append(s.timeout(Awaited.ASSIGNMENT))
    answer = told(*lines)
    follows = f"the next offer is made, number {number + 1} of 5" if number < 5 else "it was offer 5 of 5"
    assert follows in answer.next


@pytest.mark.parametrize(
    ("lines", "reports"),
    [
        (s.AUTHORIZED, {"preparation/accept", "preparation/reject"}),
        (s.ACCEPTED, {"preparation/ready", "delivery/assign"}),
        (s.READY, {"delivery/pick-up"}),
        (s.PICKED_UP, {"delivery/deliver", "delivery/fail"}),
        (s.DELIVERED, set()),
    ],
)
def test_a_wait_names_the_reports_that_end_it(lines, reports):
    """Support that knows the outcome can report it, and does not wait for the timeout."""
    assert {report for wait in told(*lines).waits for report in wait.reports} == reports


@pytest.mark.parametrize(
    ("lines", "reports"),
    [
        (
            s.AUTHORIZED,
            [
                ("accepted", True, None),
                ("rejected", True, None),
                ("item_unavailable", False, None),
                ("ready", False, None),
            ],
        ),
        (
            s.PICKED_UP,
            [
                *[(fact, True, None) for fact in ("delivered", "failed")],
                *[(fact, False, 9) for fact in ("rejected", "item_unavailable", "declined")],
            ],
        ),
        (
            s.COMPLETED,
            [("failed", False, 10), *[(fact, False, 9) for fact in ("rejected", "item_unavailable", "declined")]],
        ),
        (s.PLACED, []),
    ],
    ids=["authorized", "picked up", "completed", "placed"],
)
def test_what_can_be_passed_on_is_named_with_what_it_ends_or_contradicts(lines, reports):
    """Also of an order that has ended; what the log has already is left out. What is awaited comes first."""
    assert [(each.fact, each.awaited, each.contradicts) for each in told(*lines).reports] == reports


@given(play=plays(), contradictory=st.booleans())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_every_report_that_ends_a_wait_can_be_passed_on(play, contradictory):
    """Whatever happened to the order; a report is left out only if it waits for a second person already."""
    world = played(play, contradictory=contradictory)
    shop = Shop()
    for sent in world.sent:
        if sent.events:
            shop.record(sent.command, s.ORDER_ID)
    if not shop.order().placed:
        return
    answer = asked(shop)
    routes = {report for wait in answer.waits for report in wait.reports}
    possible = {FACTS[each.fact].route for each in answer.reports}
    requested = {request.wish.value for request in answer.order.approvals.values()}
    assert routes - possible <= ({"delivery/fail"} if "delivery_failed" in requested else set())


def test_the_reports_that_can_be_passed_on_are_those_that_the_route_takes():
    """By the same names, of the same parties, and as the same actions."""
    assert {name: (each.party, each.action) for name, each in FACTS.items()} == {
        name: (each.party, each.action) for name, each in passing_on._REPORTS.items()
    }
    assert set(get_args(FactName)) == FACTS.keys()


def stop_calls(shop: Shop, dependency: Dependency, reason: str) -> CircuitWait:
    """Hold the circuit of a provider open, and let the order wait for it."""
    breaker = shop.engine.breakers[dependency]
    breaker.hold_open(ALICE, reason)
    wait = CircuitWait(
        order_id=s.ORDER_ID,
        run=1,
        action="await_circuit",
        dependency=dependency,
        opened="",
        since=START,
        token="token",
    )
    circuit_waits.register(shop.documents, shop.engine.executions, breaker, wait)
    return wait


def test_an_order_that_waits_for_a_circuit_says_which_one_and_until_when():
    """It makes no calls meanwhile, so the circuit is the reason, and not the call that comes next."""
    shop = Shop()
    shop.play(*s.PLACED)
    stop_calls(shop, Dependency.PAYMENTS, "the provider reported an outage")
    answer = asked(shop)
    (explained,) = answer.waits
    assert answer.sentence.startswith("Waits for calls to payments to start again, until 2026-05-04 18:10:00 UTC")
    assert (explained.what, explained.circuit, explained.until) == ("circuit", "held_open", START + CIRCUIT_WAIT)
    assert 'Calls to payments are stopped (support alice: "the provider reported an outage")' in answer.next
    assert "continues when a person starts the calls again" in answer.next


def test_a_ticket_behind_stopped_calls_is_not_said_to_have_reached_the_restaurant():
    """The restaurant asks where the ticket is; its time to answer begins when the ticket is sent."""
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    wait = stop_calls(shop, Dependency.KITCHEN, "screens are down")
    circuit, acceptance = asked(shop).waits
    assert (circuit.what, acceptance.what) == ("circuit", "acceptance")
    assert acceptance.words == "the restaurant to accept ticket 4, whose sending is not confirmed"
    assert acceptance.until is None
    assert acceptance.then == "The time to answer begins when the request is sent."
    shop.engine.breakers[Dependency.KITCHEN].close(ALICE, "they work again")
    circuit_waits.forget(shop.documents, wait)
    (acceptance,) = asked(shop).waits
    assert acceptance.words == "the restaurant to accept ticket 4"
    assert acceptance.until is not None


def test_an_overdue_delivery_is_not_said_to_have_failed():
    """No report came; the meal may have been delivered all the same."""
    answer = told(*s.PICKED_UP, s.timeout(Awaited.DELIVERY), s.park(error="DeliveryOverdue", detail="it was not"))
    assert "no report of the delivery came in time, so it is not known whether" in answer.sentence
    assert "it was not" not in answer.sentence


def test_the_sentence_of_a_parked_order_begins_with_what_happened():
    """The name of the error stands behind it, for those who look it up."""
    answer = told(*s.AUTHORIZED, s.park(error="OrderNotSettled", detail="a refund was refused."))
    assert answer.sentence.endswith(": a refund was refused (OrderNotSettled).")


def test_of_two_deadlines_the_earlier_one_comes_first():
    """What happens next to the guest is read first."""
    answer = told(*s.ACCEPTED)
    first, second = re.findall(r"until ([-0-9]+ [:0-9]+) UTC", answer.sentence)
    assert first < second


def test_an_overdue_state_machine_is_started_again_by_the_watchdog():
    """A run that makes no progress is named with the time at which it is looked after."""
    answer = told(*s.PICKED_UP, s.timeout(Awaited.DELIVERY))
    (wait,) = answer.waits
    assert (wait.what, wait.words) == ("run", "its state machine to continue")
    assert f"{wait.since + timedelta(minutes=30):%H:%M:%S} UTC, the watchdog" in answer.next


def test_the_plans_are_those_of_the_actions_that_support_has():
    """On a parked order all of them, on a running one the cancellation, on an ended one none."""
    parked = told(*s.AUTHORIZED, s.park())
    assert {"retry", "cancel", "abandon"} <= parked.plans.keys()
    assert [str(item.holding) for item in parked.owed] == ["authorization", "ticket"]
    assert told(*s.AUTHORIZED).plans.keys() == {"cancel"}
    picked_up = told(*s.PICKED_UP).plans["cancel"]
    assert picked_up.refused is not None
    assert told(*s.COMPLETED).plans == {}


@given(play=plays())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_reachable_order_is_explained(play):
    """Whatever happened to an order, there is a sentence, and an order that has not ended names a wait or an action."""
    world = played(play, contradictory=True)
    placed = [sent.command for sent in world.sent if sent.events]
    if not placed:
        return
    shop = Shop()
    for command in placed:
        shop.record(command, s.ORDER_ID)
    answer = asked(shop)
    assert answer.sentence.endswith(".")
    assert answer.next
    if answer.order.run_state is RunState.RUNNING:
        assert answer.waits
    if answer.order.run_state is RunState.PARKED:
        assert any(plan.refused is None for plan in answer.plans.values())


@given(play=plays(), contradictory=st.booleans())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_no_plan_is_a_dead_end_without_what_would_help_instead(play, contradictory):
    """An action that is refused, or changes nothing, names another one that does, or a report that ends a wait."""
    one = OneOrderLog(played(play, contradictory=contradictory))
    history = one.newest
    order = folded_order(history)
    plans = with_remedies(action_plans(order, ALICE, Money(1000, order.currency)), order, history.recorded, ALICE)
    for name, made in plans.items():
        if made.refused is not None or not made.events:
            assert made.instead, name
        for other in made.instead:
            if other in plans:
                assert plans[other].refused is None
                assert plans[other].events
            elif other.startswith("approve "):
                assert int(other.split()[1]) in order.approvals
            else:
                assert other == "credit" or other in {report for reports in REPORTS.values() for report in reports}


@pytest.mark.parametrize(
    ("lines", "action", "instead"),
    [
        (s.PICKED_UP, "cancel", ("delivery/deliver", "delivery/fail", "credit")),
        ((*s.PICKED_UP, s.timeout(Awaited.DELIVERY), s.park()), "retry", ("delivery/deliver", "delivery/fail")),
        ((*s.AUTHORIZED, s.park(), s.abandon(limit="1.00")), "abandon", ("approve 6",)),
    ],
    ids=["picked up", "not reported delivered", "waiting for a second person"],
)
def test_an_action_that_leads_nowhere_names_what_helps(lines, action, instead):
    """A meal on its way is reported or credited, not cancelled; a run is not started to wait for what is known."""
    made = told(*lines).plans[action]
    assert made.instead[: len(instead)] == instead


def test_customers_and_restaurants_may_not_ask():
    """The answer names providers, circuits and what support could do."""
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    for actor in (Actor(Role.CUSTOMER, str(shop.order().placed.customer)), s.CUSTOMER, s.RESTAURANT):
        with pytest.raises(Rejected):
            asked(shop, actor)
