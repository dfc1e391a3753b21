"""Paying: authorise first, capture what was delivered, void or refund the rest. One call a question."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.money import Money
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    Fault,
    OrderCancelled,
    OrderCompleted,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationRequested,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.payment import Hold
from domain.order.refusals import ImplausibleAmount, NotAsked, OrderAlreadyEnded
from tests.domain.order.stories import (
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    PICKED_UP,
    PLACED,
    authorized,
    cancel,
    capture_refused,
    captured,
    credit,
    declined,
    delivered,
    eur,
    failed,
    given,
    park,
    refund_refused,
    refunded,
    restart,
    unavailable,
    void_refused,
    voided,
    with_fact,
    write_off,
)


def test_an_authorised_order_is_sent_to_the_restaurant():
    (
        given(*PLACED)
        .when(authorized())
        .then(authorized(), PreparationRequested())
        .being(Status.AUTHORIZED)
        .with_open(PreparationRequested)
        .owing("authorization", "ticket in doubt")
        .with_books()
    )


def test_a_declined_order_is_cancelled_at_once_and_owes_nothing():
    """A decline is an outcome, not an error: nothing was held, so there is nothing to give back."""
    (
        given(*PLACED)
        .when(declined())
        .then(
            declined(),
            CancellationRequested(cause=CancellationCause.PAYMENT_DECLINED, fault=Fault.CUSTOMER, by=SYSTEM, reason=""),
            OrderCancelled(),
        )
        .being(Status.CANCELLED, RunState.ENDED)
        .owing()
        .with_books()
    )


def test_an_authorisation_told_twice_is_one_authorisation():
    given(*AUTHORIZED).when(authorized()).nothing()


def test_a_provider_that_says_declined_and_then_authorised_is_made_to_let_go():
    """Facts are never refused: what it holds after all is owed, on an ended order too, in a new run."""
    (
        given(*PLACED, declined())
        .when(authorized())
        .then(authorized(), PaymentVoidRequested(authorization_id="auth-2"), RunStarted)
        .being(Status.CANCELLING, RunState.RUNNING)
        .owing("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .owing()
    )


def test_a_decline_after_the_authorisation_does_not_take_the_money_back():
    """The provider said that it holds it. Only a void it confirms says otherwise."""
    given(*AUTHORIZED).when(declined()).then(declined()).owing("authorization", "ticket in doubt")


def test_what_was_delivered_is_captured_and_then_the_order_is_complete():
    (
        given(*PICKED_UP)
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")))
        .with_books(still_to_capture="40.00", due="40.00")
        .owing("capture in doubt")
        .when(captured())
        .then(captured(), OrderCompleted())
        .being(Status.COMPLETED, RunState.ENDED)
        .owing()
        .with_open()
        .with_books(captured="40.00", due="40.00")
    )


def test_a_refused_capture_is_not_repeated_within_the_run_and_is_asked_anew_by_the_next():
    """After pickup only forward: retried or parked, never undone. A new question has a new key."""
    (
        given(*DELIVERED)
        .when(capture_refused())
        .then(capture_refused())
        .being(Status.DELIVERED, RunState.RUNNING)
        .with_open()
        .owing("authorization")
        .with_books(still_to_capture="40.00", due="40.00")
        .when(park())
        .being(Status.DELIVERED, RunState.PARKED)
        .when(restart())
        .then(RunStarted, PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")))
        .when(captured())
        .then(captured(), OrderCompleted())
        .with_books(captured="40.00", due="40.00")
    )


def test_a_capture_that_cannot_be_had_is_written_off_and_the_hold_let_go():
    (
        given(*DELIVERED, capture_refused())
        .when(write_off(PaymentCaptureRequested))
        .with_books()
        .with_open(PaymentVoidRequested)
        .when(voided())
        .then(voided(), OrderCompleted())
        .owing()
    )


def test_money_captured_after_it_was_written_off_is_kept_because_the_meal_was_had():
    """A late fact counts: the claim turned out to be paid."""
    (
        given(*DELIVERED, capture_refused(), write_off(PaymentCaptureRequested))
        .when(captured())
        .with_books(captured="40.00", due="40.00")
        .owing()
    )


def test_a_capture_in_doubt_may_be_written_off_and_its_late_refusal_reopens_nothing():
    """Written off is the last word on a claim unless the money arrives."""
    (
        given(*DELIVERED, write_off(PaymentCaptureRequested), voided())
        .being(Status.COMPLETED, RunState.ENDED)
        .when(capture_refused())
        .then(capture_refused())
        .being(Status.COMPLETED, RunState.ENDED)
        .owing()
        .with_books()
    )


def test_a_refund_written_off_stays_so_when_its_refusal_comes_late():
    (
        given(*COMPLETED, credit("10.00"), write_off(PaymentRefundRequested))
        .being(Status.COMPLETED, RunState.ENDED)
        .when(refund_refused())
        .then(refund_refused())
        .being(Status.COMPLETED, RunState.ENDED)
        .owing()
        .with_books(captured="40.00", due="30.00", unreturned="10.00")
    )


def test_a_refund_written_off_that_happened_after_all_is_in_the_books():
    (
        given(*COMPLETED, credit("10.00"), write_off(PaymentRefundRequested))
        .when(refunded())
        .with_books(captured="40.00", due="30.00", refunded="10.00")
        .owing()
    )


def test_captured_money_is_not_forgotten_because_the_provider_contradicts_itself():
    """Captured, then refused: the money moved, and the customer is not asked for it a second time."""
    (
        given(*DELIVERED, captured())
        .when(capture_refused())
        .then(capture_refused())
        .with_books(captured="40.00", due="40.00")
        .when(restart())
        .refused(OrderAlreadyEnded)
    )


def test_refunded_money_is_not_given_twice_because_the_provider_contradicts_itself():
    (
        given(*COMPLETED, credit("10.00"), refunded())
        .when(refund_refused())
        .then(refund_refused())
        .with_books(captured="40.00", due="30.00", refunded="10.00")
        .owing()
    )


def test_a_refused_capture_that_happened_after_all_is_given_back_if_it_was_taken_twice():
    """Two captures of one meal: the second one goes back in full."""
    (
        given(*DELIVERED, capture_refused(), restart(), captured())
        .being(Status.COMPLETED)
        .when(captured(to=0))
        .with_books(captured="80.00", due="40.00", still_to_refund="40.00")
        .with_open(PaymentRefundRequested)
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="80.00", due="40.00", refunded="40.00")
    )


def test_each_capture_is_given_back_by_a_refund_of_its_own():
    """No refund is larger than the capture it gives back."""
    (
        given(*DELIVERED, capture_refused(), restart(), captured(to=0), failed())
        .when(captured())
        .then(
            captured(),
            PaymentRefundRequested(capture_id="cap-11", amount=eur("40.00")),
            PaymentRefundRequested(capture_id="cap-14", amount=eur("40.00")),
        )
        .with_books(captured="80.00", still_to_refund="80.00")
    )


def test_a_void_confirmed_after_the_capture_does_not_say_that_nothing_was_taken():
    """A claim in doubt was written off, its hold is being let go, and the money was taken after all."""
    story = given(*DELIVERED, write_off(PaymentCaptureRequested), captured()).when(voided())
    assert story.order.payment.authorization is not None
    assert story.order.payment.authorization.state is Hold.CAPTURED
    story.with_books(captured="40.00", due="40.00").owing()


def test_nothing_is_refunded_while_a_capture_is_in_doubt():
    """What is too much is known only when every capture has an outcome."""
    (
        given(*DELIVERED, capture_refused(), restart())
        .when(captured(to=0))
        .then(captured(to=0))
        .with_open(PaymentCaptureRequested)
        .with_books(captured="40.00", still_to_capture="40.00", due="40.00", still_to_refund="40.00")
        .when(capture_refused())
        .then(capture_refused(), OrderCompleted())
        .with_books(captured="40.00", due="40.00")
    )


def test_a_provider_that_holds_less_than_the_order_costs_has_declined():
    """Never capture more than was authorised: an order that is not covered does not go on."""
    (
        given(*PLACED)
        .when(authorized("39.99"))
        .then(authorized("39.99"), CancellationRequested, PaymentVoidRequested)
        .owing("authorization")
    )
    assert _cause(given(*PLACED, authorized("39.99"))) is CancellationCause.PAYMENT_DECLINED


def test_an_authorisation_that_covers_what_is_left_of_the_price_is_enough():
    given(*PLACED, credit("1.00")).when(authorized("39.00")).then(authorized("39.00"), PreparationRequested())


def test_less_captured_than_asked_leaves_a_claim_that_can_be_written_off():
    """The books have what the provider took, not what it was asked to take. A capture closes its authorization, so the
    rest cannot be had; a person lets it go by name.
    """
    (
        given(*DELIVERED)
        .when(captured("39.00"))
        .then(captured("39.00"))
        .with_books(captured="39.00", still_to_capture="1.00", due="40.00")
        .when(park())
        .when(restart())
        .then(RunStarted)
        .when(write_off(PaymentCaptureRequested))
        .with_books(captured="39.00", due="39.00")
        .being(Status.COMPLETED, RunState.ENDED)
        .when(write_off(PaymentCaptureRequested))
        .nothing()
    )


def test_more_captured_than_asked_goes_back():
    (
        given(*DELIVERED)
        .when(captured("41.00"))
        .then(captured("41.00"), PaymentRefundRequested(capture_id="cap-11", amount=eur("1.00")))
        .with_books(captured="41.00", due="40.00", still_to_refund="1.00")
        .when(refunded())
        .then(refunded(), OrderCompleted())
    )


def test_less_refunded_than_asked_leaves_the_rest_to_be_asked_again():
    (
        given(*COMPLETED, credit("10.00"))
        .when(refunded("4.00"))
        .then(refunded("4.00"), PaymentRefundRequested(capture_id="cap-11", amount=eur("6.00")))
        .with_books(captured="40.00", due="30.00", refunded="4.00", still_to_refund="6.00")
    )


def test_more_refunded_than_owed_is_shown_as_a_loss_and_does_not_keep_the_order_open():
    """Nobody asks the customer for it again; the books do not hide it either."""
    story = given(*COMPLETED, credit("10.00")).when(refunded("12.00")).then(refunded("12.00"), OrderCompleted())
    story.owing().with_books(captured="40.00", due="30.00", refunded="12.00", over_refunded="2.00")


def test_a_refund_refused_twice_and_done_twice_ends_all_the_same():
    """A provider that contradicts itself costs money, not the order."""
    (
        given(*COMPLETED, credit("10.00"), refund_refused(), restart(), refunded(to=0))
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="40.00", due="30.00", refunded="20.00", over_refunded="10.00")
    )


def test_two_captures_under_one_name_are_given_back_in_full():
    """A provider that gives two captures the same id still has both."""
    (
        given(*DELIVERED, capture_refused(), restart(), captured(to=0))
        .when(with_fact(captured(to=1), capture_id="cap-11"))
        .with_books(captured="80.00", due="40.00", still_to_refund="40.00")
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .when(failed())
        .with_books(captured="80.00", refunded="40.00", still_to_refund="40.00")
        .with_open(PaymentRefundRequested)
    )


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_an_amount_that_is_none_is_no_answer(amount):
    """A payment of nothing, or below, is garbage from an adapter: the order parks with its name, and nothing counts."""
    given(*DELIVERED).when(captured(amount)).refused(ImplausibleAmount)
    given(*PLACED).when(authorized(amount)).refused(ImplausibleAmount)
    given(*COMPLETED, credit("1.00")).when(refunded(amount)).refused(ImplausibleAmount)


def test_an_amount_in_another_currency_is_no_answer():
    given(*DELIVERED).when(with_fact(captured(), amount=Money(4000, "USD"))).refused(ImplausibleAmount)


def test_a_void_refused_after_the_hold_was_written_off_reopens_nothing():
    """Written off is the last word on a hold."""
    contradicted = (*PLACED, declined(), authorized(), write_off(PaymentAuthorizationRequested))
    given(*contradicted).when(void_refused()).then(void_refused()).owing().being(Status.CANCELLED, RunState.ENDED)


@pytest.mark.parametrize("answers", [-1, 0, 1, 3, 4, 99])
def test_an_answer_to_a_question_never_asked_is_refused(answers):
    """Not even a fact may answer what was not asked: it is another order's, or made up."""
    given(*AUTHORIZED).when(with_fact(authorized(), answers=answers)).refused(NotAsked)


def test_an_unavailable_item_told_after_the_capture_is_refunded():
    """28.00 of pizza never came. What is not had is not paid for, however late that is known."""
    (
        given(*COMPLETED)
        .when(unavailable(1))
        .then(unavailable(1), PaymentRefundRequested(capture_id="cap-11", amount=eur("28.00")), RunStarted)
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="40.00", due="12.00", refunded="28.00")
    )


def test_a_refused_void_is_owed_until_a_person_writes_it_off():
    (
        given(*AUTHORIZED, cancel(), void_refused())
        .owing("authorization refused", "ticket in doubt")
        .when(write_off(PaymentAuthorizationRequested))
        .owing("ticket in doubt")
    )


def _cause(story):
    assert story.order.cancellation is not None
    return story.order.cancellation.cause
