"""The relay: starts the runs that the log says have begun, and wakes whom its news answers or overtakes."""

from __future__ import annotations

import pytest

from domain.order.commands import Awaited
from domain.order.questions import awaited_intent
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.breakers.dependencies import Dependency
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.sagas.waits import AWAIT_CIRCUIT, AnswerWait, register
from workflows.settings import read
from workflows.upkeep.on_commit import follow_commit
from workflows.upkeep.settings import read_upkeep

UPKEEP = read({"ORDER_MACHINE": "OrderMachine"}, read_upkeep)


def follow(shop: Shop) -> None:
    for commit in shop.log.read(f"order#{s.ORDER_ID}"):
        follow_commit(shop.engine, commit, UPKEEP)


def test_each_run_is_started_once_by_its_name() -> None:
    """However often the feed brings the news of it."""
    shop = Shop()
    shop.tell(*s.ACCEPTED, s.restart())
    follow(shop)
    follow(shop)
    assert shop.executions.started == [f"{s.ORDER_ID}-1", f"{s.ORDER_ID}-2"]


def test_who_waits_in_a_run_that_was_taken_over_is_told_so() -> None:
    """No token outlives its wait: nobody will answer the older run any more."""
    shop = Shop()
    order = shop.tell(*s.ACCEPTED)
    asked = awaited_intent(order, Awaited.READINESS)
    assert asked is not None
    shop.executions.waiting.add("a token")
    wait = AnswerWait(
        order_id=s.ORDER_ID, run=1, action="", awaited=Awaited.READINESS, intent_version=asked, token="a token"
    )
    register(shop.documents, wait)
    shop.tell(s.restart())
    follow(shop)
    assert shop.executions.woken == [("a token", "RunSuperseded")]


@pytest.mark.parametrize(
    ("action", "woken"),
    [(AWAIT_CIRCUIT, [("a token", "CancellationAsked")]), ("await_circuit_to_undo", [])],
    ids=["to go forward", "to undo"],
)
def test_a_cancellation_stops_who_waits_for_a_circuit_to_go_forward_only(action: str, woken: list[object]) -> None:
    """Who waits to undo does what the cancellation wants."""
    shop = Shop()
    shop.tell(*s.ACCEPTED, s.cancel())
    shop.executions.waiting.add("a token")
    breaker = shop.engine.breakers[Dependency.PAYMENTS]
    breaker.hold_open(s.SUPPORT, "a test")
    wait = CircuitWait(
        order_id=s.ORDER_ID,
        run=1,
        action=action,
        dependency=Dependency.PAYMENTS,
        opened=str(breaker.read().opened),
        since=shop.clock.now(),
        token="a token",
    )
    circuit_waits.register(shop.documents, shop.executions, breaker, wait)
    follow(shop)
    assert shop.executions.woken == woken
