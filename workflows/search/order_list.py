"""Pages of orders.

Most filters name few orders of a million (those that wait, are parked, have an amount, or an id that begins or ends
with a text): then those are looked up by their own index and sorted. Otherwise the index of the sort is walked until
the page is full. Neither database guesses this well for a ``LIMIT``, so it is decided here, by counting the orders of
each filter up to a bound: a *narrow* filter hides the sort from the planner, and a walk hides the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union,
    union_all,
)

from domain.identifiers import Actor, OrderId, Role
from domain.money import Money
from workflows.clock import read_timestamp, timestamp
from workflows.orders.json_values import money_json
from workflows.orders.permissions import reads_all
from workflows.orders.visibility import OPERATORS, audience_of
from workflows.projections.events import EVENTS
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.search.cursors import behind, decode, encode
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.refusals import TooManyMatches
from workflows.search.scopes import open_offers_to, orders_of
from workflows.time_budgets import MARGIN, TIMEOUTS, Awaiting, Budgets

if TYPE_CHECKING:
    from workflows.client.search_json import ListedIncidentJson, ListedOrderJson, ListedWaitJson

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Some orders as the API shows them, and the cursor of the next page; None on the last."""

    orders: list[ListedOrderJson]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """One page to read. ``now``, a text as in the log, and ``budgets`` decide what is overdue."""

    actor: Actor
    filter: OrderFilter
    sort: OrderSort
    limit: int
    cursor: str | None
    now: str
    budgets: Budgets


def list_orders(connection: Connection, query: OrderQuery, views_to: str = "") -> OrderPage:
    """Return a page of the orders that the caller may read. Raises NotACursor.

    Args:
        views_to: Everything recorded until then is in the views. Later changes are left for later pages of the sort by
            change, so that a reader that follows it misses none. Empty: unknown.
    """
    rows = list(connection.execute(_statement(connection, query, views_to)).mappings())
    page = rows[: query.limit]
    following = None
    if len(rows) > query.limit:
        column, _ = _SORTS[query.sort]
        following = encode(_name(query.sort), (page[-1][column.name], page[-1]["order_id"]))
    return OrderPage(orders=[_shown(row, query) for row in page], next=following)


def matching(connection: Connection, query: OrderQuery, changed_until: str) -> list[OrderId]:
    """Return the orders that match a filter, without those that changed later than ``changed_until``.

    Raises:
        TooManyMatches: There are more than the query's limit.
    """
    rows = list(connection.execute(_statement(connection, query, "")).mappings())
    if len(rows) > query.limit:
        raise TooManyMatches(query.limit)
    return [OrderId(row["order_id"]) for row in rows if row["changed_at"] <= changed_until]


def _name(sort: OrderSort) -> str:
    return f"orders {sort}"


# --- the statement ----------------------------------------------------------------------------------------------------


def _statement(connection: Connection, query: OrderQuery, views_to: str) -> Any:
    is_narrow = _is_narrow(connection, query)
    if query.actor.role is Role.COURIER and _by_placing(query) and not is_narrow:
        return _of_courier(query)
    column, descending = _SORTS[query.sort]
    keys = [_hidden(column) if is_narrow else column, _column.order_id]
    conditions = [*_conditions(query, walked=not is_narrow), *_behind(query, keys)]
    if query.sort is OrderSort.CHANGED and views_to:
        conditions.append(keys[0] <= views_to)
    statuses = sorted(set(query.filter.status))
    if statuses and (is_narrow or _is_of_a_person(query) or not _by_placing(query)):
        conditions.append(_hidden(_column.status).in_(statuses))
    elif len(statuses) == 1:
        conditions.append(_column.status == statuses[0])
    elif statuses:  # a walk along all orders could pass most of them for a rare status
        pages = [
            _page(_listed, [*conditions, _column.status == status], keys, query.limit, descending)
            for status in statuses
        ]
        return _together(union_all, pages, keys, query.limit, descending)
    return _page(_listed, conditions, keys, query.limit, descending)


