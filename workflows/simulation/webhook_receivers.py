"""The webhook receivers of a world, and their law: each published event arrives at least once, signed and unchanged.

The functions Publisher and Webhooks run by their handlers, on documents and with faults of their own. They only watch
the world, so no schedule changes. Processes are killed at their writes and requests, messages come late, twice or
again after a failure, and the receivers are down for minutes, refuse requests, or take them without an answer in time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from standardwebhooks import Webhook

from domain.identifiers import Actor, Role
from workflows.embedded.lambda_.feed import stream_record
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.documents import Documents, DocumentsUnavailable
from workflows.event_store.streams import order_id_in
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.publishing.cloud_events import CloudEvent, cloud_events
from workflows.publishing.event_bus import EventBusUnavailable
from workflows.publishing.webhooks import endpoints
from workflows.publishing.webhooks.endpoints import WebhookEndpoint
from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost
from workflows.publishing.webhooks.targets import Targets
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.wire import ProcessKilled

SERVICES: Mapping[str, tuple[str, ...]] = {
    "loyalty": (),
    "billing": ("expediter.order.completed.v1", "expediter.order.cancelled.v1"),
}
"""The services that have an endpoint, with the types that it receives; none for all."""

KILLED = 0.01
"""The share of writes, requests and publications that fail or at which the process is killed, before and after each."""

TROUBLE = 0.05
"""The share of requests that a receiver refuses, and of those that it takes without an answer; also of publications
that the bus accepts only in part, and of messages that come twice or minutes late."""

DOWN_S = (60.0, 900.0)
ROUND_EVERY_S = 60.0
RESUMED_AFTER_S = 1.0
"""After this time a process that was killed in its round runs again. If only the next round went on, the
backlog of a thousand orders would grow: it needs many more writes than a process lives for."""

REDELIVERED_AFTER_S = 30.0
SIGNED_WITHIN = timedelta(minutes=5)
"""Receivers refuse older signatures, by Standard Webhooks."""


class Call(Protocol):
    """Runs a function by its handler on these ports; returns its result."""

    def __call__(
        self, function: str, event: Any, *, documents: Documents, webhooks: WebhookReceivers
    ) -> Mapping[str, Any]: ...


class WebhookReceivers:
    """The receivers of all services, and the bus, queue and schedule before them. Also an ``EventBus`` and a
    ``WebhookSender``."""

    def __init__(self, log: InMemoryEventLog, *, scheduler: Scheduler, seed: int, call: Call) -> None:
        self._log = log
        self._scheduler = scheduler
        self._random = Random(f"webhooks of {seed}")  # its own, so that watching changes nothing
        self._call = call
        self.documents = InMemoryDocuments()
        self._documents: Any = _FailingDocuments(self.documents, self._interrupted)
        self._receivers = {receiver.url: receiver for receiver in map(self._registered, SERVICES)}
        log.on_commit(self._on_commit)
        scheduler.watch(self._attempt_again)

    @property
    def missing(self) -> bool:
        """Whether a published event has not arrived everywhere yet."""
        return any(receiver.missing for receiver in self._receivers.values())

    def violations(self) -> Iterator[str]:
        """Describe in sentences what did not arrive, and what should not have arrived."""
        for receiver in self._receivers.values():
            yield from (f"event {event_id} never arrived at {receiver.url}" for event_id in sorted(receiver.missing))
            yield from receiver.problems

    # --- Publisher and Webhooks --------------------------------------------------------------------------------------

    def _on_commit(self, entry: FeedEntry) -> None:
        order_id = order_id_in(entry.commit.pk)
        if order_id is None:
            return
        for event in cloud_events(order_id, self._log.events(entry.commit)):
            for receiver in self._receivers.values():
                receiver.expect(event)
        self._invoke_until_done("Publisher", {"Records": [stream_record(entry)]}, self._random.expovariate(5))

    def _attempt_again(self) -> None:
        """Invoke the function as its schedule does, while there is something to attempt."""
        while True:
            self._scheduler.watch_pause(ROUND_EVERY_S)
            while self.missing and not self._invoke("Webhooks", {"for_s": 50}):
                self._scheduler.watch_pause(RESUMED_AFTER_S)

    def _invoke_until_done(self, function: str, batch: Any, delay_s: float) -> None:
        def invoke() -> None:
            self._scheduler.watch_pause(delay_s)
            if not self._invoke(function, batch):
                self._invoke_until_done(function, batch, REDELIVERED_AFTER_S)

        self._scheduler.watch(invoke)

    def _invoke(self, function: str, event: Any) -> bool:
        """Run a function; return whether it succeeded, with the whole batch."""
        try:
            result = self._call(function, event, documents=self._documents, webhooks=self)
        except (ProcessKilled, Exception):  # what keeps failing keeps its events from arriving
            return False
        return not result.get("batchItemFailures")

    def _interrupted(self, act: Callable[[], Any], *failures: BaseException) -> Any:
        """Make a call of a process that may be killed, or get one of these failures, before or after it."""
        self._scheduler.watch_pause(self._random.expovariate(50))
        if self._strikes(KILLED):
            raise self._random.choice((ProcessKilled(), *failures))
        result = act()
        if self._strikes(KILLED):
            raise self._random.choice((ProcessKilled(), *failures))
        return result

    def _strikes(self, share: float) -> bool:
        return self._random.random() < share

    # --- the bus and its queue ---------------------------------------------------------------------------------------

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Queue a message for each event; sometimes the bus does not accept the last ones."""
        accepted = self._random.randrange(len(events)) if events and self._strikes(TROUBLE) else len(events)
        self._interrupted(lambda: self._queue(events[:accepted]))
        if accepted < len(events):
            raise EventBusUnavailable("too many requests", events[accepted:])

    def _queue(self, events: Sequence[CloudEvent]) -> None:
        for event in events:
            message = {"messageId": event.id, "body": json.dumps({"detail": event.as_json()})}
            delay_s = self._random.uniform(5, 300) if self._strikes(TROUBLE) else self._random.expovariate(5)
            for _ in range(2 if self._strikes(TROUBLE) else 1):
                self._invoke_until_done("Webhooks", {"Records": [message]}, delay_s)

    # --- the receivers -----------------------------------------------------------------------------------------------

    def check(self, *, url: str, targets: Targets) -> None:
        """Accept every URL: no name is looked up in a world."""

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        return list(self._interrupted(lambda: [self._receivers[post.url].receive(post) for post in posts]))

    def _registered(self, service: str) -> _Receiver:
        endpoint, _ = endpoints.register(
            self.documents,
            Actor(Role.SERVICE, service),
            service,
            url=f"https://{service}.example.com/webhooks",
            types=SERVICES[service],
            description="",
            enabled=True,
            now=self._scheduler.now(),
        )
        return _Receiver(endpoint, self._scheduler, self._random)


