"""The statement of a page of orders: whether the filter is looked up, or the index of the sort is walked.

Most filters name few orders of a million (those that wait, are parked, have an amount, or an id that begins or ends
with a text): then those are looked up by their own index and sorted. Otherwise the index of the sort is walked until
the page is full. Neither database guesses this well for a ``LIMIT``, so it is decided here, by counting the orders of
each filter up to a bound: a *narrow* filter hides the sort from the planner, and a walk hides the filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, func, not_, select, union, union_all

from domain.identifiers import Role
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.search.cursors import behind, decode
from workflows.search.filters import OrderSort
from workflows.search.order_conditions import (
    CountedRows,
    Filter,
    of_parties,
    parties_and_statuses,
    ranges,
    rest,
    rows_with,
    sparse,
)
from workflows.search.order_query import OrderQuery
from workflows.search.pages import page_of, union_page
from workflows.search.scopes import open_offers_to, orders_of
from workflows.search.unindexed import hidden, not_looked_up

NARROW_MAX: Final = 5_000
"""Rows that are sorted for one page within some 10 ms."""

_column = ORDERS.c
_listed = select(
    *(_column.order_id, _column.version, _column.status, _column.customer, _column.restaurant, _column.courier),
    *(_column.currency, _column.total_minor, _column.captured_minor, _column.refunded_minor, _column.at_stake_minor),
    *(_column.placed_at, _column.changed_at, _column.delivered_at, _column.ended_at, _column.authorization_id),
    *(_column.waiting_for, _column.waiting_since, _column.also_waiting_for, _column.also_waiting_since),
    *(_column.parked_error, _column.parked_cause, _column.dependency, _column.parked_since),
    *(_column.cancellation_cause, _column.fault),
)
"""The columns that a list shows."""

_SORTS: Mapping[OrderSort, tuple[ColumnElement[Any], bool]] = {
    OrderSort.NEWEST: (_column.placed_at, True),
    OrderSort.PLACED: (_column.placed_at, False),
    OrderSort.CHANGED: (_column.changed_at, False),
    OrderSort.WAITING: (_column.waiting_since, False),
}
"""The column of each sort, and whether it descends. The order id follows it, so that no two rows have the same keys."""


def list_name(sort: OrderSort) -> str:
    """Return the name of the list in its cursors."""
    return f"orders {sort}"


def sort_keys(sort: OrderSort) -> list[ColumnElement[Any]]:
    """Return the columns that the orders go by."""
    return [_SORTS[sort][0], _column.order_id]


def order_statement(connection: Connection, query: OrderQuery, views_to: str = "") -> Any:
    """Return the statement of a page of the orders that the caller may read. Raises NotACursor.

    Args:
        views_to: Everything recorded until then is in the views. Later changes are left for later pages of the sort by
            change. Empty: unknown.
    """
    few_usually, more = sparse(query), ranges(query)
    is_narrow, few = _narrow(connection, query, few_usually, more)
    filters = [  # an index is used for one of them alone, because SQLite would choose between several blindly
        condition for each in (*few_usually, *more) for condition in (each.looked_up if each is few else each.walked)
    ]
    if query.actor.role is Role.COURIER and query.by_placing and not is_narrow:
        return _of_courier(query, filters)
    column, descending = _SORTS[query.sort]
    keys = [hidden(column) if is_narrow else column, _column.order_id]
    conditions = [*_conditions(query, walked=not is_narrow), *filters, *_behind(query, keys)]
    if query.sort is OrderSort.CHANGED and views_to:
        conditions.append(keys[0] <= views_to)
    statuses = sorted(set(query.filter.status))
    if statuses and (is_narrow or query.of_one_person or not query.by_placing):
        conditions.append(not_looked_up(_column.status.in_(statuses)))
    elif len(statuses) == 1:
        conditions.append(_column.status == statuses[0])
    elif statuses:  # a walk along all orders could pass most of them for a rare status
        pages = [
            page_of(_listed, [*conditions, _column.status == status], keys, query.limit, descending=descending)
            for status in statuses
        ]
        return union_page(union_all, pages, keys, query.limit, descending=descending)
    return page_of(_listed, conditions, keys, query.limit, descending=descending)


def _of_courier(query: OrderQuery, filters: Sequence[ColumnElement[bool]]) -> Any:
    """Return a page of a courier's orders that satisfy filters, by when they were placed.

    The orders that the courier accepted may be thousands, and those that the courier may accept now may be as many as
    all that wait for a courier: both are walked in their order.
    """
    descending = _SORTS[query.sort][1]
    conditions = [*map(not_looked_up, of_parties(query.filter)), *filters, *rest(query)]
    if query.filter.status:
        conditions.append(not_looked_up(_column.status.in_(sorted(set(query.filter.status)))))
    later = OFFERS.alias()
    accepted_again = exists().where(
        later.c.order_id == OFFERS.c.order_id, later.c.courier == OFFERS.c.courier, later.c.offer > OFFERS.c.offer
    )
    walked = [OFFERS.c.placed_at, OFFERS.c.order_id]
    pages = [
        page_of(
            _listed.join(OFFERS, OFFERS.c.order_id == _column.order_id),
            [*which, *conditions, *_behind(query, walked)],
            walked,
            query.limit,
            descending=descending,
        )
        for which in (
            [OFFERS.c.courier == query.actor.id, not_(accepted_again)],
            [open_offers_to(query.actor)],  # an order has one at most
        )
    ]
    return union_page(union, pages, sort_keys(query.sort), query.limit, descending=descending)


def _behind(query: OrderQuery, keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
    if query.cursor is None:
        return []
    return [behind(keys, decode(list_name(query.sort), query.cursor, (str, str)), descending=_SORTS[query.sort][1])]


def _narrow(
    connection: Connection, query: OrderQuery, few_usually: Sequence[Filter], more: Sequence[Filter]
) -> tuple[bool, Filter | None]:
    """Return whether few orders are looked up, and the filter whose index names them; None: another condition's."""
    wanted = query.filter
    looked_up = (wanted.payment_reference, wanted.phone_index, wanted.email_index)
    if any(value is not None for value in looked_up):
        return True, None
    for each in few_usually:
        if _few(connection, each.counted):
            return True, each
    if query.by_placing:
        if query.of_one_party:
            return False, None  # their own index has the order
    elif any(_few(connection, rows_with(conditions)) for conditions in parties_and_statuses(query)):
        return True, None
    for each in more:
        if _few(connection, each.counted):
            return True, each
    return False, None


def _few(connection: Connection, rows: CountedRows) -> bool:
    """Whether there are at most NARROW_MAX of these rows."""
    some = rows.limit(NARROW_MAX + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= NARROW_MAX


def _conditions(query: OrderQuery, *, walked: bool) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a query, but for its statuses and filters.

    Args:
        walked: The index of the sort is to be used, and no other.
    """
    parties = [orders_of(query.actor), *of_parties(query.filter)]
    hides_parties = walked and not query.by_placing
    yield from map(not_looked_up, parties) if hides_parties else parties
    yield from rest(query)
