"""Actions on all orders that match a filter: planned, bound to the list that was shown, and bounded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from workflows.search import finding

WHY = {"reason": "the street is closed"}


def plan(shop: Any, **filters: Any) -> Any:
    answer = bulk(shop, filters, dry_run=True)
    assert answer.status == 200, answer
    return answer.json["plan"]


def bulk(shop: Any, filters: Any, **more: Any) -> Any:
    body = {"action": "cancel", "filter": filters, **WHY, **more}
    return shop.call("POST", "/bulk", body, role="support", sub="sue", key="job")


def ids(planned: Any) -> set[str]:
    return {order["order_id"] for order in planned["orders"]}


def test_the_plan_lists_what_the_list_of_orders_lists_with_the_same_filter(shop):
    """Filters of a bulk job and of ``GET /orders`` mean the same."""
    first = shop.place(key="1")
    shop.clock.time += timedelta(seconds=60)
    second = shop.place(key="2")
    shop.project()
    placed_at = shop.list(sort="placed_at").json["orders"][1]["placed_at"]
    for filters, matched in (
        ({"restaurant": "rosa"}, {first, second}),
        ({"restaurant": "rosa", "placed_to": placed_at}, {first}),
        ({"placed_from": placed_at}, {second}),
        ({"status": ["placed", "authorized"]}, {first, second}),
        ({"parked": False, "overdue": False}, {first, second}),
        ({"amount_min": "1", "currency": "EUR"}, {first, second}),
        ({"amount_max": "1.00", "currency": "EUR"}, set()),
        ({"restaurant": "nobody"}, set()),
    ):
        query = {name: ",".join(value) if isinstance(value, list) else value for name, value in filters.items()}
        assert ids(plan(shop, **filters)) == set(shop.ids(**query)) == matched, filters


def test_a_job_keeps_its_filter_and_acts_on_the_orders_of_its_plan(shop):
    order_id = shop.place(key="1")
    shop.project()
    token = plan(shop, restaurant="rosa", overdue=False)["token"]
    shop.clock.time += timedelta(seconds=1)
    shop.place(key="2")
    shop.project()
    begun = bulk(shop, {"restaurant": "rosa", "overdue": False}, token=token)
    assert begun.status == 201, begun
    job = begun.json["job"]
    assert job["filter"] == {"restaurant": "rosa", "overdue": "false"}
    assert [order["order_id"] for order in job["orders"]] == [order_id]


def test_an_order_that_changed_since_the_plan_makes_it_again(shop):
    """What a person saw is what happens."""
    order_id = shop.place(key="1")
    shop.project()
    token = plan(shop, restaurant="rosa")["token"]
    shop.clock.time += timedelta(seconds=1)
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, role="support", sub="sam")
    shop.project()
    refused = bulk(shop, {"restaurant": "rosa"}, token=token)
    assert (refused.status, refused.problem) == (409, "PlanOutdated"), refused


def test_the_token_of_one_filter_begins_no_other(shop):
    shop.place(key="1")
    shop.project()
    token = plan(shop, restaurant="rosa")["token"]
    refused = bulk(shop, {"status": ["placed"]}, token=token)
    assert (refused.status, refused.problem) == (409, "PlanOutdated"), refused


def test_too_many_matches_are_refused_with_what_to_do(shop, monkeypatch):
    """A job never acts on a part of what was chosen."""
    monkeypatch.setattr(finding, "MATCHES_MAX", 1)
    shop.place(key="1")
    shop.place(key="2")
    shop.project()
    refused = bulk(shop, {"restaurant": "rosa"}, dry_run=True)
    assert (refused.status, refused.problem) == (400, "TooManyMatches"), refused
    assert "More than 1 orders match" in refused.json["detail"]
    assert "placed_to" in refused.json["detail"]


@pytest.mark.parametrize(
    ("filters", "status", "place"),
    [
        ({}, 422, "at least one filter"),
        ({"status": None}, 422, "at least one filter"),
        ({"status": ["lost"]}, 422, "status"),
        ({"status": "placed"}, 422, "status"),
        ({"overdue": "yes"}, 422, "overdue"),
        ({"amount_min": "5"}, 400, "amount_min"),
        ({"phone_index": "x"}, 422, "phone_index"),
    ],
)
def test_a_filter_that_would_choose_every_order_or_that_is_wrong_is_refused(shop, filters, status, place):
    refused = bulk(shop, filters, dry_run=True)
    assert (refused.status, refused.problem) == (status, "InvalidRequest"), refused
    assert place in refused.text


def test_orders_are_chosen_in_one_way(shop):
    both = bulk(shop, {"restaurant": "rosa"}, group="KeyError", dry_run=True)
    assert (both.status, "one of order_ids, filter and group" in both.text) == (422, True), both
