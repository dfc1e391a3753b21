"""Live updates over real sockets of a real engine."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.live.conftest import Socket


def versions(messages: list[dict]) -> list[int]:
    """Return the versions of all events, in the order in which they came."""
    return [event["version"] for message in messages for event in message["events"]]


def accept(engine, order_id: str) -> None:
    """Wait for the ticket and accept it."""
    restaurant = engine.socket("restaurant", "rst_1")
    restaurant.send(subscribe=f"order/{order_id}", since=0)
    restaurant.until(lambda message: (message.get("order") or {}).get("preparation"))
    engine.client("restaurant", "rst_1").accept(order_id, datetime.now(UTC) + timedelta(minutes=20))


def test_a_customer_sees_every_event_of_their_order_once_and_in_order(engine):
    """The log is what happened; a subscriber sees all of it that the history shows, without asking again."""
    order_id = engine.place()
    socket = engine.socket("customer", "cus_1")
    assert socket.subscribe(f"order/{order_id}", since=0)["subscribed"] == f"order/{order_id}"
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
    messages = socket.until(lambda message: message.get("ended"))
    history = list(engine.client("customer", "cus_1").history(order_id))
    assert [event for message in messages for event in message["events"]] == history
    assert messages[-1]["order"]["status"] == "cancelled"


def test_a_subscriber_resumes_after_a_restart_without_gap_or_duplicate(engine):
    """The law of live updates: what was sent before and after a restart is the history, each event once."""
    order_id = engine.place()
    socket = engine.socket("support", "anna")
    socket.subscribe(f"order/{order_id}", since=0)
    before = socket.until(lambda message: (message.get("order") or {}).get("preparation"))
    engine.stop()
    with pytest.raises(ConnectionClosed) as closed:
        socket.until(before.append)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    engine.start()
    engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
    socket = engine.socket("support", "anna")
    socket.subscribe(f"order/{order_id}", since=before[-1]["version"])
    after = socket.until(lambda message: message.get("ended"))
    history = engine.client("support", "anna").history(order_id)
    assert versions([*before, *after]) == [event["version"] for event in history]


def test_a_list_resumes_after_a_restart_without_gap_or_duplicate(engine):
    """Positions number the commits of all orders; a subscriber who names its last one misses and repeats none."""
    socket = engine.socket("support", "anna")
    start = socket.subscribe("orders")["position"]
    first = engine.place("cus_1")
    before = socket.until(lambda message: (message.get("order") or {}).get("preparation"))
    engine.stop()
    engine.start()
    second = engine.place("cus_2")
    engine.client("customer", "cus_1").cancel(first, "changed my mind")
    engine.client("customer", "cus_2").cancel(second, "changed my mind")
    socket = engine.socket("support", "anna")
    socket.subscribe("orders", since=before[-1]["position"])
    ended: set[str] = set()

    def both_ended(message: dict) -> bool:
        ended.update([message["order_id"]] if message["ended"] else [])
        return ended == {first, second}

    received = [*before, *socket.until(both_ended)]
    positions = [start, *(message["position"] for message in received)]
    assert positions == sorted(set(positions))  # the records of these reads have positions too
    for order_id in (first, second):
        history = engine.client("support", "anna").history(order_id)
        seen = versions([message for message in received if message["order_id"] == order_id])
        assert seen == [event["version"] for event in history][: len(seen)]


def test_each_role_sees_its_own_orders_alone(engine):
    """Permissions are those of the reads: another customer's order does not exist."""
    order_id = engine.place("cus_1")
    stranger = engine.socket("customer", "cus_2")
    refused = stranger.subscribe(f"order/{order_id}")
    assert refused["error"]["type"] == "urn:expediter:problem:OrderNotFound"
    for topic in ("customer/cus_1", "restaurant/rst_1", "courier/cou_1", "orders", "incidents"):
        refused = stranger.subscribe(topic)
        assert refused["error"]["type"] == "urn:expediter:problem:TopicNotAllowed"
        assert refused["error"]["detail"].endswith("; try customer/cus_2")
    assert stranger.subscribe("customer/cus_2")["subscribed"] == "customer/cus_2"


def test_a_restaurant_sees_its_tickets_as_they_come(engine):
    """The board of a restaurant needs no polling, and shows an order once its ticket is sent."""
    board = engine.socket("restaurant", "rst_1")
    board.subscribe("restaurant/rst_1")
    order_id = engine.place()
    message = board.receive()
    assert (message["topic"], message["order_id"]) == ("restaurant/rst_1", order_id)
    assert message["order"]["preparation"] is not None
    assert message["order"]["payment"]["method"] == "(withheld)"


def test_an_offer_leaves_the_board_of_the_couriers_who_did_not_take_it(engine):
    """Rights are checked at each push: once another courier has the order, it is gone. Its contact was not shown."""
    boards = {name: engine.socket("courier", name) for name in ("cou_1", "cou_2")}
    for name, board in boards.items():
        board.subscribe(f"courier/{name}")
    order_id = engine.place()
    accept(engine, order_id)
    for board in boards.values():
        offered = board.receive()
        assert offered["order"]["contact"] == "(withheld)"
    watching = engine.socket("courier", "cou_2")
    watching.send(subscribe=f"order/{order_id}")
    watching.until(lambda message: "order" in message)
    engine.client("courier", "cou_1").assign(order_id)
    taken = boards["cou_1"].until(lambda message: message["order"]["contact"] != "(withheld)")
    assert taken[-1]["order"]["contact"]["phone"] == "+33123456789"
    lost = boards["cou_2"].until(lambda message: message.get("gone"))
    assert set(lost[-1]) == {"topic", "position", "order_id", "gone"}
    assert watching.until(lambda message: message.get("gone"))[-1]["topic"] == f"order/{order_id}"


