"""Abandoning an order: it ends as it is, without compensation. A cancellation gives back; abandoning does not."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import Awaited
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    Fault,
    OrderAbandoned,
    OrderCancelled,
    PaymentAuthorizationRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    RunStarted,
    WrittenOff,
)
from domain.order.order import RunState, Status
from domain.order.refusals import OrderAlreadyEnded, OrderNotFound
from tests.domain.order.stories import (
    ACCEPTED,
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    PICKED_UP,
    PLACED,
    READY,
    SUPPORT,
    Story,
    abandon,
    assigned,
    authorized,
    cancel,
    capture_refused,
    captured,
    courier_declined,
    credit,
    declined,
    delivered,
    eur,
    given,
    park,
    refund_refused,
    restart,
    ticket_cancelled,
    timeout,
    void_refused,
    voided,
    write_off,
)


def written_off(story: Story) -> list[int]:
    return [event.intent for event in story.added if isinstance(event, WrittenOff)]


@pytest.mark.parametrize(
    "so_far",
    [PLACED, AUTHORIZED, READY, PICKED_UP, DELIVERED, (*AUTHORIZED, park()), (*READY, cancel(), void_refused())],
)
def test_an_abandoned_order_ends_and_holds_nothing(so_far):
    """In every state. Each held item is written off by its own event, so that the log names what was given up."""
    before = given(*so_far)
    story = before.when(abandon())
    story.being(Status.ABANDONED, RunState.ENDED).holding().with_open()
    assert isinstance(story.added[-1], OrderAbandoned)
    assert not [event for event in story.added if type(event).__name__.endswith("Requested")]


def test_abandoning_calls_no_provider():
    """No void, no recalled ticket, no released courier: that is the difference to a cancellation."""
    story = given(*READY).when(abandon())
    story.then(WrittenOff, WrittenOff, WrittenOff, OrderAbandoned)
    end = story.added[-1]
    assert isinstance(end, OrderAbandoned)
    assert (end.by, end.fault, end.reason) == (SUPPORT, Fault.PLATFORM, "a lost cause")


def test_abandoning_gives_up_what_the_customer_still_had_to_pay():
    story = given(*DELIVERED, capture_refused(), park()).when(abandon())
    end = story.added[-1]
    assert isinstance(end, OrderAbandoned)
    assert (end.unclaimed, end.unreturned) == (eur("40.00"), eur("0"))
    story.with_books().being(Status.ABANDONED)


def test_a_refused_refund_that_is_abandoned_stays_in_the_books():
    story = given(*COMPLETED, credit("10.00"), refund_refused(), park(compensating=True)).when(abandon())
    story.with_books(captured="40.00", due="30.00", unreturned="10.00").holding().being(Status.ABANDONED)


def test_abandoning_twice_is_not_an_error():
    given(*READY, abandon()).when(abandon()).nothing()


@pytest.mark.parametrize("so_far", [COMPLETED, (*PLACED, declined())])
def test_an_order_that_ended_cannot_be_abandoned(so_far):
    given(*so_far).when(abandon()).refused(OrderAlreadyEnded)


def test_an_order_that_was_never_placed_cannot_be_abandoned():
    given().when(abandon()).refused(OrderNotFound)


def test_an_abandoned_order_refuses_further_requests():
    story = given(*READY, abandon())
    story.when(cancel()).refused(OrderAlreadyEnded)
    story.when(credit("1.00")).refused(OrderAlreadyEnded)
    story.when(restart()).refused(OrderAlreadyEnded)
    story.when(park()).nothing()
    story.when(timeout(Awaited.READINESS)).nothing()


def test_money_reported_as_held_after_abandoning_is_released_in_a_new_run():
    """A fact is never refused. The order is then cancelled, because the runs of a cancelled order only give back."""
    (
        given(*PLACED, abandon())
        .when(authorized())
        .then(
            authorized(),
            CancellationRequested(cause=CancellationCause.ABANDONED, fault=Fault.PLATFORM, by=SYSTEM, reason=""),
            PaymentVoidRequested(authorization_id="auth-2"),
            RunStarted(run=2, by=SYSTEM, reason="the ended order holds something again"),
        )
        .being(Status.CANCELLING, RunState.RUNNING)
        .when(voided())
        .then(voided(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_a_courier_who_comes_late_for_an_abandoned_order_is_released():
    story = given(*ACCEPTED, courier_declined(), abandon()).when(assigned())
    story.being(Status.CANCELLING, RunState.RUNNING).holding("offer")


def test_a_delivery_reported_after_abandoning_changes_nothing():
    """The price was given up before it was captured."""
    given(*PICKED_UP, abandon()).when(delivered()).then(delivered()).with_books().being(Status.ABANDONED)


def test_a_capture_in_doubt_that_succeeded_is_kept_after_abandoning():
    """It is what the customer had to pay, so nothing is to be refunded."""
    story = given(*DELIVERED, abandon()).when(captured())
    story.then(captured()).holding().with_books(captured="40.00", due="40.00").being(Status.ABANDONED)


def test_a_capture_above_the_price_of_a_delivered_order_is_refunded_after_abandoning():
    story = given(*DELIVERED, abandon()).when(captured("50.00"))
    story.then(captured("50.00"), PaymentRefundRequested(capture_id="cap-11", amount=eur("10.00")), RunStarted)
    story.being(Status.DELIVERED, RunState.RUNNING)


def test_writing_off_the_last_item_of_a_cancellation_ends_the_order_as_cancelled():
    """Everything else was given back, so this is not abandoning."""
    story = given(*AUTHORIZED, cancel(), ticket_cancelled(), void_refused())
    story.when(write_off(PaymentAuthorizationRequested)).being(Status.CANCELLED)
