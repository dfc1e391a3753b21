"""The view ``menus``: one row for each item that a restaurant ever had on its menu, as it was published last.

``listed`` is 1 while the item is on the menu in force, ``available`` while it is on it and not sold out. A search for a
dish, and the list of popular items, read it. The menu itself is read from the log.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import MetaData, Table

from domain.catalogue.events import MenuPublished
from domain.catalogue.menu import MenuItem
from domain.catalogue.restaurant import Restaurant
from workflows.catalogue.restaurants import folded_restaurant
from workflows.event_store.commits import History
from workflows.event_store.streams import RESTAURANT
from workflows.projections.search_text import searchable
from workflows.projections.view import Row, View
from workflows.sql.columns import count, text

MENUS = Table(
    "menus",
    MetaData(),
    text("restaurant", primary_key=True),
    text("sku", primary_key=True),
    count("version"),
    count("menu_version"),  # the last one that has the item
    count("listed"),
    count("available"),
    text("section"),
    text("name"),
    text("search_name"),
    text("currency"),
    count("price_minor"),  # without options
    text("sold_out_options"),  # JSON: a list of the options' ids
)


def _rows(history: History, _since: int) -> list[Row]:
    restaurant = folded_restaurant(history)
    last: dict[str, tuple[int, str, MenuItem]] = {}
    for event in history.events:
        if isinstance(event, MenuPublished):
            for section in event.menu.sections:
                last |= {item.sku: (event.menu_version, section.name, item) for item in section.items}
    return [_row(restaurant, *last[sku]) for sku in sorted(last)]


MENUS_VIEW = View(name="menus", version=1, table=MENUS, rows=_rows, category=RESTAURANT)


def _row(restaurant: Restaurant, menu_version: int, section: str, item: MenuItem) -> Row:
    is_listed = menu_version == restaurant.menu_version
    sold_out = {option for sku, option in restaurant.sold_out if sku == item.sku}
    return {
        "restaurant": restaurant.restaurant_id,
        "sku": item.sku,
        "version": restaurant.version,
        "menu_version": menu_version,
        "listed": int(is_listed),
        "available": int(is_listed and "" not in sold_out),
        "section": section,
        "name": item.name,
        "search_name": searchable(item.name),
        "currency": item.price.currency,
        "price_minor": item.price.minor,
        "sold_out_options": _encode(sorted(sold_out - {""})).decode(),
    }


_encode = msgspec.json.Encoder().encode
