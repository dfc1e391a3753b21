"""Attempts of customers to influence a price. The menu alone has the prices of what a customer orders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.handlers.conftest import MISSING, Shop, money

PRICE = {"amount": "27.40", "currency": "EUR"}
"""Two pizzas at 9.50 with burrata at 2.00, delivery at 2.90, and a tip of 1.50."""

CENT, FREE, BELOW = money("0.01"), money("0.00"), money("-5.00")
LINE = {"sku": "pizza-margherita", "name": "Pizza Margherita", "quantity": 2, "unit_price": CENT}
ITEM: dict[str, Any] = {"sku": "pizza-margherita", "quantity": 2, "options": ["burrata"]}


def item(**changes: Any) -> dict[str, Any]:
    """Make a change of the body: its one item with these fields changed."""
    return {"items": [ITEM | changes]}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    # own prices
    "lines in place of items": ({"items": MISSING, "lines": [LINE]}, "InvalidOrder", "lines"),
    "lines beside items": ({"lines": [LINE]}, "InvalidOrder", "lines"),
    "lines beside items that are null": ({"items": None, "lines": [LINE]}, "InvalidOrder", "lines"),
    "lines without a price": ({"lines": [{**LINE, "unit_price": None}]}, "InvalidRequest", "lines[0].unit_price"),
    "lines that are empty": ({"items": MISSING, "lines": []}, "InvalidRequest", "lines"),
    "lines of a restaurant that is not registered": (
        {"items": MISSING, "lines": [LINE], "restaurant": "nobody"}, "InvalidOrder", "lines",
    ),
    "lines, and the own name": ({"items": MISSING, "lines": [LINE], "customer": "ada"}, "InvalidOrder", "lines"),
    # fees
    "a delivery fee": ({"delivery_fee": CENT}, "InvalidOrder", "delivery_fee"),
    "no delivery fee": ({"delivery_fee": FREE}, "InvalidOrder", "delivery_fee"),
    "the delivery fee that it is": ({"delivery_fee": money("2.90")}, "InvalidOrder", "delivery_fee"),
    "a delivery fee below zero": ({"delivery_fee": BELOW}, "InvalidRequest", "delivery_fee.amount"),
    "a service fee": ({"service_fee": CENT}, "InvalidOrder", "service_fee"),
    "no service fee": ({"service_fee": FREE}, "InvalidOrder", "service_fee"),
    "a service fee below zero": ({"service_fee": BELOW}, "InvalidRequest", "service_fee.amount"),
    # amounts that no order has
    "a total": ({"total": CENT}, "InvalidRequest", "total"),
    "totals": ({"totals": {"total": CENT}}, "InvalidRequest", "totals"),
    "a discount": ({"discount": money("27.00")}, "InvalidRequest", "discount"),
    "a credit": ({"credited": money("27.00")}, "InvalidRequest", "credited"),
    "a voucher": ({"voucher": "FREE"}, "InvalidRequest", "voucher"),
    "an amount to authorize": ({"amount": CENT}, "InvalidRequest", "amount"),
    "a currency": ({"currency": "JPY"}, "InvalidRequest", "currency"),
    "a tax rate": ({"fee_tax_rate_bp": 0}, "InvalidRequest", "fee_tax_rate_bp"),
    "a tax class": ({"fee_tax_class": "none"}, "InvalidRequest", "fee_tax_class"),
    "a menu version": ({"menu_version": 1}, "InvalidRequest", "menu_version"),
    # inside an item
    "an item with a unit price": (item(unit_price=CENT), "InvalidRequest", "items[0].unit_price"),
    "an item with a price": (item(price=CENT), "InvalidRequest", "items[0].price"),
    "an item with a total": (item(total=CENT), "InvalidRequest", "items[0].total"),
    "an item with a name": (item(name="Water"), "InvalidRequest", "items[0].name"),
    "an item with a tax rate": (item(tax_rate_bp=0), "InvalidRequest", "items[0].tax_rate_bp"),
    "an item with a menu version": (item(menu_version=1), "InvalidRequest", "items[0].menu_version"),
    "an option with a price": (
        item(options=[{"option": "burrata", "price": FREE}]), "InvalidRequest", "items[0].options[0]",
    ),
    "a quantity of zero": (item(quantity=0), "InvalidRequest", "items[0].quantity"),
    "a quantity below zero": (item(quantity=-1), "InvalidRequest", "items[0].quantity"),
    "half an item": (item(quantity=0.5), "InvalidRequest", "items[0].quantity"),
    "a quantity as a text": (item(quantity="0"), "InvalidRequest", "items[0].quantity"),
    "a quantity that overflows": (item(quantity=10**9), "InvalidRequest", "items[0].quantity"),
    "an item below zero beside another": (
        {"items": [ITEM, ITEM | {"quantity": -2}]}, "InvalidRequest", "items[1].quantity",
    ),
    # what the menu does not have
    "an unknown item": (item(sku="pizza-for-friends"), "UnknownItem", ""),
    "an item in other letters": (item(sku="PIZZA-margherita"), "UnknownItem", ""),
    "an item of another restaurant": ({"restaurant": "dear", **item(sku="pizza-margherita")}, "UnknownItem", ""),
    "an unknown option": (item(options=["half-price"]), "UnknownItem", ""),
    "more options than the group allows": (item(options=["burrata"] * 4), "TooManyChoices", ""),
    "a restaurant that is not registered": ({"restaurant": "nobody"}, "RestaurantNotFound", ""),
    # the two amounts that a customer sends
    "a tip below zero": ({"tip": BELOW}, "InvalidRequest", "tip.amount"),
    "a tip in another currency": ({"tip": money("1", "JPY")}, "CurrencyMismatch", ""),
    "an expected total below the price": ({"expected_total": CENT}, "PriceChanged", ""),
    "an expected total above the price": ({"expected_total": money("27.41")}, "PriceChanged", ""),
    "an expected total in another currency": ({"expected_total": money("27.40", "USD")}, "PriceChanged", ""),
    # prices of another restaurant
    "another customer": ({"customer": "bob"}, "InvalidOrder", "customer"),
    "no items": ({"items": MISSING}, "InvalidOrder", "items"),
}  # fmt: skip


@pytest.fixture
def market(shop: Shop) -> Shop:
    """Rosa, and a restaurant whose menu has one dear item."""
    profile = shop.call("GET", "/restaurants/rosa").json["profile"]
    shop.call("POST", "/restaurants", {"restaurant": "dear", **profile}, role="support", sub="sue")
    steak = {"sku": "steak", "name": "Steak", "price": money("90.00"), "tax_class": "food"}
    published = {"sections": [{"name": "All", "items": [steak]}]}
    assert shop.call("POST", "/restaurants/dear/menu", published, role="support", sub="sue").status == 200
    return shop


def orders(shop: Shop) -> list[Any]:
    return [commit for commit in shop.stored() if commit.pk.startswith("order#")]


@pytest.mark.parametrize("attempt", REFUSED)
def test_a_customer_cannot_set_a_price(market, body, attempt):
    """Refused by name, and by field where one is at fault, with what to do; nothing is placed."""
    change, problem, field = REFUSED[attempt]
    answer = market.call("POST", "/orders", body(**change), key="key-1")
    assert (answer.status >= 400, answer.problem) == (True, problem), answer
    assert answer.fields == ([field] if field else [])
    assert answer.json["detail"]
    assert orders(market) == []


def test_the_table_has_at_least_forty_attempts():
    """As many as the purpose of the menu asks for."""
    assert len(REFUSED) + len(HARMLESS) >= 40


HARMLESS: dict[str, dict[str, Any]] = {
    "the price in a header": {"headers": {"x-total": "0.01", "x-price-override": "0.01"}},
    "another role in a header": {"headers": {"x-role": "service", "x-cognito-groups": "service"}},
    "the role in the name": {"sub": "service"},
}


@pytest.mark.parametrize("attempt", HARMLESS)
def test_what_stands_beside_the_body_has_no_effect_on_the_price(market, body, attempt):
    """The order costs what the menu says."""
    answer = market.call("POST", "/orders", body(), key="key-1", **HARMLESS[attempt])
    assert (answer.status, answer.json["totals"]["total"], answer.json["menu_version"]) == (201, PRICE, 1)


def test_a_field_that_stands_twice_in_the_body_is_refused(market, body):
    """Two parsers could read two prices."""
    text = json.dumps(body()).replace('"tip"', '"items": [], "tip"')
    answer = market.call("POST", "/orders", key="key-1", text=text)
    assert (answer.status, answer.problem) == (400, "MalformedBody")
    assert orders(market) == []


def test_a_key_of_a_cheaper_order_does_not_place_another_one(market, body):
    """The key belongs to what was ordered with it."""
    cheap = market.call("POST", "/orders", body(**item(quantity=1, options=[])), key="key-1")
    dear = market.call("POST", "/orders", body(**item(quantity=99)), key="key-1")
    assert (dear.status, dear.problem) == (422, "KeyReused")
    assert len(orders(market)) == 1
    assert cheap.json["totals"]["total"] == money("13.90")


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        (
            "menu",
            {"sections": [{"name": "All", "items": [{"sku": "p", "name": "P", "price": CENT, "tax_class": "food"}]}]},
        ),
        ("sold-out", {"sku": "pizza-margherita"}),
        ("pause", {"reason": "mine"}),
    ],
)
@pytest.mark.parametrize("sub", ["ada", "rosa"])
def test_a_customer_does_not_change_the_menu(market, change, sent, sub):
    """Not even with the name of the restaurant."""
    before = market.stored()
    answer = market.call("POST", f"/restaurants/rosa/{change}", sent, sub=sub)
    assert (answer.status, answer.problem) == (403, "CatalogueNotAllowed")
    assert market.stored() == before


def test_an_order_keeps_its_price_when_the_menu_changes(market, body):
    """And the next order has the new one, unless the customer expects the old."""
    first = market.call("POST", "/orders", body(expected_total=PRICE), key="key-1").json
    menu = market.call("GET", "/restaurants/rosa/menus/1").json
    menu["sections"][0]["items"][0]["price"] = money("10.00")
    market.call("POST", "/restaurants/rosa/menu", {"sections": menu["sections"]}, role="restaurant", sub="rosa")
    assert market.call("GET", f"/orders/{first['id']}").json["totals"]["total"] == PRICE
    refused = market.call("POST", "/orders", body(expected_total=PRICE), key="key-2")
    assert (refused.status, refused.problem) == (409, "PriceChanged")
    second = market.call("POST", "/orders", body(), key="key-3").json
    assert (second["totals"]["total"], second["menu_version"]) == (money("28.40"), 2)
