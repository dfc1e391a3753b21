"""After an upgrade: no order is lost because another version of Expediter wrote documents in another shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from domain.identifiers import Actor, Role
from domain.order.commands import Awaited
from domain.order.order import RunState
from domain.order.questions import awaited_intent
from tests.breakers import circuits
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.event_store.documents import ANY, Document
from workflows.in_memory.documents import InMemoryDocuments
from workflows.incidents import bulk_jobs
from workflows.incidents.bulk_actions import BulkAction, BulkTask, plan_all
from workflows.incidents.bulk_store import Job
from workflows.incidents.incidents import list_parked
from workflows.incidents.refusals import NoSuchJob
from workflows.projections.open_orders import open_order, open_orders, refresh
from workflows.sagas import circuit_waits, waits
from workflows.settings import read
from workflows.time_budgets import read_budgets
from workflows.upkeep.on_commit import follow_commit
from workflows.upkeep.on_tick import keep_time
from workflows.upkeep.settings import UpkeepSettings
from workflows.upkeep.watchdog import check_rows, watch

BUDGETS = read({}, read_budgets)
UPKEEP = UpkeepSettings(order_machine="OrderMachine", budgets=BUDGETS)
ORDER_ID = s.ORDER_ID
SUPPORT = Actor(Role.SUPPORT, "anna")

UNKNOWN_SHAPES: list[Mapping[str, Any]] = [{}, {"version": "7"}, {"shape": {"of": ["another", "version"]}}]
each_shape = pytest.mark.parametrize("body", UNKNOWN_SHAPES, ids=["empty", "other type", "other fields"])


def rewrite_all(documents: InMemoryDocuments, body: Mapping[str, Any]) -> int:
    """Give every stored document a body of unknown shape. Return how many there were."""
    stored = _all(documents)
    for document in stored:
        documents.put(Document(document.pk, document.sk, body), ANY)
    return len(stored)


def shop_with_waits() -> Shop:
    """Return a shop with one order that has a document of each kind that orders have."""
    shop = Shop()
    order = shop.play(*s.AUTHORIZED)
    refresh(shop.engine, ORDER_ID, BUDGETS)
    intent_version = awaited_intent(order, Awaited.ACCEPTANCE)
    assert intent_version is not None
    shop.executions.waiting |= {"token of the answer", "token of the circuit"}
    waits.register(
        shop.documents,
        waits.AnswerWait(
            order_id=ORDER_ID,
            run=order.run,
            action="send_ticket",
            awaited=Awaited.ACCEPTANCE,
            intent_version=intent_version,
            token="token of the answer",
        ),
    )
    breaker = shop.engine.breakers[Dependency.KITCHEN]
    breaker.hold_open(SUPPORT, "maintenance")
    circuit_waits.register(
        shop.documents,
        shop.executions,
        breaker,
        circuit_waits.CircuitWait(
            order_id=ORDER_ID,
            run=order.run,
            action=waits.AWAIT_CIRCUIT,
            dependency=Dependency.KITCHEN,
            opened=str(breaker.read().opened),
            since=shop.clock.now(),
            token="token of the circuit",
        ),
    )
    check_rows(shop.engine, UPKEEP)
    return shop


@each_shape
def test_the_next_round_of_the_watchdog_recomputes_every_row_of_unknown_shape(body):
    """A row can be recomputed from the log, so an upgrade needs no migration: the order is seen again in a minute."""
    shop = shop_with_waits()
    row = open_order(shop.documents, ORDER_ID)
    assert row is not None
    rewrite_all(shop.documents, body)
    assert list(open_orders(shop.documents)) == []
    assert watch(shop.engine, UPKEEP).failed == []
    assert list(open_orders(shop.documents)) == [row]
    assert shop.executions.started != []


def test_a_row_with_the_former_name_of_a_field_is_ignored():
    """``intent_version`` was once stored as ``question``; such a row is recomputed."""
    shop = shop_with_waits()
    row = open_order(shop.documents, ORDER_ID)
    (stored,) = [document for document in _all(shop.documents) if document.pk.startswith("open-orders#")]
    former = [{**awaited, "question": awaited["intent_version"]} for awaited in stored.body["awaits"]]
    for awaited in former:
        del awaited["intent_version"]
    shop.documents.put(Document(stored.pk, stored.sk, {**stored.body, "awaits": former}), ANY)
    assert open_order(shop.documents, ORDER_ID) is None
    assert refresh(shop.engine, ORDER_ID, BUDGETS) == row
    assert open_order(shop.documents, ORDER_ID) == row


@each_shape
def test_an_order_with_only_documents_of_unknown_shape_moves_on(body):
    """Its next commit is followed, the timer runs, and the watchdog replaces the task whose wait cannot be read."""
    shop = shop_with_waits()
    assert rewrite_all(shop.documents, body) >= 6
    commit = next(iter(shop.log.scan(None)))
    follow_commit(shop.engine, commit, UPKEEP)
    breaker = shop.engine.breakers[Dependency.KITCHEN]
    breaker.close(SUPPORT, "works again")
    run = shop.order().run
    for _ in range(5):  # past every time budget
        shop.clock.advance(minutes=10)
        assert keep_time(shop.engine, UPKEEP, for_s=0, pause=lambda _: None)["failed"] == []
    assert shop.order().run > run
    assert shop.order().run_state is RunState.RUNNING


@each_shape
def test_the_row_of_an_ended_order_is_deleted_although_its_shape_is_unknown(body):
    """Otherwise it would be recomputed in every round."""
    shop = Shop()
    shop.play(*s.PLACED)
    refresh(shop.engine, ORDER_ID, BUDGETS)
    rewrite_all(shop.documents, body)
    shop.play(s.declined())
    assert shop.order().run_state is RunState.ENDED
    refresh(shop.engine, ORDER_ID, BUDGETS)
    assert [document for document in _all(shop.documents) if document.pk.startswith("open-orders#")] == []


@each_shape
def test_an_open_circuit_stays_open_although_the_shape_of_its_document_is_unknown(body):
    """The circuit is rebuilt from its stream."""
    world = circuits.World()
    world.open()
    rewrite_all(world.documents, body)
    assert world.state is CircuitState.OPEN
    assert world.refuses(1)


@each_shape
def test_waits_of_unknown_shape_do_not_keep_the_timer_busy(body):
    """They are deleted from the queue, and the orders behind them are released."""
    world = circuits.World()
    world.open()
    world.wait(1)
    world.clock.advance(1)
    rewrite_all(world.documents, body)
    world.wait(2)
    world.breaker.close(circuits.ALICE, "works")
    for _ in range(5):
        world.clock.advance(5)
        world.tick()
    assert world.woken("closed") == [circuits.order(2)]
    assert not circuit_waits.has_waits(world.documents, world.dependency)


@each_shape
def test_a_bulk_job_of_unknown_shape_is_dropped_and_its_orders_stay_parked(body):
    """After a round of the watchdog they are listed as incidents again and can be retried under another key."""
    shop = Shop()
    shop.play(*s.AUTHORIZED, s.park())
    refresh(shop.engine, ORDER_ID, BUDGETS)

    def begin(key: str) -> Job:
        task = BulkTask(action=BulkAction.RETRY, actor=SUPPORT, reason="fixed")
        return bulk_jobs.begin(shop.engine, plan_all(shop.log, task, [ORDER_ID], shop.clock.now()), per_s=1, key=key)

    job = begin("first")
    rewrite_all(shop.documents, body)
    assert bulk_jobs.running(shop.engine) == []
    with pytest.raises(NoSuchJob):
        bulk_jobs.read(shop.engine, job.id)
    keep_time(shop.engine, UPKEEP, for_s=0, pause=lambda _: None)
    assert [row.order_id for row, _ in list_parked(shop.documents)] == [ORDER_ID]
    shop.clock.advance(seconds=1)
    again = begin("second")
    shop.clock.advance(seconds=2)
    bulk_jobs.advance(shop.engine, again.id)
    assert shop.order().run_state is RunState.RUNNING


def _all(documents: InMemoryDocuments) -> list[Document]:
    return list(documents.every())
