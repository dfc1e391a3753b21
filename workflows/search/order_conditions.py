"""The conditions of a query of orders, by what the choice of an index makes of them (see ``order_statement``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, literal, or_, select, true, union_all

from workflows.clock import read_timestamp, timestamp
from workflows.orders.blind_index import NAME_COLUMNS
from workflows.orders.permissions import reads_all
from workflows.projections.amounts import AMOUNTS
from workflows.projections.events import EVENTS
from workflows.projections.orders import ORDERS
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.order_query import OrderQuery
from workflows.search.scopes import orders_of
from workflows.search.unindexed import hidden, not_looked_up

_column = ORDERS.c

CountedRows: TypeAlias = Select[Any] | CompoundSelect[Any]
"""Rows of an index that are counted to find out whether they are few."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filter:
    """A filter that holds for few orders or for most.

    Attributes:
        counted: The rows of an index, or of several, which are counted to find out.
        looked_up: The conditions on ``orders`` that have the orders looked up by that index.
        walked: The same conditions so that no index is used.
    """

    counted: CountedRows
    looked_up: list[ColumnElement[bool]]
    walked: list[ColumnElement[bool]]


def rows_with(conditions: Sequence[ColumnElement[bool]]) -> CountedRows:
    """Return the rows of a table that satisfy conditions, to be counted."""
    return select(literal(1)).where(*conditions)


def _filter(*conditions: ColumnElement[bool]) -> Filter:
    own = list(conditions)
    return Filter(counted=rows_with(own), looked_up=own, walked=[not_looked_up(condition) for condition in own])


def sparse(query: OrderQuery) -> list[Filter]:
    """Return the filters that an order waits and that it is parked, if it must. Usually few do, but in an outage."""
    wanted = query.filter
    waits = wanted.waiting_for or wanted.overdue or query.sort is OrderSort.WAITING
    return [
        *([_filter(_column.waiting_since.is_not(None))] if waits else []),
        *([_filter(_column.parked_since.is_not(None))] if wanted.parked or wanted.cause or wanted.dependency else []),
    ]


def of_parties(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    """Return the conditions on the customer, the restaurant and the courier."""
    columns = ((_column.customer, wanted.customer), (_column.restaurant, wanted.restaurant))
    return [column == value for column, value in (*columns, (_column.courier, wanted.courier)) if value is not None]


def parties_and_statuses(query: OrderQuery) -> Iterator[list[ColumnElement[bool]]]:
    """Yield the conditions that have an index with another order than a sort by change or wait."""
    yield from ([condition] for condition in of_parties(query.filter))
    if not reads_all(query.actor):
        yield [orders_of(query.actor)]
    if query.filter.status:
        yield [_column.status.in_(sorted(set(query.filter.status)))]


def rest(query: OrderQuery) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for which no index of the planner's choice is a bad one."""
    wanted = query.filter
    for column, value in (
        (_column.phone_index, wanted.phone_index),
        (_column.email_index, wanted.email_index),
        (hidden(_column.dependency), wanted.dependency),
    ):
        if value is not None:
            yield column == value
    if wanted.cause is not None:  # with its provider as incidents are grouped, or the error alone
        yield or_(hidden(_column.parked_cause) == wanted.cause, hidden(_column.parked_error) == wanted.cause)
    yield from _placed(wanted) if query.by_placing else map(not_looked_up, _placed(wanted))
    if query.sort is OrderSort.CHANGED:
        yield from _changed(wanted)
        if wanted.placed_from is not None:  # it was not changed before it was placed: the walk begins there
            yield _column.changed_at >= wanted.placed_from
    if wanted.parked is False:
        yield hidden(_column.parked_since) == ""
    if wanted.waiting_for is not None:
        yield or_(_column.waiting_for == wanted.waiting_for, _column.also_waiting_for == wanted.waiting_for)
    if wanted.overdue is not None:
        yield func.coalesce(or_(*_late(query)), False).is_(wanted.overdue)
    if wanted.payment_reference is not None:
        yield _column.order_id.in_(select(EVENTS.c.order_id).where(EVENTS.c.reference == wanted.payment_reference))


def ranges(query: OrderQuery) -> list[Filter]:
    """Return the filters by the words of a name, by amount, by a part of the id and by change."""
    wanted = query.filter
    by_change = query.sort is OrderSort.CHANGED  # then its index has the order
    amounts = [] if wanted.amount_min is None and wanted.amount_max is None else [_amounts(wanted)]
    others = (
        [] if amounts else _currency(wanted),
        _prefix(wanted),
        _suffix(wanted),
        [] if by_change else _changed(wanted),
    )
    words = map(_has_word, wanted.name_words)
    return [*words, *amounts, *(_filter(*conditions) for conditions in others if conditions)]


def _has_word(word: str) -> Filter:
    """Return the filter that a word is in the name. No order has it twice, so that each index is counted alone."""
    places = [_column[name] == word for name in NAME_COLUMNS]
    counted = union_all(*(rows_with([place]) for place in places))
    return Filter(counted=counted, looked_up=[or_(*places)], walked=[not_looked_up(or_(*places))])


def _amounts(wanted: OrderFilter) -> Filter:
    """Return the filter that one of the order's amounts is in the range, whatever its total is now.

    An order may have several amounts in it and is listed once: both forms ask whether there is one.
    """
    least, most = wanted.amount_min, wanted.amount_max
    currencies = {
        currency for currency in (wanted.currency, least and least.currency, most and most.currency) if currency
    }
    inside = [
        *(AMOUNTS.c.currency == currency for currency in sorted(currencies)),
        *([AMOUNTS.c.minor >= least.minor] if least is not None else []),
        *([AMOUNTS.c.minor <= most.minor] if most is not None else []),
    ]
    its_own = select(true()).where(AMOUNTS.c.order_id == _column.order_id, *map(not_looked_up, inside))
    one = its_own.limit(1).correlate(ORDERS)
    return Filter(
        counted=rows_with(inside),
        looked_up=[_column.order_id.in_(select(AMOUNTS.c.order_id).where(*inside))],
        walked=[not_looked_up(one.scalar_subquery())],  # not EXISTS, for which PostgreSQL would read all amounts
    )


def _placed(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    return [
        *([_column.placed_at >= wanted.placed_from] if wanted.placed_from is not None else []),
        *([_column.placed_at < wanted.placed_to] if wanted.placed_to is not None else []),
    ]


def _currency(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    return [] if wanted.currency is None else [_column.currency == wanted.currency]


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
