"""A customer is erased by two persons, once no order is open, and everything that names the person goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import CustomerId, OrderId
from domain.personal import Erased
from tests.handlers.conftest import Answer
from tests.search.shops import ShopWithViews
from workflows.audit.verify import verify
from workflows.erasure.performing import resume
from workflows.event_store.erasure import ERASURES, CustomerErased, ErasureProposed, ErasureRequested, KeyDestroyed
from workflows.event_store.event_log import StreamUnavailable
from workflows.orders.blind_index import COLUMNS
from workflows.orders.command_handling import load

PHONE = "+49 30 1234567"
"""Ada's, whose orders the shop places."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopWithViews]:
    """A shop whose views catch up while a request waits for them."""
    shop = ShopWithViews(tmp_path / "views.sqlite")
    shop.engine = replace(shop.engine, pause=lambda _: shop.project())
    yield shop
    shop.views.close()


def erase(shop: ShopWithViews, step: str = "", *, by: str = "sue", role: str = "support", **body: Any) -> Answer:
    """Send a request about erasing Ada; with no step, propose it."""
    body.setdefault("reason", "checked" if step else "request 4711")
    key = None if step else body.pop("key", "erase-1")
    shop.project()
    return shop.call("POST", f"/customers/ada/erase{step}", body, role=role, sub=by, key=key)


def erased(shop: ShopWithViews) -> dict[str, Any]:
    """Propose and approve, and return the answer to the approval."""
    assert erase(shop).status == 202
    answer = erase(shop, "/approve", by="sam")
    assert answer.status == 200, answer
    return answer.json


def recorded(shop: ShopWithViews) -> list[type]:
    return [type(event) for event in shop.log.load("customer#ada").events]


def found_by_phone(shop: ShopWithViews) -> list[str]:
    shop.project()
    answer = shop.call("POST", "/orders/search", {"phone": PHONE}, role="support", sub="sue")
    return [order["id"] for order in answer.json["orders"]]


def test_a_second_person_erases_what_the_first_one_proposed(shop):
    """Contact and payment method read as erased, no search finds the order, and the receipt names both persons."""
    order_id = shop.completed()
    assert found_by_phone(shop) == [order_id]
    answer = erased(shop)
    assert answer["state"] == "erased"
    [receipt] = answer["receipts"]
    assert (receipt["proposed_by"]["id"], receipt["approved_by"]["id"]) == ("sue", "sam")
    assert (receipt["reason"], receipt["approval_reason"], receipt["orders"]) == ("request 4711", "checked", 1)
    assert receipt["fields"] >= 2
    assert recorded(shop) == [ErasureProposed, ErasureRequested, KeyDestroyed, CustomerErased]
    placed = load(shop.log, OrderId(order_id))[1].placed
    assert placed is not None
    assert placed.contact == placed.payment_method == Erased()
    assert found_by_phone(shop) == []
    assert verify(shop.log, keys=shop.keyring).intact


def test_the_blind_indexes_go_without_the_projector(shop):
    """On AWS no message tells the projector of an erasure; the rows are emptied by the erasure itself."""
    order_id = shop.completed()
    erase(shop)
    shop.views.feed = None
    assert erase(shop, "/approve", by="sam").json["state"] == "erased"
    with shop.store.reading() as connection:
        [row] = shop.store.rows_of(connection, shop.store.views["orders"], [order_id])[order_id]
    assert {row[column] for column in COLUMNS} == {None}
    assert row["customer"] == "ada"


def test_nothing_is_destroyed_before_the_second_person_approves(shop):
    """The proposal can be seen by support and auditors, and names what would go and what stays."""
    order_id = shop.completed()
    answer = erase(shop)
    assert (answer.status, answer.json["state"], answer.json["orders"]) == (202, "proposed", 1)
    assert answer.json["key_id"] == shop.keyring.key_id_of("ada")
    assert " of 1 order read as (erased)" in answer.json["goes"][0]
    assert {stays["what"] for stays in answer.json["stays"]}
    assert found_by_phone(shop) == [order_id]
    for role in ("support", "auditor"):
        listed = shop.call("GET", "/erasures", role=role, sub="ann").json["erasures"]
        assert [(each["customer"], each["state"]) for each in listed] == [("ada", "proposed")]


def test_the_person_who_proposed_it_cannot_approve_it(shop):
    """An erasure cannot be undone, so one person alone never does it."""
    shop.completed()
    erase(shop)
    answer = erase(shop, "/approve", by="sue")
    assert (answer.status, answer.problem) == (403, "ErasureNeedsSecondPerson")
    assert shop.keyring.key_id_of("ada")


