"""Delivering: offers to couriers one after the other, the pickup as the pivot, and what is said late."""

from __future__ import annotations

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
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
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
    Story,
    asked,
    assigned,
    cancel,
    capture_refused,
    captured,
    courier_declined,
    courier_lost,
    credit,
    delivered,
    eur,
    failed,
    given,
    park,
    picked_up,
    refunded,
    released,
    restart,
    timeout,
    voided,
)


def test_an_assigned_courier_is_held_until_the_meal_is_delivered():
    (
        given(*ACCEPTED)
        .when(assigned())
        .then(assigned())
        .with_open()
        .owing("authorization", "ticket", "offer")
        .when(assigned())
        .nothing()
    )


def test_another_courier_who_takes_the_same_offer_is_another_fact():
    """Couriers hand offers on; who is under way is who said so last."""
    story = given(*ASSIGNED).when(assigned("bob")).then(assigned("bob"))
    assert [offer.courier for offer in story.order.delivery.offers] == ["bob"]


def test_a_declined_offer_goes_to_another_courier():
    (
        given(*ACCEPTED)
        .when(courier_declined())
        .then(courier_declined(), CourierRequested(attempt=2))
        .with_open(CourierRequested)
        .owing("authorization", "ticket", "offer in doubt")
    )


def test_a_courier_who_gives_the_delivery_back_before_pickup_is_replaced():
    given(*ASSIGNED).when(courier_declined()).then(courier_declined(), CourierRequested(attempt=2))


def test_an_offer_nobody_answers_is_withdrawn_while_the_next_is_made():
    """The one who did not answer may be under way: the offer is owed until it is withdrawn."""
    (
        given(*ACCEPTED)
        .when(timeout(Awaited.ASSIGNMENT))
        .then(
            CourierTimedOut(answers=6, at=NOON),
            CourierRequested(attempt=2),
            CourierReleaseRequested(request=6),
        )
        .owing("authorization", "ticket", "offer in doubt", "offer in doubt")
        .with_open(CourierRequested, CourierReleaseRequested)
        .when(released())
        .owing("authorization", "ticket", "offer in doubt")
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
    ).owing("authorization", "ticket")
    assert len(asked(story.order, CourierRequested)) == ATTEMPTS_MAX == 5


def test_a_courier_who_takes_a_withdrawn_offer_is_recorded_and_owed_again():
    """Facts are never refused: somebody is under way."""
    (
        given(*ACCEPTED, timeout(Awaited.ASSIGNMENT), released())
        .when(assigned("zoe", to=0))
        .then(assigned("zoe", to=0), CourierReleaseRequested(request=6))
        .owing("authorization", "ticket", "offer", "offer in doubt")
        .when(courier_lost())
        .then(courier_lost())
        .owing("authorization", "ticket", "offer in doubt")
    )


def test_a_courier_who_takes_the_offer_while_it_is_being_withdrawn_is_withdrawn_once():
    (
        given(*ACCEPTED, timeout(Awaited.ASSIGNMENT))
        .when(assigned("zoe", to=0))
        .then(assigned("zoe", to=0))
        .owing("authorization", "ticket", "offer", "offer in doubt")
        .with_open(CourierRequested, CourierReleaseRequested)
    )


def test_whoever_picks_up_carries_the_meal_and_the_others_are_withdrawn():
    """The first courier came late and was faster than the second."""
    story = (
        given(*ACCEPTED, assigned(), timeout(Awaited.PICKUP), assigned("bob"))
        .when(picked_up(to=0))
        .then(picked_up(to=0), CourierReleaseRequested(request=9))
        .being(Status.PICKED_UP)
    )
    offers = asked(story.order, CourierRequested)
    assert [answer(story.order, Awaited.PICKUP, offer) for offer in offers] == [Answer.PICKED_UP] * 2
    story.when(released()).when(delivered(to=0)).when(captured()).being(Status.COMPLETED).owing()


def test_pickup_is_the_pivot():
    """From here the saga goes forward: nothing is cancelled, nothing is offered any more."""
    story = given(*READY).when(picked_up()).then(picked_up()).being(Status.PICKED_UP).owing("authorization", "offer")
    story.when(cancel()).refused(OrderAlreadyPickedUp)
    story.when(timeout(Awaited.PICKUP)).nothing()
    late = story.when(courier_declined()).then(courier_declined()).being(Status.PICKED_UP).with_open()
    late.owing("authorization", "offer")


def test_a_delivered_meal_is_captured_even_if_nobody_said_that_it_was_picked_up():
    (
        given(*ASSIGNED)
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested(authorization_id="auth-2", amount=eur("40.00")))
        .owing("capture in doubt")
        .when(picked_up())
        .then(picked_up())
        .being(Status.DELIVERED)
        .when(captured())
        .then(captured(), OrderCompleted())
        .owing()
    )


