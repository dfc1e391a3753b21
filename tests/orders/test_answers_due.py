"""How long an order waits for a restaurant or a courier, as readers of the order see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identifiers import SYSTEM
from tests.domain.order import stories as s
from workflows.clock import read_timestamp
from workflows.event_store.commits import Meta, RecordedEvent
from workflows.orders.views import answers_due, order_view
from workflows.settings import read
from workflows.time_budgets import read_budgets

SETTINGS = {"KITCHEN_ANSWER_SECONDS": "600", "COURIER_ANSWER_SECONDS": "180"}


def recorded(order: s.Story) -> list[RecordedEvent]:
    """The order's events, recorded one after another from noon on."""
    meta = Meta(SYSTEM, "", "", "")
    return [
        RecordedEvent(version, event, f"k{version}", f"2026-05-04T12:{version:02}:00.000000Z", meta)
        for version, event in enumerate(order.events, start=1)
    ]


@pytest.mark.parametrize(
    ("lines", "intent", "timeout"),
    [
        (s.AUTHORIZED, "PreparationRequested", timedelta(seconds=600)),
        (s.ACCEPTED, "CourierRequested", timedelta(seconds=180)),
    ],
)
def test_an_answer_is_due_when_the_machine_stops_waiting_for_it(lines, intent, timeout):
    """That is the machine's timeout after the request was recorded, without the watchdog's margin."""
    given = s.given(*lines)
    events = recorded(given)
    due = answers_due(given.order, events, read(SETTINGS, read_budgets))
    (pending,) = [each for each in order_view(given.order, personal=True, due=due)["pending"] if "until" in each]
    asked_at = read_timestamp(events[pending["version"] - 1].ts)
    assert (pending["intent"], read_timestamp(pending["until"]) - asked_at) == (intent, timeout)


def test_nothing_is_due_on_an_order_that_is_not_running():
    """A parked or ended order waits for a person or for nothing; an outcome of the provider has no time either."""
    for lines in (s.COMPLETED, s.PLACED):
        given = s.given(*lines)
        assert answers_due(given.order, recorded(given), read(SETTINGS, read_budgets)) == {}
