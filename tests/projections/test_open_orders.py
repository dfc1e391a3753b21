"""The view of open orders: a row equals the fold of its events at every version, in any order of messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import order_id_for
from domain.order.commands import Awaited
from domain.order.intents import at_stake, open_intents, owed
from domain.order.order import Order, RunState
from domain.order.questions import Answer, answer
from tests.domain.order import stories as s
from tests.domain.order.world import played, plays
from tests.recorded import START, Shop, recorded
from workflows.breakers.dependencies import Dependency
from workflows.event_store.documents import Document, DocumentChanged
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import fold
from workflows.projections.open_orders import SHARDS, OpenOrder, open_order, open_orders, project, refresh
from workflows.settings import read
from workflows.time_budgets import Awaiting, read_budgets

BUDGETS = read({}, read_budgets)
ORDER_ID = s.ORDER_ID
often = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def awaited(*lines: s.StoryLine) -> list[tuple[Awaiting, int]]:
    """Return what an order waits for, and the version of its intent."""
    shop = Shop()
    shop.play(*lines)
    row = refresh(shop.engine, ORDER_ID, BUDGETS)
    assert row is not None
    return [(wait.what, wait.intent_version) for wait in row.awaits]


# --- a row ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contradictory", [False, True], ids=["sound", "contradictory"])
@often
@given(play=plays())
def test_a_row_equals_the_fold_at_every_version(contradictory, play):
    """Only open orders have a row; a running one waits for something, a parked one has its cause and its debts."""
    world = played(play, contradictory=contradictory)
    events = recorded(world)
    for sent in world.sent:
        order = sent.after
        row = project(order, events[: order.version], BUDGETS)
        if order.placed is None or order.run_state is RunState.ENDED:
            assert row is None
            continue
        assert row is not None
        assert (row.order_id, row.version, row.status, row.run) == (ORDER_ID, order.version, order.status, order.run)
        assert bool(row.awaits) is (order.run_state is RunState.RUNNING)
        assert (row.parked is None) is (order.run_state is not RunState.PARKED)
        _check_awaits(row, order)
        if row.parked is not None:
            assert row.parked.owed == owed(order)
            assert row.parked.at_stake == at_stake(order)


def _check_awaits(row: OpenOrder, order: Order) -> None:
    """Check that no wait is answered in the log, and none begins in the future."""
    for wait in row.awaits:
        assert wait.since <= START + timedelta(minutes=order.version)
        if wait.what in set(Awaited):
            assert answer(order, Awaited(wait.what), wait.intent_version) is Answer.NONE
        elif wait.what is Awaiting.AUTHORIZATION:
            assert wait.intent_version in {opened.version for opened in open_intents(order)}


@often
@given(play=plays())
def test_a_row_depends_on_nothing_but_the_events(play):
    """Equal events give equal rows, also after a row was stored and read."""
    world = played(play)
    order = fold(ORDER_ID, tuple(world.events))
    assert project(order, recorded(world), BUDGETS) == project(world.order, recorded(world), BUDGETS)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (s.PLACED, [(Awaiting.AUTHORIZATION, 2)]),
        (s.AUTHORIZED, [(Awaiting.ACCEPTANCE, 4)]),
        (s.ACCEPTED, [(Awaiting.READINESS, 4), (Awaiting.ASSIGNMENT, 6)]),
        (s.ASSIGNED, [(Awaiting.READINESS, 4), (Awaiting.PICKUP, 6)]),
        (s.READY, [(Awaiting.PICKUP, 6)]),
        (s.PICKED_UP, [(Awaiting.DELIVERY, 6)]),
        ((*s.PICKED_UP, s.timeout(Awaited.DELIVERY)), [(Awaiting.RUN, 6)]),
        (s.DELIVERED, [(Awaiting.SETTLEMENT, 11)]),
        ((*s.AUTHORIZED, s.cancel()), [(Awaiting.COMPENSATION, 7)]),
        ((*s.AUTHORIZED, s.cancel(), s.voided(), s.ticket_cancelled()), None),
        ((*s.AUTHORIZED, s.park()), []),
    ],
)
def test_what_an_order_waits_for(lines, what):
    """One report at a time, or two while the kitchen cooks and a courier is searched."""
    if what is None:
        shop = Shop()
        shop.play(*lines)
        assert refresh(shop.engine, ORDER_ID, BUDGETS) is None
    else:
        assert awaited(*lines) == what


def test_a_wait_begins_with_the_event_before_it_or_with_a_later_run():
    """The time to cook counts from the acceptance; a new run restarts it."""
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    shop.clock.advance(minutes=3)
    shop.play(s.accepted())
    shop.clock.advance(minutes=4)
    shop.play(s.assigned())
    row = refresh(shop.engine, ORDER_ID, BUDGETS)
    assert row is not None
    assert [wait.since - START for wait in row.awaits] == [timedelta(minutes=3), timedelta(minutes=7)]
    shop.clock.advance(minutes=5)
    shop.play(s.restart())
    row = refresh(shop.engine, ORDER_ID, BUDGETS)
    assert row is not None
    assert {wait.since - START for wait in row.awaits} == {timedelta(minutes=12)}


@pytest.mark.parametrize(
    ("error", "lines", "dependency"),
    [
        ("PaymentsUnavailable", s.PLACED, Dependency.PAYMENTS),
        ("KitchenUnavailable", s.AUTHORIZED, Dependency.KITCHEN),
        ("CouriersUnavailable", s.ACCEPTED, Dependency.COURIERS),
        ("CompensationUnfinished", (*s.AUTHORIZED, s.cancel(), s.void_refused()), Dependency.PAYMENTS),
        ("States.Timeout", s.AUTHORIZED, Dependency.KITCHEN),
        ("KeyError", s.AUTHORIZED, None),
    ],
)
def test_an_incident_names_the_dependency_that_caused_it(error, lines, dependency):
    """Taken from the error name, or from the open intent. An internal error has no dependency."""
    shop = Shop()
    order = shop.play(*lines)
    shop.record(replace(s.command_of(s.park(compensating=True), order), error=error))
    row = refresh(shop.engine, ORDER_ID, BUDGETS)
    assert row is not None
    assert row.parked is not None
    assert (row.parked.error, row.parked.dependency) == (error, dependency)


# --- its messages -----------------------------------------------------------------------------------------------------


@often
@given(play=plays(), order=st.randoms(use_true_random=False))
def test_the_view_equals_the_fold_for_repeated_late_and_reordered_messages(play, order):
    """A commit's message may come late, twice, or after those of later commits."""
    world, shop, mail = played(play), Shop(), 0
    for sent in world.sent:
        if sent.events:
            shop.record(sent.command)
            mail += order.randint(0, 2)
        while mail and order.random() < 0.5:
            mail -= 1
            refresh(shop.engine, ORDER_ID, BUDGETS)
    refresh(shop.engine, ORDER_ID, BUDGETS)
    history = shop.log.load(order_stream(ORDER_ID))
    wanted = project(fold(ORDER_ID, history.events), history.recorded, BUDGETS)
    assert open_order(shop.documents, ORDER_ID) == wanted
    assert list(open_orders(shop.documents)) == ([] if wanted is None else [wanted])


