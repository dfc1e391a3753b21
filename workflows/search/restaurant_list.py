"""Restaurants for customers: found by name, cuisine, dish and whether they take orders now; and their popular items.

Restaurants come in the order of their names. Whether one is open is computed from its row and the clock, so a page of
open restaurants looks at ``LOOKED_AT_MAX`` rows at most: it may be shorter than its limit and still have a next one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, or_, select, true

from domain.money import Money
from workflows.catalogue.views import ordering_view
from workflows.clock import timestamp
from workflows.orders.json_values import money_json
from workflows.projections.menus import MENUS
from workflows.projections.restaurants import RESTAURANTS, listed_cuisines, ordering_times
from workflows.projections.search_text import searchable
from workflows.projections.tickets import TICKETS
from workflows.search.cursors import behind, decode, encode
from workflows.search.filters import RestaurantFilter
from workflows.search.scopes import contains

if TYPE_CHECKING:
    from workflows.client.search_json import ListedRestaurantJson, PopularItemJson

LOOKED_AT_MAX = 1000
"""Rows that one page looks at: computing whether each is open takes some 20 ms."""

POPULAR_IN = timedelta(days=30)
TICKETS_MAX = 2000
"""Popular items are counted in the newest tickets of this time, and in so many at most: some 20 ms."""

_KEYS = (RESTAURANTS.c.search_name, RESTAURANTS.c.restaurant)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestaurantPage:
    """Some restaurants as the API shows them, and the cursor of the next page; None on the last."""

    rows: list[ListedRestaurantJson]
    next: str | None


def list_restaurants(
    connection: Connection, wanted: RestaurantFilter, now: datetime, *, limit: int, cursor: str | None
) -> RestaurantPage:
    """Return a page of restaurants. Raises NotACursor."""
    conditions = list(_conditions(wanted, now))
    if cursor is not None:
        conditions.append(behind(_KEYS, decode("restaurants", cursor, (str, str)), descending=False))
    statement = select(RESTAURANTS).where(and_(true(), *conditions)).order_by(*_KEYS).limit(LOOKED_AT_MAX + 1)
    listed: list[ListedRestaurantJson] = []
    last: list[str] = []
    for number, row in enumerate(connection.execute(statement).mappings()):
        if len(listed) == limit or number == LOOKED_AT_MAX:
            return RestaurantPage(rows=listed, next=encode("restaurants", last))
        last = [row[key.name] for key in _KEYS]
        if not wanted.open_now or ordering_times(row).takes_orders(now):
            listed.append(_restaurant(row, now))
    return RestaurantPage(rows=listed, next=None)


def _conditions(wanted: RestaurantFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    column = RESTAURANTS.c
    for word in searchable(wanted.name or "").split():
        yield contains(column.search_name, word)
    if wanted.cuisine is not None:
        yield contains(column.search_cuisines, listed_cuisines([wanted.cuisine]))
    if wanted.dish is not None:
        words = [contains(MENUS.c.search_name, word) for word in searchable(wanted.dish).split()]
        yield exists().where(MENUS.c.restaurant == column.restaurant, MENUS.c.available == 1, *words)
    if wanted.open_now:
        yield column.menu_version > 0
        yield or_(column.paused == 0, column.paused_until <= timestamp(now))


def _restaurant(row: RowMapping, now: datetime) -> ListedRestaurantJson:
    takes_orders, opens_at = ordering_view(ordering_times(row), now)
    currency = row["currency"]
    free_from = row["free_delivery_from_minor"]
    return {
        "id": row["restaurant"],
        "version": row["version"],
        "name": row["name"],
        "address": row["address"],
        "cuisines": json.loads(row["cuisines"]),
        "minimum_order": money_json(Money(row["minimum_order_minor"], currency)),
        "delivery_fee": money_json(Money(row["delivery_fee_minor"], currency)),
        "free_delivery_from": None if free_from is None else money_json(Money(free_from, currency)),
        "preparation_min": row["preparation_min"],
        "menu_version": row["menu_version"],
        "takes_orders": takes_orders,
        "opens_at": opens_at,
    }


def popular_items(connection: Connection, restaurant: str, now: datetime, *, limit: int) -> list[PopularItemJson]:
    """Return the items of the menu in force that were ordered most, by units, the most popular first."""
    since, column = timestamp(now - POPULAR_IN), TICKETS.c
    newest = (
        select(column.lines)
        .where(column.restaurant == restaurant, column.open.in_((0, 1)), column.sent_at >= since)
        .order_by(column.sent_at.desc())
        .limit(TICKETS_MAX)
    )
    units: Counter[str] = Counter()
    for lines in connection.execute(newest).scalars():
        for line in json.loads(lines):
            units[line["sku"]] += line["ordered"]
    listed = select(MENUS).where(MENUS.c.restaurant == restaurant, MENUS.c.listed == 1)
    rows = [row for row in connection.execute(listed).mappings() if units[row["sku"]]]
    rows.sort(key=lambda row: (-units[row["sku"]], row["sku"]))
    return [
        {
            "sku": row["sku"],
            "name": row["name"],
            "price": money_json(Money(row["price_minor"], row["currency"])),
            "available": bool(row["available"]),
            "ordered": units[row["sku"]],
        }
        for row in rows[:limit]
    ]
