"""Faults that are ours, not the order's: nothing is undone, and a person can read what happened."""

from __future__ import annotations

from domain.events import OrderParked
from tests.sagas.conftest import Place
from workflows.gateways.sandbox.settings import PaymentSettings, SandboxSettings, WireSettings

DOWN = SandboxSettings(payment=PaymentSettings(wire=WireSettings(lost_before_rate=1.0)))


def test_a_provider_that_stays_silent_parks_the_order_under_the_name_of_the_fault(place: Place) -> None:
    """The name is that of the first error, however many machines it went through."""
    story = place(sandbox=DOWN)
    order = story.parked()
    assert order.cancellation is None
    parked = story.events[-1]
    assert isinstance(parked, OrderParked)
    assert parked.error == "PaymentsUnavailable"
    assert "ask again" in parked.detail


def test_cancelling_a_parked_order_starts_the_run_that_compensates(place: Place) -> None:
    """Nobody else would: the run that parked it has ended."""
    story = place(sandbox=DOWN)
    story.parked()
    assert story.cancel().until(lambda order: order.run == 2)
