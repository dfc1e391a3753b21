"""Paying: authorize first, capture what was delivered, void or refund the rest. One call per intent."""

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
    ReportConfirmed,
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
    confirm,
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


def test_an_authorized_order_is_sent_to_the_restaurant():
    (
        given(*PLACED)
        .when(authorized())
        .then(authorized(), PreparationRequested())
        .being(Status.AUTHORIZED)
        .with_open(PreparationRequested)
        .holding("authorization", "ticket in doubt")
        .with_books()
    )


def test_a_declined_order_is_cancelled_at_once_and_holds_nothing():
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
        .holding()
        .with_books()
    )


def test_an_authorization_reported_twice_counts_once():
    given(*AUTHORIZED).when(authorized()).nothing()


def test_a_hold_reported_after_a_decline_is_released():
    """Facts are never refused: a hold on an ended order is released in a new run."""
    (
        given(*PLACED, declined())
        .when(authorized())
        .then(authorized(), PaymentVoidRequested(authorization_id="auth-2"), RunStarted)
        .being(Status.CANCELLING, RunState.RUNNING)
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .holding()
    )


def test_a_decline_reported_after_the_authorization_does_not_remove_the_hold():
    """The provider confirmed the hold. Only a confirmed void ends it."""
    given(*AUTHORIZED).when(declined()).then(declined()).holding("authorization", "ticket in doubt")


def test_a_delivered_order_is_captured_and_then_completed():
    (
        given(*PICKED_UP)
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")))
        .with_books(still_to_capture="40.00", due="40.00")
        .holding("capture in doubt")
        .when(captured())
        .then(captured(), OrderCompleted())
        .being(Status.COMPLETED, RunState.ENDED)
        .holding()
        .with_open()
        .with_books(captured="40.00", due="40.00")
    )


