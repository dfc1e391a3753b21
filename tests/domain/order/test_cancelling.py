"""Cancelling: which roles may, until when, what is given back first, and races between the request and the facts."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM, Actor, Role
from domain.order.commands import Awaited
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierReleaseRequested,
    CourierRequested,
    Fault,
    OrderCancelled,
    PaymentAuthorizationRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.questions import Answer, answer
from domain.order.refusals import CancellationNotAllowed, OrderAlreadyPickedUp
from tests.domain.order.stories import (
    ACCEPTED,
    ASSIGNED,
    AUTHORIZED,
    COMPLETED,
    CUSTOMER,
    DELIVERED,
    PICKED_UP,
    PLACED,
    READY,
    RESTAURANT,
    SUPPORT,
    accepted,
    assigned,
    authorized,
    cancel,
    courier_declined,
    courier_lost,
    declined,
    delivered,
    failed,
    given,
    park,
    picked_up,
    ready,
    rejected,
    released,
    ticket_cancelled,
    ticket_lost,
    timeout,
    unavailable,
    voided,
    write_off,
)


def test_cancelling_while_the_authorization_is_in_doubt_settles_it_before_the_order_ends():
    """An intent without an outcome may have happened, so its outcome comes first."""
    (
        given(*PLACED)
        .when(cancel())
        .then(
            CancellationRequested(
                cause=CancellationCause.ASKED, fault=Fault.CUSTOMER, by=CUSTOMER, reason="changed my mind"
            )
        )
        .being(Status.CANCELLING)
        .holding("authorization in doubt")
        .with_open(PaymentAuthorizationRequested)
        .when(authorized())
        .then(authorized(), PaymentVoidRequested(authorization_id="auth-2"))
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .holding()
        .with_open()
        .with_books()
    )


def test_cancelling_before_a_decline_ends_with_the_decline():
    given(*PLACED, cancel()).when(declined()).then(declined(), OrderCancelled()).holding()


def test_cancelling_recalls_an_unanswered_ticket_and_does_not_send_it_again():
    (
        given(*AUTHORIZED)
        .when(cancel())
        .then(
            CancellationRequested,
            PaymentVoidRequested(authorization_id="auth-2"),
            PreparationCancellationRequested(request=4),
        )
        .with_open(PaymentVoidRequested, PreparationCancellationRequested)
    )


def test_cancelling_releases_the_money_the_ticket_and_the_courier():
    (
        given(*READY)
        .when(cancel())
        .then(
            CancellationRequested,
            PaymentVoidRequested,
            PreparationCancellationRequested,
            CourierReleaseRequested(request=6),
        )
        .holding("authorization", "ticket", "offer")
        .when(released())
        .holding("authorization", "ticket")
        .when(ticket_lost())
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_every_offer_that_was_not_withdrawn_yet_is_withdrawn():
    story = given(*ACCEPTED, timeout(Awaited.ASSIGNMENT), assigned("bob")).when(cancel())
    story.with_open(
        CourierReleaseRequested, PaymentVoidRequested, PreparationCancellationRequested, CourierReleaseRequested
    )


@pytest.mark.parametrize("so_far", [PLACED, AUTHORIZED, ACCEPTED, ASSIGNED, READY])
@pytest.mark.parametrize(
    ("by", "fault"),
    [
        (CUSTOMER, Fault.CUSTOMER),
        (RESTAURANT, Fault.RESTAURANT),
        (SUPPORT, Fault.PLATFORM),
        (Actor(Role.SERVICE, "shop"), Fault.PLATFORM),
        (SYSTEM, Fault.PLATFORM),
    ],
)
def test_before_pickup_the_role_that_cancels_is_at_fault(so_far, by, fault):
    story = given(*so_far).when(cancel(by)).being(Status.CANCELLING)
    assert story.added[0] == CancellationRequested(
        cause=CancellationCause.ASKED, fault=fault, by=by, reason="changed my mind"
    )
    assert not any(isinstance(event, OrderCancelled) for event in story.added)


@pytest.mark.parametrize("role", [Role.COURIER, Role.AUDITOR])
@pytest.mark.parametrize("so_far", [PLACED, READY, COMPLETED, (*PLACED, declined())])
def test_couriers_and_auditors_cannot_cancel(so_far, role):
    given(*so_far).when(cancel(Actor(role, "x"))).refused(CancellationNotAllowed)


@pytest.mark.parametrize("so_far", [PICKED_UP, DELIVERED, COMPLETED])
def test_after_pickup_no_role_can_cancel(so_far):
    given(*so_far).when(cancel(SUPPORT)).refused(OrderAlreadyPickedUp)


def test_cancelling_twice_is_not_an_error():
    given(*AUTHORIZED, cancel()).when(cancel(RESTAURANT)).nothing()
    given(*PLACED, declined()).when(cancel()).nothing()
    given(*PICKED_UP, failed()).when(cancel()).nothing()


def test_a_cancellation_answers_every_wait():
    story = given(*ACCEPTED, cancel())
    assert {answer(story.order, awaited, 6) for awaited in Awaited} == {Answer.CANCELLING}


@pytest.mark.parametrize("fact", [accepted(), ready(), unavailable(1), unavailable(2)])
def test_a_report_of_the_restaurant_during_a_cancellation_opens_no_forward_intent(fact):
    """No forward intent opens after cancelling began."""
    given(*AUTHORIZED, unavailable(1, 1), cancel()).when(fact).then(fact)


def test_a_courier_who_declines_need_not_be_withdrawn():
    given(*ASSIGNED, cancel()).when(courier_declined()).holding("authorization", "ticket").with_open(
        PaymentVoidRequested, PreparationCancellationRequested
    )


def test_a_meal_picked_up_during_the_cancellation_is_still_cancelled():
    """The cancellation came first. The courier is released or written off; the ticket is closed by the pickup."""
    (
        given(*READY, cancel())
        .when(picked_up())
        .then(picked_up(), CourierReleaseRequested(request=6))
        .holding("authorization", "offer")
        .when(released(to=0))
        .then(released(to=0))
        .holding("authorization", "offer")
        .when(courier_lost())
        .when(voided())
        .then(voided(), OrderCancelled())
        .when(delivered())
        .then(delivered())
        .being(Status.CANCELLED, RunState.ENDED)
        .holding()
        .with_books()
    )


def test_a_courier_who_accepts_after_the_order_was_cancelled_reopens_it():
    """The late report means that a courier is held again, which starts a new run in the same commit."""
    (
        given(*ACCEPTED, cancel(), voided(), ticket_cancelled(), released())
        .being(Status.CANCELLED, RunState.ENDED)
        .when(assigned())
        .then(
            assigned(),
            CourierReleaseRequested(request=6),
            RunStarted(run=2, by=SYSTEM, reason="the ended order holds something again"),
        )
        .being(Status.CANCELLING, RunState.RUNNING)
        .holding("offer")
        .when(released())
        .then(released(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_reports_of_a_restaurant_that_cancelled_the_ticket_reopen_nothing():
    story = given(*AUTHORIZED, cancel(), voided(), ticket_cancelled()).being(Status.CANCELLED, RunState.ENDED)
    for fact in (accepted(), ready(), rejected()):
        story.when(fact).then(fact).being(Status.CANCELLED, RunState.ENDED).holding()


def test_a_hold_written_off_in_doubt_is_released_when_it_turns_out_to_exist():
    (
        given(*PLACED, cancel(), write_off(PaymentAuthorizationRequested))
        .being(Status.CANCELLED, RunState.ENDED)
        .when(authorized())
        .then(authorized(), PaymentVoidRequested(authorization_id="auth-2"), RunStarted)
        .when(voided())
        .then(voided(), OrderCancelled())
    )


def test_cancelling_a_parked_order_starts_a_run_that_compensates():
    """No run works on a parked order, and a cancellation does not wait for a person."""
    (
        given(*AUTHORIZED, park())
        .when(cancel())
        .then(
            CancellationRequested,
            PaymentVoidRequested,
            PreparationCancellationRequested,
            RunStarted(run=2, by=SYSTEM, reason="new work for the parked order"),
        )
        .being(Status.CANCELLING, RunState.RUNNING)
    )
    given(*PLACED, park()).when(cancel()).then(CancellationRequested, RunStarted).holding("authorization in doubt")


def test_a_decline_during_a_cancellation_makes_no_further_offer():
    story = given(*ACCEPTED, cancel()).when(courier_declined())
    assert CourierRequested not in {type(event) for event in story.added}
