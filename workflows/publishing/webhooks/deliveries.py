"""Deliveries: one published event for one endpoint, with every attempt; and the index of those that are due.

Both are documents. A delivery's sort key begins with the event's time counted backwards, so that a partition lists the
newest first. Each pending delivery has an entry in the index, whose sort key begins with the time of the next attempt.
The entry of the new time is written before the delivery, and that of the old time is deleted after it: a crash leaves
an entry too many, never one too few. An entry whose delivery names another time is deleted when it comes up.

An attempt first *claims* the delivery: it moves the next attempt ``CLAIM`` into the future. So others leave it alone,
and a crash during the call repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from domain.identifiers import OrderId
from workflows.clock import read_timestamp, timestamp
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, body_as
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream
from workflows.publishing.cloud_events import cloud_events
from workflows.publishing.webhooks.sender import WebhookAnswer

RETRY_FOR = timedelta(days=3)
"""How long a delivery is attempted, from its first attempt on, or from a resend."""

KEPT_FOR = timedelta(days=4)
"""How long deliveries can be read, from the time of their event: the days of attempts, and one more."""

LOOKED_FOR = KEPT_FOR + RETRY_FOR + timedelta(days=1)
"""The deliveries of an order are looked for among its events of this time: they are kept, or sent once more."""

FIRST_DELAY_S, DELAY_FACTOR, LONGEST_DELAY_S = 30.0, 3.0, 12 * 3600.0
"""Attempts come after 30 s, 90 s and so on, then every 12 hours: 13 in three days. Each delay varies by 20 %, and the
schedule adds up to a minute."""

CLAIM = timedelta(seconds=90)
"""Longer than an attempt takes, with those beside it and the writes around it."""

LOOKED_AT_MAX, READ_AT_ONCE = 1000, 100
"""Deliveries that one page of those in a state looks at, and how many are read together."""

ATTEMPTS_KEPT = 30
"""Attempts that a delivery shows, the newest last: all of the three days, and as many resends."""


class DeliveryState(StrEnum):
    """``failed``: three days passed, or the endpoint is gone. A resend makes it pending again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request and its outcome. ``http`` is the status of the answer; None without an answer."""

    at: datetime
    http: int | None
    ms: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """A delivery as it is stored.

    Attributes:
        key: Its sort key.
        event: The CloudEvent, in the JSON format.
        attempts_made: All attempts since it was made or resent; they set the delay.
        next_try: When it is attempted next; None unless it is pending.
        give_up_at: No attempt is planned after this time.
    """

    endpoint_id: str
    key: str
    event: Mapping[str, Any]
    state: DeliveryState
    next_try: datetime | None
    give_up_at: datetime
    attempts_made: int = 0
    attempts: tuple[Attempt, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.endpoint_id}~{self.key}"


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery and the version of its document."""

    delivery: WebhookDelivery
    version: int


def record(
    documents: Documents,
    endpoint_id: str,
    event: Mapping[str, Any],
    now: datetime,
    retry_for: timedelta = RETRY_FOR,
) -> StoredDelivery:
    """Make the delivery of an event to an endpoint, or return the one that was made before. It is due now."""
    delivery = WebhookDelivery(
        endpoint_id=endpoint_id,
        key=key_of(event),
        event=event,
        state=DeliveryState.PENDING,
        next_try=now,
        give_up_at=now + retry_for,
    )
    try:
        stored = documents.put(_document(delivery), None)
        put_due(documents, delivery)
        return StoredDelivery(delivery, stored.version)
    except DocumentChanged:
        earlier = load_delivery(documents, endpoint_id, delivery.key)
    if earlier is None:  # deleted meanwhile, or in a shape that another release wrote: send it anew
        stored = documents.put(_document(delivery), ANY)
        earlier = StoredDelivery(delivery, stored.version)
    if earlier.delivery.state is DeliveryState.PENDING:
        put_due(documents, earlier.delivery)  # a crash may have come between the two writes
    return earlier


def load_delivery(documents: Documents, endpoint_id: str, key: str) -> StoredDelivery | None:
    document = documents.get(_partition(endpoint_id), key)
    delivery = body_as(document, WebhookDelivery)
    return None if document is None or delivery is None else StoredDelivery(delivery, document.version)


