"""Faults that are ours, not the order's: nothing is undone, and a person can read what happened."""

from __future__ import annotations

from datetime import timedelta

from domain.order.events import OrderParked
from domain.order.order import RunState
from tests.sagas.conftest import Place, Story
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitOpened
from workflows.breakers.transitions import transitions
from workflows.sandbox.settings import NetworkSettings, PaymentSettings, SandboxSettings

DOWN = SandboxSettings(payment=PaymentSettings(network=NetworkSettings(lost_before_rate=1.0)))


def parked(story: Story) -> OrderParked:
    story.parked()
    event = story.events[-1]
    assert isinstance(event, OrderParked)
    return event


def test_an_order_whose_capture_is_refused_is_parked_and_keeps_what_it_did(place: Place) -> None:
    """The meal is eaten: nothing goes back. A person decides what becomes of the money."""
    story = place("pm_capture_refused").accept().assign().ready().pick_up().deliver()
    assert parked(story).error == "OrderNotSettled"
    assert "CancellationRequested" not in story.kinds


def test_an_undo_that_is_refused_parks_the_order_after_everything_else_was_undone(place: Place) -> None:
    """One that fails does not hold up the others, and the name says that it was in the middle of giving back."""
    story = place("pm_void_refused").accept().assign().cancel()
    event = parked(story)
    assert event.error == "CompensationUnfinished"
    assert {"PreparationCancelled", "CourierReleased", "PaymentVoidRefused"} <= set(story.kinds)


def test_payments_that_are_down_park_nobody(place: Place) -> None:
    """The circuit opens, and the order waits for the fact that it closed."""
    story = place(sandbox=DOWN)
    engine = story.engine.ports

    def opened(_: object) -> bool:
        now = story.now()
        found = transitions(engine.log, Dependency.PAYMENTS, now - timedelta(hours=1), now)
        return any(isinstance(transition.event, CircuitOpened) for transition in found)

    order = story.until(opened)
    assert order.run_state is RunState.RUNNING
    assert story.cancel().order.run_state is RunState.RUNNING
