"""The orders with which benchmarks fill a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.varied import varied_commits
from domain.order.order import RunState
from tests.projections.histories import BLIND_INDEX
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.projections.orders import orders_view

if TYPE_CHECKING:
    from workflows.projections.view import Row

ORDERS = 500


def rows() -> list[Row]:
    """Return the rows of the view of orders, of histories whose chain was verified."""
    codec = Codec(InMemoryKeyRing(), EVENT_TYPES)
    log, view = InMemoryEventLog(codec, SystemClock()), orders_view(BLIND_INDEX)
    histories = (list(varied_commits(codec, number, ORDERS)) for number in range(ORDERS))
    return [row for commits in histories for row in view.rows(log.replay(commits[0].pk, commits), 0)]


def test_filled_orders_have_ended_or_are_parked_and_differ_in_all_by_which_orders_are_found() -> None:
    """A benchmark of searches in orders that are alike measures nothing."""
    orders = rows()
    assert {order["run_state"] for order in orders} == {RunState.ENDED, RunState.PARKED}
    least = {"order_id": ORDERS, "placed_at": ORDERS, "authorization_id": 300, "total_minor": 150, "phone_index": 30}
    least |= {"name_index_1": 30, "restaurant": 10, "courier": 10, "currency": 3, "status": 3, "cancellation_cause": 4}
    for column, distinct in least.items():
        assert len({order[column] for order in orders}) >= distinct, column
