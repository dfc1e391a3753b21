"""Reading an order: now, at a version, at a time, event by event, and only if it has changed."""

from __future__ import annotations

import pytest

from domain.order.commands import ParkOrder
from tests.handlers.conftest import ROOT
from workflows.embedded.template import read_template


def test_an_order_is_shown_as_it_is(shop):
    """With its courier, the ticket and offer to answer, and the price."""
    order_id = shop.assigned()
    answer = shop.call("GET", f"/orders/{order_id}")
    order = answer.json
    assert (answer.status, order["status"], order["parked"], order["run"]) == (200, "preparing", False, 1)
    assert order["preparation"] == {"ticket": 4, "state": "accepted", "ready_at": "2026-05-04T12:30:00.000000Z"}
    assert order["delivery"]["offer"] == {"offer": 6, "attempt": 1, "state": "assigned", "courier": "carl"}
    assert order["payment"]["authorization"] == {"state": "held", "amount": {"amount": "27.40", "currency": "EUR"}}
    assert answer.etag == f'"{order["version"]}"'


def test_every_answer_has_the_documented_fields(shop):
    """An order in each of its shapes, its history and its replay have the documented fields and no others.

    ``shop.call`` checks every response against the document.
    """
    cancelled = shop.picked_up(key="key-2")
    shop.act(cancelled, "delivery/fail", {"reason": "flat tyre", "fault": "courier"})
    parked = shop.authorized(key="key-3")
    shop.command(parked, ParkOrder(run=1, error="Bug", detail="", compensating=False))
    for order_id in (shop.place(key="key-1"), cancelled, parked):
        for role, sub in (("customer", "ada"), ("auditor", "otto")):
            how = {"role": role, "sub": sub}
            order = shop.call("GET", f"/orders/{order_id}", **how).json
            at = {"at": order["version"]}
            for path, query in (("/history", {}), ("/replay", at)):
                assert shop.call("GET", f"/orders/{order_id}{path}", query=query, **how).status == 200
    assert shop.call("GET", f"/orders/{parked}").json["parked"]


@pytest.mark.parametrize("sent", ['"7"', 'W/"7"', '"6", "7"', "*"])
def test_a_caller_with_the_current_version_gets_no_body(shop, sent):
    """304 with the ETag, compared weakly."""
    order_id = shop.assigned()
    answer = shop.call("GET", f"/orders/{order_id}", headers={"if-none-match": sent})
    assert (answer.status, answer.text, answer.etag) == (304, "", '"7"')


@pytest.mark.parametrize("sent", ['"6"', "7", "rubbish", '"seven"', ""])
def test_a_caller_with_another_version_gets_the_order(shop, sent):
    """Also for a header that is not an ETag."""
    order_id = shop.assigned()
    assert shop.call("GET", f"/orders/{order_id}", headers={"if-none-match": sent}).status == 200


def test_an_order_can_be_read_as_it_was_at_a_version(shop):
    """Every version has its own state and ETag."""
    order_id = shop.assigned()
    answer = shop.call("GET", f"/orders/{order_id}", query={"version": 4})
    assert (answer.json["version"], answer.json["status"], answer.etag) == (4, "authorized", '"4"')


def test_an_order_can_be_read_as_it_was_at_a_time(shop):
    """Events recorded up to and including that time count, whatever the offset of the time sent."""
    order_id = shop.assigned()
    events = shop.call("GET", f"/orders/{order_id}/history").json["events"]
    at = events[3]["recorded_at"]
    assert shop.call("GET", f"/orders/{order_id}", query={"at": at}).json["version"] == 4
    in_india = at.replace("T12:", "T17:").replace("Z", "+05:30")
    in_india = in_india.replace(":00:", ":30:", 1)
    assert shop.call("GET", f"/orders/{order_id}", query={"at": in_india}).json["version"] == 4


@pytest.mark.parametrize(
    ("query", "problem"), [({"version": 8}, "NoSuchVersion"), ({"at": "2020-01-01T00:00:00Z"}, "NotPlacedYet")]
)
@pytest.mark.parametrize("path", ["", "/replay"])
def test_a_version_or_time_outside_the_orders_history_is_not_found(shop, path, query, problem):
    """404; the detail names the version that the order is at, or when it was placed."""
    order_id = shop.assigned()
    query = {"at": query.get("version", query.get("at"))} if path else query
    answer = shop.call("GET", f"/orders/{order_id}{path}", query=query)
    assert (answer.status, answer.problem) == (404, problem)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_history_is_read_in_pages_without_gaps_or_repeats(shop, limit):
    """The pages together are the whole stream in order, and the last page has no next."""
    order_id = shop.assigned()
    events, cursor = [], {}
    while cursor is not None:
        page = shop.call("GET", f"/orders/{order_id}/history", query={"limit": limit, **cursor}).json
        assert len(page["events"]) <= limit
        events += page["events"]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert events[0]["type"] == "OrderPlaced"
    assert events[-1]["actor"] == {"role": "courier", "id": "carl"}
    assert events[-1]["data"]["answers"] == 6


def test_a_replay_shows_the_order_then_and_what_each_event_changed(shop):
    """The state at that version, and for each event up to it the path, the value before and the value after."""
    order_id = shop.assigned()
    replay = shop.call("GET", f"/orders/{order_id}/replay", query={"at": 5}).json
    assert (replay["order"]["version"], replay["order"]["status"], replay["latest"]) == (5, "preparing", 7)
    assert [step["version"] for step in replay["steps"]] == [1, 2, 3, 4, 5]
    assert {"path": "status", "before": "authorized", "after": "preparing"} in replay["steps"][-1]["changes"]


