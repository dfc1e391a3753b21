"""Payments that the provider took without the order, e.g. twice: looked up, then refunded."""

from __future__ import annotations

from domain.order.events import (
    ApprovalGiven,
    ApprovalRequested,
    CancellationRequested,
    OrderCancelled,
    OrderCompleted,
    PaymentCaptureRequested,
    PaymentLookupRequested,
    PaymentRefundRequested,
    RunStarted,
    WrittenOff,
)
from domain.order.ledger import LedgerAccount, balances, transactions
from domain.order.order import RunState, Status
from domain.order.refusals import CaptureInDoubt, CaptureRecorded, ImplausibleAmount
from tests.domain.order.stories import (
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    ORDER_ID,
    PICKED_UP,
    Story,
    abandon,
    approve,
    cancel,
    captured,
    delivered,
    eur,
    found,
    given,
    not_found,
    park,
    refund_extra,
    refund_refused,
    refunded,
    ticket_cancelled,
    voided,
    write_off,
)

TWICE = (*COMPLETED, refund_extra(), found())


def left(story: Story) -> dict[LedgerAccount, int]:
    return balances(transactions(ORDER_ID, story.events))


def test_a_payment_taken_twice_is_looked_up_and_then_refunded():
    """The provider is asked before money leaves: the order's log has no such payment."""
    story = given(*COMPLETED).when(refund_extra()).then(PaymentLookupRequested, RunStarted)
    story.holding("capture in doubt").with_open(PaymentLookupRequested).with_books(captured="40.00", due="40.00")
    story = story.when(found()).then(found(), PaymentRefundRequested(capture_id="cap-x", amount=eur("40.00")))
    story.with_books(captured="80.00", due="40.00", still_to_refund="40.00")
    story = story.when(refunded()).then(refunded(), OrderCompleted).being(Status.COMPLETED, RunState.ENDED)
    story.with_books(captured="80.00", due="40.00", refunded="40.00")


def test_its_money_comes_in_and_goes_out_of_the_ledger():
    """While it is not refunded, it is owed to the customer; afterwards nothing of it is left."""
    sold = left(given(*COMPLETED))
    owed_to_customer = left(given(*TWICE))
    assert owed_to_customer[LedgerAccount.CUSTOMER_RECEIVABLE] == -4000
    assert owed_to_customer[LedgerAccount.PROVIDER_CLEARING] == sold[LedgerAccount.PROVIDER_CLEARING] + 4000
    assert left(given(*TWICE, refunded())) == sold


def test_what_the_provider_does_not_have_is_not_refunded():
    story = given(*COMPLETED, refund_extra()).when(not_found()).then(not_found(), OrderCompleted)
    story.holding().with_books(captured="40.00", due="40.00")
    story.when(refund_extra()).then(PaymentLookupRequested, RunStarted)  # a mistake in the id can be mended


def test_reporting_it_again_refunds_it_once():
    for known in ((*COMPLETED, refund_extra()), TWICE, (*TWICE, refunded())):
        given(*known).when(refund_extra()).nothing()


def test_the_orders_own_payment_is_not_an_extra_one():
    """Money back of the order's own payment is a credit, which has other rules."""
    given(*COMPLETED).when(refund_extra("cap-11")).refused(CaptureRecorded)


def test_while_the_orders_own_capture_is_in_doubt_the_reported_one_may_be_it():
    given(*DELIVERED).when(refund_extra()).refused(CaptureInDoubt)


def test_an_amount_of_nothing_is_refused():
    given(*COMPLETED).when(refund_extra(amount="0.00")).refused(ImplausibleAmount)


def test_above_the_limit_a_second_person_approves_before_the_provider_is_asked():
    story = given(*COMPLETED).when(refund_extra(limit="10.00")).then(ApprovalRequested).with_open()
    story.when(approve()).then(ApprovalGiven, PaymentLookupRequested, RunStarted)
    given(*COMPLETED).when(refund_extra(limit="40.00")).then(PaymentLookupRequested, RunStarted)


def test_two_requests_for_different_payments_are_two():
    story = given(*COMPLETED, refund_extra(limit="10.00")).when(refund_extra(limit="10.00")).nothing()
    story.when(refund_extra("cap-y", limit="10.00")).then(ApprovalRequested)


def test_a_refused_refund_of_it_can_be_written_off_and_is_then_kept():
    story = given(*TWICE, refund_refused()).holding("capture refused")
    story = story.when(write_off(PaymentRefundRequested)).then(WrittenOff, OrderCompleted)
    story.with_books(captured="80.00", due="40.00", unreturned="40.00")
    assert left(story)[LedgerAccount.KEPT] == -4000


def test_a_cancelled_order_gets_it_back_too_and_stays_cancelled():
    story = given(*AUTHORIZED, cancel(), voided(), ticket_cancelled(), refund_extra(), found()).with_books(
        captured="40.00", still_to_refund="40.00"
    )
    story.when(refunded()).then(refunded(), OrderCancelled).being(Status.CANCELLED, RunState.ENDED)


def test_an_abandoned_order_gives_it_back_as_what_it_holds_after_all():
    story = given(*PICKED_UP, park(), abandon()).when(refund_extra())
    story.then(PaymentLookupRequested, CancellationRequested, RunStarted).being(Status.CANCELLING)


def test_before_the_end_it_does_not_pay_for_the_order():
    """The order captures its own price; what was taken besides is refunded."""
    story = given(*PICKED_UP, refund_extra(), found()).when(delivered()).then(delivered(), PaymentCaptureRequested)
    story.with_books(captured="40.00", still_to_capture="40.00", due="40.00", still_to_refund="40.00")
    story.when(captured()).then(captured()).when(refunded()).then(refunded(), OrderCompleted)


def test_an_extra_payment_that_is_reported_as_the_orders_own_is_counted_once():
    """Its refund counts then as one of the order's own payment."""
    story = given(*PICKED_UP, refund_extra("cap-11"), found(), refunded(), delivered()).when(captured())
    own = next(iter(story.order.payment.captures)).capture_id
    again = given(*PICKED_UP, refund_extra(own), found(), refunded(), delivered()).when(captured())
    again.with_books(captured="40.00", due="40.00", refunded="40.00", over_refunded="40.00")
