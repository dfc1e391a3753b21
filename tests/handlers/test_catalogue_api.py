"""Restaurants, menus and quotes over HTTP: the roles that may change and read them, and the refusals."""

from __future__ import annotations

import gzip
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from domain.identifiers import Role

EUR = "EUR"


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": EUR}


PROFILE: dict[str, Any] = {
    "name": "Trattoria Lina",
    "address": "Torstrasse 1, Berlin",
    "currency": EUR,
    "time_zone": "Europe/Berlin",
    "opening_hours": [{"weekday": day, "opens": "10:00", "closes": "01:00"} for day in range(7)],
    "tax_classes": [{"name": "food", "rate_bp": 700}],
    "fee_tax_class": "food",
    "minimum_order": eur("12.00"),
    "delivery_fee": eur("2.90"),
    "free_delivery_from": eur("40.00"),
    "service_fee": {"rate_bp": 500, "least": eur("0.50"), "most": eur("2.00")},
    "preparation_min": 25,
    "cuisines": ["italian"],
}
PIZZA: dict[str, Any] = {
    "sku": "pizza",
    "name": "Pizza Margherita",
    "price": eur("9.50"),
    "tax_class": "food",
    "groups": [
        {
            "name": "size",
            "choose_min": 1,
            "choose_max": 1,
            "options": [
                {"option": "normal", "name": "Normal", "price": eur("0.00")},
                {"option": "large", "name": "Large", "price": eur("3.00")},
            ],
        }
    ],
}
MENU = {"sections": [{"name": "Pizze", "items": [PIZZA]}]}
CHOSEN = {"restaurant": "lina", "items": [{"sku": "pizza", "quantity": 2, "options": ["large"]}]}


@pytest.fixture
def lina(shop):
    """The trattoria, registered and with its first menu. It is 12:00 UTC, 14:00 in Berlin."""
    assert shop.call("POST", "/restaurants", {"restaurant": "lina", **PROFILE}, role="support").status == 201
    published = shop.call("POST", "/restaurants/lina/menu", MENU, role="restaurant", sub="lina")
    assert published.status == 200, published
    return shop


def test_a_restaurant_is_read_as_it_was_registered(lina):
    """Without a token, and with what a customer needs to know before ordering."""
    answer = lina.call_as(None, "GET", "/restaurants/lina")
    assert answer.status == 200
    assert answer.json["profile"] == PROFILE
    state = {name: answer.json[name] for name in ("id", "takes_orders", "paused", "menu_version", "sold_out")}
    assert state == {"id": "lina", "takes_orders": True, "paused": False, "menu_version": 1, "sold_out": []}
    assert answer.headers["cache-control"] == "public, max-age=5"


def test_a_menu_of_one_version_never_changes_and_is_cached_for_ever(lina):
    """A new menu gets a new address, so caches need no other rule."""
    first = lina.call_as(None, "GET", "/restaurants/lina/menus/1")
    lina.call("POST", "/restaurants/lina/menu", {"sections": [{"name": "New", "items": [PIZZA]}]}, role="support")
    assert lina.call_as(None, "GET", "/restaurants/lina").json["menu_version"] == 2
    again = lina.call_as(None, "GET", "/restaurants/lina/menus/1")
    assert first.json == again.json
    assert first.json["sections"][0]["items"][0] == {**PIZZA, "description": "", "picture": ""}
    assert "immutable" in first.headers["cache-control"]
    missing = lina.call_as(None, "GET", "/restaurants/lina/menus/3")
    assert (missing.status, missing.problem) == (404, "MenuNotFound")
    assert lina.call_as(None, "GET", "/restaurants/gino/menus/1").problem == "RestaurantNotFound"


def test_a_menu_is_revalidated_by_its_tag_without_its_body(lina):
    """Caches ask with the tag that they have; another menu has another tag, also compressed."""
    first = lina.call_as(None, "GET", "/restaurants/lina/menus/1")
    again = lina.call_as(None, "GET", "/restaurants/lina/menus/1", headers={"If-None-Match": first.etag})
    assert (again.status, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]
    gzipped = lina.call_as(None, "GET", "/restaurants/lina/menus/1", headers={"Accept-Encoding": "br, gzip"})
    assert gzip.decompress(gzipped.content) == first.content
    assert (gzipped.headers["content-encoding"], gzipped.etag) == ("gzip", first.etag)
    other = lina.call_as(None, "GET", "/restaurants/lina/menus/1", headers={"If-None-Match": 'W/"0", "1"'})
    assert other.status == 200
    lina.call("POST", "/restaurants/lina/menu", {"sections": [{"name": "New", "items": [PIZZA]}]}, role="support")
    second = lina.call_as(None, "GET", "/restaurants/lina/menus/2", headers={"If-None-Match": first.etag})
    assert second.status == 200


