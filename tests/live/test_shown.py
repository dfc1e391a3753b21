"""Personal data that a socket shows is recorded once for the order and the subscription, before it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.identifiers import Actor, Role
from tests.handlers.conftest import Shop
from workflows.event_store.erasure import erase
from workflows.event_store.event_log import StreamUnavailable
from workflows.event_store.streams import ACCESS, category_of, order_stream
from workflows.live.subscriptions import Subscriptions
from workflows.live.topics import Topic, TopicKind, order_topic
from workflows.orders.access_events import PersonalDataRead
from workflows.settings import Reader
from workflows.time_budgets import read_budgets

SUPPORT = Actor(Role.SUPPORT, "sue")
ORDERS = Topic(TopicKind.ORDERS)


class Watcher:
    """A subscriber that keeps its messages."""

    has_room = True

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.received: list[dict[str, Any]] = []
        self.before_each: Callable[[], object] = lambda: None

    def send(self, message: str) -> None:
        self.before_each()
        self.received.append(json.loads(message))

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [message for message in self.received if "order" in message]


class Sockets:
    """The subscriptions to a shop's log, whose tasks run when a test says so."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._tasks: list[Callable[[], object]] = []
        self.subscriptions = Subscriptions(
            shop.log,
            shop.engine.documents,
            clock=shop.clock,
            budgets=read_budgets(Reader({})),
            spawn=self._tasks.append,
            pause=lambda _: None,
        )
        self._sent_to = shop.log.newest()

    def note(self) -> None:
        """Note what was committed since the last time."""
        for entry in self.shop.log.changes(self._sent_to, 1000):
            self._sent_to = entry.position
            self.subscriptions.on_commit(entry)

    def send(self) -> None:
        """Send what was committed since the last time."""
        self.note()
        while self._tasks:
            self._tasks.pop(0)()

    def reads(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return who was shown which fields, of which order."""
        commits = [commit for _, commit in self.shop.log.changes(None, 10_000) if category_of(commit.pk) == ACCESS]
        recorded = [self.shop.log.load(commit.pk).recorded[0] for commit in commits]
        events: list[Any] = [each.event for each in recorded]
        assert all(isinstance(event, PersonalDataRead) and event.route == "WebSocket /live" for event in events)
        pairs = zip(recorded, events, strict=True)
        return [(each.actor.id, shown.order_id, event.fields) for each, event in pairs for shown in event.orders]

    def records(self) -> int:
        """Return how many records of reads there are."""
        return sum(category_of(commit.pk) == ACCESS for _, commit in self.shop.log.changes(None, 10_000))


@pytest.fixture
def sockets() -> Sockets:
    return Sockets(Shop())


@pytest.mark.parametrize("topic", ["order", "orders"])
def test_the_read_of_a_socket_is_recorded_before_its_first_message_and_once(sockets, topic):
    """However many commits of the order follow."""
    order_id = sockets.shop.place()
    watcher = Watcher(SUPPORT)
    recorded_when_shown: list[int] = []
    watcher.before_each = lambda: recorded_when_shown.append(len(sockets.reads()))
    wanted = order_topic(order_id) if topic == "order" else ORDERS
    sockets.subscriptions.subscribe(watcher, wanted, 0 if topic == "order" else None)
    sockets.shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "late"}, role="support", sub="bea", key="c")
    sockets.send()
    sockets.shop.call("POST", f"/incidents/{order_id}/note", {"text": "called"}, role="support", sub="bea", key="n")
    sockets.send()
    assert len(watcher.shown) >= 2
    assert recorded_when_shown[-len(watcher.shown) :] == [1] * len(watcher.shown)
    [(reader, shown, fields)] = sockets.reads()
    assert (reader, shown) == ("sue", order_id)
    assert {"contact", "payment_method"} <= set(fields)


def test_orders_that_a_list_shows_together_are_one_record_for_each_reader(sockets):
    """A record is a commit, and each reader's messages wait for it: one wait for all orders that come together."""
    readers = [Watcher(Actor(Role.SUPPORT, name)) for name in ("sue", "bea")]
    for reader in readers:
        sockets.subscriptions.subscribe(reader, ORDERS, None)
    orders = {sockets.shop.place(key=key) for key in "abc"}
    sockets.send()
    assert sockets.records() == len(readers)
    assert {(reader, order_id) for reader, order_id, _ in sockets.reads()} == {
        (reader.actor.id, order_id) for reader in readers for order_id in orders
    }
    assert all({message["order_id"] for message in reader.shown} == orders for reader in readers)


def test_the_reads_of_customers_are_not_recorded(sockets):
    """They see their own orders."""
    order_id = sockets.shop.place()
    watcher = Watcher(Actor(Role.CUSTOMER, "ada"))
    sockets.subscriptions.subscribe(watcher, order_topic(order_id), 0)
    assert watcher.shown
    assert sockets.reads() == []


def test_a_list_records_each_order_that_it_shows(sockets):
    """Not the orders that it may show."""
    watcher = Watcher(SUPPORT)
    sockets.subscriptions.subscribe(watcher, ORDERS, None)
    orders = {sockets.shop.place(key=key) for key in "ab"}
    sockets.send()
    assert {order_id for _, order_id, _ in sockets.reads()} == orders


@pytest.mark.parametrize("topic", ["order", "orders"])
def test_nothing_leaves_a_socket_without_a_record(sockets, monkeypatch, topic):
    """The subscriber gets an error in its place; customers get their messages all the same."""
    order_id = sockets.shop.place()
    watcher, customer = Watcher(SUPPORT), Watcher(Actor(Role.CUSTOMER, "ada"))
    version = sockets.shop.log.load(order_stream(order_id)).version  # with it nothing is sent at once
    wanted, since = (order_topic(order_id), version) if topic == "order" else (ORDERS, None)
    sockets.subscriptions.subscribe(watcher, wanted, since)
    sockets.subscriptions.subscribe(customer, order_topic(order_id), None)
    append, before = sockets.shop.log.append, len(customer.shown)
    watcher.received.clear()

    def fails(history: Any, new: Any) -> Any:
        if category_of(history.stream) == ACCESS:
            raise StreamUnavailable(history.stream, "no answer")
        return append(history, new)

    monkeypatch.setattr(sockets.shop.log, "append", fails)
    sockets.shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "late"}, key="c")
    sockets.send()
    assert watcher.shown == []
    assert any(message.get("unreadable") or message.get("error") for message in watcher.received)
    assert len(customer.shown) > before