def test_only_support_erases(shop):
    """Also a customer does not erase themselves: their open orders and disputes are looked at first."""
    shop.completed()
    for role in ("auditor", "service", "customer", "restaurant", "courier"):
        for step in ("", "/approve", "/reject"):
            answer = erase(shop, step, by="ada", role=role)
            assert (answer.status, answer.problem) == (403, "NotAllowed")
    assert recorded(shop) == []


def test_a_dry_run_records_nothing(shop):
    """The first person sees what would happen without beginning anything."""
    shop.completed()
    assert erase(shop, dry_run=True).status == 200
    assert recorded(shop) == []
    erase(shop)
    for step in ("/approve", "/reject"):
        assert erase(shop, step, by="sam", dry_run=True).json["state"] == "proposed"
    assert recorded(shop) == [ErasureProposed]
    assert shop.keyring.key_id_of("ada")


def test_open_orders_refuse_and_are_named_with_what_they_wait_for(shop):
    """The courier needs the address; an order that was placed after the proposal counts too."""
    open_order = shop.authorized()
    answer = erase(shop)
    assert (answer.status, answer.problem) == (409, "CustomerHasOpenOrders")
    assert f"{open_order} waits for the restaurant to accept ticket" in answer.json["detail"]
    shop.call("POST", f"/orders/{open_order}/cancel", {"reason": "changed my mind"}, sub="ada")
    assert erase(shop).problem == "CustomerHasOpenOrders"  # its payment is still to be released
    shown = shop.call("GET", "/customers/ada/erasure", role="auditor", sub="ann").json
    assert [order["order_id"] for order in shown["open_orders"]] == [open_order]


def test_an_order_that_was_placed_after_the_proposal_refuses_the_approval(shop):
    """The two persons may act days apart."""
    shop.completed()
    erase(shop)
    shop.authorized(key="later")
    answer = erase(shop, "/approve", by="sam")
    assert (answer.status, answer.problem) == (409, "CustomerHasOpenOrders")
    assert shop.keyring.key_id_of("ada")


def test_a_rejected_proposal_destroys_nothing_and_can_be_made_again(shop):
    """The proposer may withdraw it too."""
    shop.completed()
    erase(shop)
    assert erase(shop, "/reject", by="sue").json["state"] == "kept"
    assert erase(shop, "/approve", by="sam").problem == "NoErasureProposed"
    resume(shop.engine)
    assert shop.engine.documents.list(ERASURES) == []
    assert erase(shop, key="erase-2").json["state"] == "proposed"


def test_a_repeated_request_changes_nothing_more(shop):
    """Not that of the first person, nor that of the second one, nor one after all is done."""
    shop.completed()
    erase(shop)
    assert erase(shop).json["state"] == "proposed"
    assert len(recorded(shop)) == 1
    first = erase(shop, "/approve", by="sam").json
    assert erase(shop, "/approve", by="sam").problem == "NoErasureProposed"
    assert erase(shop, key="erase-2").problem == "NothingToErase"
    assert shop.call("GET", "/customers/ada/erasure", role="support", sub="sue").json["receipts"] == first["receipts"]


def test_about_an_unknown_customer_nothing_is_kept(shop):
    """No stream is begun for a customer who was never here."""
    answer = shop.call("POST", "/customers/bob/erase", {"reason": "x"}, role="support", sub="sue", key="k")
    assert (answer.status, answer.problem) == (409, "NothingToErase")
    assert shop.log.load("customer#bob").version == 0


def test_a_customer_who_orders_again_is_kept_again_and_can_be_erased_again(shop):
    """The new order has a new key; the old ones stay erased."""
    shop.completed()
    erased(shop)
    second = shop.completed(key="again")
    assert erase(shop, key="erase-2").json["state"] == "proposed"
    assert erase(shop, "/approve", by="sam").json["state"] == "erased"
    assert found_by_phone(shop) == []
    shown = shop.call("GET", "/customers/ada/erasure", role="support", sub="sue").json
    assert [receipt["orders"] for receipt in shown["receipts"]] == [1, 1]
    assert load(shop.log, OrderId(second))[1].placed.customer == CustomerId("ada")


