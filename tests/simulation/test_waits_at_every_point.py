"""A wait and its answer interleaved at every point: before and after each call of a port, one by one.

The watchdog would repair a lost notification, so an order's end does not show it. Here no watchdog runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.order.delivery import OfferState
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.engine import Engine
from workflows.sagas.actions import SagaStep, take_step
from workflows.settings import read
from workflows.simulation.wire import Port, ProcessKilled
from workflows.upkeep.on_commit import follow_commit
from workflows.upkeep.settings import read_upkeep

TOKEN = "a token"
POINTS_MAX = 100
"""There are two points a call, and no step makes fifty calls."""


class Interruption:
    """A wire that runs an action at one point."""

    def __init__(self, point: int, action: Callable[[], object]) -> None:
        self.left = point
        self._action = action

    @property
    def came(self) -> bool:
        return self.left < 0

    def carry(self, port: str, method: str, act: Callable[[], Any], lost: object) -> Any:
        self._pass()
        result = act()
        self._pass()
        return result

    def _pass(self) -> None:
        self.left -= 1
        if self.left == -1:
            self._action()


def interrupted(shop: Shop, wire: Any) -> Engine:
    """Build a process whose ports use the wire."""
    lost: Any = None
    return replace(
        shop.engine,
        log=Port(wire, "log", shop.log, lost),
        documents=Port(wire, "documents", shop.documents, lost),
        executions=Port(wire, "executions", shop.executions, lost),
        kitchen=Port(wire, "kitchen", Accepting(), lost),
        couriers=Port(wire, "couriers", Accepting(), lost),
    )


class Accepting:
    """A kitchen and couriers that accept every request; the test itself records their answers."""

    def send_ticket(self, **_: object) -> None: ...

    def offer(self, **_: object) -> None: ...


def deliver_newest(shop: Shop, engine: Engine) -> None:
    """Deliver the newest commit of the order through the feed."""
    *_, newest = shop.log.read(f"order#{s.ORDER_ID}")
    follow_commit(engine, newest, read({"ORDER_MACHINE": "OrderMachine"}, read_upkeep))


WAITS = [
    pytest.param("request_preparation", s.AUTHORIZED, s.accepted(), id="a ticket sent, and accepted"),
    pytest.param("await_acceptance", s.AUTHORIZED, s.rejected(), id="a ticket that is rejected"),
    pytest.param("await_readiness", s.ACCEPTED, s.ready(), id="a meal that gets ready"),
    pytest.param("request_courier", s.ACCEPTED, s.assigned(), id="an offer made, and taken"),
    pytest.param("request_courier", s.ACCEPTED, s.courier_declined(), id="an offer that is declined"),
    pytest.param("await_pickup", s.READY, s.picked_up(), id="a courier who picks up"),
    pytest.param("await_delivery", s.PICKED_UP, s.delivered(), id="a meal that is delivered"),
    pytest.param("await_delivery", s.PICKED_UP, s.failed(), id="a delivery that fails"),
    pytest.param("await_readiness", s.ACCEPTED, s.cancel(), id="a cancellation"),
]


def played(lines: tuple[s.StoryLine, ...]) -> Shop:
    """Build a shop with the order so far. A task of the order's run 1 waits for the token."""
    shop = Shop()
    shop.play(*lines)
    shop.executions.waiting.add(TOKEN)
    return shop


@pytest.mark.parametrize(("action", "so_far", "answer"), WAITS)
def test_an_answer_ends_the_wait_at_every_point(
    action: str, so_far: tuple[s.StoryLine, ...], answer: s.StoryLine
) -> None:
    """A wait is registered first, and then the log is read. Either the registration or the reading finds the answer."""
    for point in range(1, POINTS_MAX):  # at 0 the step has not read yet which intent is open
        shop = played(so_far)

        def answer_now(shop: Shop = shop) -> None:
            shop.play(answer)
            deliver_newest(shop, shop.engine)

        wire = Interruption(point, answer_now)
        take_step(interrupted(shop, wire), SagaStep(order_id=s.ORDER_ID, run=1, action=action, token=TOKEN))
        if not wire.came:
            return
        assert shop.executions.waiting == set(), f"the answer came at point {point}, and the task still waits"
    pytest.fail("the step makes too many calls")


@pytest.mark.parametrize(("action", "so_far", "answer"), WAITS)
def test_a_wait_ends_even_if_the_notifying_process_is_killed(
    action: str, so_far: tuple[s.StoryLine, ...], answer: s.StoryLine
) -> None:
    """A wait is deleted only after its task ended: the feed's message is delivered again and must find it."""
    for point in range(POINTS_MAX):
        shop = played(so_far)
        nothing = Interruption(POINTS_MAX * 2, lambda: None)
        take_step(interrupted(shop, nothing), SagaStep(order_id=s.ORDER_ID, run=1, action=action, token=TOKEN))
        shop.play(answer)
        wire = Interruption(point, _kill)
        try:
            deliver_newest(shop, interrupted(shop, wire))
        except ProcessKilled:
            deliver_newest(shop, shop.engine)
        assert shop.executions.waiting == set(), f"the process was killed at point {point}, and the task still waits"
        if not wire.came:
            return
    pytest.fail("the relay makes too many calls")


def _kill() -> None:
    raise ProcessKilled


def test_a_timeout_is_recorded_for_the_intent_that_was_waited_for() -> None:
    """The offer was declined at the last moment and another one made. The timeout does not belong to the new offer."""
    shop = played(s.ACCEPTED)
    nothing = Interruption(POINTS_MAX, lambda: None)
    take_step(interrupted(shop, nothing), SagaStep(order_id=s.ORDER_ID, run=1, action="request_courier", token=TOKEN))
    shop.play(s.courier_declined())
    take_step(shop.engine, SagaStep(order_id=s.ORDER_ID, run=1, action="record_timeout", waited="request_courier"))
    states = [offer.state for offer in shop.order().delivery.offers]
    assert states == [OfferState.DECLINED, OfferState.REQUESTED]
