"""What a support person reads."""

from __future__ import annotations

from typing import get_args

import pytest

from domain.order.events import Event
from workflows.cli import wording


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_has_words_of_its_own(kind: type) -> None:
    """A timeline never falls back on a type's name for an event of this version."""
    assert kind.__name__ in wording._WORDS


def test_an_event_of_a_newer_engine_is_shown_by_its_name() -> None:
    """Nothing is left out of a timeline."""
    assert wording.in_words("MealWarmedUp", {}) == "Meal warmed up"


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-03-01T12:00:00.000000Z", "+0.0s"),
        ("2026-03-01T12:00:00.437000Z", "+0.4s"),
        ("2026-03-01T12:00:38.900000Z", "+38s"),
        ("2026-03-01T12:03:53.000000Z", "+3m53"),
        ("2026-03-01T13:23:00.000000Z", "+1h23"),
        ("2026-03-01T11:59:59.000000Z", "+0.0s"),
    ],
)
def test_time_since_placing_is_said_as_people_say_it(then: str, said: str) -> None:
    """Seconds while they matter, then minutes, then hours; a clock that went back is no negative time."""
    assert wording.since("2026-03-01T12:00:00.000000Z", then) == said


def test_a_decline_says_why() -> None:
    """Reasons are codes of the outside; they read as words."""
    assert (
        wording.in_words("PaymentDeclined", {"reason": "insufficient_funds"}) == "Payment declined: insufficient funds"
    )


def test_a_cancellation_names_who_asked_and_who_is_at_fault() -> None:
    """The two are not the same: a restaurant may cancel because the customer asked it to."""
    data = {
        "cause": "asked",
        "fault": "customer",
        "by": {"role": "customer", "id": "cus-1"},
        "reason": "ordered by mistake",
    }
    said = wording.in_words("CancellationRequested", data)
    assert said == "Cancelling by customer cus-1: ordered by mistake (at fault: customer)"


def test_a_line_that_is_out_of_stock_names_the_line() -> None:
    """A restaurant runs out of one thing at a time."""
    assert wording.in_words("ItemUnavailable", {"line": 2, "available": 0}).startswith("Line 2 is out of stock, none")
