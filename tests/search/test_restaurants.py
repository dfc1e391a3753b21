"""The list of restaurants for customers: found by name, cuisine and dish, open now; and what is ordered most there."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from domain.catalogue.commands import (
    CatalogueCommand,
    MarkBackInStock,
    MarkSoldOut,
    PauseOrdering,
    PublishMenu,
    RegisterRestaurant,
    ResumeOrdering,
)
from domain.catalogue.opening_hours import OpeningPeriod
from domain.identifiers import Actor, RestaurantId, Role, Sku
from tests.domain.catalogue.trattoria import MENU, PIZZA, menu_with, profile_with
from tests.search.shops import ShopWithViews
from workflows.catalogue.restaurants import change_restaurant, load_restaurant
from workflows.orders.command_handling import Caller
from workflows.projections.search_text import searchable
from workflows.search import restaurant_list

ALWAYS = tuple(OpeningPeriod(weekday=day, opens=time(0), closes=time(0)) for day in range(7))


def change(shop: ShopWithViews, name: str, *commands: CatalogueCommand) -> None:
    for command in commands:
        change_restaurant(shop.log, RestaurantId(name), command, Caller(Actor(Role.SUPPORT, "sue"), "test", "test"))


def opened(shop: ShopWithViews, restaurant_id: str, **profile: Any) -> None:
    """Open a restaurant with the trattoria's menu; it is always open if its hours are not named."""
    registered = RegisterRestaurant(
        restaurant=RestaurantId(restaurant_id), profile=profile_with(**{"opening_hours": ALWAYS, **profile})
    )
    change(shop, restaurant_id, registered, PublishMenu(menu=MENU))


def found(shop: ShopWithViews, **query: object) -> list[str]:
    """List as a customer without a token would, after the views have followed the log."""
    shop.project()
    answer = shop.call_as(None, "GET", "/restaurants", query={name: str(value) for name, value in query.items()})
    assert answer.status == 200, answer
    return [restaurant["id"] for restaurant in answer.json["restaurants"]]


@pytest.mark.parametrize(
    "name", ["cafe", "CAFÉ", "cafe\u0301 ele", "élégant CAFÉ", "  Élégant  ", "leg", "straße", "STRASSE"]
)
def test_a_name_is_found_in_any_case_and_with_any_accents(shop: ShopWithViews, name: str) -> None:
    """The same on both databases: neither folds the letters itself."""
    opened(shop, "elegant", name="CAFÉ Élégant an der Straße")
    opened(shop, "other", name="Cantina")
    assert found(shop, name=name) == ["elegant"]


def test_signs_of_sql_patterns_are_letters_like_others(shop: ShopWithViews) -> None:
    """A percent sign in a name search must not find every restaurant."""
    opened(shop, "percent", name="100% Pasta_Bar")
    assert found(shop, name="%") == ["percent"]
    assert found(shop, name="a_b") == ["percent"]
    assert found(shop, name="'") == []


def test_a_cuisine_is_found_as_a_whole(shop: ShopWithViews) -> None:
    """Thai is not found in Thailand's neighbours, and a bar in a name divides nothing."""
    opened(shop, "one", cuisines=("Thaï", "vegan"))
    opened(shop, "two", cuisines=("Thailändisch|vegan",))
    assert found(shop, cuisine="thai") == ["one"]
    assert found(shop, cuisine="VEGAN") == ["one"]
    assert found(shop, cuisine="thai|vegan") == []


def test_a_dish_is_found_while_it_is_on_the_menu_and_not_sold_out(shop: ShopWithViews) -> None:
    """A customer who looks for a pizza wants one now."""
    opened(shop, "lina", name="Lina")
    assert found(shop, dish="margherita pizza", name="lina") == ["lina"]
    assert found(shop, dish="pizza cola", name="lina") == [], "one item has all the words"
    change(shop, "lina", MarkSoldOut(sku=PIZZA.sku))
    assert found(shop, dish="pizza", name="lina") == []
    change(shop, "lina", MarkBackInStock(sku=PIZZA.sku))
    assert found(shop, dish="pizza", name="lina") == ["lina"]
    change(shop, "lina", PublishMenu(menu=menu_with(MENU.sections[1].items[0])))
    assert found(shop, dish="cola", name="lina") == ["lina"]
    assert found(shop, dish="pizza", name="lina") == []


def test_open_now_follows_the_clock_of_the_restaurant(shop: ShopWithViews) -> None:
    """It is noon in UTC: 14:00 in Berlin, 21:00 in Tokyo. The row does not change when a restaurant opens or closes."""
    lunch = tuple(OpeningPeriod(weekday=day, opens=time(11), closes=time(15)) for day in range(7))
    opened(shop, "berlin", name="X Berlin", opening_hours=lunch)
    opened(shop, "tokyo", name="X Tokyo", opening_hours=lunch, time_zone="Asia/Tokyo")
    assert found(shop, open_now="true", name="x") == ["berlin"]
    assert found(shop, name="x") == ["berlin", "tokyo"]
    shop.clock.time = datetime(2026, 5, 5, 3, 0, tzinfo=UTC)
    assert found(shop, open_now="true", name="x") == ["tokyo"]


