"""A provider that refuses our credential: a few orders are parked with that error, the others wait."""

from __future__ import annotations

from time import monotonic
from typing import Any, NoReturn

import pytest

from domain.order.events import OrderParked
from domain.order.order import RunState
from tests.sagas.conftest import DEADLINE_S, Place, Story
from workflows.breakers.dependencies import Dependency
from workflows.breakers.settings import DEFAULTS
from workflows.gateways.errors import CredentialRefused
from workflows.sagas.circuit_waits import waits_of
from workflows.sandbox.payment import SandboxPayments


def test_a_refused_credential_parks_few_orders_under_its_name_and_stops_the_others_at_the_circuit(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault needs an operator, so it must be visible, but it must not park every order until then."""

    def refused(_: SandboxPayments, **call: Any) -> NoReturn:
        raise CredentialRefused(call["key"], "the provider refused our credential (HTTP 401)")

    monkeypatch.setattr(SandboxPayments, "authorize", refused)
    opens_after = DEFAULTS[Dependency.PAYMENTS].failures_min
    few = [_parked(place()) for _ in range(opens_after)]
    assert {event.error for event in few} == {"CredentialRefused"}
    assert "replace the credential" in few[0].detail
    assert all("repeat the same call" not in event.detail for event in few)
    assert _waits_for_the_circuit(place())


def _waits_for_the_circuit(story: Story) -> bool:
    """Return whether the order's run registered a wait for payments. The next probe is much later."""
    documents, deadline = story.engine.ports.documents, monotonic() + DEADLINE_S
    while not any(waits_of(documents, story.order_id)) and monotonic() < deadline:
        assert story.order.run_state is RunState.RUNNING
    return any(waits_of(documents, story.order_id))


def _parked(story: Story) -> OrderParked:
    story.parked()
    event = story.events[-1]
    assert isinstance(event, OrderParked)
    return event