def test_the_customer_sees_where_the_courier_is_until_the_meal_is_there(engine):
    """A position is pushed, is not an event, and ends with the delivery."""
    order_id = engine.place()
    accept(engine, order_id)
    customer = engine.socket("customer", "cus_1")
    customer.send(subscribe=f"order/{order_id}")
    customer.until(lambda message: (message.get("order") or {}).get("delivery", {}).get("offer"))
    courier = engine.client("courier", "cou_1")
    courier.assign(order_id)
    here = {"latitude": 48.86, "longitude": 2.34}
    assert courier.act(order_id, "delivery/position", here)["kept"] is True  # type: ignore[typeddict-item]  # not an order
    assert courier.act(order_id, "delivery/position", here)["kept"] is False  # type: ignore[typeddict-item]  # not an order
    moved = customer.until(lambda message: "courier" in message)[-1]["courier"]
    assert {**here, "courier": "cou_1"} == {name: value for name, value in moved.items() if name != "at"}
    late = engine.socket("customer", "cus_1")
    late.send(subscribe=f"order/{order_id}")
    assert late.until(lambda message: "courier" in message)
    engine.client("restaurant", "rst_1").ready(order_id)
    courier.pick_up(order_id)
    courier.deliver(order_id)
    over = engine.socket("customer", "cus_1")
    over.send(subscribe=f"order/{order_id}")
    over.send(ping="after the state")
    assert not [m for m in over.until(lambda message: "pong" in message) if "courier" in m]


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ("subscribe", "MessageUnreadable"),
        ('{"subscribe": 7}', "MessageUnreadable"),
        ('{"subscribe": "orders", "since": -1}', "MessageUnreadable"),
        ('{"subscribe": "orders", "since": true}', "MessageUnreadable"),
        ('{"subscribe": "orders", "extra": 1}', "MessageUnreadable"),
        ('{"subscribe": "orders", "subscribe": "incidents"}', "MessageUnreadable"),
        ('{"subscribe": "planets"}', "TopicUnknown"),
        ('{"subscribe": "order"}', "TopicUnknown"),
        ('{"subscribe": "orders/7"}', "TopicUnknown"),
        ('{"subscribe": "orders", "since": 99999}', "TooFarBehind"),
        ("x" * 2000, "MessageUnreadable"),
        (b"bytes", "MessageUnreadable"),
    ],
)
def test_a_bad_message_is_answered_with_what_is_wrong(one_engine, sent, problem):
    """The socket stays open: one bad message does not cost the subscriptions."""
    socket = one_engine.socket("support", "anna")
    socket.connection.send(sent)
    assert socket.receive()["error"]["type"] == f"urn:expediter:problem:{problem}"
    assert socket.send(ping=1).receive() == {"pong": 1}


def test_a_client_that_sends_only_bad_messages_is_closed(one_engine):
    """It does not learn, and each costs the engine time."""
    socket = one_engine.socket("support", "anna")
    for _ in range(10):
        socket.send(subscribe="planets")
    with pytest.raises(ConnectionClosed) as closed:
        socket.until(lambda message: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4000


def test_a_message_that_is_too_large_closes_the_socket_and_is_no_fault_of_the_server(one_engine, caplog):
    """The client goes on sending after the close. That was a traceback in the log for each such message."""
    socket = one_engine.socket("support", "anna")
    with suppress(ConnectionClosed):
        socket.connection.send("x" * 8_000_000)
    with pytest.raises(ConnectionClosed) as closed:
        socket.receive()
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert one_engine.socket("support", "anna").send(ping=1).receive() == {"pong": 1}
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_a_ticket_opens_one_socket(one_engine):
    """A ticket stands in addresses, which proxies log."""
    ticket = one_engine.ticket("support", "anna")
    one_engine.open(ticket)
    for used in (ticket["ticket"], "unknown", ""):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{one_engine.port}/live?ticket={used}")
        assert refused.value.response.status_code == 401
        assert b"POST /live-tickets" in refused.value.response.body


def test_a_socket_ends_with_the_access_token(one_engine):
    """A right that ended does not live on in an open socket."""
    socket = one_engine.open(one_engine.ticket("support", "anna", ttl_s=2))
    with pytest.raises(ConnectionClosed) as closed:
        socket.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4001


def test_one_caller_cannot_take_all_sockets(one_engine):
    """The next socket of the same caller is refused; another caller gets one."""
    held = [one_engine.socket("support", "greedy") for _ in range(16)]
    with pytest.raises(InvalidStatus) as refused:
        one_engine.socket("support", "greedy")
    assert refused.value.response.status_code == 429
    assert one_engine.socket("support", "modest").send(ping=1).receive() == {"pong": 1}
    for socket in held:
        socket.connection.close()


def test_a_reader_that_does_not_keep_up_is_closed_with_a_reason(one_engine):
    """The messages that wait for one client are bounded, so that a thousand slow ones do not fill the memory."""
    ticket = one_engine.ticket("support", "slow")
    address = f"ws://127.0.0.1:{one_engine.port}/live?ticket={ticket['ticket']}"
    with connect(address, compression=None, max_queue=1) as connection:
        for number in range(4000):  # 3 MB of answers: more than the buffers of both sides
            connection.send(json.dumps({"ping": f"{number:04}" * 200}))
        while 'expediter_live_sockets_closed_total{reason="slow_reader"} 1.0' not in one_engine.metrics():
            pass
        with pytest.raises(ConnectionClosed) as closed:
            Socket(connection).until(lambda message: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4008
    assert "since" in closed.value.rcvd.reason
