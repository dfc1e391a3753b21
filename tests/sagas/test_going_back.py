"""Orders that end cancelled: each with its cause, after everything was compensated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.order.events import CancellationCause
from domain.order.intents import owed
from domain.order.order import Status
from tests.sagas.conftest import Place, Story, eur


def cancelled(story: Story, cause: CancellationCause) -> None:
    """Check that the order ended for this cause and neither the log nor the provider holds any of its money."""
    order = story.ended()
    assert order.status is Status.CANCELLED
    assert order.cancellation is not None
    assert order.cancellation.cause is cause
    assert owed(order) == ()
    position = story.position
    assert position is None or position.held == position.captured == eur(0)


def test_a_declined_payment_cancels_the_order_before_a_ticket_is_sent(place: Place) -> None:
    """Nothing was held, so no compensation runs."""
    story = place("pm_declined")
    cancelled(story, CancellationCause.PAYMENT_DECLINED)
    assert "PreparationRequested" not in story.kinds


def test_a_rejected_ticket_releases_the_money(place: Place) -> None:
    """The rejection closes the ticket, and the authorization is voided."""
    story = place().reject()
    cancelled(story, CancellationCause.PREPARATION_REJECTED)
    assert "PaymentVoided" in story.kinds
    assert "PreparationCancellationRequested" not in story.kinds


def test_a_restaurant_that_never_answers_times_out(place: Place) -> None:
    """The restaurant may have seen the unanswered ticket, so it is recalled."""
    story = place(KitchenAnswerSeconds="1")
    cancelled(story, CancellationCause.PREPARATION_TIMED_OUT)
    assert {"PreparationTimedOut", "PreparationCancelled", "PaymentVoided"} <= set(story.kinds)


def test_an_order_whose_meal_never_gets_ready_is_cancelled(place: Place) -> None:
    """The assigned courier is released as well."""
    story = place(KitchenReadySeconds="1").accept().assign()
    cancelled(story, CancellationCause.PREPARATION_OVERDUE)
    assert {"CourierReleased", "PreparationCancelled"} <= set(story.kinds)


def test_when_nothing_is_left_to_cook_the_order_is_cancelled(place: Place) -> None:
    """No fees are charged for an order without items."""
    story = place().lack(1, 0).lack(2, 0)
    cancelled(story, CancellationCause.NOTHING_LEFT)


def test_after_five_declined_offers_the_order_is_cancelled(place: Place) -> None:
    """Each decline leads to the next offer, up to five."""
    story = place().accept()
    for attempt in range(1, 6):
        story.decline(attempt)
    cancelled(story, CancellationCause.NO_COURIER)
    assert story.kinds.count("CourierRequested") == 5


def test_an_unanswered_offer_is_withdrawn_and_the_next_one_made(place: Place) -> None:
    """A courier who accepts the withdrawn offer late is released; the courier of the next offer delivers."""
    story = place(CourierAnswerSeconds="1").accept()
    second = story.offer(2)
    assert story.order.delivery.offers[0].intent < second
    story.assign().ready().pick_up().deliver()
    order = story.ended()
    assert order.status is Status.COMPLETED
    assert {"CourierTimedOut", "CourierReleased"} <= set(story.kinds)


def test_a_delivery_that_fails_after_pickup_is_not_charged(place: Place) -> None:
    """The meal cannot be recalled, but the money is released."""
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
def test_a_cancellation_ends_every_wait_and_everything_is_compensated(
    place: Place, moment: Callable[[Story], object]
) -> None:
    """A cancellation ends the wait that the run is in, and all that the order holds is released."""
    story = place()
    moment(story)
    story.cancel()
    cancelled(story, CancellationCause.ASKED)


def test_an_order_without_a_delivery_report_is_parked_and_a_late_report_completes_it(place: Place) -> None:
    """After pickup nothing is compensated: support decides, and a late delivery report starts a run that captures."""
    story = place(CourierDeliverySeconds="1").accept().assign().ready().pick_up()
    order = story.parked()
    assert not any("Cancel" in kind for kind in story.kinds)
    assert order.run == 1
    order = story.deliver().until(lambda order: order.run == 2)
    assert story.ended().status is Status.COMPLETED
