"""Crediting: support lowers what the customer pays, before the capture or after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.money import Money
from domain.order.events import (
    CreditGranted,
    OrderCompleted,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    ReportConfirmed,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.refusals import CreditExceedsDue, ImplausibleAmount, OrderAlreadyCancelling
from tests.domain.order.stories import (
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    PICKED_UP,
    PLACED,
    READY,
    cancel,
    capture_refused,
    captured,
    confirm,
    credit,
    delivered,
    eur,
    given,
    picked_up,
    refunded,
    unavailable,
    voided,
    write_off,
)


def test_a_credit_before_the_capture_lowers_it():
    (
        given(*PICKED_UP, credit("10.00"))
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("30.00")))
        .when(captured())
        .with_books(captured="30.00", due="30.00")
    )


def test_a_credit_after_the_capture_is_refunded_in_a_new_run():
    (
        given(*COMPLETED)
        .when(credit("10.00"))
        .then(CreditGranted, PaymentRefundRequested(capture_id="cap-11", amount=eur("10.00")), RunStarted)
        .being(Status.DELIVERED, RunState.RUNNING)
        .with_books(captured="40.00", due="30.00", still_to_refund="10.00")
        .when(refunded())
        .then(refunded(), OrderCompleted())
        .with_books(captured="40.00", due="30.00", refunded="10.00")
    )


def test_a_credit_while_the_capture_is_in_doubt_is_refunded_when_it_is_known():
    (
        given(*DELIVERED)
        .when(credit("10.00"))
        .then(CreditGranted)
        .with_books(still_to_capture="40.00", due="30.00", still_to_refund="10.00")
        .when(captured())
        .then(captured(), PaymentRefundRequested)
    )


def test_after_a_credit_a_refused_capture_is_requested_again_for_the_lower_price():
    story = given(*DELIVERED, credit("10.00"), capture_refused())
    story.with_books(still_to_capture="30.00", due="30.00").with_open()


def test_an_order_credited_in_full_releases_the_hold():
    (
        given(*PICKED_UP, credit("40.00"))
        .when(delivered())
        .then(delivered(), PaymentVoidRequested)
        .when(voided())
        .then(voided(), OrderCompleted())
        .with_books()
    )


def test_the_same_credit_twice_is_one_credit():
    given(*COMPLETED, credit("10.00")).when(credit("10.00")).nothing()
    given(*COMPLETED, credit("10.00")).when(credit("10.00", "another")).with_books(
        captured="40.00", due="20.00", still_to_refund="20.00"
    )


def test_more_than_the_price_cannot_be_credited():
    given(*COMPLETED).when(credit("40.01")).refused(CreditExceedsDue)
    given(*COMPLETED, credit("30.00")).when(credit("10.01", "b")).refused(CreditExceedsDue)
    given(*READY, unavailable(1), picked_up()).when(credit("12.01")).refused(CreditExceedsDue)


def test_what_was_written_off_cannot_be_credited_as_well():
    """The customer has to pay nothing any more."""
    given(*DELIVERED, capture_refused(), write_off(PaymentCaptureRequested)).when(credit("0.01")).refused(
        CreditExceedsDue
    )


@pytest.mark.parametrize("amount", [eur("0.00"), eur("-1.00"), Money(100, "USD")])
def test_a_credit_of_zero_or_in_another_currency_is_refused(amount):
    given(*COMPLETED).when(replace(credit("1.00"), amount=amount)).refused(ImplausibleAmount)


def test_a_cancelled_order_cannot_be_credited():
    given(*AUTHORIZED, cancel()).when(credit("1.00")).refused(OrderAlreadyCancelling)


def test_an_item_both_missing_and_credited_is_refunded_once():
    """The price never falls below zero: 40.00 credited, then 28.00 of pizza missing."""
    (
        given(*COMPLETED, credit("40.00"), unavailable(1))
        .when(confirm())
        .then(ReportConfirmed, RunStarted)
        .with_books(captured="40.00", still_to_refund="40.00")
    )


def test_credits_may_be_granted_from_the_start():
    given(*PLACED).when(credit("40.00")).then(CreditGranted).with_books()
