"""Reads of personal data: reader, customer, time and reason. Each read is recorded before it is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.identifiers import SYSTEM
from tests.search.shops import ShopWithViews
from workflows.event_store.erasure import erase
from workflows.event_store.event_log import StreamUnavailable
from workflows.event_store.streams import ACCESS, category_of

AUDITOR = {"role": "auditor", "sub": "ann"}


def reads(shop: ShopWithViews, **query: object) -> list[dict[str, Any]]:
    shop.project()
    answer = shop.list("/access-log", **AUDITOR, **query)  # type: ignore[arg-type]
    assert answer.status == 200, answer
    return answer.json["reads"]  # type: ignore[no-any-return]


def read_order(shop: ShopWithViews, order_id: str, part: str = "", **how: Any) -> None:
    answer = shop.call("GET", f"/orders/{order_id}{part}", **{"role": "support", "sub": "sue", **how})
    assert answer.status == 200, answer


@pytest.mark.parametrize("part", ["", "/history", "/replay", "/timeline"])
def test_a_read_of_support_is_recorded_with_its_reason(shop, part):
    """An auditor sees who was shown which fields of which order and customer, under which trace."""
    order_id = shop.authorized()
    query = {"at": "1"} if part == "/replay" else {}
    read_order(shop, order_id, part, headers={"Access-Reason": "case 4711"}, query=query)
    [read] = reads(shop)
    assert read["actor"] == {"role": "support", "id": "sue"}
    assert (read["order_id"], read["customer"], read["reason"]) == (order_id, "ada", "case 4711")
    assert read["route"] == f"GET /orders/{{order_id}}{part}"
    assert "contact" in read["fields"]
    assert read["trace"]


def test_a_search_by_phone_is_recorded_with_what_it_found(shop):
    """Also one that found nothing: the request named a person."""
    order_id = shop.authorized()
    shop.project()
    for phone in ("+49 30 1234567", "+49 30 7654321"):
        assert shop.call("POST", "/orders/search", {"phone": phone}, role="support", sub="sue").status == 200
    found = reads(shop)
    assert {(read["order_id"], *read["fields"]) for read in found} == {(order_id, "phone"), (None, "phone")}
    assert "1234567" not in str(found)


def test_who_is_shown_nothing_personal_of_others_is_not_recorded(shop):
    """Customers read their own orders, auditors are shown no personal data, and of erased customers nothing is left."""
    order_id = shop.authorized()
    read_order(shop, order_id, role="customer", sub="ada")
    read_order(shop, order_id, role="auditor", sub="ann")
    assert reads(shop) == []
    erase(shop.log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked")
    read_order(shop, order_id)
    assert reads(shop) == []


def test_a_restaurant_that_reads_again_is_recorded_once_in_ten_minutes(shop):
    """A board is read every few seconds; each of them in the log would be of no use to anybody."""
    order_id = shop.authorized()
    for _ in range(3):
        read_order(shop, order_id, role="restaurant", sub="rosa")
    assert len(reads(shop)) == 1
    shop.clock.time = shop.clock.time.replace(hour=shop.clock.time.hour + 1)
    read_order(shop, order_id, role="restaurant", sub="rosa")
    assert len(reads(shop)) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", "/orders/{}", None), ("POST", "/orders/search", {"phone": "+49 30 1234567"})]
)
def test_without_a_record_nothing_is_shown(shop, monkeypatch, method, path, body):
    """A read that no auditor could see must not happen."""
    order_id = shop.authorized()
    shop.project()
    append = shop.log.append

    def fails(history: Any, new: Any) -> Any:
        if category_of(history.stream) == ACCESS:
            raise StreamUnavailable(history.stream, "no answer")
        return append(history, new)

    monkeypatch.setattr(shop.log, "append", fails)
    arguments = () if body is None else (body,)
    answer = shop.call(method, path.format(order_id), *arguments, role="support", sub="sue")
    assert (answer.status, answer.problem) == (503, "StreamUnavailable")
    assert order_id not in answer.text.replace(f"/orders/{order_id}", "")


def test_reads_are_found_by_reader_order_customer_and_time_in_pages(shop):
    """Each read is in one page, once, and a filter leaves out the others."""
    first, second = shop.authorized(key="1"), shop.authorized(key="2", sub="bob")
    for order_id in (first, second):
        for sub in ("sue", "sam"):
            shop.clock.time += timedelta(minutes=10)
            read_order(shop, order_id, sub=sub)
    newest = [read["at"] for read in reads(shop)]
    assert newest == sorted(newest, reverse=True)
    assert {read["order_id"] for read in reads(shop, actor="sam")} == {first, second}
    assert [read["actor"]["id"] for read in reads(shop, order=first)] == ["sam", "sue"]
    assert {read["order_id"] for read in reads(shop, customer="bob")} == {second}
    assert [read["at"] for read in reads(shop, read_from=newest[1])] == newest[:2]
    assert [read["at"] for read in reads(shop, read_to=newest[1])] == newest[2:]
    paged, cursor = [], {}
    while cursor is not None:
        page = shop.list("/access-log", **AUDITOR, limit=3, **cursor).json
        paged += [read["at"] for read in page["reads"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert paged == newest


@pytest.mark.parametrize("part", ["", "/timeline"])
def test_a_read_without_personal_data_shows_support_what_an_auditor_is_shown_and_is_not_recorded(shop, part):
    """The console shows an order without its contact until a person uncovers it: only then there is a record."""
    order_id = shop.authorized()
    covered = shop.call("GET", f"/orders/{order_id}{part}", query={"personal": "false"}, role="support", sub="sue")
    assert covered.status == 200
    assert "+49 30 1234567" not in covered.text
    assert reads(shop) == []
    own = shop.call("GET", f"/orders/{order_id}{part}", query={"personal": "false"}, role="customer", sub="ada")
    assert "+49 30 1234567" in own.text
