"""Incidents: a run that meets a fault of ours parks the order; runs start again from the facts; people write off."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import Awaited, StartRun
from domain.order.events import (
    CourierRequested,
    Fault,
    OrderCancelled,
    OrderParked,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationRequested,
    RunStarted,
    WrittenOff,
)
from domain.order.order import RunState, Status
from domain.order.refusals import (
    NothingOwed,
    NotTheNextRun,
    OrderAlreadyEnded,
    RunSuperseded,
    StillNeeded,
)
from tests.domain.order.stories import (
    ACCEPTED,
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    PICKED_UP,
    PLACED,
    READY,
    SUPPORT,
    Told,
    accepted,
    assigned,
    authorized,
    cancel,
    capture_refused,
    courier_lost,
    credit,
    declined,
    delivered,
    eur,
    failed,
    given,
    park,
    picked_up,
    ready,
    refund_refused,
    refunded,
    restart,
    ticket_cancelled,
    timeout,
    void_refused,
    voided,
    write_off,
)


def start(run: int) -> Told:
    return StartRun(run=run, by=SUPPORT, reason="fixed")


def test_parking_undoes_nothing():
    """The log holds no reason to cancel: the fault is ours."""
    (
        given(*READY)
        .when(park())
        .then(OrderParked(run=1, error="Bug", detail=""))
        .being(Status.READY, RunState.PARKED)
        .owing("authorization", "ticket", "offer")
        .when(park())
        .nothing()
    )


def test_a_parked_order_goes_on_in_the_next_run():
    (
        given(*AUTHORIZED, park())
        .when(restart())
        .then(RunStarted(run=2, by=SUPPORT, reason="fixed"))
        .being(Status.AUTHORIZED, RunState.RUNNING)
        .with_open(PreparationRequested)
    )


def test_starting_a_run_twice_starts_one():
    given(*AUTHORIZED, start(2)).when(start(2)).nothing().when(start(1)).nothing()


@pytest.mark.parametrize("run", [3, 100])
def test_runs_are_started_one_after_the_other(run):
    """Deciding twice adds nothing; a number that skips some would start a run each time it is sent."""
    given(*AUTHORIZED).when(start(run)).refused(NotTheNextRun)


def test_an_older_run_decides_nothing_any_more():
    story = given(*AUTHORIZED, restart())
    story.when(park(run=1)).refused(RunSuperseded)
    story.when(timeout(Awaited.ACCEPTANCE, run=1)).refused(RunSuperseded)


def test_what_an_older_run_made_happen_is_recorded():
    """An outcome is never refused."""
    given(*PLACED, restart()).when(authorized()).then(authorized(), PreparationRequested())


def test_an_order_that_ended_and_owes_nothing_needs_no_run():
    given(*COMPLETED).when(restart()).refused(OrderAlreadyEnded)
    given(*PLACED, declined()).when(restart()).refused(OrderAlreadyEnded)
    given(*COMPLETED).when(park()).nothing()


def test_news_for_a_parked_order_start_a_run():
    """The restaurant answered while the order was parked: there is a courier to ask."""
    (
        given(*AUTHORIZED, park())
        .when(accepted())
        .then(
            accepted(),
            CourierRequested(attempt=1),
            RunStarted(run=2, by=SYSTEM, reason="new work for the parked order"),
        )
        .being(Status.PREPARING, RunState.RUNNING)
    )
    given(*PICKED_UP, park()).when(delivered()).then(delivered(), PaymentCaptureRequested, RunStarted)


def test_what_opens_nothing_leaves_a_parked_order_parked():
    """Only a person knows whether the fault is gone."""
    given(*ACCEPTED, assigned(), park()).when(ready()).then(ready()).being(Status.READY, RunState.PARKED)
    given(*READY, park()).when(picked_up()).then(picked_up()).being(Status.PICKED_UP, RunState.PARKED)


def test_parking_an_order_that_was_cancelled_meanwhile_starts_a_run_that_gives_back():
    (
        given(*AUTHORIZED, cancel())
        .when(park())
        .then(RunStarted)
        .being(Status.CANCELLING, RunState.RUNNING)
        .when(park(run=1))
        .refused(RunSuperseded)
    )


def test_an_order_that_cannot_give_back_is_parked():
    """Compensating met the fault, so another run would meet it again: a person looks."""
    (
        given(*AUTHORIZED, cancel(), void_refused())
        .when(park(compensating=True))
        .then(OrderParked)
        .being(Status.CANCELLING, RunState.PARKED)
        .owing("authorization refused", "ticket in doubt")
    )


def test_a_refused_void_is_asked_again_by_the_next_run_under_a_new_key():
    (
        given(*AUTHORIZED, cancel(), ticket_cancelled(), void_refused())
        .with_open()
        .owing("authorization refused")
        .when(park(compensating=True))
        .when(restart())
        .then(RunStarted, PaymentVoidRequested(authorization_id="auth-2"))
        .owing("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
    )


def test_a_refused_refund_is_asked_again_by_the_next_run_under_a_new_key():
    (
        given(*COMPLETED, credit("10.00"), refund_refused())
        .owing("capture refused")
        .with_open()
        .with_books(captured="40.00", due="30.00", still_to_refund="10.00")
        .when(restart())
        .then(RunStarted, PaymentRefundRequested)
        .owing("capture")
        .with_books(captured="40.00", due="30.00", still_to_refund="10.00")
        .when(refunded())
        .owing()
        .with_books(captured="40.00", due="30.00", refunded="10.00")
    )


def test_a_refused_refund_of_everything_is_asked_again_for_everything():
    """What was refused gave nothing back."""
    (
        given(*COMPLETED, failed(), refund_refused())
        .when(restart())
        .then(RunStarted, PaymentRefundRequested(capture_id="cap-11", amount=eur("40.00")))
    )


def test_a_refused_refund_that_is_written_off_ends_the_order_and_stays_in_the_books():
    story = given(*COMPLETED, credit("10.00"), refund_refused()).when(write_off(PaymentRefundRequested))
    story.being(Status.COMPLETED, RunState.ENDED).owing().with_books(captured="40.00", due="30.00", unreturned="10.00")
    written = story.added[0]
    assert isinstance(written, WrittenOff)
    assert (written.by, written.fault, written.reason) == (SUPPORT, Fault.PLATFORM, "not worth it")


def test_writing_off_twice_is_not_an_error():
    given(*COMPLETED, credit("10.00"), refund_refused(), write_off(PaymentRefundRequested)).when(
        write_off(PaymentRefundRequested)
    ).nothing()
    given(*AUTHORIZED, cancel(), write_off(PreparationRequested)).when(write_off(PreparationRequested)).nothing()


@pytest.mark.parametrize("kind", [PaymentAuthorizationRequested, PreparationRequested, CourierRequested])
def test_what_the_order_still_needs_cannot_be_written_off(kind):
    given(*READY).when(write_off(kind)).refused(StillNeeded)


def test_a_ticket_and_an_offer_are_written_off_once_the_order_is_cancelled():
    (
        given(*READY, cancel(), voided())
        .when(write_off(PreparationRequested))
        .owing("offer")
        .when(write_off(CourierRequested))
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_an_offer_the_order_does_not_count_on_is_written_off_at_any_time():
    given(*ACCEPTED, timeout(Awaited.ASSIGNMENT)).when(write_off(CourierRequested, to=0)).owing(
        "authorization", "ticket", "offer in doubt"
    ).with_open(CourierRequested)


def test_what_holds_nothing_cannot_be_written_off():
    given(*COMPLETED).when(write_off(PaymentCaptureRequested)).refused(NothingOwed)
    given(*COMPLETED).when(write_off(PaymentAuthorizationRequested)).refused(NothingOwed)
    given(*AUTHORIZED, cancel()).when(write_off(PaymentVoidRequested)).refused(NothingOwed)


def test_one_undo_that_fails_does_not_hold_up_the_others():
    (
        given(*READY, cancel(), void_refused())
        .owing("authorization refused", "ticket", "offer")
        .when(courier_lost())
        .when(ticket_cancelled())
        .owing("authorization refused")
        .when(write_off(PaymentAuthorizationRequested))
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_a_refused_capture_that_is_credited_in_full_needs_no_capture():
    (
        given(*DELIVERED, capture_refused(), park())
        .when(credit("40.00"))
        .with_open(PaymentVoidRequested)
        .being(Status.DELIVERED, RunState.RUNNING)
        .when(voided())
        .being(Status.COMPLETED, RunState.ENDED)
    )


def test_a_late_answer_ends_a_parked_order():
    """Nobody has to start a run only to see that nothing is left to do."""
    (
        given(*AUTHORIZED, cancel(), ticket_cancelled(), park(compensating=True))
        .when(voided())
        .then(voided(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )
