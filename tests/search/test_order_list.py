"""Lists of orders: every filter, every sort, how old the list is, and errors that name the parameter."""

from __future__ import annotations

import dataclasses

import pytest

from domain.order.commands import ParkOrder
from handlers.http.order_filters import OrderFilterQuery
from tests.handlers.conftest import money
from tests.search.shops import ShopWithViews
from workflows.projections.offers import OFFERS_VIEW
from workflows.search import order_statement


def parked(shop: ShopWithViews, **how: object) -> str:
    order_id = shop.place(**how)  # type: ignore[arg-type]
    shop.command(order_id, ParkOrder(run=1, error="PaymentsUnavailable", detail="no answer", compensating=False))
    return order_id


def test_an_order_is_found_by_all_that_support_may_know_of_it(shop):
    """Each filter alone finds the order, and leaves out the one that differs."""
    mine = shop.picked_up(key="mine", sub="ada", tip=money("3.71"))
    other = parked(shop, key="other", sub="bob", restaurant="luigi")
    shop.project()
    mine_is = {
        "status": "picked_up,delivered",
        "customer": "ada",
        "restaurant": "rosa",
        "courier": "carl",
        "waiting_for": "delivery",
        "parked": False,
        "amount_min": "29.61",
        "payment_reference": "auth-1",
        "id_prefix": mine[:12],
        "id_suffix": mine[-4:],
        "placed_to": shop.order(other).placed.placed_at.isoformat(),
    }
    for name, value in mine_is.items():
        query = {name: value, **({"currency": "EUR"} if name == "amount_min" else {})}
        assert shop.ids(**query) == [mine], name
    placed_at = shop.order(other).placed.placed_at.isoformat()
    other_is = {
        "status": "placed",
        "customer": "bob",
        "restaurant": "luigi",
        "parked": True,
        "cause": "PaymentsUnavailable@payments",
        "dependency": "payments",
        "placed_from": placed_at,
        "changed_from": placed_at,
        "id_prefix": other[4:20],
        "id_suffix": other[4:],
    }
    for name, value in other_is.items():
        assert shop.ids(**{name: value}) == [other], name
    shown_below = {"amount_max", "currency", "overdue"}
    assert {*mine_is, *other_is} | shown_below == set(OrderFilterQuery.model_fields), "a filter has no line here"
    assert shop.ids(cause="PaymentsUnavailable") == [other], "the error alone, of any provider"
    assert shop.ids(cause="Payments") == []
    assert shop.ids(amount_min="27.40", amount_max="27.40", currency="EUR") == [other]
    assert shop.ids(currency="JPY") == []
    assert shop.ids() == [other, mine]
    assert shop.ids(sort="placed_at") == [mine, other]


def test_filters_narrow_each_other(shop):
    """All parameters that are sent must hold, in every combination of a sort with several states."""
    first, second = shop.authorized(key="1"), shop.accepted(key="2")
    shop.place(key="3", sub="bob")
    shop.project()
    for sort in ("placed_at", "changed_at"):
        assert shop.ids(status="authorized,preparing,placed", customer="ada", sort=sort) == [first, second]
        assert shop.ids(status="authorized,preparing", sort=sort) == [first, second]
        assert shop.ids(status="authorized,preparing", restaurant="luigi", sort=sort) == []


def all_pages(shop: ShopWithViews, **query: object) -> list[str]:
    ids: list[str] = []
    cursor: dict[str, object] = {}
    while True:
        answer = shop.list(limit=2, **cursor, **query)  # type: ignore[arg-type]
        assert answer.status == 200, answer
        ids += [order["id"] for order in answer.json["orders"]]
        if answer.json["next"] is None:
            return ids
        cursor = {"cursor": answer.json["next"]}


FILTERS: list[dict[str, object]] = [
    {},
    {"status": "picked_up"},
    {"status": "placed,authorized,preparing,picked_up"},
    {"waiting_for": "assignment"},
    {"overdue": True},
    {"parked": True},
    {"cause": "PaymentsUnavailable@payments", "status": "placed"},
    {"customer": "ada", "status": "authorized,preparing"},
    {"restaurant": "rosa", "status": "preparing,picked_up"},
    {"amount_min": "29.61", "currency": "EUR"},
    {"currency": "EUR"},
    {"changed_from": "2026-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("role", ["support ada", "restaurant rosa", "courier carl", "customer ada"])
def test_a_list_is_the_same_whether_its_filter_is_looked_up_or_its_sort_walked(shop, monkeypatch, role):
    """Which index is used depends on how many orders there are, and must not be seen. Pages join to the whole list."""
    first, _ = shop.authorized(key="1"), shop.accepted(key="2")
    shop.authorized(key="3", sub="bob", restaurant="luigi")
    shop.assigned(key="4")
    shop.picked_up(key="5")
    shop.picked_up(key="6", sub="bob", tip=money("3.71"))
    parked(shop, key="7")
    parked(shop, key="8", sub="bob", restaurant="luigi")
    shop.project()
    shop.clock.time = shop.clock.time.replace(day=shop.clock.time.day + 1)
    name, sub = role.split()
    for sort in ("-placed_at", "placed_at", "changed_at", "waiting_since"):
        for wanted in (*FILTERS, {"id_prefix": first[:5]}, {"id_suffix": first[-1]}):
            query: dict[str, object] = {"role": name, "sub": sub, "sort": sort, **wanted}
            monkeypatch.setattr(order_statement, "NARROW_MAX", 5000)
            looked_up = shop.ids(**query)
            monkeypatch.setattr(order_statement, "NARROW_MAX", -1)
            assert all_pages(shop, **query) == looked_up, query


def test_a_courier_finds_an_order_once_that_was_accepted_twice(shop):
    """An order that a courier gave back and accepted again has two offers of the courier."""
    order_id = shop.assigned(key="1")
    shop.project()
    with shop.store.writing() as connection:
        [row] = [row for row in shop.store.rows_of(connection, OFFERS_VIEW, [order_id])[order_id] if row["courier"]]
        again = {**row, "offer": row["offer"] + 1, "version": row["version"] + 1}
        shop.store.put(connection, OFFERS_VIEW, [again])
    assert shop.ids(role="courier", sub="carl") == [order_id]


def test_an_order_that_waits_too_long_is_overdue(shop):
    """The list uses the time budgets of the watchdog, at the time of reading."""
    order_id = shop.authorized()
    shop.project()
    assert shop.ids(overdue=True) == []
    assert shop.ids(overdue=False) == [order_id]
    shop.clock.time = shop.clock.time.replace(day=shop.clock.time.day + 1)
    assert shop.ids(overdue=True) == [order_id]
    assert shop.ids(overdue=False) == []
    assert shop.list(overdue=True).json["orders"][0]["waiting"][0]["overdue"] is True


def test_the_orders_that_wait_are_listed_from_the_one_that_waits_longest(shop):
    """Ended and parked orders wait for nothing."""
    longest = shop.authorized(key="1")
    parked(shop, key="parked")
    newest = shop.authorized(key="2")
    shop.project()
    assert shop.ids(sort="waiting_since") == [longest, newest]


def test_a_list_says_how_old_it_is(shop):
    """Lag is in commits and in seconds, so that an old list is not taken for the present."""
    shop.place(key="1")
    shop.project()
    current = shop.list().json["as_of"]
    assert (current["lag_commits"], current["lag_s"], current["complete"], current["includes"]) == (0, 0.0, True, None)
    shop.place(key="2")
    behind = shop.list().json["as_of"]
    assert behind["lag_commits"] == 1
    assert behind["lag_s"] >= 1.0
    assert behind["recorded_at"] == current["recorded_at"]


def test_a_list_right_after_a_write_includes_it(shop):
    """``wait_for`` waits for the views; the answer says that they include the write."""
    order_id = shop.place()
    shop.project_at_pause = 3
    answer = shop.list(wait_for=f"{order_id}:2", role="customer", sub="ada").json
    assert [order["id"] for order in answer["orders"]] == [order_id]
    assert (answer["as_of"]["includes"], shop.pauses) == (True, 3)


def test_a_list_that_cannot_include_a_write_within_a_second_says_so(shop):
    """It says how far behind it is, and is not refused."""
    order_id = shop.place()
    answer = shop.list(wait_for=f"{order_id}:2").json
    assert (answer["orders"], answer["as_of"]["includes"]) == ([], False)
    assert answer["as_of"]["lag_commits"] == 1
    assert shop.pauses == 20


@pytest.mark.parametrize("path", ["/orders", "/events", "/tickets", "/offers"])
def test_a_wrong_cursor_is_refused_without_waiting_for_a_write(shop, path):
    """The answer does not depend on the write, so the client gets it at once."""
    answer = shop.list(path, wait_for=f"{shop.place()}:2", cursor="W10")
    assert (answer.status, answer.fields, shop.pauses) == (400, ["cursor"], 0)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"status": "placed,lost"}, ["status"]),
        ({"amount_min": "1.00"}, ["amount_min"]),
        ({"amount_max": "1.005", "currency": "EUR"}, ["amount_max"]),
        ({"amount_min": "2", "amount_max": "1.99", "currency": "EUR"}, ["amount_min"]),
        ({"placed_from": "2026-03-01T18:30:00Z", "placed_to": "2026-03-01T19:30:00+01:00"}, ["placed_from"]),
        ({"overdue": "yes", "limit": "0"}, ["overdue", "limit"]),
        ({"placed_from": "yesterday"}, ["placed_from"]),
        ({"id_prefix": "ord_%"}, ["id_prefix"]),
        ({"id_suffix": "7q2%"}, ["id_suffix"]),
        ({"id_suffix": "1q2x"}, ["id_suffix"]),
        ({"wait_for": "12"}, ["wait_for"]),
        ({"sort": "amount"}, ["sort"]),
        ({"cursor": "W10"}, ["cursor"]),
        ({"costumer": "ada"}, ["costumer"]),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(shop, query, fields):
    answer = shop.list(**query)
    assert (answer.status, answer.fields) == (400, fields)


