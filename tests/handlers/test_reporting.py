"""Reports of restaurants and couriers, and cancellations: each is recorded once, about the ticket or offer it names."""

from __future__ import annotations

import copy
import sys
import threading
from dataclasses import replace

import pytest

from domain.identifiers import order_id_for
from domain.order.commands import Awaited, RecordTimeout
from domain.order.delivery import ATTEMPTS_MAX, OfferState
from domain.order.events import PreparationRejected
from handlers.http.preconditions import prefers_minimal
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.keyring import NoKeys

MINIMAL = {"headers": {"Prefer": "return=minimal"}}
DISPATCHER = {"role": "service", "sub": "dispatcher"}


def _types(shop, order_id):
    history = shop.call("GET", f"/orders/{order_id}/history", role="support", sub="sue", query={"limit": 100}).json
    return [event["type"] for event in history["events"]]


def test_an_order_goes_from_the_kitchen_to_the_door(shop):
    """Each report is answered with the order after it, and its ETag."""
    order_id = shop.picked_up()
    answer = shop.act(order_id, "delivery/deliver")
    assert (answer.status, answer.json["status"], answer.etag) == (200, "delivered", f'"{answer.json["version"]}"')
    assert answer.json["pending"][0]["intent"] == "PaymentCaptureRequested"


@pytest.fixture
def opened(shop, monkeypatch):
    """Give the APIs a log without keys beside the other, as on AWS; list the keys that were opened."""
    keyless = copy.copy(shop.log)
    keyless._codec = Codec(NoKeys(), EVENT_TYPES)
    shop.engine = replace(shop.engine, log_without_keys=keyless)
    keys, find = [], shop.keyring.find
    monkeypatch.setattr(shop.keyring, "find", lambda key_id: keys.append(key_id) or find(key_id))
    return keys


def test_reports_that_prefer_a_minimal_answer_open_no_key(shop, opened):
    """Each request to the key service costs money, and the answer shows no personal field."""
    order_id = shop.authorized()
    opened.clear()
    for action, body in {
        "preparation/accept": {"ready_at": "2026-05-04T12:30:00Z"},
        "preparation/item-unavailable": {"line": 1, "available": 1},
        "delivery/assign": {},
        "preparation/ready": {},
        "delivery/pick-up": {},
        "delivery/position": {"latitude": 52.5, "longitude": 13.4},
        "delivery/deliver": {},
    }.items():
        answer = shop.act(order_id, action, body, **MINIMAL)
        assert answer.status == (200 if action == "delivery/position" else 204), answer
        assert opened == [], action
    assert (answer.text, answer.headers["preference-applied"]) == ("", "return=minimal")
    assert answer.etag == f'"{shop.order(order_id).version}"'
    again = shop.act(order_id, "delivery/deliver", {}, **MINIMAL)
    assert (again.status, again.headers["idempotent-replayed"]) == (204, "true")
    opened.clear()
    assert shop.act(order_id, "delivery/deliver", {}).json["contact"]["name"]
    assert opened


def test_a_minimal_answer_changes_nothing_in_what_a_report_stores(shop, opened):
    """The text of a rejection is sealed with the customer's key, and read with it."""
    order_id = shop.authorized()
    assert shop.act(order_id, "preparation/reject", {"reason": "no more dough"}, **MINIMAL).status == 204
    [rejected] = [
        each.event
        for each in shop.log.load(f"order#{order_id}").recorded
        if isinstance(each.event, PreparationRejected)
    ]
    assert rejected.reason == "no more dough"


@pytest.mark.parametrize(
    ("prefer", "minimal"),
    [
        (None, False),
        ("return=representation", False),
        ("return=minimal", True),
        ('wait=5, Return="Minimal"; a=b', True),
        ("return=representation, return=minimal", False),
        (",;==", False),
    ],
)
def test_a_preference_is_read_as_rfc_7240_writes_it(prefer, minimal):
    """Of two preferences the first counts. An unknown preference is ignored."""
    assert prefers_minimal(prefer) is minimal


def test_a_body_of_optional_fields_may_be_left_out(shop):
    """It then counts as an empty object."""
    order_id = shop.assigned()
    assert shop.act(order_id, "preparation/ready").status == 200
    assert shop.act(order_id, "delivery/pick-up", None, text="").status == 200


