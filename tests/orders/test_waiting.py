"""What an order waits for and until when, as readers of the order see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identifiers import SYSTEM
from tests.domain.order import stories as s
from workflows.clock import read_timestamp
from workflows.event_store.commits import Meta, RecordedEvent
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience
from workflows.orders.waiting import waits_now
from workflows.settings import read
from workflows.time_budgets import TIMEOUTS, Awaiting, read_budgets

TIMEOUTS_S = {"acceptance": 600, "readiness": 7200, "assignment": 180, "pickup": 5400, "delivery": 7260}
BUDGETS = read({TIMEOUTS[Awaiting(what)][0]: str(seconds) for what, seconds in TIMEOUTS_S.items()}, read_budgets)


def recorded(story: s.Story) -> list[RecordedEvent]:
    """The order's events, recorded one after another from noon on, a minute apart."""
    meta = Meta(SYSTEM, "", "", "")
    return [
        RecordedEvent(version, event, f"k{version}", f"2026-05-04T12:{version:02}:00.000000Z", meta)
        for version, event in enumerate(story.events, start=1)
    ]


def waiting(*lines: s.StoryLine) -> list[dict]:
    """What the order with these events waits for, as the API shows it."""
    story = s.given(*lines)
    waits = waits_now(story.order, recorded(story), BUDGETS)
    return order_view(story.order, Audience.CUSTOMER, waits)["waiting"]


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        (s.AUTHORIZED, {"acceptance"}),
        (s.ACCEPTED, {"readiness", "assignment"}),
        (s.ASSIGNED, {"readiness", "pickup"}),
        (s.READY, {"pickup"}),
        (s.PICKED_UP, {"delivery"}),
    ],
)
def test_each_answer_is_shown_with_the_time_when_the_state_machine_stops_waiting_for_it(lines, answers):
    """That is the machine's timeout after the wait began, without the watchdog's margin."""
    shown = waiting(*lines)
    assert {wait["what"] for wait in shown} == answers
    for wait in shown:
        timeout = read_timestamp(wait["until"]) - read_timestamp(wait["since"])
        assert timeout == timedelta(seconds=TIMEOUTS_S[wait["what"]])


def test_a_wait_begins_with_the_event_that_it_follows():
    """The restaurant's time to cook begins when it accepts, not when it was asked."""
    story = s.given(*s.ASSIGNED)
    events = {type(event.event).__name__: event.ts for event in recorded(story)}
    since = {wait["what"]: wait["since"] for wait in waiting(*s.ASSIGNED)}
    assert since == {"readiness": events["PreparationAccepted"], "pickup": events["CourierAssigned"]}


def test_a_new_run_waits_from_its_own_beginning():
    """Its state machine starts the timeout again."""
    story = s.given(*s.READY, s.restart())
    (wait,) = waiting(*s.READY, s.restart())
    assert wait["since"] == recorded(story)[-1].ts


@pytest.mark.parametrize(
    ("lines", "what"),
    [(s.PLACED, "authorization"), (s.DELIVERED, "settlement"), ((*s.AUTHORIZED, s.cancel()), "compensation")],
)
def test_a_wait_for_a_provider_has_no_deadline(lines, what):
    """It ends when a retry succeeds, and no one can say when that is."""
    (wait,) = waiting(*lines)
    assert (wait["what"], wait["until"]) == (what, None)


@pytest.mark.parametrize("lines", [s.COMPLETED, (*s.AUTHORIZED, s.park())], ids=["completed", "parked"])
def test_an_order_that_is_not_running_waits_for_nothing(lines):
    """A parked order needs a person; an ended one needs nothing."""
    assert waiting(*lines) == []


def test_a_past_state_shows_no_waits():
    """An empty list would mean that the order waited for nothing then."""
    assert "waiting" not in order_view(s.given(*s.AUTHORIZED).order, Audience.CUSTOMER)