def list_deliveries(
    documents: Documents, endpoint_id: str, *, limit: int, after: str | None, state: DeliveryState | None = None
) -> tuple[list[WebhookDelivery], str | None]:
    """Return a page of the deliveries of an endpoint, the newest event first, and the key behind which the next begins.

    Args:
        limit: The number of deliveries at most. Fewer are returned at the end, or with a state after ``LOOKED_AT_MAX``.
        after: The key behind which the page begins; None for the first page.
        state: Only deliveries in this state; None for all.
    """
    page: list[WebhookDelivery] = []
    at_once = limit if state is None else READ_AT_ONCE
    for _ in range(LOOKED_AT_MAX // READ_AT_ONCE):
        listed = documents.list(_partition(endpoint_id), limit=at_once, after=after)
        for document in listed:
            after = document.sk
            delivery = body_as(document, WebhookDelivery)
            if delivery is not None and state in (None, delivery.state):
                page.append(delivery)
            if len(page) == limit:
                return page, after
        if len(listed) < at_once:
            return page, None
    return page, after


def due(documents: Documents, endpoint_id: str, now: datetime, limit: int) -> list[StoredDelivery]:
    """Return deliveries of an endpoint that are due, those due longest first; and delete entries without one."""
    due_now = []
    for entry in documents.list(_due_partition(endpoint_id), limit=limit):
        at, _, key = entry.sk.partition("~")
        if at > timestamp(now):
            break
        stored = load_delivery(documents, endpoint_id, key)
        if stored is None or stored.delivery.next_try != read_timestamp(at):
            documents.delete(entry.pk, entry.sk, ANY)
        else:
            due_now.append(stored)
    return due_now


def claim(documents: Documents, stored: StoredDelivery, now: datetime) -> StoredDelivery | None:
    """Take a delivery for one attempt; None if another process took it first."""
    return _moved(documents, stored, replace(stored.delivery, next_try=now + CLAIM))


def settle(
    documents: Documents, claimed: StoredDelivery, answer: WebhookAnswer, at: datetime, now: datetime
) -> WebhookDelivery:
    """Record an attempt: the delivery is delivered, attempted again later, or given up.

    Args:
        at: When the attempt began.
    """
    attempt = Attempt(at=at, http=answer.http, ms=answer.took_ms, error=answer.error)
    current: StoredDelivery | None = claimed
    while current is not None:
        after = _attempted(current.delivery, attempt, answer.is_success, now)
        if _moved(documents, current, after) is not None:
            return after
        # The attempt took longer than its claim, and another one went on: its outcome counts beside this one.
        current = load_delivery(documents, claimed.delivery.endpoint_id, claimed.delivery.key)
    return claimed.delivery  # deleted meanwhile


def resend(documents: Documents, stored: StoredDelivery, now: datetime) -> StoredDelivery | None:
    """Make a delivery due now, with three days of attempts; None if another process changed it first."""
    after = replace(
        stored.delivery, state=DeliveryState.PENDING, next_try=now, give_up_at=now + RETRY_FOR, attempts_made=0
    )
    return _moved(documents, stored, after)


def expire(documents: Documents, endpoint_id: str, now: datetime, limit: int = 100) -> int:
    """Delete deliveries of events older than ``KEPT_FOR`` that are not attempted any more; return how many.

    An event that was published days late is attempted for its three days all the same.
    """
    before, deleted, after = now - KEPT_FOR, 0, _backwards(now - KEPT_FOR)
    while deleted < limit and (listed := documents.list(_partition(endpoint_id), limit=limit, after=after)):
        after = listed[-1].sk
        for document in listed:
            delivery = body_as(document, WebhookDelivery)
            if delivery is None or delivery.state is not DeliveryState.PENDING or delivery.give_up_at < before:
                documents.delete(document.pk, document.sk, ANY)
                deleted += 1
    for entry in documents.list(_due_partition(endpoint_id), limit=limit):
        if entry.sk > timestamp(before):
            break
        documents.delete(entry.pk, entry.sk, ANY)
    return deleted


def delete_all(documents: Documents, endpoint_id: str, limit: int = 100) -> int:
    """Delete deliveries of a removed endpoint and their entries; return how many. 0 when none is left."""
    deleted = 0
    for partition in (_partition(endpoint_id), _due_partition(endpoint_id)):
        for document in documents.list(partition, limit=limit):
            documents.delete(document.pk, document.sk, ANY)
            deleted += 1
    return deleted


def deliveries_of(
    documents: Documents, endpoint_ids: Sequence[str], log: EventLog, orders: Iterable[OrderId], now: datetime
) -> Iterator[WebhookDelivery]:
    """Yield the deliveries of some orders' events to these endpoints that are still kept.

    Events that were recorded longer than ``LOOKED_FOR`` ago are left out, as their deliveries have expired.
    """
    since = timestamp(now - LOOKED_FOR)
    for order_id in orders if endpoint_ids else ():
        recent = [each for each in log.load(order_stream(order_id)).recorded if each.ts >= since]
        for event in cloud_events(order_id, recent):
            for endpoint_id in endpoint_ids:
                stored = load_delivery(documents, endpoint_id, key_of(event.as_json()))
                if stored is not None:
                    yield stored.delivery


def forget(documents: Documents, delivery: WebhookDelivery) -> None:
    """Delete a delivery, whatever its state, and its entry in the index."""
    documents.delete(_partition(delivery.endpoint_id), delivery.key, ANY)
    if delivery.next_try is not None:
        documents.delete(_due_partition(delivery.endpoint_id), _due_key(delivery), ANY)


def key_of(event: Mapping[str, Any]) -> str:
    """Return the sort key of an event's deliveries, from its time and id: the same event has the same key."""
    return f"{_backwards(read_timestamp(event['time']))}~{str(event['id']).replace('/', '~')}"


def delay_s(delivery_id: str, attempts_made: int) -> float:
    """Return the delay before the next attempt, varied by up to a fifth so that retries of many do not coincide.

    The variation comes from the delivery's id, so that it needs no randomness.
    """
    planned = min(LONGEST_DELAY_S, FIRST_DELAY_S * DELAY_FACTOR ** (attempts_made - 1))
    drawn = int.from_bytes(sha256(f"{delivery_id}/{attempts_made}".encode()).digest()[:4]) / 2**32
    return planned * (0.8 + 0.4 * drawn)


def put_due(documents: Documents, delivery: WebhookDelivery) -> None:
    """Write the entry of a pending delivery in the index of those that are due."""
    if delivery.next_try is not None:
        documents.put(Document(_due_partition(delivery.endpoint_id), _due_key(delivery), {}), ANY)


def _attempted(delivery: WebhookDelivery, attempt: Attempt, succeeded: bool, now: datetime) -> WebhookDelivery:
    made = delivery.attempts_made + 1
    shown = (*delivery.attempts, attempt)[-ATTEMPTS_KEPT:]
    next_try = now + timedelta(seconds=delay_s(delivery.id, made))
    if succeeded or delivery.state is DeliveryState.DELIVERED:
        state, planned = DeliveryState.DELIVERED, None
    elif next_try > delivery.give_up_at:
        state, planned = DeliveryState.FAILED, None
    else:
        state, planned = DeliveryState.PENDING, next_try
    return replace(delivery, state=state, next_try=planned, attempts_made=made, attempts=shown)


def _moved(documents: Documents, stored: StoredDelivery, after: WebhookDelivery) -> StoredDelivery | None:
    """Replace a delivery, and its entry in the index. None if another process changed the delivery first."""
    put_due(documents, after)
    try:
        written = documents.put(_document(after), stored.version)
    except DocumentChanged:
        return None  # the entry is deleted when it comes up
    before = stored.delivery
    if before.next_try is not None and before.next_try != after.next_try:
        documents.delete(_due_partition(before.endpoint_id), _due_key(before), ANY)
    return StoredDelivery(after, written.version)


_LAST = 10**16
"""Microseconds since 1970 at a time in the year 2286."""


def _backwards(at: datetime) -> str:
    """Return a time as 16 digits that become smaller as time passes."""
    return f"{_LAST - (at - _EPOCH) // timedelta(microseconds=1):016d}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _partition(endpoint_id: str) -> str:
    return f"webhook-deliveries#{endpoint_id}"


def _due_partition(endpoint_id: str) -> str:
    return f"webhooks-due#{endpoint_id}"


def _due_key(delivery: WebhookDelivery) -> str:
    assert delivery.next_try is not None, "only pending deliveries have an entry"
    return f"{timestamp(delivery.next_try)}~{delivery.key}"


def _document(delivery: WebhookDelivery) -> Document:
    return Document(_partition(delivery.endpoint_id), delivery.key, msgspec.to_builtins(delivery))