def test_the_same_report_again_adds_nothing(shop):
    """Also without a key: the second report is a retry of the first."""
    order_id = shop.authorized()
    said = {"ready_at": "2026-05-04T12:30:00Z"}
    first = shop.act(order_id, "preparation/accept", said)
    again = shop.act(order_id, "preparation/accept", said)
    assert (again.status, again.etag, again.headers["idempotent-replayed"]) == (200, first.etag, "true")


def test_the_same_key_with_another_body_is_refused(shop):
    """Reports are held to that like orders."""
    order_id = shop.authorized()
    shop.act(order_id, "preparation/accept", {"ready_at": "2026-05-04T12:30:00Z"}, key="k")
    answer = shop.act(order_id, "preparation/accept", {"ready_at": "2026-05-04T12:40:00Z"}, key="k")
    assert (answer.status, answer.problem) == (422, "KeyReused")


def test_one_key_on_two_actions_identifies_two_requests(shop):
    """A key counts for one action only."""
    order_id = shop.assigned()
    assert shop.act(order_id, "preparation/ready", key="k").status == 200
    assert "idempotent-replayed" not in shop.act(order_id, "delivery/pick-up", key="k").headers


def test_a_late_retry_of_an_acceptance_is_answered_like_the_first_attempt(shop):
    """Its ready time has passed meanwhile, but had not when it was recorded."""
    order_id = shop.authorized()
    said = {"ready_at": "2026-05-04T12:01:00Z"}
    assert shop.act(order_id, "preparation/accept", said).status == 200
    shop.clock.time = shop.clock.time.replace(hour=15)
    assert shop.act(order_id, "preparation/accept", said).headers["idempotent-replayed"] == "true"


def test_a_retry_answers_the_offer_that_the_first_attempt_answered(shop):
    """Another offer is the current one by now; declining that one was not requested."""
    order_id = shop.assigned()
    shop.act(order_id, "delivery/decline", {"reason": "too far"}, key="k")
    again = shop.act(order_id, "delivery/decline", {"reason": "too far"}, key="k")
    assert again.headers["idempotent-replayed"] == "true"
    assert [offer["state"] for offer in again.json["delivery"]["offers"]] == ["declined", "requested"]


def test_the_same_body_about_another_offer_is_another_request(shop):
    """Without a key, the offer answered is part of what identifies a request."""
    order_id = shop.accepted()
    shop.act(order_id, "delivery/decline", {"reason": "too far"}, **DISPATCHER)
    answer = shop.act(order_id, "delivery/decline", {"reason": "too far"}, **DISPATCHER)
    assert [offer["state"] for offer in answer.json["delivery"]["offers"]] == ["declined", "declined", "requested"]


@pytest.mark.parametrize("role", ["support", "service"])
def test_a_report_on_behalf_that_costs_more_than_the_limit_waits_for_a_second_person(shop, role):
    """Neither a failed delivery nor a missing item is a way around the second person."""
    dear = {"lines": [{"sku": "p", "name": "P", "quantity": 50, "unit_price": {"amount": "100.00", "currency": "EUR"}}]}
    order_id = shop.picked_up(**dear)
    report = {"reason": "lost", "fault": "courier"}
    answer = shop.act(order_id, "delivery/fail", report, role=role, sub="one")
    assert (answer.status, answer.json["status"], len(answer.json["approvals"])) == (200, "picked_up", 1)
    approval = {"approval": answer.json["approvals"][0], "reason": "the courier admits it"}
    path = f"/incidents/{order_id}/approve"
    assert shop.call("POST", path, approval, role="support", sub="one").status == 403
    done = shop.call("POST", path, approval, role="support", sub="two")
    assert done.json["order"]["status"] == "cancelling"
    missing = shop.authorized(key="missing", **dear)
    item = {"line": 1, "available": 1}
    assert shop.act(missing, "preparation/item-unavailable", item, role=role, sub="one").json["approvals"]


def test_the_courier_itself_may_report_a_failed_delivery_of_any_price(shop):
    order_id = shop.picked_up()
    report = {"reason": "lost", "fault": "courier"}
    assert shop.act(order_id, "delivery/fail", report).json["status"] == "cancelling"


