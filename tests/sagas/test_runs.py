"""The relay starts the runs that the log began, and ends the waits that a commit answers or supersedes."""

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
    """The feed may deliver the commit that began it several times."""
    shop = Shop()
    shop.play(*s.ACCEPTED, s.restart())
    follow(shop)
    follow(shop)
    assert shop.executions.started == [f"{s.ORDER_ID}-1", f"{s.ORDER_ID}-2"]


def test_a_wait_of_a_superseded_run_is_ended() -> None:
    """No report is applied to an older run, so its task fails at once instead of timing out."""
    shop = Shop()
    order = shop.play(*s.ACCEPTED)
    ticket = awaited_intent(order, Awaited.READINESS)
    assert ticket is not None
    shop.executions.waiting.add("a token")
    wait = AnswerWait(
        order_id=s.ORDER_ID, run=1, action="", awaited=Awaited.READINESS, intent_version=ticket, token="a token"
    )
    register(shop.documents, wait)
    shop.play(s.restart())
    follow(shop)
    assert shop.executions.woken == [("a token", "RunSuperseded")]


@pytest.mark.parametrize(
    ("action", "woken"),
    [(AWAIT_CIRCUIT, [("a token", "CancellationAsked")]), ("await_circuit_to_undo", [])],
    ids=["to go forward", "to undo"],
)
def test_a_cancellation_ends_forward_waits_for_a_circuit_but_not_compensation_waits(
    action: str, woken: list[object]
) -> None:
    """A compensation wait already does the work of the cancellation."""
    shop = Shop()
    shop.play(*s.ACCEPTED, s.cancel())
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
