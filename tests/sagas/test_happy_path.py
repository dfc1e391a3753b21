"""An order that goes well, from placed to paid."""

from __future__ import annotations

from domain.order.books import books
from domain.order.order import Status
from tests.sagas.conftest import Place, Story, eur


def delivered(story: Story) -> Story:
    story.accept().assign().ready().pick_up().deliver().ended()
    return story


def test_a_happy_order_is_eight_commits_and_ends_completed(place: Place) -> None:
    """Placed, authorized, accepted, assigned, ready, picked up, delivered, captured: one write each."""
    story = delivered(place())
    assert story.kinds == [
        *("OrderPlaced", "PaymentAuthorizationRequested"),
        *("PaymentAuthorized", "PreparationRequested"),
        *("PreparationAccepted", "CourierRequested"),
        "CourierAssigned",
        "PreparationReady",
        "OrderPickedUp",
        *("OrderDelivered", "PaymentCaptureRequested"),
        *("PaymentCaptured", "OrderCompleted"),
    ]
    assert len(list(story.log.read(f"order#{story.order_id}"))) == 8
    assert story.order.status is Status.COMPLETED
    assert books(story.order).captured == eur(2800)


def test_a_happy_order_enters_at_most_twelve_states_of_standard_machines(place: Place, capsys) -> None:
    """State entries are most of what an order costs on AWS. Express children are counted apart."""
    entries = delivered(place()).state_entries()
    with capsys.disabled():
        print(f"\nstate entries of a happy order: {entries.standard} standard, {entries.express} express")
    assert entries.standard <= 12
    assert entries.express <= 1


def test_what_cannot_be_had_is_not_paid_for(place: Place) -> None:
    """One pizza of two and no water: 28.00 were held, 15.00 are taken."""
    story = delivered(place().lack(1, 1).lack(2, 0))
    assert books(story.order).captured == eur(1500)
    position = story.position
    assert position is not None
    assert (position.held, position.captured, position.released) == (eur(0), eur(1500), eur(1300))


def test_an_answer_that_comes_before_it_is_waited_for_is_not_lost(place: Place) -> None:
    """The meal may be ready before a courier is found, and picked up before anybody waits for it."""
    story = place()
    story.accept().ready().assign().pick_up().deliver()
    assert story.ended().status is Status.COMPLETED
