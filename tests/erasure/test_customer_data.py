"""Everything that is kept about a customer is shown in one place, and the read is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import Actor, Role
from tests.search.shops import ShopWithViews
from workflows.publishing.cloud_events import cloud_events
from workflows.publishing.webhooks.deliveries import record
from workflows.publishing.webhooks.endpoints import register


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopWithViews]:
    """A shop whose views catch up while a request waits for them."""
    shop = ShopWithViews(tmp_path / "views.sqlite")
    shop.engine = replace(shop.engine, pause=lambda _: shop.project())
    yield shop
    shop.views.close()


def data(shop: ShopWithViews, role: str = "support", customer: str = "ada", **query: object) -> dict[str, Any]:
    shop.project()
    answer = shop.list(f"/customers/{customer}/data", role=role, sub="sue", **query)
    assert answer.status == 200, answer
    return answer.json


def test_support_sees_every_personal_field_and_its_place(shop):
    """Contact, payment method, and the free text in notes and reasons, with the event that holds each."""
    order_id = shop.authorized(kitchen_note="no onions")
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "I am ill"}, sub="ada")
    [order] = data(shop)["orders"]
    fields = {(field["event"], field["field"]): field["value"] for field in order["fields"]}
    assert fields["OrderPlaced", "contact"]["phone"] == "+49 30 1234567"
    assert fields["OrderPlaced", "kitchen_note"] == "no onions"
    assert fields["OrderPlaced", "payment_method"] == "pm_ok"
    assert fields["CancellationRequested", "reason"] == "I am ill"
    assert (order["id"], order["status"], order["total"]["amount"]) == (order_id, "cancelling", "27.40")


def test_auditors_see_which_fields_are_kept_and_none_of_their_values(shop):
    """The same fields of the same events."""
    shop.authorized(kitchen_note="no onions")
    of_support = data(shop)["orders"][0]["fields"]
    of_auditor = data(shop, "auditor")["orders"][0]["fields"]
    assert [(field["event"], field["field"]) for field in of_auditor] == [
        (field["event"], field["field"]) for field in of_support
    ]
    assert {field["value"] for field in of_auditor} == {"(withheld)"}


@pytest.mark.parametrize("role", ["customer", "service", "restaurant", "courier"])
def test_others_do_not_see_it(shop, role):
    """A service that places orders has no need to read all of a person."""
    shop.authorized()
    answer = shop.list("/customers/ada/data", role=role, sub="ada")
    assert (answer.status, answer.problem) == (403, "NotAllowed")


def test_the_read_is_recorded_and_listed_in_the_next_one(shop):
    """Also this read is a read of personal data."""
    order_id = shop.authorized()
    assert data(shop)["reads"] == []
    [read] = data(shop)["reads"]
    assert (read["actor"]["id"], read["order_id"]) == ("sue", order_id)
    assert read["route"] == "GET /customers/{customer_id}/data"
    assert "contact" in read["fields"]


def test_deliveries_of_their_orders_are_listed_and_those_of_others_are_not(shop):
    """A delivery names the customer or an order of the customer."""
    documents, now = shop.engine.documents, shop.clock.now()
    service = Actor(Role.SERVICE, "shopfront")
    endpoint, _ = register(
        documents, service, "k", url="https://example.com", types=(), description="", enabled=True, now=now
    )
    ids = [shop.authorized(key="1"), shop.authorized(key="2", sub="bob")]
    for order_id in ids:
        for event in cloud_events(order_id, shop.log.load(f"order#{order_id}").recorded):
            record(documents, endpoint.id, event.as_json(), now)
    deliveries = data(shop)["deliveries"]
    assert {delivery["event"].partition("/")[0] for delivery in deliveries} == {ids[0]}
    assert {delivery["status"] for delivery in deliveries} == {"pending"}


def test_orders_come_in_pages_each_of_them_once(shop):
    """The oldest first; a cursor of another customer is refused."""
    ids = [shop.authorized(key=f"{number}") for number in range(5)]
    found, query = [], {}
    while query is not None:
        page = data(shop, limit=2, **query)
        found += [order["id"] for order in page["orders"]]
        query = {"cursor": page["next"]} if page["next"] else None
    assert found == ids
    shop.authorized(key="b", sub="bob")
    answer = shop.list("/customers/bob/data", cursor=ids[0])
    assert (answer.status, answer.problem) == (400, "NotACursor")


def test_of_an_erased_customer_the_places_are_left_and_the_receipt(shop):
    """The fields read as erased for support too."""
    shop.completed()
    shop.project()
    shop.call("POST", "/customers/ada/erase", {"reason": "r"}, role="support", sub="sue", key="k")
    shop.call("POST", "/customers/ada/erase/approve", {"reason": "checked"}, role="support", sub="sam")
    kept = data(shop)
    assert (kept["state"], kept["key_id"]) == ("erased", None)
    assert {field["value"] for order in kept["orders"] for field in order["fields"]} == {"(erased)"}
    assert len(kept["erasures"]) == 1
    assert data(shop)["reads"] == []
