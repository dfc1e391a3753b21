"""The live subscribers of a world, and the law of live updates: each sees every version once, in order, while it may.

They only watch. Now and then the process that serves them restarts: its subscriptions and what it had not sent are
lost, and the subscribers connect again with what they have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from domain.identifiers import Actor, OrderId, Role
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.documents import Documents
from workflows.event_store.streams import order_id_in
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.live.subscriptions import Subscriptions
from workflows.live.topics import Topic, TopicKind, order_topic
from workflows.orders.command_handling import load
from workflows.orders.permissions import Action, may
from workflows.orders.views import event_views
from workflows.orders.visibility import audience_of
from workflows.orders.words import WITHHELD
from workflows.simulation.scheduler import Scheduler
from workflows.time_budgets import Budgets

RESTARTS, FOR_ORDERS = 0.01, 5
"""The share of commits at which the process of the subscriptions restarts, in a world of so many orders. A restart
subscribes to all orders again, so it is rarer among more orders: each order sees as many restarts in any world."""

SUPPORT = Actor(Role.SUPPORT, "anna")
COURIER = Actor(Role.COURIER, "courier-ann")


class Subscribers:
    """Support follows all orders, a courier the offers, the customer each order from its first commit on."""

    def __init__(
        self, log: InMemoryEventLog, documents: Documents, *, scheduler: Scheduler, seed: int, budgets: Budgets
    ) -> None:
        self._log = log
        self._documents = documents
        self._scheduler = scheduler
        self._random = Random(seed)  # its own, so that watching changes nothing
        self._budgets = budgets
        self._started = self._start()
        self._all = _Following(log, SUPPORT, Topic(TopicKind.ORDERS), 0)
        self._courier = _Following(log, COURIER, Topic(TopicKind.COURIER, COURIER.id), 0)
        self._orders: dict[OrderId, _Following] = {}
        for following in (self._all, self._courier):
            self._connect(following)
        log.on_commit(self._on_commit)

    def violations(self) -> Iterator[str]:
        """Describe in sentences what a subscriber missed, saw twice or should not have seen."""
        commits = self._log.changes(None, self._log.newest())
        positions = [position for position, commit in commits if order_id_in(commit.pk)]
        if self._all.positions != positions:
            difference = _first_difference(self._all.positions, positions)
            yield f"support received other commits than the log has, {difference}"
        for order_id, following in self._orders.items():
            history, order = load(self._log, order_id)
            shown = [event["version"] for event in event_views(history.recorded, audience_of(following.actor, order))]
            if following.versions != shown:
                difference = _first_difference(following.versions, shown)
                yield f"the customer of {order_id} received other versions than the history has, {difference}"
        for following in (self._all, self._courier, *self._orders.values()):
            yield from following.problems

    def _on_commit(self, entry: FeedEntry) -> None:
        self._started.on_commit(entry)
        if self._random.random() < RESTARTS * min(1.0, FOR_ORDERS / max(1, len(self._orders))):
            self._restart()
        order_id = order_id_in(entry.commit.pk)
        if order_id is not None and order_id not in self._orders:
            placed = load(self._log, order_id)[1].placed
            assert placed is not None
            customer = Actor(Role.CUSTOMER, placed.customer)
            self._orders[order_id] = _Following(self._log, customer, order_topic(order_id), 0)
            self._connect(self._orders[order_id])

    def _start(self) -> Subscriptions:
        return Subscriptions(
            self._log,
            self._documents,
            clock=self._scheduler,
            budgets=self._budgets,
            spawn=self._scheduler.watch,
            pause=self._scheduler.watch_pause,
        )

    def _restart(self) -> None:
        self._started = self._start()
        for following in (self._all, self._courier, *self._orders.values()):
            self._connect(following)

    def _connect(self, following: _Following) -> None:
        subscriptions, connection = self._started, following.connect()
        self._scheduler.watch(lambda: subscriptions.subscribe(connection, following.topic, following.since))


def _first_difference(received: list[int], recorded: list[int]) -> str:
    place = next((n for n, pair in enumerate(zip(received, recorded, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return f"{len(received)} of {len(recorded)}"
    return f"{received[place]} in place of {recorded[place]}"


class _Following:
    """What one subscriber received of one topic, over all of its connections."""

    def __init__(self, log: InMemoryEventLog, actor: Actor, topic: Topic, since: int) -> None:
        self.actor = actor
        self.topic = topic
        self.since = since
        self.positions: list[int] = []
        self.versions: list[int] = []
        self.problems: list[str] = []
        self._log = log
        self._connection: _Connection | None = None

    def connect(self) -> _Connection:
        self._connection = _Connection(self)
        return self._connection

    def receive(self, connection: _Connection, message: dict[str, Any]) -> None:
        """Keep what a message brings. What an earlier connection still sends is lost."""
        if connection is not self._connection or "subscribed" in message:
            return
        self.since = message.get("position", message.get("version", self.since))
        self.positions += [message["position"]] if "position" in message else []
        if "events" in message:
            self.versions += [event["version"] for event in message["events"]]
            self._check(message)
        elif "gone" not in message:
            self.problems.append(f"{self.actor.role} received {message}")

    def _check(self, message: dict[str, Any]) -> None:
        """Check a message on the order as it is in the log now."""
        history, order = load(self._log, OrderId(message["order_id"]))
        if message["version"] > history.version:
            self.problems.append(f"{order.order_id} was sent at version {message['version']} before its commit")
        if not may(self.actor, Action.READ, order):
            self.problems.append(f"{order.order_id} was sent to {self.actor.id}, who may not read it")
        withheld = self.actor is COURIER and not may(COURIER, Action.READ_PERSONAL, order)
        if withheld and message["order"]["contact"] != WITHHELD:
            self.problems.append(f"the contact of {order.order_id} was sent to {self.actor.id}, who does not bring it")


class _Connection:
    """A ``Subscriber``. The messages of a connection that ended go nowhere."""

    has_room = True

    def __init__(self, following: _Following) -> None:
        self._following = following
        self.actor = following.actor

    def send(self, message: str) -> None:
        self._following.receive(self, json.loads(message))
