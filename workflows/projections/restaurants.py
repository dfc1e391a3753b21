"""The view ``restaurants``: one row for each registered restaurant. Customers search in it.

Whether a restaurant takes orders depends on the clock, so a row has what that is computed from and not the result.
``search_name`` and ``search_cuisines`` are in the form of ``searchable``; cuisines are ``|italian|pizza|``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import time as clock_time

import msgspec
from sqlalchemy import Index, MetaData, RowMapping, Table

from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.restaurant import OrderingTimes
from workflows.catalogue.restaurants import folded_restaurant
from workflows.clock import read_timestamp, timestamp
from workflows.event_store.commits import History
from workflows.event_store.streams import RESTAURANT
from workflows.projections.search_text import searchable
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_count, optional_time, text, time

RESTAURANTS = Table(
    "restaurants",
    MetaData(),
    text("restaurant", primary_key=True),
    count("version"),
    text("name"),
    text("search_name"),
    text("address"),
    text("cuisines"),  # JSON: a list of texts
    text("search_cuisines"),
    text("currency"),
    count("minimum_order_minor"),
    count("delivery_fee_minor"),
    optional_count("free_delivery_from_minor"),
    count("preparation_min"),
    text("time_zone"),
    text("opening_hours"),  # JSON: [weekday, opens, closes], times as 17:30
    count("paused"),
    optional_time("paused_until"),  # NULL while paused: until the restaurant resumes
    count("menu_version"),  # 0 before the first menu
    time("registered_at"),
)
_column = RESTAURANTS.c

for _index in (Index("name", _column.search_name, _column.restaurant),):
    assert _index.table is RESTAURANTS


def _rows(history: History, _since: int) -> list[Row]:
    restaurant = folded_restaurant(history)
    profile = restaurant.profile
    if profile is None:
        return []
    times = restaurant.ordering
    return [
        {
            "restaurant": restaurant.restaurant_id,
            "version": restaurant.version,
            "name": profile.name,
            "search_name": searchable(profile.name),
            "address": profile.address,
            "cuisines": _encode(profile.cuisines).decode(),
            "search_cuisines": listed_cuisines(profile.cuisines),
            "currency": profile.currency,
            "minimum_order_minor": profile.minimum_order.minor,
            "delivery_fee_minor": profile.delivery_fee.minor,
            "free_delivery_from_minor": None
            if profile.free_delivery_from is None
            else profile.free_delivery_from.minor,
            "preparation_min": profile.preparation_min,
            "time_zone": times.time_zone,
            "opening_hours": _encode(
                [(each.weekday, f"{each.opens:%H:%M}", f"{each.closes:%H:%M}") for each in times.opening_hours]
            ).decode(),
            "paused": int(times.paused),
            "paused_until": None if times.paused_until is None else timestamp(times.paused_until),
            "menu_version": restaurant.menu_version,
            "registered_at": history.recorded[0].ts,
        }
    ]


RESTAURANTS_VIEW = View(name="restaurants", version=1, table=RESTAURANTS, rows=_rows, category=RESTAURANT)

_encode = msgspec.json.Encoder().encode


def listed_cuisines(cuisines: Collection[str]) -> str:
    """Return ``|italian|pizza|``, so that ``|italian|`` is found in it; a bar within a cuisine becomes a space."""
    return "".join(f"|{searchable(each.replace('|', ' '))}" for each in cuisines) + "|" if cuisines else ""


def ordering_times(row: RowMapping) -> OrderingTimes:
    """Return when the restaurant of a row takes orders."""
    until: str | None = row["paused_until"]
    return OrderingTimes(
        opening_hours=tuple(
            OpeningPeriod(weekday=day, opens=clock_time.fromisoformat(opens), closes=clock_time.fromisoformat(closes))
            for day, opens, closes in msgspec.json.decode(row["opening_hours"])
        ),
        time_zone=row["time_zone"],
        has_menu=row["menu_version"] > 0,
        paused=bool(row["paused"]),
        paused_until=None if until is None else read_timestamp(until),
    )
