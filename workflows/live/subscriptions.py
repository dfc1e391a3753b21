"""The subscriptions of one process: each commit is sent to its subscribers, in order and once.

All of it runs on one thread, as tasks that may pause. A subscription is a topic and the version, or position, up to
which its subscriber has everything; what to send is read from the log. So a subscriber that was away subscribes again
with its last version, and a commit that arrives while another is being sent is never lost or sent twice.

The work at a commit must be short: the commit is noted, and a task sends all commits noted in the last moments.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import msgspec

from domain.identifiers import Actor, OrderId
from domain.order.order import Order
from domain.order.refusals import Rejected
from workflows.clock import Clock
from workflows.event_store.change_feed import Feed, FeedEntry
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog, NoSuchVersion, StreamUnavailable
from workflows.event_store.streams import CUSTOMER, category_of, order_id_in
from workflows.live import messages
from workflows.live.order_now import OrderNow
from workflows.live.positions import position_of, sees_position
from workflows.live.shown import ShownOrders
from workflows.live.topics import Topic, TopicKind, belongs, check_topic, order_topic
from workflows.orders.permissions import Action, check, reads_all
from workflows.orders.visibility import audience_of
from workflows.time_budgets import Budgets

log = logging.getLogger(__name__)

GATHER_S = 0.02
"""Commits of one order within 20 ms become one message: a saga step makes several."""

SENT_AT_ONCE = 25
"""Commits that are sent before other tasks run: about 10 ms of work, the length of a turn of the hub."""

PAUSE_S = 0.001

TOPICS_MAX = 64
"""Topics of one subscriber."""

CATCH_UP_MAX = 5000
"""Commits that a subscriber of a list may have missed: some 200 orders. For more, reading the list again is cheaper."""


class LiveLog(EventLog, Feed, Protocol):
    """A log with a feed."""


class Subscriber(Protocol):
    """One connection. Every push checks ``actor``'s permissions again."""

    @property
    def actor(self) -> Actor: ...

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up. It decides how fast old commits are sent."""
        ...

    def send(self, message: str) -> None:
        """Queue a message. It never waits: a connection that does not keep up is closed by its transport."""
        ...


class AlreadySubscribed(Rejected):
    """Retryable: no."""

    def __init__(self, topic: Topic) -> None:
        super().__init__(f"you are subscribed to {topic} already; unsubscribe first to begin at another version")


class TooManyTopics(Rejected):
    """Retryable: after unsubscribing from a topic."""

    def __init__(self) -> None:
        super().__init__(f"a connection may have {TOPICS_MAX} topics; unsubscribe from one, or open another connection")


class TooFarBehind(Rejected):
    """Retryable: no."""

    def __init__(self, topic: Topic, since: int, newest: int) -> None:
        super().__init__(
            f"{topic} is at position {newest} and you are at {since}: read the list again, then subscribe without since"
        )


@dataclass(slots=True, eq=False)
class Subscription:
    """``after``: the version, or the position for a list, up to which everything was sent."""

    topic: Topic
    subscriber: Subscriber
    after: int
    shown: ShownOrders
    ended: bool = False


class Subscriptions:
    """All subscriptions by topic. Every method runs on one thread."""

    def __init__(
        self,
        log: LiveLog,
        documents: Documents,
        *,
        clock: Clock,
        budgets: Budgets,
        spawn: Callable[[Callable[[], object]], None],
        pause: Callable[[float], None],
    ) -> None:
        """Begin without subscriptions.

        Args:
            spawn: Runs code as a task, later.
            pause: Lets other tasks run for a number of seconds.
        """
        self._log = log
        self._documents = documents
        self._clock = clock
        self._budgets = budgets
        self._spawn = spawn
        self._pause = pause
        self._by_topic: defaultdict[Topic, dict[Subscription, None]] = defaultdict(dict)
        self._lists: set[Topic] = set()  # of those in ``_by_topic``
        self._couriers: set[Topic] = set()  # of those in ``_lists``
        self._of: defaultdict[Subscriber, dict[Topic, Subscription]] = defaultdict(dict)
        self._noted: list[FeedEntry] = []
        self._sending = False

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def on_commit(self, entry: FeedEntry) -> None:
        """Note a durable commit, to send it soon."""
        if not self._by_topic:
            return
        self._noted.append(entry)
        if not self._sending:
            self._sending = True
            self._spawn(self._send_noted)

    def subscribe(self, subscriber: Subscriber, topic: Topic, since: int | None) -> None:
        """Subscribe, and send what came after ``since``; for an order also its state now. In a task: it may pause.

        Raises:
            Rejected: The caller may not, or has this topic already; the order does not exist for it.
            NoSuchVersion: The order has not reached ``since``.
        """
        check_topic(subscriber.actor, topic)
        theirs = self._of[subscriber]
        if topic in theirs:
            raise AlreadySubscribed(topic)
        if len(theirs) >= TOPICS_MAX:
            raise TooManyTopics
        if topic.is_one_order:
            self._subscribe_to_order(subscriber, topic, since)
        else:
            self._subscribe_to_list(subscriber, topic, since)

    def unsubscribe(self, subscriber: Subscriber, topic: Topic) -> None:
        """End a subscription, if there is one."""
        subscription = self._of.get(subscriber, {}).get(topic)
        if subscription is not None:
            self._end(subscription)

    def leave(self, subscriber: Subscriber) -> None:
        """End all subscriptions of a connection."""
        for subscription in list(self._of.pop(subscriber, {}).values()):
            self._end(subscription)

    def courier_moved(self, order_id: OrderId) -> None:
        """Send the courier's position to the order's subscribers. In a task."""
        watching = self._by_topic.get(order_topic(order_id))
        if watching:
            now = OrderNow(self._log, order_id, self._budgets)
            for subscription in tuple(watching):
                self._send_position(subscription, now)

    # --- subscribing ---------------------------------------------------------------------------------------------

    def _subscribe_to_order(self, subscriber: Subscriber, topic: Topic, since: int | None) -> None:
        now = OrderNow(self._log, OrderId(topic.id), self._budgets)
        check(subscriber.actor, Action.READ, now.order)
        if since is not None and since > now.version:
            raise NoSuchVersion(now.history.stream, since, now.version)
        shown = ShownOrders(self._log, self._clock)
        if since != now.version:
            shown.record(subscriber.actor, topic, [(now, now.version)])
            now = OrderNow(self._log, OrderId(topic.id), self._budgets)  # with what was committed while it was recorded
            check(subscriber.actor, Action.READ, now.order)
        subscription = self._begin(topic, subscriber, now.version, shown)
        self._by_topic[topic][subscription] = None
        subscriber.send(messages.subscribed(topic, now.version))
        if since != now.version:
            body = now.body(subscriber.actor, now.version if since is None else since, now.version)
            subscriber.send(messages.pushed(topic, now.version, body))
        self._send_position(subscription, now)

    def _subscribe_to_list(self, subscriber: Subscriber, topic: Topic, since: int | None) -> None:
        newest = self._log.newest()
        if since is not None and not newest - CATCH_UP_MAX <= since <= newest:
            raise TooFarBehind(topic, since, newest)
        subscription = self._begin(topic, subscriber, newest if since is None else since)
        subscriber.send(messages.subscribed(topic, newest))
        while not subscription.ended and (missed := self._log.changes(subscription.after, SENT_AT_ONCE)):
            for entry in missed:
                self._guarded(
                    entry,
                    lambda entry=entry: self._catch_up(subscription, entry),  # type: ignore[misc]  # called now
                    (subscription,),
                )
                subscription.after = entry.position
            self._pause(PAUSE_S)
            while not (subscription.ended or subscriber.has_room):
                self._pause(GATHER_S)
        if not subscription.ended:  # nothing ran since the feed was read to its end
            self._by_topic[topic][subscription] = None
            self._lists.add(topic)
            if topic.kind is TopicKind.COURIER:
                self._couriers.add(topic)

    def _catch_up(self, subscription: Subscription, entry: FeedEntry) -> None:
        order_id = order_id_in(entry.commit.pk)
        if order_id is not None:
            now = OrderNow(self._log, order_id, self._budgets)
            self._push_to_list(subscription.topic, (subscription,), entry, now)

    def _begin(
        self, topic: Topic, subscriber: Subscriber, after: int, shown: ShownOrders | None = None
    ) -> Subscription:
        subscription = Subscription(topic, subscriber, after, shown or ShownOrders(self._log, self._clock))
        self._of[subscriber][topic] = subscription
        return subscription

    def _end(self, subscription: Subscription) -> None:
        subscription.ended = True
        topic, theirs = subscription.topic, self._of.get(subscription.subscriber, {})
        theirs.pop(topic, None)
        if (watching := self._by_topic.get(topic)) is not None:
            watching.pop(subscription, None)
            if not watching:
                del self._by_topic[topic]
                self._lists.discard(topic)
                self._couriers.discard(topic)

    # --- sending -------------------------------------------------------------------------------------------------

    def _send_noted(self) -> None:
        try:
            self._pause(GATHER_S)
            while self._noted:
                noted, self._noted = iter(self._noted), []
                while entries := list(islice(noted, SENT_AT_ONCE)):
                    loaded = self._record_together(entries)  # with all commits of these entries, which are durable
                    for entry in entries:
                        self._guarded(
                            entry,
                            lambda entry=entry, loaded=loaded: self._push(entry, loaded),  # type: ignore[misc]  # called now
                            self._readers_of_all(),
                        )
                    self._pause(PAUSE_S)
        finally:
            self._sending = False

    def _push(self, entry: FeedEntry, loaded: dict[OrderId, OrderNow]) -> None:
        order_id = order_id_in(entry.commit.pk)
        if order_id is None:
            return
        watching = self._by_topic.get(order_topic(order_id), {})
        if not watching and not self._lists:
            return
        now = self._loaded(order_id, loaded)
        for subscription in tuple(watching):
            self._push_order(subscription, now)
        for topic in self._lists_near(now.order):
            self._push_to_list(topic, tuple(self._by_topic.get(topic, ())), entry, now)

    def _loaded(self, order_id: OrderId, loaded: dict[OrderId, OrderNow]) -> OrderNow:
        now = loaded.get(order_id)
        if now is None:
            now = loaded[order_id] = OrderNow(self._log, order_id, self._budgets)
        return now

    def _record_together(self, entries: Sequence[FeedEntry]) -> dict[OrderId, OrderNow]:
        """Record all orders that these commits are about to show to a list at once. It may pause.

        What fails here is tried again when its commit is sent, and reported there.

        Returns:
            The orders that were loaded for it and have not changed since.
        """
        loaded: dict[OrderId, OrderNow] = {}
        shown: defaultdict[Subscription, list[tuple[OrderNow, int]]] = defaultdict(list)
        for entry in entries if self._lists else ():
            with suppress(Exception):
                for subscription, now, until in self._shown_first(entry, loaded):
                    shown[subscription].append((now, until))
        for subscription, orders in shown.items():
            with suppress(StreamUnavailable):
                subscription.shown.record(subscription.subscriber.actor, subscription.topic, orders)
        meanwhile = {entry.commit.pk for entry in self._noted} if shown else set()
        if any(category_of(stream) == CUSTOMER for stream in meanwhile):
            return {}  # the data key that opened an order may have been destroyed
        return {order_id: now for order_id, now in loaded.items() if now.history.stream not in meanwhile}

    def _shown_first(
        self, entry: FeedEntry, loaded: dict[OrderId, OrderNow]
    ) -> Iterator[tuple[Subscription, OrderNow, int]]:
        """Yield the lists that are about to show an order without a record, and the order at the commit's version."""
        order_id = order_id_in(entry.commit.pk)
        if order_id is None:
            return
        now, last = self._loaded(order_id, loaded), entry.commit.sk + entry.commit.size - 1
        for topic in self._lists_near(now.order):
            without = [each for each in self._by_topic.get(topic, ()) if not each.shown.has(order_id)]
            if without and belongs(now.at(last), topic):
                for subscription in without:
                    if subscription.after < entry.position and now.may_read(subscription.subscriber.actor):
                        yield subscription, now, last

    def _lists_near(self, order: Order) -> list[Topic]:
        """Return the subscribed lists that an order can belong to: not those of other customers."""
        near = [Topic(TopicKind.ORDERS), Topic(TopicKind.INCIDENTS)]
        if order.placed is not None:
            near.append(Topic(TopicKind.CUSTOMER, order.placed.customer))
            near.append(Topic(TopicKind.RESTAURANT, order.placed.restaurant))
        return [*(topic for topic in near if topic in self._lists), *self._couriers]

    def _push_order(self, subscription: Subscription, now: OrderNow) -> None:
        topic, subscriber = subscription.topic, subscription.subscriber
        if subscription.after >= now.version:
            return
        if not now.may_read(subscriber.actor):
            subscriber.send(messages.gone(topic, now.version, now.order))
            self._end(subscription)
            return
        if not self._is_recorded(subscription, now, now.version):
            subscriber.send(messages.unavailable(str(topic)))
            self._end(subscription)
            return
        if subscription.ended:
            return
        body = now.body(subscriber.actor, subscription.after, now.version)
        subscription.after = now.version
        subscriber.send(messages.pushed(topic, now.version, body))

    def _push_to_list(
        self, topic: Topic, subscriptions: tuple[Subscription, ...], entry: FeedEntry, now: OrderNow
    ) -> None:
        first = entry.commit.sk
        last = first + entry.commit.size - 1
        is_in = belongs(now.at(last), topic)
        was_in = not is_in and belongs(now.at(first - 1), topic)
        for subscription in subscriptions:
            if subscription.after >= entry.position or subscription.ended:
                continue
            subscription.after = entry.position
            actor = subscription.subscriber.actor
            if is_in and now.may_read(actor):
                if not self._is_recorded(subscription, now, last):
                    subscription.subscriber.send(messages.unreadable(topic, entry.position, now.order.order_id))
                elif not subscription.ended:
                    body = now.body(actor, first - 1, last)
                    subscription.subscriber.send(messages.pushed(topic, entry.position, body))
            elif was_in:
                subscription.subscriber.send(messages.gone(topic, entry.position, now.order))

    def _is_recorded(self, subscription: Subscription, now: OrderNow, until: int) -> bool:
        """Record that a subscriber is shown an order. Return False if it could not be recorded. It may pause."""
        try:
            subscription.shown.record(subscription.subscriber.actor, subscription.topic, [(now, until)])
        except StreamUnavailable as error:
            extra = {"order_id": now.order.order_id}
            log.error("an order was not sent, because its reading could not be recorded: %s", error, extra=extra)
            return False
        return True

    def _send_position(self, subscription: Subscription, now: OrderNow) -> None:
        actor = subscription.subscriber.actor
        if now.may_read(actor) and sees_position(audience_of(actor, now.order)):
            position = position_of(self._documents, now.order, now=self._clock.now())
            if position is not None:
                found = msgspec.to_builtins(position)
                subscription.subscriber.send(messages.courier_moved(subscription.topic, now.order.order_id, found))

    def _guarded(self, entry: FeedEntry, send: Callable[[], None], lists: Iterable[Subscription]) -> None:
        """Send a commit. An order that cannot be read does not delay the others.

        Args:
            lists: The lists that get it, if their subscribers may read every order.
        """
        try:
            send()
        except Exception as error:
            order_id = order_id_in(entry.commit.pk) or ""
            log.error("an order could not be sent to its subscribers: %s", error, extra={"order_id": order_id})
            for subscription in tuple(lists):
                if subscription.after < entry.position and reads_all(subscription.subscriber.actor):
                    subscription.after = entry.position
                    message = messages.unreadable(subscription.topic, entry.position, order_id)
                    subscription.subscriber.send(message)

    def _readers_of_all(self) -> Iterator[Subscription]:
        """Yield the subscriptions to all orders and to incidents."""
        for topic in (Topic(TopicKind.ORDERS), Topic(TopicKind.INCIDENTS)):
            yield from self._by_topic.get(topic, ())
