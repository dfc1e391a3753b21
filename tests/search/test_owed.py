"""What is owed across orders: each item until it is given back, with totals by currency, holding and age."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.order.commands import ParkOrder, RecordFact
from domain.order.events import PaymentVoided, PaymentVoidRefused
from tests.handlers.conftest import NOON


def cancelled(shop, key):
    """Cancel an order before its ticket is answered: the hold and the ticket have to be given back."""
    order_id = shop.authorized(key=key)
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, role="support", sub="sue")
    return order_id


def held(answer):
    return [(item["order_id"], item["holding"]) for item in answer.json["items"]]


def answer_void(shop, order_id, *, refused):
    void = shop.order(order_id).payment.authorization.void
    outcome = (
        PaymentVoidRefused(answers=void, reason="closed", at=NOON) if refused else PaymentVoided(answers=void, at=NOON)
    )
    shop.command(order_id, RecordFact(fact=outcome))
    shop.project()


def test_what_an_order_on_its_good_way_holds_is_not_owed(shop):
    shop.picked_up()
    shop.project()
    assert shop.list("/owed").json["items"] == shop.list("/owed").json["totals"] == []


def test_a_cancelled_order_owes_what_it_holds_until_it_is_given_back(shop):
    order_id = cancelled(shop, "one")
    shop.project()
    assert held(shop.list("/owed")) == [(order_id, "authorization"), (order_id, "ticket")]
    answer_void(shop, order_id, refused=False)
    assert held(shop.list("/owed")) == [(order_id, "ticket")]


def test_what_a_provider_refused_to_take_back_is_found_by_that(shop):
    refused, open_ = cancelled(shop, "one"), cancelled(shop, "two")
    answer_void(shop, refused, refused=True)
    assert held(shop.list("/owed", refused=True)) == [(refused, "authorization")]
    assert (refused, "authorization") not in held(shop.list("/owed", refused=False))
    assert held(shop.list("/owed", refused=False, holding="authorization")) == [(open_, "authorization")]
    assert held(shop.list("/owed", dependency="kitchen")) == [(refused, "ticket"), (open_, "ticket")]


def test_a_parked_order_says_what_it_still_needs(shop):
    """Its hold is to be captured, so it is not to be given back yet."""
    order_id = shop.picked_up()
    shop.command(order_id, ParkOrder(run=1, error="DeliveryOverdue", detail="", compensating=False))
    shop.project()
    [hold] = shop.list("/owed", needed=True, holding="authorization").json["items"]
    assert (hold["order_id"], hold["parked"], hold["amount"]["amount"]) == (order_id, True, "27.40")
    assert shop.list("/owed", needed=False).json["items"] == []


def test_totals_are_by_currency_holding_and_age_and_of_all_pages(shop):
    first = cancelled(shop, "one")
    shop.clock.time += timedelta(days=2)
    cancelled(shop, "two")
    shop.project()
    page = shop.list("/owed", holding="authorization", limit=1).json
    assert [(each["age"], each["items"], each["amount"]["amount"]) for each in page["totals"]] == [
        ("under_a_week", 1, "27.40"),
        ("under_an_hour", 1, "27.40"),
    ]
    rest = shop.list("/owed", holding="authorization", limit=1, cursor=page["next"]).json
    assert len({page["items"][0]["order_id"], rest["items"][0]["order_id"]}) == 2
    assert rest["totals"] == page["totals"]
    assert rest["next"] is None
    assert held(shop.list("/owed", older_than_s=3600)) == [(first, "authorization"), (first, "ticket")]


@pytest.mark.parametrize(("least", "found"), [("27.40", 1), ("27.41", 0)])
def test_amounts_below_a_limit_are_left_out(shop, least, found):
    cancelled(shop, "one")
    shop.project()
    assert len(shop.list("/owed", amount_min=least, currency="EUR").json["items"]) == found


def test_an_amount_without_a_currency_is_refused(shop):
    assert shop.list("/owed", amount_min="5").status == 400