def test_a_restaurant_that_is_paused_or_has_no_menu_is_not_open(shop: ShopWithViews) -> None:
    """A pause ends by itself, without an event; another one when the restaurant resumes."""
    opened(shop, "busy", name="X busy")
    opened(shop, "gone", name="X gone")
    change(shop, "new", RegisterRestaurant(restaurant=RestaurantId("new"), profile=profile_with(name="X new")))
    now = shop.clock.now()
    change(shop, "busy", PauseOrdering(until=now + timedelta(minutes=30), reason="busy", at=now))
    change(shop, "gone", PauseOrdering(until=None, reason="holidays", at=now))
    assert found(shop, open_now="true", name="x") == []
    assert found(shop, name="x") == ["busy", "gone", "new"]
    shop.clock.time = now + timedelta(minutes=31)
    assert found(shop, open_now="true", name="x") == ["busy"]
    change(shop, "gone", ResumeOrdering(at=shop.clock.now()))
    assert found(shop, open_now="true", name="x") == ["busy", "gone"]


def test_a_list_says_the_same_as_the_restaurant_itself(shop: ShopWithViews) -> None:
    """One rule decides whether a restaurant takes orders, whatever it is read from."""
    opened(shop, "lina", opening_hours=(OpeningPeriod(weekday=2, opens=time(9), closes=time(10)),))
    shop.project()
    listed = shop.call_as(None, "GET", "/restaurants", query={"name": "Trattoria Lina"}).json["restaurants"][0]
    itself = shop.call_as(None, "GET", "/restaurants/lina").json
    for name in ("id", "version", "menu_version", "takes_orders", "opens_at"):
        assert listed[name] == itself[name], name
    profile = {name: listed[name] for name in ("name", "address", "cuisines", "minimum_order", "delivery_fee")}
    assert profile == {name: itself["profile"][name] for name in profile}


def test_pages_follow_the_names_and_list_each_restaurant_once(
    shop: ShopWithViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where most restaurants are closed, and a page ends before it is full."""
    monkeypatch.setattr(restaurant_list, "LOOKED_AT_MAX", 2)
    for number in range(7):
        hours = ALWAYS if number in (0, 5, 6) else ()
        opened(shop, f"r{number}", name=f"Same {number % 2}", opening_hours=hours)
    shop.project()
    seen, cursor, pages = [], None, 0
    while pages < 10:
        query = {"name": "same", "open_now": "true", "limit": "1", **({"cursor": cursor} if cursor else {})}
        page = shop.call_as(None, "GET", "/restaurants", query=query).json
        seen += [restaurant["id"] for restaurant in page["restaurants"]]
        pages, cursor = pages + 1, page["next"]
        if cursor is None:
            break
    assert seen == ["r0", "r6", "r5"]
    refused = shop.call_as(None, "GET", "/restaurants", query={"cursor": "nonsense"})
    assert (refused.status, refused.fields) == (400, ["cursor"])


def test_the_list_needs_no_token_and_caches_keep_it_for_seconds(shop: ShopWithViews) -> None:
    """All callers may look for a restaurant; the answer names no person."""
    answer = shop.call_as(None, "GET", "/restaurants")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, max-age=5"
    assert answer.json["as_of"]["complete"]


def test_popular_items_are_those_of_the_menu_that_were_ordered_most(shop: ShopWithViews) -> None:
    """Orders of another restaurant, old orders, and items that left the menu do not count."""
    for number in range(2):
        shop.authorized(key=f"k{number}")
    shop.authorized(key="luigi", restaurant="luigi")
    shop.project()
    answer = shop.call_as(None, "GET", "/restaurants/rosa/popular")
    assert answer.json["items"] == [
        {
            "sku": "pizza-margherita",
            "name": "Pizza Margherita",
            "price": {"amount": "9.50", "currency": "EUR"},
            "available": True,
            "ordered": 4,
        }
    ]
    change(shop, "rosa", MarkSoldOut(sku=Sku("pizza-margherita")))
    shop.project()
    [item] = shop.call_as(None, "GET", "/restaurants/rosa/popular").json["items"]
    assert not item["available"]
    shop.clock.time += timedelta(days=31)
    assert shop.call_as(None, "GET", "/restaurants/rosa/popular").json["items"] == []
    assert shop.call_as(None, "GET", "/restaurants/nobody/popular").json["items"] == []


def test_a_restaurant_and_its_menu_are_read_while_the_views_are_behind(shop: ShopWithViews) -> None:
    """A restaurant reads what it wrote, and an order is priced from the log."""
    opened(shop, "lina")
    assert shop.call_as(None, "GET", "/restaurants/lina").status == 200
    assert shop.call_as(None, "GET", "/restaurants/lina/menus/1").status == 200
    assert load_restaurant(shop.log, RestaurantId("lina")).takes_orders(shop.clock.now())
    assert "lina" not in [row["id"] for row in shop.call_as(None, "GET", "/restaurants").json["restaurants"]]


@pytest.mark.parametrize(
    "text", ["Crème Brûlée", "\uff26\uff35 width", "İstanbul", "ΟΔΟΣ", "a\u200db", "x\x00y", "日本 料理"]
)
def test_a_searchable_text_stays_what_it_is(text: str) -> None:
    """Stored and requested names go through the same function, also twice; cursors hold its result."""
    once = searchable(text)
    assert searchable(once) == once
    assert once.isprintable()
    assert searchable(text.lower()) == searchable(text.upper())