@pytest.mark.parametrize(
    ("path", "query", "hint"),
    [
        ("/orders", {"status": "parked"}, "parked=true"),
        ("/orders", {"status": "placed,overdue"}, "overdue=true"),
        ("/orders", {"status": "waiting"}, "waiting_for"),
        ("/orders", {"status": "canceled"}, "did you mean cancelled?"),
        ("/orders", {"sort": "placedat"}, "did you mean placed_at?"),
        ("/orders", {"phone": "0301234567"}, "POST /orders/search"),
        ("/orders", {"email": "ada@example.com"}, "POST /orders/search"),
        ("/orders", {"name": "Ada"}, "POST /orders/search"),
        ("/orders", {"restuarant": "rosa"}, "did you mean restaurant?"),
        ("/orders", {"id": "ord_x"}, "did you mean id_prefix or id_suffix?"),
        ("/orders", {"page": "2"}, "did you mean cursor?"),
        ("/orders", {"colour": "red"}, "this path takes status, customer"),
        ("/events", {"order_id": "ord_x"}, "did you mean order?"),
        ("/events", {"phone": "0301234567"}, "POST /orders/search"),
        ("/books", {"from": "2026-05-01"}, "did you mean day_from?"),
        ("/stats", {"from": "2026-05-01"}, "did you mean placed_from?"),
        ("/webhooks", {"name": "x"}, "this path takes"),
    ],
    ids=str,
)
def test_a_refused_parameter_says_what_to_send_instead(shop, path, query, hint):
    """The nearest parameter or value, the filter that was meant, or the search whose body takes personal data."""
    answer = shop.list(path, role="service" if path == "/webhooks" else "support", **query)
    assert (answer.status, answer.fields) == (400, list(query))
    assert hint in answer.json["errors"][0]["problem"]
    assert not {"0301234567", "ada@example.com"} & set(str(answer.json).split())


def test_a_cursor_belongs_to_its_sort(shop):
    """A cursor of another sort would begin anywhere."""
    for number in range(3):
        shop.place(key=f"key-{number}")
    shop.project()
    page = shop.list(limit=2).json
    assert len(shop.ids(limit=2, cursor=page["next"])) == 1
    refused = shop.list(limit=2, cursor=page["next"], sort="placed_at")
    assert (refused.status, refused.problem, refused.fields) == (400, "NotACursor", ["cursor"])


def test_a_deployment_without_a_database_names_the_parameter_that_enables_lists(shop):
    """On AWS views are optional; everything else works without them."""
    shop.engine = dataclasses.replace(shop.engine, views=None)
    answer = shop.list()
    assert (answer.status, answer.problem) == (503, "NoViewsDatabase")
    assert "ViewsSecret" in answer.json["detail"]
