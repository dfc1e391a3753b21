"""The client against the real HTTP front and the real handlers, over a connection that can be made to fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import httpx
import pytest

from handlers.http import models
from workflows.client import order_json
from workflows.client.client import ATTEMPTS_MAX, EngineUnreachable, ExpediterClient, Problem
from workflows.clock import SystemClock
from workflows.embedded.alarms import Alarms
from workflows.embedded.http.api import HttpApi
from workflows.embedded.http.server import HttpServer
from workflows.embedded.http.tokens import AccessTokens
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.template import read_template

ROOT = Path(__file__).parents[2]
TOKENS = AccessTokens(b"a secret of thirty-two bytes ....")


@pytest.fixture
def url(shop):
    """The address of an engine's front that serves the shop's APIs."""
    template, clock, alarms = read_template(ROOT / "template.yaml"), SystemClock(), Alarms(SystemClock())
    functions = Functions(template.functions, clock=clock, alarms=alarms, workers=4)
    functions.start(shop.engine)
    server = HttpServer(HttpApi(template, functions, TOKENS, clock).app, port=0)
    yield f"http://127.0.0.1:{server.port}"
    server.close()
    functions.close(timeout_s=5)
    alarms.close()


class Wire(httpx.BaseTransport):
    """A real connection with a script: ``lost`` does not arrive, ``unheard`` arrives and its answer does not, an
    ``httpx.Response`` is answered instead, and when the script is over everything works."""

    def __init__(self, *script: Any) -> None:
        self._real = httpx.HTTPTransport()
        self.script = list(script)
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        event = self.script.pop(0) if self.script else None
        if event == "lost":
            raise httpx.ConnectError("connection refused")
        if isinstance(event, httpx.Response):
            return event
        response = self._real.handle_request(request)
        if event == "unheard":
            response.read()
            raise httpx.ReadTimeout("timed out")
        return response

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def connect(url):
    """Clients by role and id, over a wire with a script; ``slept`` is how long they would have waited."""
    opened = []

    def connect(role="customer", sub="ada", *script):
        wire = Wire(*script)
        client = ExpediterClient(url, TOKENS.mint(role, sub), http=httpx.Client(transport=wire), sleep=opened.append)
        return client, wire

    connect.slept = opened
    return connect


def test_an_order_is_brought_from_the_kitchen_to_the_door(shop, body, connect):
    """Every method of the client, against what really answers."""
    customer, _ = connect()
    restaurant, _ = connect("restaurant", "rosa")
    courier, _ = connect("courier", "carl")
    support, _ = connect("support", "sue")
    order_id = shop.authorized()
    assert customer.get(order_id)["status"] == "authorized"
    assert restaurant.accept(order_id, datetime(2026, 5, 4, 12, 30, tzinfo=UTC), ticket=4)["status"] == "preparing"
    assert restaurant.item_unavailable(order_id, 1, 1)["lines"][0]["quantity"] == 1
    assert courier.decline(order_id, "too far")["delivery"]["offers"][0]["state"] == "declined"
    assert support.assign(order_id, "carl")["delivery"]["offer"]["courier"] == "carl"
    assert restaurant.ready(order_id)["status"] == "ready"
    assert courier.pick_up(order_id)["status"] == "picked_up"
    assert courier.deliver(order_id)["status"] == "delivered"
    assert [event["version"] for event in customer.history(order_id, page_size=4)][-1] == shop.order(order_id).version
    assert customer.replay(order_id, 5)["order"]["version"] == customer.get(order_id, version=5)["version"] == 5


def test_orders_are_rejected_failed_and_cancelled(shop, body, connect):
    """The sad methods."""
    customer, _ = connect()
    assert customer.cancel(customer.place(body(), "k")["id"], "no", if_match=2)["status"] == "cancelling"
    restaurant, _ = connect("restaurant", "rosa")
    rejected = restaurant.reject(shop.authorized(key="2"), "closed")
    assert rejected["cancellation"]["cause"] == "preparation_rejected"
    courier, _ = connect("courier", "carl")
    failed = courier.fail(shop.picked_up(key="3"), "rain", "platform")
    assert failed["cancellation"]["cause"] == "delivery_failed"
    assert courier.assign(shop.accepted(key="4"))["delivery"]["offer"]["courier"] == "carl"


def test_only_news_is_read(shop, connect):
    """None while the order is at the version one has."""
    client, _ = connect()
    order_id = shop.place()
    assert client.get_changed(order_id, 2) is None
    assert client.get_changed(order_id, 1)["version"] == 2


def test_a_refusal_is_a_problem_with_its_name_and_fields(body, connect):
    """What a program matches on, and what a person reads."""
    client, wire = connect()
    with pytest.raises(Problem, match="restaurant") as caught:
        client.place(body(restaurant=7), "k")
    assert (caught.value.status, caught.value.name, caught.value.title) == (422, "InvalidRequest", "Invalid request")
    assert caught.value.errors == (("restaurant", "send a text"),)
    assert len(wire.sent) == 1  # a refusal is not asked again


def test_the_fronts_own_refusals_are_problems_too(url):
    """No token, nothing there."""
    with ExpediterClient(url, "rubbish") as client, pytest.raises(Problem) as caught:
        client.get("ord_" + "a" * 26)
    assert caught.value.status == 401


def test_an_id_full_of_slashes_asks_for_no_other_path(connect):
    """Whatever a caller passes on as an id stays one segment."""
    client, wire = connect()
    with pytest.raises(Problem):
        client.get("../docs?x=1")
    assert wire.sent[0].url.raw_path == b"/orders/..%2Fdocs%3Fx%3D1"


def test_a_lost_answer_is_asked_for_again_and_nothing_happens_twice(shop, body, connect):
    """The order was placed; the retry meets it."""
    client, wire = connect("customer", "ada", "lost", "unheard")
    order = client.place(body(), "k")
    assert len(wire.sent) == 3
    assert [each["version"] for each in client.history(order["id"])] == [1, 2]


def test_a_write_without_a_key_is_given_one_that_its_retries_keep(shop, connect):
    """Else a courier's lost "no" would decline the next offer too."""
    order_id = shop.accepted()
    client, wire = connect("courier", "carl", "unheard", "lost")
    order = client.decline(order_id, "too far")
    assert [offer["state"] for offer in order["delivery"]["offers"]] == ["declined", "requested"]
    assert len({request.headers["idempotency-key"] for request in wire.sent}) == 1


