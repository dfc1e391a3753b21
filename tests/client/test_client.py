"""Both clients against the real HTTP front and the real handlers, over a connection that can be made to fail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NotRequired, get_origin, get_type_hints

import httpx
import pytest

from handlers.http import models
from tests.client.conftest import TOKENS
from workflows.client import ApiProblem, EngineUnreachable, order_json
from workflows.client.exchange import RETRY_FOR_S, WAIT_MAX_S
from workflows.embedded.http.server import HttpServer


def test_an_order_is_brought_from_the_kitchen_to_the_door(shop, body, connect):
    """Every method of the client works with the real handlers."""
    customer, _ = connect()
    restaurant, _ = connect("restaurant", "rosa")
    courier, _ = connect("courier", "carl")
    support, _ = connect("support", "sue")
    order_id = shop.authorized()
    assert customer.get(order_id)["status"] == "authorized"
    assert restaurant.accept(order_id, datetime(2026, 5, 4, 12, 30, tzinfo=UTC), ticket=4)["status"] == "preparing"
    assert restaurant.item_unavailable(order_id, 1, 1)["lines"][0]["quantity"] == 1
    assert support.decline(order_id, "too far")["delivery"]["offers"][0]["state"] == "declined"
    assert support.assign(order_id, "carl")["delivery"]["offer"]["courier"] == "carl"
    assert restaurant.ready(order_id)["status"] == "ready"
    assert courier.pick_up(order_id)["status"] == "picked_up"
    assert courier.deliver(order_id)["status"] == "delivered"
    assert [event["version"] for event in customer.history(order_id, page_size=4)][-1] == shop.order(order_id).version
    assert customer.replay(order_id, 5)["order"]["version"] == customer.get(order_id, version=5)["version"] == 5


def test_orders_are_rejected_failed_and_cancelled(shop, body, connect):
    """The methods for orders that are not delivered work too."""
    customer, _ = connect()
    assert customer.cancel(customer.place(body(), "k")["id"], "no", if_match=2)["order"]["status"] == "cancelling"
    restaurant, _ = connect("restaurant", "rosa")
    rejected = restaurant.reject(shop.authorized(key="2"), "closed")
    assert rejected["cancellation"]["cause"] == "preparation_rejected"
    courier, _ = connect("courier", "carl")
    failed = courier.fail(shop.picked_up(key="3"), "rain", "platform")
    assert failed["cancellation"]["cause"] == "delivery_failed"
    assert courier.assign(shop.accepted(key="4"))["delivery"]["offer"]["courier"] == "carl"


def test_an_unchanged_order_is_not_read_again(shop, connect):
    """``get_changed`` returns None while the order is at the caller's version."""
    client, _ = connect()
    order_id = shop.place()
    assert client.get_changed(order_id, 2) is None
    assert client.get_changed(order_id, 1)["version"] == 2


def test_a_refusal_is_a_problem_with_its_name_and_fields(body, connect):
    """The name is for programs, the detail for people."""
    client, wire = connect()
    with pytest.raises(ApiProblem, match="restaurant") as caught:
        client.place(body(restaurant=7), "k")
    assert (caught.value.status, caught.value.name, caught.value.title) == (422, "InvalidRequest", "Invalid request")
    assert caught.value.errors == (("restaurant", "must be a string"),)
    assert len(wire.sent) == 1  # a refused request is not repeated


def test_the_fronts_own_refusals_are_problems_too(url, open_client):
    """A refused token is answered by the front, before any handler."""
    client, _ = open_client(url, "rubbish")
    with pytest.raises(ApiProblem) as caught:
        client.get("ord_" + "a" * 26)
    assert caught.value.status == 401


def test_an_id_with_slashes_requests_no_other_path(connect):
    """An id is always one segment of the path."""
    client, wire = connect()
    with pytest.raises(ApiProblem):
        client.get("../docs?x=1")
    assert wire.sent[0].url.raw_path == b"/orders/..%2Fdocs%3Fx%3D1"


def test_a_request_with_a_lost_answer_is_repeated_without_a_second_effect(shop, body, connect):
    """The order was placed, and the retry gets it."""
    client, wire = connect("customer", "ada", "lost", "unheard")
    order = client.place(body(), "k")
    assert len(wire.sent) == 3
    assert [each["version"] for each in client.history(order["id"])] == [1, 2]


def test_a_write_without_a_key_is_given_one_that_its_retries_keep(shop, connect):
    """Otherwise the retry of a courier's decline could decline the next offer too."""
    order_id = shop.assigned("carl")
    client, wire = connect("courier", "carl", "unheard", "lost")
    order = client.decline(order_id, "too far")
    assert [offer["state"] for offer in order["delivery"]["offers"]] == ["declined", "requested"]
    assert len({request.headers["idempotency-key"] for request in wire.sent}) == 1


