"""The orders that match a filter, all at once and not in pages, for an action on all of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from domain.identifiers import Actor, OrderId
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.order_query import OrderQuery
from workflows.search.reading import search
from workflows.time_budgets import Budgets

if TYPE_CHECKING:  # SQLAlchemy takes long to import
    from sqlalchemy import Connection

MATCHES_MAX: Final = 1000
"""The orders that one action may find."""


def find_orders(
    engine: Engine, actor: Actor, wanted: OrderFilter, budgets: Budgets, changed_until: datetime
) -> list[OrderId]:
    """Return the orders that the caller may read and that match, without those that changed later.

    The views may be a moment behind the log.

    Raises:
        TooManyMatches: More than ``MATCHES_MAX`` match.
        NoViewsDatabase, ViewsUnavailable, SearchTooSlow: HTTP 503.
    """
    query = OrderQuery(
        actor=actor,
        filter=wanted,
        sort=OrderSort.PLACED,
        limit=MATCHES_MAX,
        cursor=None,
        now=timestamp(engine.clock.now()),
        budgets=budgets,
    )

    def read(connection: Connection, _: str) -> list[OrderId]:
        from workflows.search import order_list

        return order_list.matching(connection, query, timestamp(changed_until))

    return search(engine, actor, "orders", read)[0]
