"""The books over HTTP: sums of postings by currency, account, tax class, day and party."""

from __future__ import annotations

from tests.handlers.conftest import NOON

DAY = NOON.date().isoformat()


def test_books_of_a_delivered_order(shop):
    """The trial balance is even; items are payable to the restaurant, fee and tip to the courier."""
    order_id = shop.completed()
    shop.project()
    ledger = shop.call("GET", f"/orders/{order_id}/ledger", role="auditor").json
    books = shop.call("GET", "/books", role="auditor").json
    [eur] = books["currencies"]
    assert eur["balanced"]
    assert eur["debit"] == eur["credit"]
    assert {each["account"]: each["closing"] for each in eur["accounts"] if each["closing"]["amount"] != "0.00"} == {
        each["account"]: each["amount"] for each in ledger["balances"]
    }
    assert {(each["day"], each["to"], each["party"]) for each in books["payables"]} == {
        (DAY, "restaurant", "rosa"),
        (DAY, "courier", "carl"),
    }
    assert books["as_of"]["complete"]


def test_books_of_a_period_begin_with_the_balances_before_it(shop):
    """Earlier bookings are the opening balance, and later ones are left out."""
    shop.completed()
    shop.project()
    day_after = "2999-01-01"
    [eur] = shop.call("GET", "/books", role="support", query={"day_from": day_after}).json["currencies"]
    assert eur["debit"]["amount"] == "0.00"
    assert [each["opening"] for each in eur["accounts"]] == [each["closing"] for each in eur["accounts"]]
    assert shop.call("GET", "/books", role="support", query={"day_to": "2000-01-01"}).json["currencies"] == []


def test_books_of_one_restaurant_or_currency(shop):
    """Each order is one restaurant's and in one currency, so its part of the books is even by itself."""
    shop.completed()
    shop.project()
    for query, count in (
        ({"restaurant": "rosa"}, 1),
        ({"restaurant": "luigi"}, 0),
        ({"currency": "EUR"}, 1),
        ({"currency": "JPY"}, 0),
    ):
        currencies = shop.call("GET", "/books", role="support", query=query).json["currencies"]
        assert len(currencies) == count
        assert all(each["balanced"] for each in currencies)


def test_an_impossible_period_is_refused(shop):
    """Named by its parameter."""
    for query in (
        {"day_from": "2026-05-05", "day_to": "2026-05-04"},
        {"day_from": "2026-02-30"},
        {"day_to": "20260504"},
    ):
        refused = shop.call("GET", "/books", role="support", query=query)
        assert refused.status == 400, query
