"""A wait and its answer at every point where they can meet: before and after each call of a port, one by one.

The watchdog makes good what a lost wake-up delays, so an order's end shows nothing of it; here nobody comes to help.
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
from workflows.sagas.actions import Step, take_step
from workflows.sagas.runs import relay
from workflows.simulation.wire import Port, ProcessKilled

TOKEN = "a token"
POINTS_MAX = 100
"""Two a call of a port; no step makes fifty calls."""


class Interruption:
    """A wire on which something else happens at one point."""

    def __init__(self, point: int, happens: Callable[[], object]) -> None:
        self.left = point
        self._happens = happens

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
            self._happens()


def interrupted(shop: Shop, wire: Any) -> Engine:
    """A process whose ports are behind the wire."""
    lost: Any = None
    return replace(
        shop.engine,
        log=Port(wire, "log", shop.log, lost),
        documents=Port(wire, "documents", shop.documents, lost),
        executions=Port(wire, "executions", shop.executions, lost),
        kitchen=Port(wire, "kitchen", Deaf(), lost),
        couriers=Port(wire, "couriers", Deaf(), lost),
    )


class Deaf:
    """A kitchen and couriers that take every request; what they answer is told by the test."""

    def send_ticket(self, **_: object) -> None: ...

    def offer(self, **_: object) -> None: ...


def follow(shop: Shop, engine: Engine) -> None:
    """What the feed brings of the newest commit of the order."""
    *_, newest = shop.log.read(f"order#{s.ORDER_ID}")
    relay(engine, newest, "OrderMachine")


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
    """The order so far; a task of its run 1 waits with the token."""
    shop = Shop()
    shop.tell(*lines)
    shop.executions.waiting.add(TOKEN)
    return shop


@pytest.mark.parametrize(("action", "so_far", "answer"), WAITS)
def test_an_answer_is_heard_whenever_it_comes(
    action: str, so_far: tuple[s.StoryLine, ...], answer: s.StoryLine
) -> None:
    """A wait is registered first, and then the log is read: the answer is seen by the one or the other."""
    for point in range(1, POINTS_MAX):  # at 0 the step has not read yet which question is open
        shop = played(so_far)

        def happens(shop: Shop = shop) -> None:
            shop.tell(answer)
            follow(shop, shop.engine)

        wire = Interruption(point, happens)
        take_step(interrupted(shop, wire), Step(order_id=s.ORDER_ID, run=1, action=action, token=TOKEN))
        if not wire.came:
            return
        assert shop.executions.waiting == set(), f"the answer came at point {point}, and nobody was woken"
    pytest.fail("the step has no end")


@pytest.mark.parametrize(("action", "so_far", "answer"), WAITS)
def test_who_is_to_be_woken_is_woken_though_the_process_dies_while_it_does(
    action: str, so_far: tuple[s.StoryLine, ...], answer: s.StoryLine
) -> None:
    """A wait is forgotten only after its task ended: the message comes again, and has to find it."""
    for point in range(POINTS_MAX):
        shop = played(so_far)
        nothing = Interruption(POINTS_MAX * 2, lambda: None)
        take_step(interrupted(shop, nothing), Step(order_id=s.ORDER_ID, run=1, action=action, token=TOKEN))
        shop.tell(answer)
        wire = Interruption(point, _die)
        try:
            follow(shop, interrupted(shop, wire))
        except ProcessKilled:
            follow(shop, shop.engine)
        assert shop.executions.waiting == set(), f"the process died at point {point}, and nobody was woken"
        if not wire.came:
            return
    pytest.fail("the relay has no end")


def _die() -> None:
    raise ProcessKilled


def test_a_timeout_is_recorded_for_the_question_that_was_waited_for() -> None:
    """The offer was declined at the last moment and the next one made: nobody was silent about that one yet."""
    shop = played(s.ACCEPTED)
    nothing = Interruption(POINTS_MAX, lambda: None)
    take_step(interrupted(shop, nothing), Step(order_id=s.ORDER_ID, run=1, action="request_courier", token=TOKEN))
    shop.tell(s.courier_declined())
    take_step(shop.engine, Step(order_id=s.ORDER_ID, run=1, action="record_timeout", waited="request_courier"))
    states = [offer.state for offer in shop.order().delivery.offers]
    assert states == [OfferState.DECLINED, OfferState.REQUESTED]