def test_an_auditor_reads_everything_but_personal_data(shop):
    """It is withheld in the state, in the events and in the changes."""
    order_id = shop.place()
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "my husband Bob cooks"})
    for path, query in (("", {}), ("/history", {}), ("/replay", {"at": 3})):
        shown = shop.call("GET", f"/orders/{order_id}{path}", query=query, role="auditor", sub="otto").text
        assert "(withheld)" in shown
        assert not any(text in shown for text in ("Byron", "1234567", "Lindenstrasse", "Bob"))


@pytest.mark.parametrize(("role", "sub"), [("customer", "ada"), ("restaurant", "rosa"), ("courier", "carl")])
def test_the_text_of_a_note_stays_with_support(shop, role, sub):
    """Neither a party to the order nor an auditor can read it, in any kind of read."""
    order_id = shop.assigned()
    note = shop.call("POST", f"/incidents/{order_id}/note", {"text": "Ada lies"}, role="support", sub="anna", key="1")
    assert note.status == 200, note
    for path, query in (("", {}), ("/history", {}), ("/replay", {"at": 8})):
        shown = shop.call("GET", f"/orders/{order_id}{path}", query=query, role=role, sub=sub)
        assert shown.status == 200
        assert "Ada lies" not in shown.text
    assert "Ada lies" in shop.call("GET", f"/orders/{order_id}/history", role="support", sub="anna").text


@pytest.mark.parametrize(("role", "sub"), [("restaurant", "rosa"), ("courier", "carl"), ("auditor", "otto")])
def test_only_roles_that_handle_the_payment_read_the_payment_method(shop, role, sub):
    """A restaurant or a courier does not need the token, and an auditor reads no customer's data."""
    order_id = shop.assigned(payment_method="pm_secret")
    for path, query in (("", {}), ("/history", {}), ("/replay", {"at": 7})):
        assert "pm_secret" not in shop.call("GET", f"/orders/{order_id}{path}", query=query, role=role, sub=sub).text
        assert "pm_secret" in shop.call("GET", f"/orders/{order_id}{path}", query=query).text


def test_erased_data_reads_as_erased_for_every_role(shop):
    """Once the customer's key is destroyed, reading still works and shows "(erased)"."""
    order_id = shop.place()
    shop.keyring.destroy("ada", shop.keyring.key_id_of("ada"))
    assert shop.call("GET", f"/orders/{order_id}").json["contact"] == "(erased)"
    assert shop.call("GET", f"/orders/{order_id}/history").json["events"][0]["data"]["contact"] == "(erased)"


def test_an_unknown_order_is_not_found(shop):
    """404, with a problem document whose instance is the path."""
    path = "/orders/ord_" + "a" * 26
    answer = shop.call("GET", path)
    assert (answer.status, answer.problem, answer.json["instance"]) == (404, "OrderNotFound", path)


@pytest.mark.parametrize(
    "path", ["/orders/{id}", "/orders/{id}/history", "/orders/{id}/replay", "/openapi.json", "/docs", "/docs/{asset}"]
)
def test_head_answers_as_get(shop, path):
    """The same status and headers, on the route of HEAD that API Gateway names; the front leaves the body out."""
    path, query = path.format(id=shop.assigned(), asset="start.js"), {"at": 3} if "replay" in path else {}
    assert shop.route("HEAD", path)[1].key.startswith("HEAD ")
    get, head = (shop.call(method, path, query=query) for method in ("GET", "HEAD"))
    assert (head.status, head.headers) == (200, get.headers)


def test_head_is_refused_as_get(shop):
    """An unknown order, a missing token and a version that the caller has get the status of GET."""
    order_id = shop.place()
    unknown, known = "/orders/ord_" + "a" * 26, f"/orders/{order_id}"
    assert shop.call("HEAD", unknown).status == 404
    assert shop.call_as(None, "HEAD", known).status == 401
    assert shop.call("HEAD", known, headers={"If-None-Match": shop.call("GET", known).etag}).status == 304


def test_every_get_of_the_template_has_a_head_beside_it():
    """API Gateway serves HEAD only on routes of its own."""
    for function in read_template(ROOT / "template.yaml").functions.values():
        by_method = {
            method: {(route.path, route.open) for route in function.routes if route.method == method}
            for method in ("GET", "HEAD")
        }
        assert by_method["GET"] == by_method["HEAD"]


def test_the_ledger_shows_each_movement_of_money_and_adds_up_to_zero(shop):
    """For support and auditors: a hold of 27.40 with the provider's id."""
    order_id = shop.authorized()
    answer = shop.call("GET", f"/orders/{order_id}/ledger", role="auditor", sub="olga")
    assert answer.status == 200, answer
    (hold,) = answer.json["transactions"]
    assert (hold["event"], hold["reference"]) == ("PaymentAuthorized", "auth-1")
    assert answer.json["balances"] == [
        {"account": "holds", "amount": {"amount": "27.40", "currency": "EUR"}},
        {"account": "held_for_customers", "amount": {"amount": "-27.40", "currency": "EUR"}},
    ]
    assert hold["postings"] == [{**balance, "party": None} for balance in answer.json["balances"]]
    assert answer.etag == f'"{answer.json["version"]}"'