def test_declines_of_couriers_never_cancel_an_order_that_others_may_deliver(shop):
    """One token, or many, that decline an offer to all: it stays open until its time is over."""
    order_id = shop.accepted()
    for number in range(2 * ATTEMPTS_MAX):
        answer = shop.act(order_id, "delivery/decline", {"reason": "too far"}, sub=f"courier-{number % 7}")
        assert answer.status == 200
    assert [offer["state"] for offer in answer.json["delivery"]["offers"]] == ["requested"]


def test_one_courier_cannot_cancel_an_order_by_accepting_and_giving_back(shop):
    """Only the first time; then the offers of this order are for others."""
    order_id = shop.assigned("carl")
    assert shop.act(order_id, "delivery/decline", {"reason": "flat tyre"}).status == 200
    assert shop.act(order_id, "delivery/assign", {}).status == 403
    assert shop.act(order_id, "delivery/assign", {}, sub="cleo").status == 200


def test_a_courier_declines_for_itself_alone_and_a_service_for_a_courier_or_for_all(shop):
    order_id = shop.accepted()
    assert shop.act(order_id, "delivery/decline", {"reason": "far", "courier_id": "cleo"}).status == 422
    answer = shop.act(order_id, "delivery/decline", {"reason": "far", "courier_id": "cleo"}, **DISPATCHER)
    assert [offer["state"] for offer in answer.json["delivery"]["offers"]] == ["requested"]
    answer = shop.act(order_id, "delivery/decline", {"reason": "far"}, **DISPATCHER)
    assert [offer["state"] for offer in answer.json["delivery"]["offers"]] == ["declined", "requested"]


def test_a_courier_whose_report_ended_the_order_gets_its_recorded_answer(shop):
    """The courier who gives the last offer back cancels the order and may repeat the request."""
    order_id = shop.accepted()
    for _ in range(ATTEMPTS_MAX - 1):
        shop.act(order_id, "delivery/decline", {"reason": "nobody free"}, **DISPATCHER)
    shop.act(order_id, "delivery/assign", {})
    assert shop.act(order_id, "delivery/decline", {"reason": "too far"}, key="k").json["status"] == "cancelling"
    assert shop.act(order_id, "delivery/decline", {"reason": "too far"}, key="k").status == 200


def test_an_answer_to_an_older_offer_is_about_that_offer(shop):
    """Carl took the first offer, and reports it after that offer timed out and another one was made."""
    order_id = shop.accepted()
    first = shop.order(order_id).delivery.current.intent
    shop.command(order_id, RecordTimeout(run=1, awaited=Awaited.ASSIGNMENT, intent_version=first, at=shop.clock.now()))
    assert shop.act(order_id, "delivery/assign", {"offer": first}, sub="carl").status == 200
    states = [offer.state for offer in shop.order(order_id).delivery.offers]
    assert states[0] is OfferState.ASSIGNED


def test_a_closed_offer_is_not_open_to_strangers(shop):
    """Otherwise any courier could read the customer's address by naming an old offer."""
    order_id = shop.assigned()
    closed = shop.order(order_id).delivery.current.intent
    shop.act(order_id, "delivery/decline", {"reason": "flat tyre"})
    shop.act(order_id, "delivery/assign", sub="cleo")
    assert shop.act(order_id, "delivery/assign", {"offer": closed}, sub="mallory").status == 404


@pytest.mark.parametrize("action", ["preparation/ready", "delivery/pick-up"])
def test_a_report_before_any_ticket_or_offer_is_refused_by_name(shop, action):
    """No ticket was sent and no offer made yet."""
    order_id = shop.place()
    answer = shop.act(order_id, action, role="support", sub="sue")
    assert (answer.status, answer.problem) == (409, "NotAsked")


def test_a_report_about_a_ticket_that_does_not_exist_is_refused(shop):
    """Its number belongs to another event."""
    order_id = shop.authorized()
    answer = shop.act(order_id, "preparation/ready", {"ticket": 999})
    assert (answer.status, answer.problem) == (409, "NotAsked")


def test_a_ready_time_just_past_is_accepted(shop):
    """Clocks differ by a few minutes, and messages are delayed."""
    order_id = shop.authorized()
    assert shop.act(order_id, "preparation/accept", {"ready_at": "2026-05-04T11:56:00Z"}).status == 200


def test_a_write_with_the_newest_etag_is_done_and_with_an_older_one_refused(shop):
    """412: nothing is recorded, and the detail names the order's version."""
    order_id = shop.authorized()
    before = shop.stored()
    etag = shop.call("GET", f"/orders/{order_id}").etag
    stale = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": '"3"'})
    assert (stale.status, stale.problem, stale.fields) == (412, "PreconditionFailed", ["If-Match"])
    assert shop.stored() == before
    assert shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": etag}).status == 200


def test_any_version_matches_a_star(shop):
    """If-Match: * only requires that the order exists."""
    order_id = shop.place()
    answer = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": "*"})
    assert answer.status == 200


@pytest.mark.parametrize("sent", ['"1", "2"', '"9","2" , "1"', 'W/"2", "2"', '"abc", "2"'])
def test_a_list_in_if_match_matches_if_one_of_its_etags_is_the_orders(shop, sent):
    """As RFC 9110 says, in any order and with any spaces."""
    order_id = shop.place()
    answer = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": sent})
    assert answer.status == 200


@pytest.mark.parametrize("sent", ['W/"2"', '"1", "3"', '""', '"seven"', '"02"', '"' + "9" * 40 + '"', '"*"'])
def test_an_etag_that_is_weak_or_of_another_version_matches_nothing(shop, sent):
    """If-Match compares strongly: a weak tag is a valid one that never matches, so the answer is 412 and not 400."""
    order_id = shop.place()
    before = shop.stored()
    answer = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, headers={"if-match": sent})
    assert (answer.status, answer.fields) == (412, ["If-Match"])
    assert shop.stored() == before


def test_a_retry_with_the_etag_of_the_first_attempt_succeeds(shop):
    """The order is at a newer version only because of the first attempt."""
    order_id = shop.place()
    how = {"headers": {"if-match": '"2"'}, "key": "k"}
    assert shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, **how).status == 200
    assert shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"}, **how).status == 200


def test_a_meal_on_its_way_is_not_cancelled(shop):
    """409, named after the rule."""
    order_id = shop.picked_up()
    answer = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "no"})
    assert (answer.status, answer.problem) == (409, "OrderAlreadyPickedUp")
    assert answer.json["title"] == "Order already picked up"


def test_a_cancellation_shows_its_actor_and_reason(shop):
    """The reason is shown to callers who may read personal data."""
    order_id = shop.authorized()
    cancelled = shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "changed my mind"}).json["order"]
    assert cancelled["status"] == "cancelling"
    assert cancelled["cancellation"] == {
        "cause": "asked",
        "fault": "customer",
        "by": {"role": "customer", "id": "ada"},
        "reason": "changed my mind",
    }


def test_of_two_couriers_who_take_an_offer_at_once_one_has_it(shop):
    """The permission is checked on the version that the decision is based on, so the second courier is refused."""
    order_id = shop.accepted()
    offer = shop.order(order_id).delivery.current.intent
    couriers = [f"courier-{number}" for number in range(8)]
    start, answers = threading.Barrier(len(couriers)), {}

    def take(courier):
        start.wait()
        answers[courier] = shop.act(order_id, "delivery/assign", {"offer": offer}, sub=courier)

    _together(take, couriers)
    assert sorted(answer.status for answer in answers.values()) == [200] + [404] * 7
    winner = next(courier for courier, answer in answers.items() if answer.status == 200)
    assert shop.order(order_id).delivery.current.courier == winner
    assert _types(shop, order_id).count("CourierAssigned") == 1


@pytest.fixture
def restless():
    """Switch threads every microsecond instead of every 5 ms, so that requests interleave."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("restless")
def test_requests_of_many_threads_do_not_see_each_other(shop, body):
    """One process serves many requests at once; each keeps its own caller and body."""
    customers = [f"customer-{number}" for number in range(16)]
    start, answers = threading.Barrier(len(customers)), {}

    def order(customer):
        start.wait()
        for number in range(5):
            sent = body(payment_method=f"pm_{customer}_{number}")
            answers[customer, number] = shop.call("POST", "/orders", sent, key=f"{customer}-{number}", sub=customer)

    _together(order, customers)
    for (customer, number), answer in answers.items():
        assert answer.status == 201, answer
        assert (answer.json["customer"], answer.json["payment"]["method"]) == (customer, f"pm_{customer}_{number}")
        assert answer.json["id"] == order_id_for(f"customer/{customer}", f"{customer}-{number}")


def _together(work, arguments):
    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