def _of_courier(query: OrderQuery) -> Any:
    """Return a page of a courier's orders, by when they were placed.

    The orders that the courier accepted may be thousands, and those that the courier may accept now may be as many as
    all that wait for a courier: both are walked in their order.
    """
    descending = _SORTS[query.sort][1]
    walked_past = [*_of_parties(query.filter), *_sparse(query), *chain.from_iterable(_ranges(query))]
    filters = [*map(_not_looked_up, walked_past), *_others(query)]
    if query.filter.status:
        filters.append(_hidden(_column.status).in_(sorted(set(query.filter.status))))
    later = OFFERS.alias()
    accepted_again = exists().where(
        later.c.order_id == OFFERS.c.order_id, later.c.courier == OFFERS.c.courier, later.c.offer > OFFERS.c.offer
    )
    walked = [OFFERS.c.placed_at, OFFERS.c.order_id]
    pages = [
        _page(
            _listed.join(OFFERS, OFFERS.c.order_id == _column.order_id),
            [*which, *filters, *_behind(query, walked)],
            walked,
            query.limit,
            descending,
        )
        for which in (
            [OFFERS.c.courier == query.actor.id, not_(accepted_again)],
            [open_offers_to(query.actor)],  # an order has one at most
        )
    ]
    return _together(union, pages, [_column.placed_at, _column.order_id], query.limit, descending)