def test_a_busy_engine_is_asked_again_after_the_time_it_says(shop, connect):
    """Retry-After counts where it is longer than our own wait, within reason."""
    busy = [httpx.Response(503, headers={"retry-after": said}, json={"detail": "busy"}) for said in ("3", "86400", "x")]
    client, wire = connect("customer", "ada", *busy, httpx.Response(429, json={"detail": "busy"}))
    client.get(shop.place())
    assert len(wire.sent) == 5
    assert connect.slept[:2] == [3.0, 10.0]
    assert all(waited <= 2.0 for waited in connect.slept[2:])


def test_an_engine_that_stays_busy_is_a_problem_in_the_end(connect):
    """Its own words, after the last attempt."""
    client, wire = connect("customer", "ada", *[httpx.Response(503, json={"detail": "busy"}) for _ in range(9)])
    with pytest.raises(Problem, match="busy"):
        client.get("ord_" + "a" * 26)
    assert len(wire.sent) == ATTEMPTS_MAX


def test_an_engine_that_is_not_there_is_unreachable(connect):
    """With its address, after the last attempt."""
    client, wire = connect("customer", "ada", *["lost"] * 9)
    with pytest.raises(EngineUnreachable, match=r"no engine answers at http://127\.0\.0\.1"):
        client.get("ord_" + "a" * 26)
    assert (len(wire.sent), len(connect.slept)) == (ATTEMPTS_MAX, ATTEMPTS_MAX - 1)


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(502, text="bad gateway")])
def test_an_answer_of_somebody_else_is_no_order(connect, answer):
    """A proxy, or another service on that port."""
    client, _ = connect("customer", "ada", answer)
    with pytest.raises(EngineUnreachable, match="not as Expediter does"):
        client.get("ord_" + "a" * 26)


@pytest.mark.parametrize("address", ["ftp://localhost", "localhost:8080", "http://\udc80", ""])
def test_an_address_that_is_none_is_said_at_once(address):
    """Without waiting for it."""
    waited = []
    client = ExpediterClient(address, "token", sleep=waited.append)
    with pytest.raises(EngineUnreachable, match="is not the address of an engine"):
        client.get("ord_" + "a" * 26)
    assert waited == []


PAIRS = [
    (order_json.PlaceJson, models.PlaceBody),
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