def between(sockets: Sockets, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen, once, while the first record of a read is written."""
    append, acts = sockets.shop.log.append, [act]

    def appended(history: Any, new: Any) -> Any:
        after = append(history, new)
        if category_of(history.stream) == ACCESS and acts:
            acts.pop()()
            sockets.note()
        return after

    monkeypatch.setattr(sockets.shop.log, "append", appended)


def test_an_order_that_changed_while_its_read_was_recorded_is_loaded_again(sockets, monkeypatch):
    """Its newest state decides what may be sent; an order that did not change is loaded once."""
    watcher = Watcher(SUPPORT)
    sockets.subscriptions.subscribe(watcher, ORDERS, None)
    still, changed = (sockets.shop.place(key=key) for key in "ab")

    def cancel() -> None:
        sockets.shop.call("POST", f"/orders/{changed}/cancel", {"reason": "late"}, key="c")
        loads.clear()

    between(sockets, monkeypatch, cancel)
    load, loads = sockets.shop.log.load, list[str]()
    monkeypatch.setattr(sockets.shop.log, "load", lambda stream: loads.append(stream) or load(stream))
    sockets.send()
    assert order_stream(changed) in loads
    assert order_stream(still) not in loads
    assert [each["order"]["status"] for each in watcher.shown if each["order_id"] == changed][-1] == "cancelling"


def test_a_customer_who_is_erased_while_the_read_is_recorded_is_not_shown(sockets, monkeypatch):
    """The order was decoded before, with the key that is destroyed now."""
    watcher = Watcher(SUPPORT)
    sockets.subscriptions.subscribe(watcher, ORDERS, None)
    order_id = sockets.shop.place()
    shop = sockets.shop
    between(
        sockets,
        monkeypatch,
        lambda: erase(shop.log, shop.keyring, shop.clock, "ada", actor=SUPPORT, reason="request 4711"),
    )
    sockets.send()
    assert {each["order_id"] for each in watcher.shown} == {order_id}
    assert {each["order"]["contact"] for each in watcher.shown} == {"(erased)"}
