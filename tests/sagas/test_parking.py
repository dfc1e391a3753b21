"""Internal faults park the order: nothing is compensated, and the log shows support what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import AbandonOrder
from domain.order.events import Fault, OrderParked
from domain.order.order import RunState
from tests.sagas.conftest import Place, Story
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitOpened
from workflows.breakers.transitions import transitions
from workflows.gateways.payment import PaymentsUnavailable
from workflows.orders.command_handling import Caller, handle
from workflows.sandbox.payment import SandboxPayments
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


def test_an_order_whose_payment_method_was_erased_is_parked_and_can_be_abandoned(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt may have held the amount, and none can be repeated: a person gives the authorization up."""

    def no_answer(_: SandboxPayments, **call: Any) -> NoReturn:
        raise PaymentsUnavailable(call["key"], "no answer")

    monkeypatch.setattr(SandboxPayments, "authorize", no_answer)
    story = place()
    keyring = story.log._codec._keyring  # type: ignore[attr-defined]  # the engine destroys no key by itself
    assert keyring.destroy("cus_1", keyring.key_id_of("cus_1"))
    event = parked(story)
    assert event.error == "PaymentMethodErased"
    assert "abandon the order" in event.detail
    assert "CancellationRequested" not in story.kinds
    handle(
        story.log,
        AbandonOrder(fault=Fault.CUSTOMER, by=SYSTEM, reason=""),
        order_id=story.order_id,
        key="abandon",
        caller=Caller(SYSTEM, "test", "test"),
    )
    story.ended()
    assert story.kinds[-2:] == ["WrittenOff", "OrderAbandoned"]
