"""Delivering: offers to couriers one after the other, the pickup as the pivot, and late reports."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import Awaited
from domain.order.delivery import ATTEMPTS_MAX
from domain.order.events import (
    CancellationCause,
    CancellationRequested,
    CourierReleaseRequested,
    CourierRequested,
    CourierTimedOut,
    DeliveryOverdue,
    Fault,
    OrderCancelled,
    OrderCompleted,
    OrderParked,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    ReportConfirmed,
    ReportContested,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.questions import Answer, answer
from domain.order.refusals import OrderAlreadyPickedUp
from tests.domain.order.stories import (
    ACCEPTED,
    ASSIGNED,
    COMPLETED,
    DELIVERED,
    NOON,
    PICKED_UP,
    READY,
    SUPPORT,
    Story,
    assigned,
    cancel,
    capture_refused,
    captured,
    confirm,
    courier_declined,
    courier_lost,
    credit,
    delivered,
    eur,
    failed,
    given,
    offered,
    park,
    picked_up,
    ready,
    refunded,
    released,
    restart,
    timeout,
    versions_of,
    voided,
)


def test_an_assigned_courier_is_held_until_the_meal_is_delivered():
    (
        given(*ACCEPTED)
        .when(assigned())
        .then(assigned())
        .with_open()
        .holding("authorization", "ticket", "offer")
        .when(assigned())
        .nothing()
    )


def test_a_second_courier_who_accepts_the_same_offer_replaces_the_first():
    """Couriers hand offers on; the last one who accepted is on the way."""
    story = given(*ASSIGNED).when(assigned("bob")).then(assigned("bob"))
    assert [offer.courier for offer in story.order.delivery.offers] == ["bob"]


def test_a_declined_offer_goes_to_another_courier():
    (
        given(*ACCEPTED)
        .when(courier_declined())
        .then(courier_declined(), CourierRequested(attempt=2))
        .with_open(CourierRequested)
        .holding("authorization", "ticket", "offer in doubt")
    )


@pytest.mark.parametrize("courier", ["ann", None])
def test_a_courier_who_gives_the_delivery_back_before_pickup_is_replaced(courier):
    """The courier reports it, or the dispatcher."""
    back = courier_declined(courier)
    given(*ASSIGNED).when(back).then(back, CourierRequested(attempt=2))


def test_one_courier_cannot_decline_an_open_offer_for_all():
    """The decline is recorded and the offer stays open: any other courier may still accept it."""
    story = given(*ACCEPTED).when(courier_declined("ann")).then(courier_declined("ann"))
    story.with_open(CourierRequested).holding("authorization", "ticket", "offer in doubt")
    assert answer(story.order, Awaited.ASSIGNMENT, 6) is Answer.NONE
    story.when(courier_declined("ann")).nothing()
    story.when(assigned("bob")).then(assigned("bob"))


def test_an_offer_to_named_couriers_lapses_when_all_of_them_declined():
    made_to = (*ACCEPTED, offered("ann", "bob"))
    story = given(*made_to, courier_declined("ann")).with_open(CourierRequested)
    story.when(courier_declined("zoe")).then(courier_declined("zoe"))
    story.when(courier_declined("bob")).then(courier_declined("bob"), CourierRequested(attempt=2))
    late = given(*ACCEPTED, courier_declined("ann"), courier_declined("bob")).when(offered("ann", "bob"))
    late.then(offered("ann", "bob"), CourierRequested(attempt=2))


def test_a_decline_of_another_courier_does_not_end_an_accepted_offer():
    given(*ASSIGNED).when(courier_declined("bob")).then(courier_declined("bob")).with_open()
    given(*ACCEPTED, offered("bob"), assigned("ann")).when(courier_declined("bob")).then(courier_declined("bob"))


def test_a_courier_who_declined_accepts_and_gives_back_is_replaced():
    """The second decline says more than the first, although both read the same."""
    story = given(*ACCEPTED, courier_declined("ann"), assigned("ann")).when(courier_declined("ann"))
    story = story.then(courier_declined("ann"), CourierRequested(attempt=2))
    story.when(courier_declined("ann", to=0)).nothing()


def test_an_unanswered_offer_is_withdrawn_while_the_next_is_made():
    """The courier who did not answer may be on the way, so the offer is held until it is withdrawn."""
    (
        given(*ACCEPTED)
        .when(timeout(Awaited.ASSIGNMENT))
        .then(
            CourierTimedOut(answers=6, at=NOON),
            CourierRequested(attempt=2),
            CourierReleaseRequested(request=6),
        )
        .holding("authorization", "ticket", "offer in doubt", "offer in doubt")
        .with_open(CourierRequested, CourierReleaseRequested)
        .when(released())
        .holding("authorization", "ticket", "offer in doubt")
    )


def test_a_courier_who_does_not_pick_up_in_time_is_released_and_replaced():
    (
        given(*ASSIGNED)
        .when(timeout(Awaited.PICKUP))
        .then(CourierTimedOut, CourierRequested(attempt=2), CourierReleaseRequested(request=6))
    )


def test_after_the_last_attempt_the_order_is_cancelled_at_the_platforms_fault():
    declines = [courier_declined()] * (ATTEMPTS_MAX - 1)
    story = given(*ACCEPTED, *declines).when(courier_declined())
    story.then(
        courier_declined(),
        CancellationRequested(cause=CancellationCause.NO_COURIER, fault=Fault.PLATFORM, by=SYSTEM, reason=""),
        PaymentVoidRequested,
        PreparationCancellationRequested,
    ).holding("authorization", "ticket")
    assert len(versions_of(story.order, CourierRequested)) == ATTEMPTS_MAX == 5


def test_a_courier_who_accepts_a_withdrawn_offer_is_held_again():
    """Facts are never refused: a courier is on the way."""
    (
        given(*ACCEPTED, timeout(Awaited.ASSIGNMENT), released())
        .when(assigned("zoe", to=0))
        .then(assigned("zoe", to=0), CourierReleaseRequested(request=6))
        .holding("authorization", "ticket", "offer", "offer in doubt")
        .when(courier_lost())
        .then(courier_lost())
        .holding("authorization", "ticket", "offer in doubt")
    )


def test_an_offer_accepted_while_it_is_being_withdrawn_is_withdrawn_once():
    (
        given(*ACCEPTED, timeout(Awaited.ASSIGNMENT))
        .when(assigned("zoe", to=0))
        .then(assigned("zoe", to=0))
        .holding("authorization", "ticket", "offer", "offer in doubt")
        .with_open(CourierRequested, CourierReleaseRequested)
    )


def test_the_courier_who_picks_up_has_the_meal_and_the_other_offers_are_withdrawn():
    """The first courier accepted late and still was at the restaurant before the second."""
    story = (
        given(*ACCEPTED, assigned(), timeout(Awaited.PICKUP), assigned("bob"))
        .when(picked_up(to=0))
        .then(picked_up(to=0), CourierReleaseRequested(request=9))
        .being(Status.PICKED_UP)
    )
    offers = versions_of(story.order, CourierRequested)
    assert [answer(story.order, Awaited.PICKUP, offer) for offer in offers] == [Answer.PICKED_UP] * 2
    ended = story.when(released()).when(ready()).when(delivered(to=0)).when(captured())
    ended.being(Status.COMPLETED).holding()


def test_pickup_is_the_pivot():
    """From here on the saga only goes forward: no cancellation, no new offer."""
    story = given(*READY).when(picked_up()).then(picked_up()).being(Status.PICKED_UP).holding("authorization", "offer")
    story.when(cancel()).refused(OrderAlreadyPickedUp)
    story.when(timeout(Awaited.PICKUP)).nothing()
    late = story.when(courier_declined()).then(ReportContested, courier_declined(), OrderParked)
    late.being(Status.PICKED_UP).with_open().holding("authorization", "offer")


def test_a_delivery_takes_effect_once_the_pickup_and_the_ready_meal_are_reported_too():
    """Messages overtake each other. Until then the order waits for a person, and no money is taken."""
    (
        given(*ASSIGNED)
        .when(delivered())
        .then(ReportContested(report=9, contradicts=0), delivered(), OrderParked)
        .being(Status.PREPARING, RunState.PARKED)
        .when(picked_up())
        .then(picked_up())
        .when(ready())
        .then(
            ready(),
            ReportConfirmed(report=9, by=SYSTEM),
            PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")),
            RunStarted(run=2, by=SYSTEM, reason="new work for the parked order"),
        )
        .when(captured())
        .then(captured(), OrderCompleted())
        .holding()
    )


def test_a_delivery_that_fails_after_pickup_releases_the_hold():
    (
        given(*PICKED_UP)
        .when(failed(fault=Fault.CUSTOMER))
        .then(
            failed(fault=Fault.CUSTOMER),
            CancellationRequested(cause=CancellationCause.DELIVERY_FAILED, fault=Fault.CUSTOMER, by=SYSTEM, reason=""),
            PaymentVoidRequested(authorization_id="auth-2"),
        )
        .holding("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .holding()
        .with_books()
    )


def test_a_delivery_that_failed_after_the_capture_is_refunded():
    """The courier corrects the report after the order was completed, and a person confirms it."""
    (
        given(*COMPLETED)
        .when(failed())
        .then(ReportContested(report=15, contradicts=10), failed(), OrderParked)
        .with_books(captured="40.00", due="40.00")
        .when(confirm())
        .then(
            ReportConfirmed(report=15, by=SUPPORT),
            CancellationRequested,
            PaymentRefundRequested(capture_id="cap-11", amount=eur("40.00")),
            RunStarted,
        )
        .with_books(captured="40.00", still_to_refund="40.00")
        .when(refunded())
        .then(refunded(), OrderCancelled())
        .with_books(captured="40.00", refunded="40.00")
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_a_delivery_that_fails_while_the_capture_is_in_doubt_settles_the_capture_first():
    """The same call is made again, and only what it took is refunded."""
    story = given(*DELIVERED, failed()).when(confirm()).then(ReportConfirmed, CancellationRequested, RunStarted)
    story.with_open(PaymentCaptureRequested).with_books(still_to_capture="40.00", still_to_refund="40.00")
    story.when(captured()).then(captured(), PaymentRefundRequested).holding("capture")
    story.when(capture_refused()).then(capture_refused(), PaymentVoidRequested).holding("authorization").with_books()


def test_a_free_order_whose_delivery_failed_after_its_end_ends_again_as_cancelled():
    """Nothing is held, so no run is needed; the log still says how the order ended."""
    (
        given(*PICKED_UP, credit("40.00"), delivered(), voided())
        .being(Status.COMPLETED, RunState.ENDED)
        .when(failed())
        .being(Status.DELIVERED, RunState.PARKED)
        .when(confirm())
        .then(ReportConfirmed, CancellationRequested, OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_a_second_courier_who_reports_a_pickup_is_released_when_the_first_delivers():
    """One meal, two pickups: the reports contradict each other, and the order ends all the same."""
    (
        given(*ACCEPTED, assigned(), ready(), timeout(Awaited.PICKUP), assigned("bob"), picked_up(to=0))
        .when(picked_up())
        .then(ReportContested, picked_up(), OrderParked)
        .when(delivered(to=0))
        .with_open(CourierReleaseRequested, PaymentCaptureRequested)
        .when(courier_lost())
        .when(captured())
        .being(Status.DELIVERED)
        .when(restart())
        .then(RunStarted, OrderCompleted())
    )


def test_a_failure_reported_by_a_courier_without_the_meal_stops_nothing():
    """The offer was withdrawn and another courier has the meal, so the first one found none."""
    late = (*ACCEPTED, assigned(), ready(), timeout(Awaited.PICKUP), assigned("bob"), picked_up(), released())
    (
        given(*late)
        .when(failed(to=0))
        .then(failed(to=0))
        .being(Status.PICKED_UP)
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested)
    )
    given(*late, delivered()).when(failed(to=0)).then(failed(to=0)).being(Status.DELIVERED)


def test_a_failure_counts_although_its_pickup_is_reported_later():
    story = given(*ASSIGNED).when(failed()).being(Status.CANCELLING)
    story.with_open(PaymentVoidRequested, PreparationCancellationRequested)
    story.when(picked_up()).then(picked_up()).holding("authorization").with_open(PaymentVoidRequested)


def test_a_pickup_reported_after_the_failure_does_not_hold_the_courier_again():
    """The report of the end came before the report of the pickup."""
    (
        given(*READY, failed(), voided())
        .when(picked_up())
        .then(picked_up(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
        .holding()
    )


def test_an_order_cancelled_for_a_failed_delivery_stays_cancelled_when_it_is_delivered():
    """A cancellation is never reversed; the customer gets the meal for free, and a person sees both reports."""
    (
        given(*PICKED_UP, failed())
        .when(delivered())
        .then(ReportContested, delivered(), OrderParked)
        .being(Status.CANCELLING)
        .with_open(PaymentVoidRequested)
    )


def test_a_missing_delivery_report_is_recorded_once_a_run():
    """The run parks the order; a person asks the courier and starts the next run, which waits again."""
    story = given(*PICKED_UP).when(timeout(Awaited.DELIVERY)).then(DeliveryOverdue(answers=6, at=NOON))
    story.being(Status.PICKED_UP).when(timeout(Awaited.DELIVERY)).nothing()
    assert answer(story.order, Awaited.DELIVERY, 6) is Answer.OVERDUE
    again = story.when(park()).when(restart())
    assert answer(again.order, Awaited.DELIVERY, 6) is Answer.NONE
    again.when(timeout(Awaited.DELIVERY)).then(DeliveryOverdue)


def test_a_delivery_cannot_be_overdue_before_pickup():
    given(*READY).when(timeout(Awaited.DELIVERY)).nothing()


def test_each_offer_is_answered_by_the_reports_on_that_offer():
    story: Story = given(*ACCEPTED, courier_declined(), assigned("bob"))
    first, second = versions_of(story.order, CourierRequested)
    assert answer(story.order, Awaited.ASSIGNMENT, first) is Answer.DECLINED
    assert answer(story.order, Awaited.ASSIGNMENT, second) is Answer.ASSIGNED
    assert answer(story.order, Awaited.PICKUP, second) is Answer.NONE
    assert answer(story.order, Awaited.ASSIGNMENT, 99) is Answer.NONE