def test_what_is_sold_out_changes_the_restaurant_and_not_the_menu(lina):
    """The part that changes is small and short-lived; the large part is kept for ever."""
    menu = lina.call_as(None, "GET", "/restaurants/lina/menus/1")
    before = lina.call_as(None, "GET", "/restaurants/lina")
    same = lina.call_as(None, "GET", "/restaurants/lina", headers={"If-None-Match": before.etag})
    assert (same.status, same.content, same.headers["cache-control"]) == (304, b"", "public, max-age=5")
    lina.call("POST", "/restaurants/lina/sold-out", {"sku": "pizza"}, role="support")
    after = lina.call_as(None, "GET", "/restaurants/lina", headers={"If-None-Match": before.etag})
    assert (after.status, after.json["sold_out"]) == (200, [{"sku": "pizza", "option": ""}])
    assert lina.call_as(None, "GET", "/restaurants/lina/menus/1").content == menu.content


def test_a_menu_is_read_from_the_log_once(lina):
    """Later reads are answered from memory, even while the log does not answer."""
    first = lina.call_as(None, "GET", "/restaurants/lina/menus/1")
    no_log: Any = None
    lina.engine = replace(lina.engine, log=no_log)
    assert lina.call_as(None, "GET", "/restaurants/lina/menus/1").content == first.content


CHANGES = {
    "profile": {**PROFILE, "name": "Da Lina"},
    "menu": {"sections": [{"name": "All", "items": [PIZZA]}]},
    "pause": {"reason": "busy"},
    "resume": {},
    "sold-out": {"sku": "pizza"},
    "back-in-stock": {"sku": "pizza"},
}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
@pytest.mark.parametrize("change", CHANGES)
def test_a_restaurant_is_changed_by_itself_by_support_and_by_services(lina, change, role):
    """Another restaurant, customers, couriers and auditors change nothing."""
    before = lina.stored()
    answer = lina.call("POST", f"/restaurants/lina/{change}", CHANGES[change], role=role.value, sub="gino")
    if role in {Role.SUPPORT, Role.SERVICE}:
        assert answer.status == 200, answer
    else:
        assert (answer.status, answer.problem) == (403, "CatalogueNotAllowed")
        assert lina.stored() == before
        own = lina.call("POST", f"/restaurants/lina/{change}", CHANGES[change], role="restaurant", sub="lina")
        assert own.status == 200


@pytest.mark.parametrize("role", ["customer", "restaurant", "courier", "auditor"])
def test_only_support_and_services_register_restaurants_of_others(shop, role):
    """A restaurant may register itself."""
    answer = shop.call("POST", "/restaurants", {"restaurant": "lina", **PROFILE}, role=role, sub="gino")
    assert (answer.status, answer.problem) == (403, "CatalogueNotAllowed")
    assert shop.stored() == []


def test_repeating_a_change_changes_nothing(lina):
    """A client whose connection broke sends it again."""
    for change, body in CHANGES.items():
        first = lina.call("POST", f"/restaurants/lina/{change}", body, role="support")
        again = lina.call("POST", f"/restaurants/lina/{change}", body, role="support")
        assert first.json["version"] == again.json["version"]
    again = lina.call("POST", "/restaurants", {"restaurant": "lina", **CHANGES["profile"]}, role="support")
    assert again.status == 201
    other = lina.call("POST", "/restaurants", {"restaurant": "lina", **PROFILE}, role="support")
    assert (other.status, other.problem) == (409, "RestaurantAlreadyRegistered")