def test_a_request_to_a_busy_engine_is_repeated_after_retry_after(shop, connect, fake_time):
    """Retry-After is used if it is longer than the client's own wait, up to ten seconds."""
    busy = [httpx.Response(503, headers={"retry-after": said}, json={"detail": "busy"}) for said in ("3", "x", "86400")]
    client, wire = connect("customer", "ada", *busy)
    client.get(shop.place())
    assert len(wire.sent) == 4
    assert (fake_time.waits[0], fake_time.waits[2]) == (3.0, 10.0)
    assert fake_time.waits[1] <= WAIT_MAX_S


def test_an_engine_that_stays_busy_is_a_problem_in_the_end(connect, fake_time):
    """The last answer is raised when the time for repeating is over."""
    busy = [httpx.Response(429, json={"detail": "busy"}) for _ in range(99)]
    client, _ = connect("customer", "ada", *busy)
    with pytest.raises(ApiProblem, match="busy"):
        client.get("ord_" + "a" * 26)
    assert RETRY_FOR_S <= fake_time.passed_s <= RETRY_FOR_S + WAIT_MAX_S


def test_an_engine_that_does_not_run_is_unreachable(connect, fake_time):
    """The error names the address, when the time for repeating is over."""
    client, _ = connect("customer", "ada", *["lost"] * 99)
    with pytest.raises(EngineUnreachable, match=r"no engine answers at http://127\.0\.0\.1"):
        client.get("ord_" + "a" * 26)
    assert RETRY_FOR_S <= fake_time.passed_s <= RETRY_FOR_S + WAIT_MAX_S


def test_a_client_outlasts_an_engine_that_is_away_for_eight_seconds(open_client, fake_time):
    """A restart takes about three seconds; callers of the client do not notice it."""

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b'{"circuits": []}'})

    server = HttpServer(app, port=0)
    port = server.port
    client, _ = open_client(f"http://127.0.0.1:{port}", "token")
    assert client.circuits() == {"circuits": []}
    server.close()
    back = []

    def come_back(passed_s):
        if passed_s > 8 and not back:
            back.append(HttpServer(app, port))

    fake_time.passing = come_back
    assert client.circuits() == {"circuits": []}
    assert len(fake_time.waits) > 4
    back[0].close()


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(502, text="bad gateway")])
def test_an_answer_of_another_server_is_no_order(connect, answer):
    """It may come from a proxy or another service on that port."""
    client, _ = connect("customer", "ada", answer)
    with pytest.raises(EngineUnreachable, match="not as Expediter does"):
        client.get("ord_" + "a" * 26)


@pytest.mark.parametrize("address", ["ftp://localhost", "localhost:8080", "http://\udc80", ""])
def test_an_invalid_address_is_refused_at_once(address, open_client, fake_time):
    """A retry does not help."""
    client, _ = open_client(address, TOKENS.mint("customer", "ada"))
    with pytest.raises(EngineUnreachable, match="is not the address of an engine"):
        client.get("ord_" + "a" * 26)
    assert fake_time.waits == []


def test_a_header_that_cannot_carry_its_text_is_refused_by_name(shop, connect):
    """Before anything is sent, and not as an engine that does not answer."""
    support, _ = connect("support", "sue")
    order_id = shop.place()
    for reason in ("\u00fcber", "two\nlines"):
        with pytest.raises(ValueError, match="Access-Reason: use printable ASCII"):
            support.get(order_id, reason=reason)


def test_a_time_without_a_zone_is_refused(connect):
    """It would mean another moment on another machine."""
    client, wire = connect()
    with pytest.raises(ValueError, match="has no time zone"):
        client.replay("ord_x", datetime(2026, 5, 4))  # noqa: DTZ001 - that is what is tested
    assert wire.sent == []


PAIRS = [
    (order_json.PlaceJson, models.PlaceBody),
    (order_json.PlaceItemJson, models.SelectionBody),
    (order_json.PlaceLineJson, models.LineBody),
    (order_json.PlaceContactJson, models.ContactBody),
    (order_json.OptionJson, models.OptionBody),
]


@pytest.mark.parametrize(("typed", "model"), PAIRS, ids=lambda value: value.__name__)
def test_the_clients_request_types_are_those_of_the_api(typed, model):
    """The same fields, and the same ones optional. (Answers are made in the client's own types.)"""
    hints = get_type_hints(typed, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    assert set(hints) == set(model.model_fields)
    assert optional == {name for name, field in model.model_fields.items() if not field.is_required()}