class Stalled:
    """Documents of a process that is paused before its next write, while ``meanwhile`` runs."""

    def __init__(self, documents, meanwhile):
        self._documents = documents
        self._meanwhile = meanwhile

    def __getattr__(self, name):
        method = getattr(self._documents, name)

        def call(*args, **kwargs):
            if name in {"put", "delete"} and self._meanwhile is not None:
                meanwhile, self._meanwhile = self._meanwhile, None
                meanwhile()
            return method(*args, **kwargs)

        return call


@pytest.mark.parametrize("known", [False, True], ids=["no row yet", "a row"])
@pytest.mark.parametrize("then", [(s.authorized(),), (s.declined(),)], ids=["goes on", "ends"])
def test_an_older_reading_never_replaces_a_newer_row(known, then):
    """A process that read the log, paused and wrote late must not restore the row of an ended order either."""
    shop = Shop()
    shop.play(*s.PLACED)
    if known:
        refresh(shop.engine, ORDER_ID, BUDGETS)
        shop.play(s.note())

    def meanwhile():
        shop.play(*then)
        refresh(shop.engine, ORDER_ID, BUDGETS)

    stalled = replace(shop.engine, documents=Stalled(shop.documents, meanwhile))
    refresh(stalled, ORDER_ID, BUDGETS)
    history = shop.log.load(order_stream(ORDER_ID))
    wanted = project(fold(ORDER_ID, history.events), history.recorded, BUDGETS)
    assert open_order(shop.documents, ORDER_ID) == wanted


def test_a_row_of_the_same_version_is_not_written_again():
    """A repeated message costs a read and no write."""
    shop = Shop()
    shop.play(*s.PLACED)
    first = refresh(shop.engine, ORDER_ID, BUDGETS)

    class ReadOnly(Stalled):
        def put(self, document: Document, expected):
            raise DocumentChanged(document.pk, document.sk, None, None)

    assert refresh(replace(shop.engine, documents=ReadOnly(shop.documents, None)), ORDER_ID, BUDGETS) == first


def test_many_orders_are_spread_over_partitions_and_all_are_found():
    """Writes are spread, so that no partition is a hot one."""
    shop = Shop()
    ids = [order_id_for("app", str(number)) for number in range(250)]
    for order_id in ids:
        shop.play(replace(s.place(), order_id=order_id), order_id=order_id)
        refresh(shop.engine, order_id, BUDGETS)
    assert sorted(row.order_id for row in open_orders(shop.documents)) == sorted(ids)
    assert all(shop.documents.list(f"open-orders#{shard}") for shard in range(SHARDS))