def test_a_refused_capture_is_requested_again_by_the_next_run_only():
    """After pickup the order only goes forward: retried or parked, never undone. A new intent has a new key."""
    (
        given(*DELIVERED)
        .when(capture_refused())
        .then(capture_refused())
        .being(Status.DELIVERED, RunState.RUNNING)
        .with_open()
        .holding("authorization")
        .with_books(still_to_capture="40.00", due="40.00")
        .when(park())
        .being(Status.DELIVERED, RunState.PARKED)
        .when(restart())
        .then(RunStarted, PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")))
        .when(captured())
        .then(captured(), OrderCompleted())
        .with_books(captured="40.00", due="40.00")
    )


def test_writing_off_a_refused_capture_releases_the_hold():
    (
        given(*DELIVERED, capture_refused())
        .when(write_off(PaymentCaptureRequested))
        .with_books()
        .with_open(PaymentVoidRequested)
        .when(voided())
        .then(voided(), OrderCompleted())
        .holding()
    )


def test_money_captured_after_a_write_off_is_kept_because_the_meal_was_delivered():
    """A late fact counts: the price was paid after all."""
    (
        given(*DELIVERED, capture_refused(), write_off(PaymentCaptureRequested))
        .when(captured())
        .with_books(captured="40.00", due="40.00")
        .holding()
    )


def test_a_capture_in_doubt_may_be_written_off_and_its_late_refusal_reopens_nothing():
    """A write-off is final unless the money arrives."""
    (
        given(*DELIVERED, write_off(PaymentCaptureRequested), voided())
        .being(Status.COMPLETED, RunState.ENDED)
        .when(capture_refused())
        .then(capture_refused())
        .being(Status.COMPLETED, RunState.ENDED)
        .holding()
        .with_books()
    )


def test_a_refund_stays_written_off_when_its_refusal_is_reported_late():
    (
        given(*COMPLETED, credit("10.00"), write_off(PaymentRefundRequested))
        .being(Status.COMPLETED, RunState.ENDED)
        .when(refund_refused())
        .then(refund_refused())
        .being(Status.COMPLETED, RunState.ENDED)
        .holding()
        .with_books(captured="40.00", due="30.00", unreturned="10.00")
    )


def test_a_refund_that_succeeded_after_its_write_off_is_in_the_books():
    (
        given(*COMPLETED, credit("10.00"), write_off(PaymentRefundRequested))
        .when(refunded())
        .with_books(captured="40.00", due="30.00", refunded="10.00")
        .holding()
    )


def test_a_refusal_reported_after_the_capture_does_not_undo_the_capture():
    """Captured, then refused: the money was moved, and it is not requested a second time."""
    (
        given(*DELIVERED, captured())
        .when(capture_refused())
        .then(capture_refused())
        .with_books(captured="40.00", due="40.00")
        .when(restart())
        .refused(OrderAlreadyEnded)
    )


def test_a_refusal_reported_after_the_refund_causes_no_second_refund():
    (
        given(*COMPLETED, credit("10.00"), refunded())
        .when(refund_refused())
        .then(refund_refused())
        .with_books(captured="40.00", due="30.00", refunded="10.00")
        .holding()
    )


def test_a_second_capture_of_the_same_order_is_refunded_in_full():
    """Two captures of one meal: the second one is refunded in full."""
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


def test_each_capture_gets_a_refund_of_its_own():
    """No refund is larger than its capture."""
    (
        given(*DELIVERED, capture_refused(), restart(), captured(to=0), failed(), confirm())
        .when(captured())
        .then(
            captured(),
            PaymentRefundRequested(capture_id="cap-11", amount=eur("40.00")),
            PaymentRefundRequested(capture_id="cap-14", amount=eur("40.00")),
        )
        .with_books(captured="80.00", still_to_refund="80.00")
    )


def test_a_void_confirmed_after_the_capture_does_not_undo_the_capture():
    """A capture in doubt was written off and its hold is being released; then the capture is reported as done."""
    story = given(*DELIVERED, write_off(PaymentCaptureRequested), captured()).when(voided())
    assert story.order.payment.authorization is not None
    assert story.order.payment.authorization.state is Hold.CAPTURED
    story.with_books(captured="40.00", due="40.00").holding()


def test_nothing_is_refunded_while_a_capture_is_in_doubt():
    """The amount to refund is known only when every capture has an outcome."""
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


def test_a_hold_below_the_price_counts_as_declined():
    """Never capture more than is held: an order that is not covered is cancelled."""
    (
        given(*PLACED)
        .when(authorized("39.99"))
        .then(authorized("39.99"), CancellationRequested, PaymentVoidRequested)
        .holding("authorization")
    )
    assert _cause(given(*PLACED, authorized("39.99"))) is CancellationCause.PAYMENT_DECLINED


def test_a_hold_that_covers_the_lowered_price_is_enough():
    given(*PLACED, credit("1.00")).when(authorized("39.00")).then(authorized("39.00"), PreparationRequested())


def test_the_uncollected_part_of_a_capture_can_be_written_off():
    """The books have what the provider took, not what was requested. A capture closes its authorization, so the rest
    cannot be collected; a person writes it off.
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


def test_money_captured_beyond_the_request_is_refunded():
    (
        given(*DELIVERED)
        .when(captured("41.00"))
        .then(captured("41.00"), PaymentRefundRequested(capture_id="cap-11", amount=eur("1.00")))
        .with_books(captured="41.00", due="40.00", still_to_refund="1.00")
        .when(refunded())
        .then(refunded(), OrderCompleted())
    )


def test_a_refund_that_was_too_small_is_followed_by_another():
    (
        given(*COMPLETED, credit("10.00"))
        .when(refunded("4.00"))
        .then(refunded("4.00"), PaymentRefundRequested(capture_id="cap-11", amount=eur("6.00")))
        .with_books(captured="40.00", due="30.00", refunded="4.00", still_to_refund="6.00")
    )


def test_a_refund_that_was_too_large_is_shown_as_a_loss_and_the_order_still_ends():
    """The customer is not charged again, and the books show the loss."""
    story = given(*COMPLETED, credit("10.00")).when(refunded("12.00")).then(refunded("12.00"), OrderCompleted())
    story.holding().with_books(captured="40.00", due="30.00", refunded="12.00", over_refunded="2.00")


def test_an_order_ends_although_its_provider_contradicts_itself_on_refunds():
    """A contradicting provider may cost money, but it never keeps an order open."""
    (
        given(*COMPLETED, credit("10.00"), refund_refused(), restart(), refunded(to=0))
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="40.00", due="30.00", refunded="20.00", over_refunded="10.00")
    )


def test_two_captures_with_the_same_id_are_refunded_in_full():
    """Both captures count although the provider gave them the same id."""
    (
        given(*DELIVERED, capture_refused(), restart(), captured(to=0))
        .when(with_fact(captured(to=1), capture_id="cap-11"))
        .with_books(captured="80.00", due="40.00", still_to_refund="40.00")
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .when(failed())
        .when(confirm())
        .with_books(captured="80.00", refunded="40.00", still_to_refund="40.00")
        .with_open(PaymentRefundRequested)
    )


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_report_with_an_amount_of_zero_or_below_is_refused(amount):
    """Such an amount is a fault of an adapter: the order is parked with the name of the refusal."""
    given(*DELIVERED).when(captured(amount)).refused(ImplausibleAmount)
    given(*PLACED).when(authorized(amount)).refused(ImplausibleAmount)
    given(*COMPLETED, credit("1.00")).when(refunded(amount)).refused(ImplausibleAmount)


def test_a_report_with_an_amount_in_another_currency_is_refused():
    given(*DELIVERED).when(with_fact(captured(), amount=Money(4000, "USD"))).refused(ImplausibleAmount)


def test_a_void_refused_after_the_hold_was_written_off_reopens_nothing():
    """A write-off of a hold is final."""
    contradicted = (*PLACED, declined(), authorized(), write_off(PaymentAuthorizationRequested))
    given(*contradicted).when(void_refused()).then(void_refused()).holding().being(Status.CANCELLED, RunState.ENDED)


@pytest.mark.parametrize("answers", [-1, 0, 1, 3, 4, 99])
def test_a_report_that_answers_no_intent_is_refused(answers):
    """Such a report is about another order, or made up: not even a fact is recorded then."""
    given(*AUTHORIZED).when(with_fact(authorized(), answers=answers)).refused(NotAsked)


def test_an_item_reported_unavailable_after_the_capture_is_refunded():
    """28.00 of pizza never came. The customer does not pay for it once a person has confirmed the late report."""
    (
        given(*COMPLETED, unavailable(1))
        .with_books(captured="40.00", due="40.00")
        .when(confirm())
        .then(ReportConfirmed, PaymentRefundRequested(capture_id="cap-11", amount=eur("28.00")), RunStarted)
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="40.00", due="12.00", refunded="28.00")
    )


def test_a_refused_void_keeps_the_order_open_until_a_person_writes_it_off():
    (
        given(*AUTHORIZED, cancel(), void_refused())
        .holding("authorization refused", "ticket in doubt")
        .when(write_off(PaymentAuthorizationRequested))
        .holding("ticket in doubt")
    )


def _cause(story):
    assert story.order.cancellation is not None
    return story.order.cancellation.cause
