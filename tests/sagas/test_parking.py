"""Internal faults park the order: nothing is compensated, and the log shows support what happened."""

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
    """The meal is delivered, so nothing is compensated; support decides about the money."""
    story = place("pm_capture_refused").accept().assign().ready().pick_up().deliver()
    assert parked(story).error == "OrderNotSettled"
    assert "CancellationRequested" not in story.kinds


def test_an_undo_that_is_refused_parks_the_order_after_everything_else_was_undone(place: Place) -> None:
    """A failed compensation does not stop the others, and the error name shows that the order was compensating."""
    story = place("pm_void_refused").accept().assign().cancel()
    event = parked(story)
    assert event.error == "CompensationUnfinished"
    assert {"PreparationCancelled", "CourierReleased", "PaymentVoidRefused"} <= set(story.kinds)


def test_an_outage_of_payments_parks_no_order(place: Place) -> None:
    """The circuit opens, and the order waits until it closes."""
    story = place(sandbox=DOWN)
    engine = story.engine.ports

    def opened(_: object) -> bool:
        now = story.now()
        history = transitions(engine.log, Dependency.PAYMENTS, now - timedelta(hours=1), now)
        return any(isinstance(transition.event, CircuitOpened) for transition in history)

    order = story.until(opened)
    assert order.run_state is RunState.RUNNING
    assert story.cancel().order.run_state is RunState.RUNNING
