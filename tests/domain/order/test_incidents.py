"""Incidents: a technical failure parks the order, a new run continues from the events, people write off."""

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
    StoryLine,
    accepted,
    assigned,
    authorized,
    cancel,
    capture_refused,
    confirm,
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


def start(run: int) -> StoryLine:
    return StartRun(run=run, by=SUPPORT, reason="fixed")


def test_parking_undoes_nothing():
    """A technical failure is not a reason to cancel."""
    (
        given(*READY)
        .when(park())
        .then(OrderParked(run=1, error="Bug", detail=""))
        .being(Status.READY, RunState.PARKED)
        .holding("authorization", "ticket", "offer")
        .when(park())
        .nothing()
    )


def test_a_parked_order_continues_in_the_next_run():
    (
        given(*AUTHORIZED, park())
        .when(restart())
        .then(RunStarted(run=2, by=SUPPORT, reason="fixed"))
        .being(Status.AUTHORIZED, RunState.RUNNING)
        .with_open(PreparationRequested)
    )


def test_starting_the_same_run_twice_starts_one():
    given(*AUTHORIZED, start(2)).when(start(2)).nothing().when(start(1)).nothing()


@pytest.mark.parametrize("run", [3, 100])
def test_runs_are_started_one_after_the_other(run):
    """A run that exists adds nothing; a number that is too high would start a run with every repetition."""
    given(*AUTHORIZED).when(start(run)).refused(NotTheNextRun)


def test_a_superseded_run_can_decide_nothing():
    story = given(*AUTHORIZED, restart())
    story.when(park(run=1)).refused(RunSuperseded)
    story.when(timeout(Awaited.ACCEPTANCE, run=1)).refused(RunSuperseded)


def test_outcomes_of_a_superseded_run_are_recorded():
    """Outcomes are facts, and facts are never refused."""
    given(*PLACED, restart()).when(authorized()).then(authorized(), PreparationRequested())


def test_no_run_is_started_for_an_ended_order_that_holds_nothing():
    given(*COMPLETED).when(restart()).refused(OrderAlreadyEnded)
    given(*PLACED, declined()).when(restart()).refused(OrderAlreadyEnded)
    given(*COMPLETED).when(park()).nothing()


def test_new_work_for_a_parked_order_starts_a_run():
    """The restaurant accepted while the order was parked: now a courier is needed."""
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


def test_a_report_without_new_work_leaves_a_parked_order_parked():
    """Only a person can decide whether the fault is repaired."""
    given(*ACCEPTED, assigned(), park()).when(ready()).then(ready()).being(Status.READY, RunState.PARKED)
    given(*READY, park()).when(picked_up()).then(picked_up()).being(Status.PICKED_UP, RunState.PARKED)


def test_parking_an_order_that_was_cancelled_meanwhile_starts_a_run_that_compensates():
    (
        given(*AUTHORIZED, cancel())
        .when(park())
        .then(RunStarted)
        .being(Status.CANCELLING, RunState.RUNNING)
        .when(park(run=1))
        .refused(RunSuperseded)
    )


def test_an_order_whose_compensation_fails_is_parked():
    """The compensation itself failed, so another run would fail again: a person is needed."""
    (
        given(*AUTHORIZED, cancel(), void_refused())
        .when(park(compensating=True))
        .then(OrderParked)
        .being(Status.CANCELLING, RunState.PARKED)
        .holding("authorization refused", "ticket in doubt")
    )


def test_the_next_run_requests_a_refused_void_again_under_a_new_key():
    (
        given(*AUTHORIZED, cancel(), ticket_cancelled(), void_refused())
        .with_open()
        .holding("authorization refused")
        .when(park(compensating=True))
        .when(restart())
        .then(RunStarted, PaymentVoidRequested(authorization_id="auth-2"))
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
    )


def test_the_next_run_requests_a_refused_refund_again_under_a_new_key():
    (
        given(*COMPLETED, credit("10.00"), refund_refused())
        .holding("capture refused")
        .with_open()
        .with_books(captured="40.00", due="30.00", still_to_refund="10.00")
        .when(restart())
        .then(RunStarted, PaymentRefundRequested)
        .holding("capture")
        .with_books(captured="40.00", due="30.00", still_to_refund="10.00")
        .when(refunded())
        .holding()
        .with_books(captured="40.00", due="30.00", refunded="10.00")
    )


def test_a_refused_refund_of_everything_is_requested_again_for_everything():
    """A refused refund returned no money."""
    (
        given(*COMPLETED, failed(), confirm(), refund_refused())
        .when(restart())
        .then(RunStarted, PaymentRefundRequested(capture_id="cap-11", amount=eur("40.00")))
    )


def test_a_refused_refund_that_is_written_off_ends_the_order_and_stays_in_the_books():
    story = given(*COMPLETED, credit("10.00"), refund_refused()).when(write_off(PaymentRefundRequested))
    story.being(Status.COMPLETED, RunState.ENDED).holding().with_books(
        captured="40.00", due="30.00", unreturned="10.00"
    )
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
        .holding("offer")
        .when(write_off(CourierRequested))
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_an_outdated_offer_can_be_written_off_at_any_time():
    given(*ACCEPTED, timeout(Awaited.ASSIGNMENT)).when(write_off(CourierRequested, to=0)).holding(
        "authorization", "ticket", "offer in doubt"
    ).with_open(CourierRequested)


def test_an_intent_that_holds_nothing_cannot_be_written_off():
    given(*COMPLETED).when(write_off(PaymentCaptureRequested)).refused(NothingOwed)
    given(*COMPLETED).when(write_off(PaymentAuthorizationRequested)).refused(NothingOwed)
    given(*AUTHORIZED, cancel()).when(write_off(PaymentVoidRequested)).refused(NothingOwed)


def test_one_undo_that_fails_does_not_hold_up_the_others():
    (
        given(*READY, cancel(), void_refused())
        .holding("authorization refused", "ticket", "offer")
        .when(courier_lost())
        .when(ticket_cancelled())
        .holding("authorization refused")
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
    """No run is needed only to find that nothing is left to do."""
    (
        given(*AUTHORIZED, cancel(), ticket_cancelled(), park(compensating=True))
        .when(voided())
        .then(voided(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )
