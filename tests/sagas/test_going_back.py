"""Orders that end cancelled: each for its reason, with everything given back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.order.events import CancellationCause
from domain.order.intents import owed
from domain.order.order import Status
from tests.sagas.conftest import Place, Story, eur


def cancelled(story: Story, cause: CancellationCause) -> None:
    """It ended, for this cause, and neither the log nor the provider holds anything."""
    order = story.ended()
    assert order.status is Status.CANCELLED
    assert order.cancellation is not None
    assert order.cancellation.cause is cause
    assert owed(order) == ()
    position = story.position
    assert position is None or position.held == position.captured == eur(0)


def test_a_declined_payment_cancels_the_order_before_the_kitchen_hears_of_it(place: Place) -> None:
    """Nothing was held, so nothing is undone."""
    story = place("pm_declined")
    cancelled(story, CancellationCause.PAYMENT_DECLINED)
    assert "PreparationRequested" not in story.kinds


def test_a_rejection_lets_go_of_the_money(place: Place) -> None:
    """The ticket is closed by the restaurant's no; the authorization is voided."""
    story = place().reject()
    cancelled(story, CancellationCause.PREPARATION_REJECTED)
    assert "PaymentVoided" in story.kinds
    assert "PreparationCancellationRequested" not in story.kinds


def test_a_restaurant_that_never_answers_times_out(place: Place) -> None:
    """The ticket is in doubt then: it is taken back, whether it was seen or not."""
    story = place(KitchenAnswerSeconds="1")
    cancelled(story, CancellationCause.PREPARATION_TIMED_OUT)
    assert {"PreparationTimedOut", "PreparationCancelled", "PaymentVoided"} <= set(story.kinds)


def test_a_meal_that_never_gets_ready_is_overdue(place: Place) -> None:
    """The courier who was on his way is released as well."""
    story = place(KitchenReadySeconds="1").accept().assign()
    cancelled(story, CancellationCause.PREPARATION_OVERDUE)
    assert {"CourierReleased", "PreparationCancelled"} <= set(story.kinds)


def test_when_nothing_is_left_to_cook_the_order_is_cancelled(place: Place) -> None:
    """Nobody pays fees for an empty bag."""
    story = place().lack(1, 0).lack(2, 0)
    cancelled(story, CancellationCause.NOTHING_LEFT)


def test_five_offers_are_made_then_the_order_is_given_up(place: Place) -> None:
    """Each decline makes the next offer; the fifth is the last."""
    story = place().accept()
    for attempt in range(1, 6):
        story.decline(attempt)
    cancelled(story, CancellationCause.NO_COURIER)
    assert story.kinds.count("CourierRequested") == 5


def test_an_offer_nobody_answers_is_withdrawn_and_the_next_one_made(place: Place) -> None:
    """A courier who takes the withdrawn offer late is released; the one who took the next delivers."""
    story = place(CourierAnswerSeconds="1").accept()
    second = story.offer(2)
    assert story.order.delivery.offers[0].intent < second
    story.assign().ready().pick_up().deliver()
    order = story.ended()
    assert order.status is Status.COMPLETED
    assert {"CourierTimedOut", "CourierReleased"} <= set(story.kinds)


def test_a_delivery_that_fails_after_pickup_is_not_charged(place: Place) -> None:
    """There is no way back for the meal, but there is one for the money."""
    story = place().accept().assign().ready().pick_up().lose()
    cancelled(story, CancellationCause.DELIVERY_FAILED)


def nothing(story: Story) -> object:
    return story


def until_the_ticket(story: Story) -> object:
    return story.ticket


def until_accepted(story: Story) -> object:
    return story.accept()


def until_assigned(story: Story) -> object:
    return story.accept().assign()


def until_ready(story: Story) -> object:
    return story.accept().assign().ready()


@pytest.mark.parametrize("moment", [nothing, until_the_ticket, until_accepted, until_assigned, until_ready])
def test_a_cancellation_is_followed_from_every_wait(place: Place, moment: Callable[[Story], object]) -> None:
    """Whatever the run waits for, the cancellation wakes it, and what was taken is given back."""
    story = place()
    moment(story)
    story.cancel()
    cancelled(story, CancellationCause.ASKED)


def test_a_meal_nobody_reports_delivered_parks_the_order_and_its_delivery_ends_it(place: Place) -> None:
    """After pickup nothing is undone. A person is asked; when the news comes after all, a new run settles."""
    story = place(CourierDeliverySeconds="1").accept().assign().ready().pick_up()
    order = story.parked()
    assert not any("Cancel" in kind for kind in story.kinds)
    assert order.run == 1
    order = story.deliver().until(lambda order: order.run == 2)
    assert story.ended().status is Status.COMPLETED
