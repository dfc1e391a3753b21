"""Pages of lists while orders are written: none is skipped and none is listed twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import Actor, Role, order_id_for
from tests.projections.histories import BLIND_INDEX
from tests.recorded import HandClock
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore
from workflows.projections.views import all_views
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.order_list import list_orders
from workflows.search.order_query import OrderQuery
from workflows.settings import read
from workflows.sql.database import SqlDatabase
from workflows.time_budgets import read_budgets

SUPPORT = Actor(Role.SUPPORT, "sue")
BUDGETS = read({}, read_budgets)
STATUSES = ("placed", "preparing", "completed")


def at(second: int) -> str:
    return f"2026-05-04T12:{second // 60:02}:{second % 60:02}.000000Z"


def row(number: int, *, placed: int, changed: int, version: int = 1, status: str = "placed") -> dict[str, Any]:
    values: dict[str, Any] = {column.name: None for column in ORDERS.columns}
    values |= {column.name: 0 for column in ORDERS.columns if column.name.endswith("_minor")}
    return values | {
        "order_id": order_id_for("app", str(number)),
        "version": version,
        "status": status,
        "run_state": "running",
        "run": 1,
        "customer": "ada",
        "restaurant": "rosa",
        "currency": "EUR",
        "placed_at": at(placed),
        "changed_at": at(changed),
        "waiting_for": "delivery",
        "waiting_since": at(changed),
        "offers": 0,
        "approvals": 0,
        "id_reversed": order_id_for("app", str(number)).removeprefix("ord_")[::-1],
        "head": "",
    }


@pytest.fixture
def store(sql_database: SqlDatabase) -> ViewStore:
    made = ViewStore(sql_database, all_views(BLIND_INDEX), HandClock())
    made.prepare()
    return made


def put(store: ViewStore, *rows: dict[str, Any]) -> None:
    with store.writing() as connection:
        store.put(connection, store.views["orders"], rows)


def page(store: ViewStore, sort: OrderSort, cursor: str | None, status: tuple[Any, ...] = ()) -> Any:
    query = OrderQuery(
        actor=SUPPORT, filter=OrderFilter(status=status), sort=sort, limit=3, cursor=cursor, now=at(0), budgets=BUDGETS
    )
    with store.reading() as connection:
        return list_orders(connection, query)


writes = st.lists(
    st.tuples(st.booleans(), st.integers(0, 11), st.sampled_from(STATUSES)), max_size=4
)  # a new order or a change of one, its number, its new status


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sort=st.sampled_from(OrderSort),
    stored=st.integers(0, 12),
    same_time=st.booleans(),
    between=st.lists(writes, min_size=6, max_size=6),
    several=st.booleans(),
)
def test_pages_neither_skip_nor_double_while_orders_are_written(store, *, sort, stored, same_time, between, several):
    """By the time of placing each order that was there is listed once. By a time that grows, an order that changed is
    listed again, with a higher version, and no order is left out."""
    with store.writing() as connection:
        connection.execute(ORDERS.delete())
    versions = dict.fromkeys(range(stored), 1)
    placed = {n: 0 if same_time else n for n in range(stored)}
    put(store, *(row(n, placed=placed[n], changed=placed[n]) for n in range(stored)))
    listed: list[tuple[str, int]] = []
    cursor, now, statuses = None, 60, STATUSES if several else ()
    for written in [*between, *[[]] * 12]:
        found = page(store, sort, cursor, statuses)
        listed += [(order["id"], order["version"]) for order in found.orders]
        cursor = found.next
        if cursor is None:
            break
        for is_new, number, status in written:
            now += 1
            order = len(versions) if is_new else number % max(1, len(versions))
            versions[order] = versions.get(order, 0) + 1
            placed.setdefault(order, now)
            put(store, row(order, placed=placed[order], changed=now, version=versions[order], status=status))
    ids = [order_id for order_id, _ in listed]
    there_before = {order_id_for("app", str(number)) for number in range(stored)}
    assert there_before <= set(ids)
    assert len(set(listed)) == len(listed)
    if sort in (OrderSort.NEWEST, OrderSort.PLACED):
        assert len(set(ids)) == len(ids)
