"""An order without faults, from placing to capture."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from domain.order.books import books
from domain.order.order import Status
from tests.sagas.conftest import Place, Story, eur
from workflows.embedded.files import DATABASE
from workflows.sandbox.opening import SANDBOX


def delivered(story: Story) -> Story:
    story.accept().assign().ready().pick_up().deliver().ended()
    return story


def test_a_happy_order_is_eight_commits_and_ends_completed(place: Place) -> None:
    """Placed, authorized, accepted, assigned, ready, picked up, delivered, captured: one commit each."""
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


def test_the_payment_method_is_in_no_file_of_the_engine_and_in_no_log_line(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in events, documents and journals of executions, nor in what is published: the provider alone gets it."""
    caplog.set_level(logging.DEBUG)
    delivered(place("pm_ok_0123456789"))
    place("pm_declined_0123456789").ended()
    files = [file for file in tmp_path.rglob("*") if file.is_file() and not file.name.startswith(SANDBOX)]
    assert any(file.name == DATABASE for file in files)
    assert not [file.name for file in files if b"0123456789" in file.read_bytes()]
    assert "0123456789" not in caplog.text


def test_a_happy_order_enters_at_most_twelve_states_of_standard_machines(place: Place, capsys) -> None:
    """State entries are most of what an order costs on AWS. Express children are counted apart."""
    entries = delivered(place()).state_entries()
    with capsys.disabled():
        print(f"\nstate entries of a happy order: {entries.standard} standard, {entries.express} express")
    assert entries.standard <= 12
    assert entries.express <= 1


def test_unavailable_items_are_not_charged(place: Place) -> None:
    """Of two pizzas and water only one pizza is available: 28.00 were authorized, 15.00 are captured."""
    story = delivered(place().lack(1, 1).lack(2, 0))
    assert books(story.order).captured == eur(1500)
    position = story.position
    assert position is not None
    assert (position.held, position.captured, position.released) == (eur(0), eur(1500), eur(1300))


def test_a_report_that_arrives_before_its_wait_is_not_lost(place: Place) -> None:
    """The meal may be ready before a courier accepts, and picked up before the machine waits for the pickup."""
    story = place()
    story.accept().ready().assign().pick_up().deliver()
    assert story.ended().status is Status.COMPLETED