def test_views_that_stay_behind_refuse_every_step_before_anything_is_recorded(shop):
    """An order that the views lack might be open. Once they have caught up, the same request succeeds."""
    late = replace(shop.engine, pause=lambda _: None)
    in_time, events = shop.engine, []
    for step, by in (("", "sue"), ("/approve", "sam"), ("/reject", "sam")):
        shop.completed(key=f"before{step}")
        shop.engine, path, sent = late, f"/customers/ada/erase{step}", {"reason": "request 4711"}
        how = {"role": "support", "sub": by, "key": None if step else "erase"}
        for body in (sent, {**sent, "dry_run": True}):
            answer = shop.call("POST", path, body, **how)
            assert (answer.status, answer.problem) == (503, "ViewsUnavailable")
        assert "commits behind the log" in answer.json["detail"]
        assert recorded(shop) == events
        shop.engine, events = in_time, [ErasureProposed]
        if not step:
            assert shop.call("POST", path, sent, **how).status == 202
    assert erase(shop, "/approve", by="sam").json["state"] == "erased"


def test_an_approved_erasure_goes_on_by_itself_when_the_views_fall_behind(shop):
    """The key is destroyed at once, and what is derived goes by the schedule, once the views name all orders."""
    shop.completed()
    erase(shop)
    shop.engine = replace(shop.engine, pause=lambda _: None)  # its own two commits are behind now
    answer = erase(shop, "/approve", by="sam")
    assert (answer.status, answer.json["state"], answer.json["approved"]["reason"]) == (200, "cleaning", "checked")
    assert resume(shop.engine) == 1
    shop.project()
    assert resume(shop.engine) == 0
    assert recorded(shop)[-1] is CustomerErased


class Killed(BaseException):
    """The process ends here."""


CALLS = [
    *[("log", "append", number) for number in range(4)],
    *[("keyring", "destroy", number) for number in range(1)],
    *[("documents", "delete", number) for number in range(2)],
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("port", "method", "number"), CALLS)
def test_an_erasure_that_was_killed_anywhere_is_completed_by_the_schedule(shop, port, method, number, when):
    """Before or after any write: no request has to be sent again."""
    shop.completed()
    erase(shop)
    target = getattr(shop.engine, port)
    real, calls = getattr(target, method), 0

    def struck(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls - 1 == number and when == "before":
            raise Killed
        result = real(*arguments, **named)
        if calls - 1 == number:
            raise Killed
        return result

    setattr(target, method, struck)
    try:
        erase(shop, "/approve", by="sam")
    except Killed:
        pass
    finally:
        setattr(target, method, real)
    shop.project()
    if recorded(shop) == [ErasureProposed]:  # it ended before the approval was recorded
        assert shop.keyring.key_id_of("ada")
        erase(shop, "/approve", by="sam")
    resume(shop.engine)
    assert recorded(shop) == [ErasureProposed, ErasureRequested, KeyDestroyed, CustomerErased]
    assert shop.keyring.key_id_of("ada") is None
    assert found_by_phone(shop) == []
    assert shop.engine.documents.list(ERASURES) == []


def test_an_erasure_that_fails_is_tried_again_and_does_not_stop_others(shop, monkeypatch, caplog):
    """The line in the log names the error and not the customer."""
    error = StreamUnavailable("customer#ada", "no answer")
    shop.completed()
    shop.completed(key="bob", sub="bob")
    for customer in ("ada", "bob"):
        shop.project()
        path = f"/customers/{customer}/erase"
        assert shop.call("POST", path, {"reason": "r"}, role="support", sub="sue", key=customer).status == 202
    destroy = shop.keyring.destroy

    def fails(customer: str, key_id: str) -> bool:
        if customer == "ada":
            raise error
        return destroy(customer, key_id)

    monkeypatch.setattr(shop.keyring, "destroy", fails)
    for customer in ("ada", "bob"):
        shop.call("POST", f"/customers/{customer}/erase/approve", {"reason": "r"}, role="support", sub="sam")
    assert shop.call("GET", "/customers/bob/erasure", role="support", sub="sue").json["state"] == "erased"
    assert resume(shop.engine) == 1
    assert "ada" not in caplog.text
    monkeypatch.undo()
    assert resume(shop.engine) == 0
    assert recorded(shop)[-1] is CustomerErased


def test_what_is_derived_goes_once_no_other_function_can_use_the_key(shop, monkeypatch):
    """On AWS a function may use a key from its cache for minutes, and store a blind index that was computed with it."""
    shop.completed()
    monkeypatch.setattr(type(shop.keyring), "forgotten_after_s", 360.0)
    assert erased(shop)["state"] == "cleaning"
    assert resume(shop.engine) == 1
    shop.clock.time += timedelta(minutes=7)
    assert resume(shop.engine) == 0
    assert recorded(shop)[-1] is CustomerErased
