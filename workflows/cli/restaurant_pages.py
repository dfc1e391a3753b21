"""Restaurants as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workflows.cli.search_pages import clock, say_more
from workflows.cli.terminal import data_console, printable, table
from workflows.orders.words import money

if TYPE_CHECKING:
    from workflows.client.catalogue_json import OpeningPeriodJson, RestaurantJson
    from workflows.client.search_json import ListedRestaurantsJson, PopularItemsJson

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def show_restaurants(page: ListedRestaurantsJson) -> None:
    """Print a line for each restaurant."""
    rows = table("restaurant", "name", "cuisines", "delivery", "takes orders", right=frozenset({"delivery"}))
    for restaurant in page["restaurants"]:
        rows.add_row(
            restaurant["id"],
            printable(restaurant["name"]),
            printable(", ".join(restaurant["cuisines"])),
            money(restaurant["delivery_fee"]),
            _ordering(restaurant["takes_orders"], restaurant["opens_at"]),
        )
    data_console().print(rows if page["restaurants"] else "no restaurants")
    say_more(page["next"], page["as_of"])


def show_popular(page: PopularItemsJson) -> None:
    """Print a line for each item."""
    rows = table("sku", "item", "price", "ordered", "", right=frozenset({"price", "ordered"}))
    for item in page["items"]:
        words = "" if item["available"] else "sold out"
        rows.add_row(item["sku"], printable(item["name"]), money(item["price"]), str(item["ordered"]), words)
    data_console().print(rows if page["items"] else "no item was ordered in the last 30 days")
    say_more(None, page["as_of"])


def show_restaurant(restaurant: RestaurantJson) -> None:
    """Print what a customer needs to know of a restaurant."""
    profile, rows = restaurant["profile"], table("", "")
    sold_out = [f"{each['sku']} {each['option']}".strip() for each in restaurant["sold_out"]]
    free_from = profile["free_delivery_from"]
    delivery = money(profile["delivery_fee"]) + (f", free from {money(free_from)} on" if free_from else "")
    for label, words in (
        ("restaurant", restaurant["id"]),
        ("name", printable(profile["name"])),
        ("address", printable(profile["address"])),
        ("cuisines", printable(", ".join(profile["cuisines"]))),
        ("takes orders", _ordering(restaurant["takes_orders"], restaurant["opens_at"])),
        ("hours", f"{_hours(profile['opening_hours'])} ({profile['time_zone']})"),
        ("minimum order", money(profile["minimum_order"])),
        ("delivery", delivery),
        ("menu", str(restaurant["menu_version"] or "none")),
        ("sold out", ", ".join(sold_out) or "nothing"),
    ):
        rows.add_row(label, words)
    data_console().print(rows)


def _ordering(takes_orders: bool, opens_at: str | None) -> str:
    if takes_orders:
        return "yes"
    return "no" if opens_at is None else f"from {clock(opens_at)}"


def _hours(periods: Sequence[OpeningPeriodJson]) -> str:
    return ", ".join(f"{_DAYS[each['weekday']]} {each['opens']}-{each['closes']}" for each in periods) or "none"