class _Receiver:
    """A receiver that verifies each request, fails at times, and keeps the events that arrived."""

    def __init__(self, endpoint: WebhookEndpoint, scheduler: Scheduler, random: Random) -> None:
        self.url = endpoint.url
        self.missing: set[str] = set()
        self.problems: list[str] = []
        self._endpoint = endpoint
        self._scheduler = scheduler
        self._random = random
        self._expected: dict[str, dict[str, Any]] = {}
        self._down_at = scheduler.now() + timedelta(seconds=random.uniform(0, 1800))
        self._up_at = self._down_at + timedelta(seconds=random.uniform(*DOWN_S))

    def expect(self, event: CloudEvent) -> None:
        """Note an event that must arrive here, if the endpoint receives its type."""
        if self._endpoint.receives(event.type):
            self._expected[event.id] = event.as_json()
            self.missing.add(event.id)

    def receive(self, post: WebhookPost) -> WebhookAnswer:
        drawn, now = self._random.random(), self._scheduler.now()
        if self._down_at <= now < self._up_at:
            return WebhookAnswer(http=self._random.choice((302, 429, 503)), took_ms=20)
        if drawn < TROUBLE:
            return WebhookAnswer(http=500, took_ms=20)
        self._take(post, now)
        if drawn < 2 * TROUBLE:
            return WebhookAnswer(http=None, took_ms=10_000, error="no answer within 10 s")
        return WebhookAnswer(http=204, took_ms=3000 if drawn > 1 - TROUBLE else 20)

    def _take(self, post: WebhookPost, now: datetime) -> None:
        event_id = post.headers["webhook-id"]
        at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), now.tzinfo)
        signature = Webhook(self._endpoint.secret).sign(event_id, at, post.body)
        if signature not in post.headers["webhook-signature"].split() or abs(now - at) > SIGNED_WITHIN:
            self.problems.append(f"{self.url} received event {event_id} without a valid signature")
        elif json.loads(post.body) != self._expected.get(event_id):
            self.problems.append(f"{self.url} received event {event_id} unlike it was published")
        self.missing.discard(event_id)


class _FailingDocuments:
    """Documents whose writes may fail, or kill the process that makes them."""

    def __init__(self, documents: Documents, interrupted: Callable[..., Any]) -> None:
        self._documents = documents
        self._interrupted = interrupted

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._documents, name)
        if name not in {"put", "delete"}:
            return method
        no_answer = DocumentsUnavailable("no answer")
        return lambda *args, **kwargs: self._interrupted(lambda: method(*args, **kwargs), no_answer)