def test_a_quote_prices_every_line_and_fee(lina):
    """Everybody with a token may ask, and nothing is stored."""
    before = lina.stored()
    answer = lina.call("POST", "/quotes", {**CHOSEN, "tip": eur("1.00")})
    assert answer.status == 200, answer
    assert answer.json == {
        "restaurant": "lina",
        "menu_version": 1,
        "lines": [
            {
                "sku": "pizza",
                "name": "Pizza Margherita",
                "quantity": 2,
                "unit_price": eur("9.50"),
                "options": [{"name": "Large", "price": eur("3.00")}],
                "tax_class": "food",
                "tax_rate_bp": 700,
                "total": eur("25.00"),
            }
        ],
        "items": eur("25.00"),
        "delivery_fee": eur("2.90"),
        "service_fee": eur("1.25"),
        "tip": eur("1.00"),
        "total": eur("30.15"),
    }
    assert lina.stored() == before


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown item": ({"items": [{"sku": "steak", "quantity": 1}]}, 422, "UnknownItem"),
    "unknown option": ({"items": [{"sku": "pizza", "quantity": 1, "options": ["huge"]}]}, 422, "UnknownItem"),
    "choice missing": ({"items": [{"sku": "pizza", "quantity": 1}]}, 422, "ChoiceMissing"),
    "too many": ({"items": [{"sku": "pizza", "quantity": 1, "options": ["normal", "large"]}]}, 422, "TooManyChoices"),
    "below minimum": ({"items": [{"sku": "pizza", "quantity": 1, "options": ["normal"]}]}, 422, "BelowMinimum"),
    "currency": ({"tip": {"amount": "1", "currency": "JPY"}}, 422, "CurrencyMismatch"),
    "no restaurant": ({"restaurant": "gino"}, 404, "RestaurantNotFound"),
    "no quantity": ({"items": [{"sku": "pizza", "quantity": 0}]}, 422, "InvalidRequest"),
    "a price": ({"items": [{"sku": "pizza", "quantity": 2, "unit_price": eur("0.01")}]}, 422, "InvalidRequest"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_selection_that_cannot_be_ordered_is_refused_by_name(lina, case):
    """The detail says what to change."""
    change, status, problem = REFUSED[case]
    answer = lina.call("POST", "/quotes", {**CHOSEN, **change})
    assert (answer.status, answer.problem) == (status, problem), answer


def test_what_is_sold_out_or_closed_is_refused(lina):
    """And can be ordered again afterwards."""
    ask = lambda: lina.call("POST", "/quotes", CHOSEN)  # noqa: E731 -- asked five times, and reads as one word
    lina.call("POST", "/restaurants/lina/sold-out", {"sku": "pizza", "option": "large"}, role="restaurant", sub="lina")
    assert ask().problem == "ItemSoldOut"
    assert lina.call_as(None, "GET", "/restaurants/lina").json["sold_out"] == [{"sku": "pizza", "option": "large"}]
    lina.call("POST", "/restaurants/lina/back-in-stock", {"sku": "pizza", "option": "large"}, role="support")
    assert ask().status == 200
    lina.call("POST", "/restaurants/lina/pause", {"reason": "busy"}, role="support")
    assert (ask().status, ask().problem) == (409, "RestaurantClosed")
    assert lina.call_as(None, "GET", "/restaurants/lina").json["opens_at"] is None
    lina.call("POST", "/restaurants/lina/resume", role="support")
    assert ask().status == 200


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["sections", 0, "items", 0, "price"], {"amount": "9.50", "currency": "USD"}, "sections[0].items[0].price"),
        (["sections", 0, "items", 0, "tax_class"], "luxury", "sections[0].items[0].tax_class"),
        (["sections", 0, "items"], [PIZZA, PIZZA], "sections[0].items[1].sku"),
        (["sections", 0, "items", 0, "groups", 0, "choose_min"], 2, "sections[0].items[0].groups[0].choose_max"),
        (["sections", 0, "items", 0, "sku"], "a b", "sections[0].items[0].sku"),
    ],
)
def test_a_wrong_menu_is_refused_with_the_path_of_the_field(lina, path, value, field):
    """Whether the shape is wrong or a rule of menus is broken."""
    menu = deepcopy(MENU)
    place: Any = menu
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    answer = lina.call("POST", "/restaurants/lina/menu", menu, role="restaurant", sub="lina")
    assert answer.status == 422
    assert answer.fields == [field]


def test_a_wrong_profile_is_refused_with_the_path_of_the_field(shop):
    """A zone and a tax class that do not exist."""
    for change, field in (({"time_zone": "Mars/Olympus"}, "time_zone"), ({"fee_tax_class": "x"}, "fee_tax_class")):
        answer = shop.call("POST", "/restaurants", {"restaurant": "lina", **PROFILE, **change}, role="support")
        assert (answer.status, answer.problem, answer.fields) == (422, "InvalidRestaurant", [field])
