"""Orders by an amount: the total, or what a bank statement has of them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from domain.order.commands import RecordFact
from domain.order.events import PaymentCaptured, PaymentRefunded
from tests.handlers.conftest import NOON, money
from tests.search.shops import ShopWithViews
from workflows.projections.bookkeeping import VERSIONS
from workflows.search import order_statement

EUR = {"currency": "EUR"}


def with_one_pizza_less(shop: ShopWithViews, key: str) -> str:
    """Make an order of 27.40 of which one of two pizzas was not there: 15.90 is taken, and 5.00 is given back."""
    order_id = shop.authorized(key=key)
    assert shop.act(order_id, "preparation/accept", {"ready_at": "2026-05-04T12:30:00Z"}).status == 200
    assert shop.act(order_id, "preparation/item-unavailable", {"line": 1, "available": 1}).status == 200
    assert shop.act(order_id, "delivery/assign", {}).status == 200
    assert shop.act(order_id, "preparation/ready").status == 200
    assert shop.act(order_id, "delivery/pick-up").status == 200
    assert shop.act(order_id, "delivery/deliver").status == 200
    [capture] = shop.order(order_id).payment.captures
    taken = PaymentCaptured(answers=capture.intent, capture_id=f"cap-{key}", amount=capture.amount, at=NOON)
    shop.command(order_id, RecordFact(fact=taken))
    credit = {"amount": money("5.00"), "fault": "platform", "reason": "cold"}
    answer = shop.call("POST", f"/orders/{order_id}/credits", credit, role="support", sub="sue", key=f"credit-{key}")
    assert answer.status == 200, answer
    [refund] = shop.order(order_id).payment.refunds
    returned = PaymentRefunded(answers=refund.intent, refund_id=f"ref-{key}", amount=refund.amount, at=NOON)
    shop.command(order_id, RecordFact(fact=returned))
    return order_id


def exactly(amount: str) -> dict[str, object]:
    return {"amount_min": amount, "amount_max": amount, **EUR}


def test_an_order_is_found_by_each_amount_that_a_bank_statement_has_of_it(shop):
    """What was held, taken and given back differ from the total; the row goes on to say the total of today."""
    order_id = with_one_pizza_less(shop, "1")
    other = shop.place(key="2", tip=money("0.00"))
    shop.project()
    [row] = shop.list(**exactly("27.40")).json["orders"]
    assert (row["id"], row["total"], row["captured"]) == (order_id, money("10.90"), money("15.90")), "what was held"
    assert shop.ids(**exactly("15.90")) == [order_id], "what was taken"
    assert shop.ids(**exactly("5.00")) == [order_id], "what was given back"
    assert shop.ids(**exactly("10.90")) == [order_id], "the total"
    assert shop.ids(**exactly("15.91")) == []
    assert shop.ids(**exactly("25.90")) == [other]
    assert shop.ids(amount_min="1090", amount_max="1090", currency="JPY") == [], "as many minor units"


def test_an_order_is_found_by_its_hold_after_it_was_cancelled(shop):
    order_id = shop.authorized(key="1", tip=money("2.50"))
    stop = {"reason": "changed my mind"}
    assert shop.call("POST", f"/orders/{order_id}/cancel", stop, key="stop").status == 200
    shop.project()
    assert shop.ids(**exactly("28.40")) == [order_id]


@pytest.mark.parametrize("narrow_max", [5000, -1], ids=["looked up", "walked"])
@pytest.mark.parametrize("sort", ["-placed_at", "placed_at", "changed_at"])
def test_an_order_with_several_amounts_in_the_range_is_listed_once(shop, monkeypatch, sort, narrow_max):
    """On one page and on pages of one order, by either way to read the list."""
    orders = [with_one_pizza_less(shop, "1"), shop.place(key="2"), with_one_pizza_less(shop, "3")]
    expected = orders[::-1] if sort == "-placed_at" else orders
    if sort == "changed_at":
        expected = [orders[0], orders[1], orders[2]]
    shop.project()
    monkeypatch.setattr(order_statement, "NARROW_MAX", narrow_max)
    between = {"amount_min": "4.00", "amount_max": "30.00", **EUR, "sort": sort}
    assert shop.ids(**between) == expected
    listed, cursor = [], {}
    for _ in orders:
        page = shop.list(**between, **cursor, limit=1).json
        listed += [order["id"] for order in page["orders"]]
        cursor = {"cursor": page["next"]}
    assert listed == expected
    assert page["next"] is None


@pytest.mark.parametrize("narrow_max", [5000, -1], ids=["looked up", "walked"])
def test_each_role_finds_by_an_amount_among_its_own_orders_alone(shop, monkeypatch, narrow_max):
    mine, other = with_one_pizza_less(shop, "1"), shop.authorized(key="2", sub="bob", restaurant="luigi")
    shop.project()
    monkeypatch.setattr(order_statement, "NARROW_MAX", narrow_max)
    assert shop.ids(**exactly("27.40")) == [other, mine]
    assert shop.ids(**exactly("27.40"), role="customer", sub="ada") == [mine]
    assert shop.ids(**exactly("27.40"), role="restaurant", sub="luigi") == [other]
    assert shop.ids(**exactly("27.40"), role="courier", sub="carl") == [mine]
    assert shop.ids(**exactly("27.40"), role="courier", sub="cleo") == []


def test_a_list_by_amount_is_not_complete_while_the_amounts_are_built_for_the_first_time(shop):
    """After an upgrade the orders are all there, and their amounts are not yet."""
    with shop.store.writing() as connection:
        connection.execute(update(VERSIONS).where(VERSIONS.c.view == "amounts").values(version=0))
    assert shop.list(**exactly("27.40")).json["as_of"]["complete"] is False
    assert shop.list(**EUR).json["as_of"]["complete"] is True
