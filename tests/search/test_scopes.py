"""Each role's part of the views agrees with the table of permissions, on random orders."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, select
from sqlalchemy import Table as SqlTable

from domain.identifiers import Actor, Role
from domain.order.delivery import OfferState
from domain.order.order import Order
from tests.domain.order.world import played, plays
from tests.projections.histories import BLIND_INDEX, OneOrderLog
from tests.recorded import HandClock
from workflows.event_store.streams import ORDER
from workflows.orders.command_handling import folded_order
from workflows.orders.permissions import Action, may
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore
from workflows.projections.tickets import TICKETS
from workflows.projections.views import all_views
from workflows.search.boards import list_offers
from workflows.search.filters import BoardFilter
from workflows.search.scopes import offers_of, orders_of, tickets_of
from workflows.sql.database import SqlDatabase


@pytest.fixture
def store(sql_database: SqlDatabase) -> ViewStore:
    made = ViewStore(sql_database, all_views(BLIND_INDEX), HandClock())
    made.prepare()
    return made


def actors(order: Order) -> Iterator[Actor]:
    """Everyone who has to do with the order, strangers, and names that differ only in case or by a wildcard."""
    names = {"stranger", "_", "%"}
    if order.placed is not None:
        names |= {order.placed.customer, order.placed.restaurant, order.placed.customer.upper()}
    for offer in order.delivery.offers:
        couriers = {*offer.made_to, *offer.declined_by, *filter(None, [offer.courier])}
        names |= couriers | {name.upper() for name in couriers}
    return (Actor(role, name) for role in Role for name in sorted(names))


def seen(store: ViewStore, table: SqlTable, condition: ColumnElement[bool]) -> bool:
    with store.reading() as connection:
        return connection.execute(select(table.c.order_id).where(condition)).first() is not None


def project(store: ViewStore, log: OneOrderLog, upto: random.Random) -> Order:
    history = upto.choice(log.histories)
    with store.writing() as connection:
        for view in (view for view in store.views.values() if view.category == ORDER):
            connection.execute(view.table.delete())
            store.put(connection, view, view.rows(history, 0))
    return folded_order(history)


random_orders = given(play=plays(), contradictory=st.booleans(), upto=st.randoms(use_true_random=False))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@random_orders
def test_a_list_has_the_orders_that_the_caller_may_read_and_no_other(store, play, contradictory, upto):
    """An order that a caller may not see does not exist for that caller: in no list either."""
    order = project(store, OneOrderLog(played(play, contradictory=contradictory)), upto)
    for actor in actors(order):
        readable = order.placed is not None and may(actor, Action.READ, order)
        assert seen(store, ORDERS, orders_of(actor)) == readable, actor
        if actor.role is Role.RESTAURANT:
            assert seen(store, TICKETS, tickets_of(actor)) == (readable and order.ticket is not None), actor
        elif not may(actor, Action.READ, order):
            assert not seen(store, TICKETS, tickets_of(actor)), actor
            assert not seen(store, OFFERS, offers_of(actor)), actor


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@random_orders
def test_a_couriers_board_has_the_offers_that_the_courier_may_accept(store, play, contradictory, upto):
    """An offer that is refused when it is accepted must not stand on the board."""
    order = project(store, OneOrderLog(played(play, contradictory=contradictory)), upto)
    for actor in actors(order):
        if actor.role is not Role.COURIER:
            continue
        with store.reading() as connection:
            page = list_offers(connection, actor, BoardFilter(), limit=10, cursor=None)
        acceptable = {
            offer.intent
            for offer in order.delivery.offers
            if offer.state is OfferState.REQUESTED
            and order.cancellation is None
            and may(actor, Action.ASSIGN, order, offer.intent)
            and actor.id not in offer.declined_by
        }
        assert {row["offer"] for row in page.rows} == acceptable, actor
