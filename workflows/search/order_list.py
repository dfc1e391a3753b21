"""Pages of orders as the API shows them, and all orders that match a filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping

from domain.identifiers import Actor, OrderId
from domain.money import Money
from workflows.clock import read_timestamp, timestamp
from workflows.orders.json_values import money_json
from workflows.orders.visibility import OPERATORS, audience_of
from workflows.search.order_query import OrderQuery
from workflows.search.order_statement import list_name, order_statement, sort_keys
from workflows.search.pages import read_page
from workflows.search.refusals import TooManyMatches
from workflows.time_budgets import MARGIN, TIMEOUTS, Awaiting

if TYPE_CHECKING:
    from workflows.client.search_json import ListedIncidentJson, ListedOrderJson, ListedWaitJson


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Some orders as the API shows them, and the cursor of the next page; None on the last."""

    orders: list[ListedOrderJson]
    next: str | None


def list_orders(connection: Connection, query: OrderQuery, views_to: str = "") -> OrderPage:
    """Return a page of the orders that the caller may read. Raises NotACursor.

    Args:
        views_to: Everything recorded until then is in the views. Later changes are left for later pages of the sort by
            change, so that a reader that follows it misses none. Empty: unknown.
    """
    statement = order_statement(connection, query, views_to)
    page, following = read_page(connection, statement, query.limit, list_name(query.sort), sort_keys(query.sort))
    return OrderPage(orders=[_shown(row, query) for row in page], next=following)


def matching(connection: Connection, query: OrderQuery, changed_until: str) -> list[OrderId]:
    """Return the orders that match a filter, without those that changed later than ``changed_until``.

    Raises:
        TooManyMatches: There are more than the query's limit.
    """
    rows = list(connection.execute(order_statement(connection, query)).mappings())
    if len(rows) > query.limit:
        raise TooManyMatches(query.limit)
    return [OrderId(row["order_id"]) for row in rows if row["changed_at"] <= changed_until]


def _shown(row: RowMapping, query: OrderQuery) -> ListedOrderJson:
    def money(minor: int) -> Any:
        return money_json(Money(minor, row["currency"]))

    return {
        "id": row["order_id"],
        "version": row["version"],
        "status": row["status"],
        "parked": row["parked_since"] is not None,
        "customer": row["customer"],
        "restaurant": row["restaurant"],
        "courier": row["courier"],
        "total": money(row["total_minor"]),
        "captured": money(row["captured_minor"]),
        "refunded": money(row["refunded_minor"]),
        "placed_at": row["placed_at"],
        "changed_at": row["changed_at"],
        "delivered_at": row["delivered_at"],
        "ended_at": row["ended_at"],
        "waiting": list(_waits(row, query)),
        "cancellation_cause": row["cancellation_cause"],
        "fault": row["fault"],
        "authorization_id": row["authorization_id"],
        "incident": _incident(row, query.actor),
    }


def _waits(row: RowMapping, query: OrderQuery) -> Iterator[ListedWaitJson]:
    now = read_timestamp(query.now)
    for what, since in (("waiting_for", "waiting_since"), ("also_waiting_for", "also_waiting_since")):
        if row[what] is None:
            continue
        awaiting, began = Awaiting(row[what]), read_timestamp(row[since])
        ends = began + query.budgets[awaiting]
        yield {
            "what": row[what],
            "since": row[since],
            "until": timestamp(ends - MARGIN) if awaiting in TIMEOUTS else None,
            "overdue": now > ends,
        }


def _incident(row: RowMapping, actor: Actor) -> ListedIncidentJson | None:
    if row["parked_since"] is None or audience_of(actor) not in OPERATORS:
        return None
    return {
        "error": row["parked_error"],
        "cause": row["parked_cause"],
        "dependency": row["dependency"],
        "since": row["parked_since"],
        "at_stake": money_json(Money(row["at_stake_minor"], row["currency"])),
    }
