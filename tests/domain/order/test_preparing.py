"""Preparing: one ticket at the restaurant, answered or not, in time or not, with all items or not."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import Awaited
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierReleaseRequested,
    CourierRequested,
    Fault,
    OrderCancelled,
    OrderCompleted,
    OrderParked,
    PaymentCaptureRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    PreparationOverdue,
    PreparationRequested,
    PreparationTimedOut,
    ReportConfirmed,
    ReportContested,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.questions import Answer, answer
from domain.order.refusals import NotAsked, RunSuperseded, UnknownLine
from tests.domain.order.stories import (
    ACCEPTED,
    ASSIGNED,
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    NOON,
    PICKED_UP,
    PLACED,
    READY,
    Story,
    accepted,
    assigned,
    authorized,
    cancel,
    captured,
    confirm,
    delivered,
    eur,
    given,
    picked_up,
    ready,
    rejected,
    restart,
    ticket_cancelled,
    ticket_lost,
    timeout,
    unavailable,
    versions_of,
    voided,
)


def test_an_accepted_ticket_requests_a_courier():
    (
        given(*AUTHORIZED)
        .when(accepted())
        .then(accepted(), CourierRequested(attempt=1))
        .being(Status.PREPARING)
        .with_open(CourierRequested)
        .holding("authorization", "ticket", "offer in doubt")
    )


def test_a_rejected_ticket_cancels_the_order_at_the_restaurants_fault():
    (
        given(*AUTHORIZED)
        .when(rejected())
        .then(
            rejected(),
            CancellationRequested(
                cause=CancellationCause.PREPARATION_REJECTED, fault=Fault.RESTAURANT, by=SYSTEM, reason=""
            ),
            PaymentVoidRequested(authorization_id="auth-2"),
        )
        .being(Status.CANCELLING)
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .holding()
    )


def test_a_ticket_that_is_not_answered_in_time_is_recalled():
    """A ticket without an answer is in doubt (the restaurant may be cooking), so it is recalled."""
    (
        given(*AUTHORIZED)
        .when(timeout(Awaited.ACCEPTANCE))
        .then(
            PreparationTimedOut(answers=4, at=NOON),
            CancellationRequested,
            PaymentVoidRequested,
            PreparationCancellationRequested(request=4),
        )
        .holding("authorization", "ticket in doubt")
        .with_open(PaymentVoidRequested, PreparationCancellationRequested)
    )
    assert _cause(given(*AUTHORIZED, timeout(Awaited.ACCEPTANCE))) is CancellationCause.PREPARATION_TIMED_OUT


def test_a_timeout_after_the_answer_adds_nothing():
    """The log decides whether a wait ran out."""
    given(*ACCEPTED).when(timeout(Awaited.ACCEPTANCE)).nothing()
    given(*READY).when(timeout(Awaited.READINESS)).nothing()
    given(*READY, picked_up()).when(timeout(Awaited.READINESS)).nothing()
    given(*AUTHORIZED, cancel()).when(timeout(Awaited.ACCEPTANCE)).nothing()


def test_a_meal_that_is_never_ready_cancels_the_order():
    story = given(*ASSIGNED).when(timeout(Awaited.READINESS))
    story.then(
        PreparationOverdue(answers=4, at=NOON),
        CancellationRequested,
        PaymentVoidRequested,
        PreparationCancellationRequested(request=4),
        CourierReleaseRequested(request=6),
    ).holding("authorization", "ticket", "offer")
    assert _cause(story) is CancellationCause.PREPARATION_OVERDUE


@pytest.mark.parametrize("awaited", list(Awaited))
@pytest.mark.parametrize("question", [0, 1, 2, 99])
def test_a_timeout_for_no_intent_is_refused(awaited, question):
    """Only a wait for an existing ticket or offer can run out."""
    given(*PICKED_UP).when(timeout(awaited, asked=question)).refused(NotAsked)


def test_a_timeout_of_a_superseded_run_is_refused():
    given(*AUTHORIZED, restart()).when(timeout(Awaited.ACCEPTANCE, run=1)).refused(RunSuperseded)


def test_a_late_acceptance_of_a_ticket_that_timed_out_does_not_revive_the_order():
    """It is recorded, and the ticket is no longer in doubt."""
    (
        given(*AUTHORIZED, timeout(Awaited.ACCEPTANCE))
        .when(accepted())
        .then(accepted())
        .holding("authorization", "ticket")
        .with_open(PaymentVoidRequested, PreparationCancellationRequested)
    )


def test_a_rejection_ends_the_recall_of_the_ticket():
    (
        given(*AUTHORIZED, timeout(Awaited.ACCEPTANCE))
        .when(rejected())
        .then(rejected())
        .holding("authorization")
        .with_open(PaymentVoidRequested)
    )


def test_a_ticket_accepted_after_its_rejection_is_recalled():
    """The restaurant contradicts itself, so it may be cooking."""
    (
        given(*AUTHORIZED, rejected(), voided())
        .being(Status.CANCELLED, RunState.ENDED)
        .when(accepted())
        .then(accepted(), PreparationCancellationRequested(request=4), RunStarted)
        .holding("ticket")
    )


def test_an_answer_to_an_older_recall_leaves_the_newer_one_open():
    """Only an answer to the newer intent ends it: the restaurant accepted after it had cancelled the ticket."""
    (
        given(*AUTHORIZED, cancel(), rejected(), accepted())
        .with_open(PaymentVoidRequested, PreparationCancellationRequested)
        .when(ticket_cancelled(to=0))
        .then(ticket_cancelled(to=0))
        .holding("authorization", "ticket")
        .when(ticket_cancelled())
        .holding("authorization")
    )


def test_a_cooked_meal_is_written_off():
    """It is too late to recall the ticket; the order ends all the same."""
    (
        given(*READY, cancel())
        .when(ticket_lost())
        .then(ticket_lost())
        .holding("authorization", "offer")
        .when(accepted())
        .nothing()
    )


def test_ready_reported_before_accepted_counts_for_both():
    """Messages overtake each other; the meal stays ready."""
    (
        given(*AUTHORIZED)
        .when(ready())
        .then(ready(), CourierRequested(attempt=1))
        .being(Status.READY)
        .when(accepted())
        .then(accepted())
        .being(Status.READY)
    )


def test_a_pickup_answers_the_wait_for_readiness():
    story = given(*ASSIGNED, picked_up()).holding("authorization", "offer")
    assert answer(story.order, Awaited.READINESS, versions_of(story.order, PreparationRequested)[0]) is Answer.READY
    story.when(ready()).then(ready()).being(Status.PICKED_UP)
    contested = given(*ASSIGNED, picked_up()).when(rejected()).then(ReportContested, rejected(), OrderParked)
    contested.being(Status.PICKED_UP).holding("authorization", "offer")


def test_an_unavailable_item_lowers_the_total_and_what_is_captured():
    """One pizza of two: 14.00 less."""
    story = given(*AUTHORIZED, unavailable(1, available=1), accepted(), assigned(), ready(), picked_up())
    assert str(story.order.total) == "26.00 EUR"
    story.when(delivered()).then(
        delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("26.00"))
    ).with_books(due="26.00", still_to_capture="26.00")


def test_an_item_reported_unavailable_during_the_capture_is_refunded():
    story = given(*DELIVERED, unavailable(2)).when(confirm())
    story.with_books(still_to_capture="40.00", due="34.00", still_to_refund="6.00")


@pytest.mark.parametrize("available", [-3, 0])
def test_an_order_without_available_items_is_cancelled(available):
    """A quantity below zero counts as zero."""
    story = given(*ACCEPTED, unavailable(1, available)).when(unavailable(2, available))
    assert _cause(story) is CancellationCause.NOTHING_LEFT
    assert str(story.order.total) == "6.00 EUR"
    story.with_open(PaymentVoidRequested, PreparationCancellationRequested, CourierReleaseRequested)


def test_an_order_without_available_items_is_not_cancelled_after_pickup():
    """From pickup on the order goes forward; the customer does not pay for missing items."""
    missing = (*READY, unavailable(1), picked_up(), unavailable(2))
    story = given(*missing).when(confirm()).then(ReportConfirmed, RunStarted).being(Status.PICKED_UP)
    story.when(delivered()).then(delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("6.00")))


def test_the_available_quantity_never_grows():
    """A report of more than was ordered, or than is left, changes nothing."""
    story = given(*ACCEPTED, unavailable(1, 1)).when(unavailable(1, 5))
    assert story.order.lines[0].quantity == 1
    given(*ACCEPTED, unavailable(1, 1)).when(unavailable(1, 1)).nothing()


@pytest.mark.parametrize("line", [-1, 0, 3])
def test_a_report_on_a_line_that_does_not_exist_is_refused(line):
    given(*ACCEPTED).when(unavailable(line)).refused(UnknownLine)


def test_a_report_of_the_restaurant_on_a_completed_order_is_recorded():
    """Facts are never refused, on an ended order too."""
    given(*COMPLETED).when(accepted()).nothing()
    story = given(*ASSIGNED, picked_up(), ready(), delivered(), captured()).when(unavailable(1, 5))
    story.then(unavailable(1, 5)).being(Status.COMPLETED, RunState.ENDED).holding()
    contested = given(*COMPLETED).when(rejected()).then(ReportContested, rejected(), OrderParked)
    contested.being(Status.DELIVERED, RunState.PARKED).holding()


def test_a_report_of_the_restaurant_before_its_ticket_is_refused():
    story = given(*PLACED)
    report = accepted()
    later = given(*AUTHORIZED)
    story.when(report(later.order)).refused(NotAsked)
    story.when(authorized()).then(authorized(), PreparationRequested())


def test_a_completed_order_needs_every_ticket_settled():
    """The pickup closes the ticket, even without a report of the restaurant after its acceptance."""
    given(*ASSIGNED, picked_up()).holding("authorization", "offer")
    assert OrderCompleted() in given(*COMPLETED).events


def _cause(story: Story) -> CancellationCause:
    assert story.order.cancellation is not None
    return story.order.cancellation.cause
