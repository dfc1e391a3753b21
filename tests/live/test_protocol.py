"""The statements of docs/live.md that a client relies on to resume, and what it is answered when it errs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Engine, Socket


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the module: each test has an order of its own."""
    folder: Path = tmp_path_factory.mktemp("live") / "engine"
    engine = Engine(folder)
    yield engine
    engine.close()


def resting(engine: Engine) -> tuple[str, int]:
    """Place an order and return its id and its version once it waits for the restaurant."""
    order_id = engine.place()
    socket = engine.socket("support", "anna")
    socket.subscribe(f"order/{order_id}", since=0)
    waiting = socket.until(lambda message: (message.get("order") or {}).get("preparation"))[-1]
    return order_id, waiting["version"]


def nothing_more(socket: Socket) -> bool:
    """Whether the answer to a ping is the next message: messages come in order."""
    return socket.send(ping="next").receive() == {"pong": "next"}


def test_without_since_the_state_of_an_order_comes_first_and_no_event(shared):
    """A page shows the order at once; a list shows what it was read with."""
    order_id, version = resting(shared)
    socket = shared.socket("customer", "cus_1")
    assert socket.subscribe(f"order/{order_id}") == {"subscribed": f"order/{order_id}", "version": version}
    state = socket.receive()
    assert (state["version"], state["events"], state["order"]["id"]) == (version, [], order_id)
    socket.subscribe("customer/cus_1")
    assert nothing_more(socket)


def test_a_client_that_is_up_to_date_gets_the_confirmation_alone(shared):
    """Nothing is sent twice."""
    order_id, version = resting(shared)
    socket = shared.socket("customer", "cus_1")
    socket.subscribe(f"order/{order_id}", since=version)
    assert nothing_more(socket)


def test_the_confirmation_has_the_newest_place_and_what_was_missed_follows(shared):
    """A client that noted the place of the confirmation and lost the socket before the messages would miss them."""
    order_id, version = resting(shared)
    socket = shared.socket("support", "anna")
    assert socket.subscribe(f"order/{order_id}", since=1)["version"] == version
    missed = socket.receive()
    assert [event["version"] for event in missed["events"]] == list(range(2, version + 1))
    newest = socket.subscribe("orders", since=0)["position"]
    assert socket.receive()["position"] < newest


def test_an_end_of_a_subscription_is_not_answered_and_the_topic_is_free_again(shared):
    """A client waits for no answer. A topic that was not subscribed to ends as well."""
    order_id, version = resting(shared)
    socket = shared.socket("customer", "cus_1")
    topic = f"order/{order_id}"
    socket.subscribe(topic, since=version)
    assert socket.subscribe(topic)["error"]["type"] == "urn:expediter:problem:AlreadySubscribed"
    socket.send(unsubscribe=topic)
    socket.send(unsubscribe="order/ord_unknown")
    assert nothing_more(socket)
    assert socket.subscribe(topic, since=version)["version"] == version


def test_a_place_that_was_not_reached_is_refused(shared):
    """It is of another log, e.g. of one that was restored since."""
    order_id, version = resting(shared)
    socket = shared.socket("customer", "cus_1")
    beyond = socket.subscribe(f"order/{order_id}", since=version + 1)
    assert beyond["error"]["type"] == "urn:expediter:problem:NoSuchVersion"
    assert beyond["topic"] == f"order/{order_id}"
    beyond = socket.subscribe("customer/cus_1", since=10**6)
    assert beyond["error"]["type"] == "urn:expediter:problem:TooFarBehind"


def test_a_message_is_one_commit_in_a_list_and_has_its_position(shared):
    """Its versions are those of the commit; those of an order's own topic may be of several commits."""
    socket = shared.socket("support", "anna")
    start = socket.subscribe("orders")["position"]
    order_id = shared.place()
    received = socket.until(lambda message: (message.get("order") or {}).get("preparation"))
    commits = [commit for commit in shared.embedded.ports.log.scan() if commit.pk == f"order#{order_id}"]
    assert [[event["version"] for event in message["events"]] for message in received] == [
        list(range(commit.sk, commit.sk + commit.size)) for commit in commits[: len(received)]
    ]
    positions = [start, *(message["position"] for message in received)]
    assert positions == sorted(set(positions))


def test_a_socket_has_64_topics_and_a_message_1024_characters(shared):
    """One more is refused by name, and the others go on."""
    socket = shared.socket("support", "anna")
    answers = [socket.subscribe(f"customer/cus_{number}") for number in range(65)]
    assert [answer for answer in answers if "error" in answer] == answers[64:]
    assert answers[64]["error"]["type"] == "urn:expediter:problem:TooManyTopics"
    assert socket.send(ping="x" * 1000).receive() == {"pong": "x" * 1000}
    socket.send(ping="x" * 1024)
    refused = socket.receive()
    assert refused["error"]["type"] == "urn:expediter:problem:MessageUnreadable"
    assert "topic" not in refused
