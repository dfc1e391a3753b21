"""What is owed, oldest first, with totals by currency, holding and age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, func, select

from domain.money import Money
from workflows.clock import timestamp
from workflows.orders.json_values import money_json
from workflows.projections.owed import OWED
from workflows.search.cursors import behind, decode
from workflows.search.filters import OwedFilter
from workflows.search.pages import page_of, read_page

if TYPE_CHECKING:
    from workflows.client.owed_json import OwedItemJson, OwedTotalJson

_LIST = "owed"
_column = OWED.c
_KEYS = (_column.since, _column.order_id, _column.intent)

AGES = {"under_an_hour": timedelta(hours=1), "under_a_day": timedelta(days=1), "under_a_week": timedelta(weeks=1)}
"""The ages of the totals; what is older is ``older``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedPage:
    """Some items, the totals of all that the filter admits, and the cursor of the next page; None on the last."""

    items: list[OwedItemJson]
    totals: list[OwedTotalJson]
    next: str | None


def list_owed(connection: Connection, wanted: OwedFilter, now: datetime, *, limit: int, cursor: str | None) -> OwedPage:
    """Return a page of what is owed. Raises NotACursor."""
    conditions = list(_conditions(wanted, now))
    rest = [] if cursor is None else [behind(_KEYS, decode(_LIST, cursor, (str, str, int)), descending=False)]
    statement = page_of(select(OWED), [*conditions, *rest], _KEYS, limit, descending=False)
    page, following = read_page(connection, statement, limit, _LIST, _KEYS)
    totals = list(_totals(connection, conditions, now))
    return OwedPage(items=[_item(row) for row in page], totals=totals, next=following)


def _conditions(wanted: OwedFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield _column.open == 1
    for column, value in (
        (_column.holding, wanted.holding),
        (_column.dependency, wanted.dependency),
        (_column.currency, wanted.currency),
    ):
        if value is not None:
            yield column == value
    for flag, is_set in (
        (_column.in_doubt, wanted.in_doubt),
        (_column.refused, wanted.refused),
        (_column.needed, wanted.needed),
    ):
        if is_set is not None:
            yield flag == int(is_set)
    if wanted.amount_min is not None:
        yield and_(_column.currency == wanted.amount_min.currency, _column.amount >= wanted.amount_min.minor)
    if wanted.older_than_s is not None:
        yield _column.since < timestamp(now - timedelta(seconds=wanted.older_than_s))


def _totals(connection: Connection, conditions: list[ColumnElement[bool]], now: datetime) -> Iterator[OwedTotalJson]:
    age: ColumnElement[Any] = case(
        *((_column.since > timestamp(now - younger), name) for name, younger in AGES.items()), else_="older"
    )
    groups = (_column.currency, _column.holding, age)
    sums = select(*groups, func.count(), func.sum(_column.amount)).where(and_(*conditions)).group_by(*groups)
    for currency, holding, name, items, minor in sorted(tuple(row) for row in connection.execute(sums)):
        amount = money_json(Money(int(minor or 0), currency))
        yield {"currency": currency, "holding": holding, "age": name, "items": items, "amount": amount}


def _item(row: RowMapping) -> OwedItemJson:
    return {
        "order_id": row["order_id"],
        "version": row["version"],
        "order_status": row["order_status"],
        "parked": row["run_state"] == "parked",
        "holding": row["holding"],
        "dependency": row["dependency"],
        "intent": row["intent"],
        "amount": None if row["amount"] is None else money_json(Money(row["amount"], row["currency"])),
        "since": row["since"],
        "in_doubt": bool(row["in_doubt"]),
        "refused": bool(row["refused"]),
        "needed": bool(row["needed"]),
    }