def test_a_delivery_that_fails_after_pickup_lets_go_of_the_money():
    (
        given(*PICKED_UP)
        .when(failed(fault=Fault.CUSTOMER))
        .then(
            failed(fault=Fault.CUSTOMER),
            CancellationRequested(cause=CancellationCause.DELIVERY_FAILED, fault=Fault.CUSTOMER, by=SYSTEM, reason=""),
            PaymentVoidRequested(authorization_id="auth-2"),
        )
        .owing("authorization")
        .when(voided())
        .then(voided(), OrderCancelled())
        .owing()
        .with_books()
    )


def test_a_delivery_that_failed_after_the_capture_owes_a_refund():
    """The courier corrects himself after the order was completed."""
    (
        given(*COMPLETED)
        .when(failed())
        .then(
            failed(),
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
    """The same call again; only what it took is given back."""
    story = given(*DELIVERED).when(failed()).then(failed(), CancellationRequested)
    story.with_open(PaymentCaptureRequested).with_books(still_to_capture="40.00", still_to_refund="40.00")
    story.when(captured()).then(captured(), PaymentRefundRequested).owing("capture")
    story.when(capture_refused()).then(capture_refused(), PaymentVoidRequested).owing("authorization").with_books()


def test_a_free_order_whose_delivery_failed_after_its_end_ends_again_as_cancelled():
    """Nothing is owed, so no run is needed; and the log says how it ended."""
    (
        given(*PICKED_UP, credit("40.00"), delivered(), voided())
        .being(Status.COMPLETED, RunState.ENDED)
        .when(failed())
        .then(failed(), CancellationRequested, OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
    )


def test_a_second_courier_who_says_he_has_the_meal_is_released_when_the_first_delivers_it():
    """One meal, two pickups: the outside contradicts itself, and nobody is kept waiting for it."""
    (
        given(*ACCEPTED, assigned(), timeout(Awaited.PICKUP), assigned("bob"), picked_up(to=0))
        .when(picked_up())
        .when(delivered(to=0))
        .with_open(PaymentCaptureRequested, CourierReleaseRequested)
        .when(courier_lost())
        .when(captured())
        .then(captured(), OrderCompleted())
    )


def test_a_failure_told_by_a_courier_who_does_not_carry_the_meal_stops_nothing():
    """His offer was withdrawn; he came, found no meal and said so. Another has it."""
    late = (*ACCEPTED, assigned(), timeout(Awaited.PICKUP), assigned("bob"), picked_up(), released())
    (
        given(*late)
        .when(failed(to=0))
        .then(failed(to=0))
        .being(Status.PICKED_UP)
        .when(delivered())
        .then(delivered(), PaymentCaptureRequested)
    )
    given(*late, delivered()).when(failed(to=0)).then(failed(to=0)).being(Status.DELIVERED)


def test_a_failure_of_the_only_courier_who_ever_carried_it_counts_before_its_pickup_was_told():
    story = given(*ASSIGNED).when(failed()).being(Status.CANCELLING)
    story.with_open(PaymentVoidRequested, PreparationCancellationRequested)
    story.when(picked_up()).then(picked_up()).owing("authorization").with_open(PaymentVoidRequested)


def test_a_pickup_told_after_the_failure_does_not_hold_the_courier_again():
    """How it ended was told before how it began."""
    (
        given(*READY, failed(), voided())
        .when(picked_up())
        .then(picked_up(), OrderCancelled())
        .being(Status.CANCELLED, RunState.ENDED)
        .owing()
    )


def test_a_meal_delivered_after_it_was_said_to_have_failed_stays_cancelled():
    """Once it gives back, the order only gives back; the meal is on the house."""
    (
        given(*PICKED_UP, failed())
        .when(delivered())
        .then(delivered())
        .being(Status.CANCELLING)
        .with_open(PaymentVoidRequested)
    )


def test_nobody_saying_what_became_of_the_meal_is_recorded_once_a_run():
    """The run parks; a person finds out and starts the next, which waits anew."""
    story = given(*PICKED_UP).when(timeout(Awaited.DELIVERY)).then(DeliveryOverdue(answers=6, at=NOON))
    story.being(Status.PICKED_UP).when(timeout(Awaited.DELIVERY)).nothing()
    assert answer(story.order, Awaited.DELIVERY, 6) is Answer.OVERDUE
    again = story.when(park()).when(restart())
    assert answer(again.order, Awaited.DELIVERY, 6) is Answer.NONE
    again.when(timeout(Awaited.DELIVERY)).then(DeliveryOverdue)


def test_a_delivery_cannot_be_overdue_before_pickup():
    given(*READY).when(timeout(Awaited.DELIVERY)).nothing()


def test_each_question_is_answered_by_what_was_said_of_its_own_offer():
    story: Story = given(*ACCEPTED, courier_declined(), assigned("bob"))
    first, second = asked(story.order, CourierRequested)
    assert answer(story.order, Awaited.ASSIGNMENT, first) is Answer.DECLINED
    assert answer(story.order, Awaited.ASSIGNMENT, second) is Answer.ASSIGNED
    assert answer(story.order, Awaited.PICKUP, second) is Answer.NONE
    assert answer(story.order, Awaited.ASSIGNMENT, 99) is Answer.NONE