def _behind(query: OrderQuery, keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
    if query.cursor is None:
        return []
    return [behind(keys, decode(_name(query.sort), query.cursor, (str, str)), descending=_SORTS[query.sort][1])]


def _together(how: Callable[..., Any], pages: Sequence[Any], keys: Sequence[Any], limit: int, descending: bool) -> Any:
    """Return the first rows of several pages. ``how``: ``union`` if a row may be in two of them, else ``union_all``."""
    every = how(*(select(page.subquery()) for page in pages)).subquery()
    return _page(select(every), [], [every.c[key.name] for key in keys], limit, descending)


def _page(
    statement: Any, conditions: Sequence[ColumnElement[bool]], keys: Sequence[Any], limit: int, descending: bool
) -> Any:
    order = [key.desc() if descending else key for key in keys]
    return statement.where(and_(true(), *conditions)).order_by(*order).limit(limit + 1)  # one more: is there a next?


def _hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column so that no index of it is used."""
    return func.coalesce(column, "")


def _is_narrow(connection: Connection, query: OrderQuery) -> bool:
    wanted = query.filter
    looked_up = (wanted.payment_reference, wanted.phone_index, wanted.email_index, wanted.name_index)
    if any(value is not None for value in looked_up):
        return True
    if any(_few(connection, [condition]) for condition in _sparse(query)):
        return True
    if _by_placing(query):
        if _is_of_one(query):
            return False  # their own index has the order
    elif any(_few(connection, conditions) for conditions in _parties_and_statuses(query)):
        return True
    return any(_few(connection, conditions) for conditions in _ranges(query))


def _by_placing(query: OrderQuery) -> bool:
    return query.sort in (OrderSort.NEWEST, OrderSort.PLACED)


def _is_of_one(query: OrderQuery) -> bool:
    """Whether only orders of one customer, restaurant or courier are listed."""
    named = query.filter.customer or query.filter.restaurant or query.filter.courier
    return named is not None or query.actor.role in (Role.CUSTOMER, Role.RESTAURANT)


def _is_of_a_person(query: OrderQuery) -> bool:
    """Whether only orders of one customer or courier are listed, who has few in each state."""
    named = query.filter.customer or query.filter.courier
    return named is not None or query.actor.role in (Role.CUSTOMER, Role.COURIER)


def _few(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> bool:
    """Whether at most NARROW_MAX orders satisfy conditions that an index holds."""
    if not conditions:
        return False
    some = select(literal(1)).select_from(ORDERS).where(*conditions).limit(NARROW_MAX + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= NARROW_MAX


def _conditions(query: OrderQuery, *, walked: bool) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a query, but for its statuses.

    Args:
        walked: The index of the sort is to be used, and no other.
    """
    parties = [orders_of(query.actor), *_of_parties(query.filter)]
    hides_parties = walked and not _by_placing(query)
    yield from map(_not_looked_up, parties) if hides_parties else parties
    others = [*_sparse(query), *chain.from_iterable(_ranges(query))]
    yield from map(_not_looked_up, others) if walked else others
    yield from _others(query)


def _not_looked_up(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition so that no index is used for it."""
    return func.coalesce(condition, False)


def _sparse(query: OrderQuery) -> list[ColumnElement[bool]]:
    """Return the conditions that an order waits and that it is parked, if it must. Usually few do, but in an outage."""
    wanted = query.filter
    waits = wanted.waiting_for or wanted.overdue or query.sort is OrderSort.WAITING
    return [
        *([_column.waiting_since.is_not(None)] if waits else []),
        *([_column.parked_since.is_not(None)] if wanted.parked or wanted.cause or wanted.dependency else []),
    ]


def _of_parties(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    columns = ((_column.customer, wanted.customer), (_column.restaurant, wanted.restaurant))
    return [column == value for column, value in (*columns, (_column.courier, wanted.courier)) if value is not None]


def _parties_and_statuses(query: OrderQuery) -> Iterator[list[ColumnElement[bool]]]:
    """Yield the conditions that have an index with another order than a sort by change or wait."""
    yield from ([condition] for condition in _of_parties(query.filter))
    if not reads_all(query.actor):
        yield [orders_of(query.actor)]
    if query.filter.status:
        yield [_column.status.in_(sorted(set(query.filter.status)))]


def _others(query: OrderQuery) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for which no index of the planner's choice is a bad one."""
    wanted = query.filter
    for column, value in (
        (_column.phone_index, wanted.phone_index),
        (_column.email_index, wanted.email_index),
        (_column.name_index, wanted.name_index),
        (_hidden(_column.parked_cause), wanted.cause),
        (_hidden(_column.dependency), wanted.dependency),
    ):
        if value is not None:
            yield column == value
    placed_at = _column.placed_at if _by_placing(query) else _hidden(_column.placed_at)
    if wanted.placed_from is not None:
        yield placed_at >= wanted.placed_from
    if wanted.placed_to is not None:
        yield placed_at < wanted.placed_to
    if query.sort is OrderSort.CHANGED:
        yield from _changed(wanted)
    if wanted.parked is False:
        yield _hidden(_column.parked_since) == ""
    if wanted.waiting_for is not None:
        yield or_(_column.waiting_for == wanted.waiting_for, _column.also_waiting_for == wanted.waiting_for)
    if wanted.overdue is not None:
        yield func.coalesce(or_(*_late(query)), False).is_(wanted.overdue)
    if wanted.payment_reference is not None:
        yield _column.order_id.in_(select(EVENTS.c.order_id).where(EVENTS.c.reference == wanted.payment_reference))


def _ranges(query: OrderQuery) -> list[list[ColumnElement[bool]]]:
    """Return conditions that hold for few orders or for most, those of one index together."""
    wanted = query.filter
    by_change = query.sort is OrderSort.CHANGED  # then its index has the order
    return [_amounts(wanted), _prefix(wanted), _suffix(wanted), [] if by_change else _changed(wanted)]


def _amounts(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    least, most = wanted.amount_min, wanted.amount_max
    currencies = {
        currency for currency in (wanted.currency, least and least.currency, most and most.currency) if currency
    }
    return [
        *(_column.currency == currency for currency in sorted(currencies)),
        *([_column.total_minor >= least.minor] if least is not None else []),
        *([_column.total_minor <= most.minor] if most is not None else []),
    ]


def _prefix(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    if wanted.id_prefix is None:
        return []
    return _begins(_column.order_id, wanted.id_prefix)


def _suffix(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    if wanted.id_suffix is None:
        return []
    return _begins(_column.id_reversed, wanted.id_suffix[::-1])


def _begins(column: ColumnElement[str], text: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a column of small letters, digits and ``_`` begins with a text, for an index."""
    return [column >= text, column < f"{text}{{"]  # "{" follows "z"


def _changed(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    return [] if wanted.changed_from is None else [_column.changed_at >= wanted.changed_from]


def _late(query: OrderQuery) -> Iterator[ColumnElement[bool]]:
    now = read_timestamp(query.now)
    for awaiting, budget in query.budgets.items():
        for what, since in (
            (_column.waiting_for, _column.waiting_since),
            (_column.also_waiting_for, _column.also_waiting_since),
        ):
            yield and_(what == awaiting.value, since < timestamp(now - budget))


# --- a row as JSON ----------------------------------------------------------------------------------------------------


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
