"""Deliver published events to webhook endpoints, and attempt failed deliveries again.

``deliver`` takes events from the queue of published events: it makes their deliveries, and attempts them at once if the
endpoint answered quickly the last time. All other attempts are made by ``keep_delivering``, which a schedule calls
every minute. So an endpoint that fails or is slow does not hold up the others. An event is acknowledged only after its
deliveries are stored.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from workflows.clock import Clock, timestamp
from workflows.event_store.documents import Documents
from workflows.publishing.cloud_events import SEQUENCE_DIGITS
from workflows.publishing.webhooks import deliveries, endpoints
from workflows.publishing.webhooks.deliveries import DeliveryState, StoredDelivery, WebhookDelivery
from workflows.publishing.webhooks.endpoints import WebhookEndpoint
from workflows.publishing.webhooks.refusals import NoSuchEndpoint
from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost, WebhookSender
from workflows.publishing.webhooks.signing import signed_headers
from workflows.publishing.webhooks.targets import Targets

_log = logging.getLogger(__name__)

PAUSED = "a webhook endpoint was paused"
GAVE_UP = "a webhook delivery was given up"
"""Messages of log lines with ``endpoint``; an alarm counts them."""

PAUSE_AFTER = timedelta(days=3)
"""An endpoint is paused after it failed for so long without one success."""

GONE = 410
"""By Standard Webhooks, the answer of a receiver that is gone for good: its endpoint is paused at once."""

SLOW_MS = 2000
"""After a slower answer, attempts are left to the schedule until one is quick again."""

AT_ONCE_MAX = 16
"""Attempts made together. Each lasts at most 15 s."""

AN_ENDPOINT_MAX = 8
"""Attempts of one endpoint made together, so that one that fails leaves room for the others."""

DELIVER_FOR = timedelta(seconds=10)
"""After this time ``deliver`` leaves the other attempts to the schedule: the next events wait for it."""

TEST_TYPE = "expediter.webhook.test.v1"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class DeliveringPorts(Protocol):
    """The ports of an engine that deliveries need."""

    @property
    def documents(self) -> Documents: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def webhooks(self) -> WebhookSender: ...


@dataclass(frozen=True, slots=True)
class _Planned:
    """A delivery to attempt, with its endpoint."""

    endpoint: WebhookEndpoint
    stored: StoredDelivery


def deliver(engine: DeliveringPorts, events: Iterable[Mapping[str, Any]], targets: Targets) -> int:
    """Make the deliveries of events, and attempt those of healthy endpoints; return how many were made.

    Repeating it makes no second delivery of an event.

    Args:
        events: CloudEvents in the JSON format.
    """
    now = engine.clock.now()
    listed = [endpoint for endpoint in endpoints.stored_endpoints(engine.documents) if _is_active(endpoint)]
    made, planned = 0, list[_Planned]()
    for event in events:
        for endpoint in listed:
            if not endpoint.receives(event["type"]):
                continue
            stored = deliveries.record(engine.documents, endpoint.id, event, now)
            made += 1
            if _is_healthy(endpoint) and _is_due(stored.delivery, now):
                planned.append(_Planned(endpoint, stored))
    while planned and engine.clock.now() <= now + DELIVER_FOR:
        batch, planned = planned[:AT_ONCE_MAX], planned[AT_ONCE_MAX:]
        after = _attempt(engine, batch, targets)
        planned = [each for each in planned if _is_healthy(after.get(each.endpoint.id, each.endpoint))]
    return made


def keep_delivering(engine: DeliveringPorts, targets: Targets, *, for_s: float) -> dict[str, int]:
    """Attempt the deliveries that are due until none is left or ``for_s`` seconds passed, and delete old ones.

    A batch takes as long as its slowest answer. So slow endpoints are attempted in the first batch, and again once
    nothing is due of the others, whose backlog after an outage may be long.

    Returns:
        The numbers of ``attempted`` and of ``deleted`` deliveries.
    """
    until = engine.clock.now() + timedelta(seconds=for_s)
    attempted = 0
    while due := _due_of_all(engine):
        quick = [planned for planned in due if not planned.endpoint.slow]
        batch = (quick if quick and attempted else due)[:AT_ONCE_MAX]
        _attempt(engine, batch, targets)
        attempted += len(batch)
        if engine.clock.now() > until:
            break
    return {"attempted": attempted, "deleted": _delete_old(engine)}


def send_test(engine: DeliveringPorts, endpoint: WebhookEndpoint, targets: Targets) -> WebhookDelivery:
    """Send a test event to an endpoint, once; return its delivery with the outcome."""
    now = engine.clock.now()
    event = {
        "specversion": "1.0",
        "id": f"test/{uuid4().hex}",
        "source": "/expediter/webhooks",
        "type": TEST_TYPE,
        "subject": endpoint.id,
        "time": timestamp(now),
        "datacontenttype": "application/json",
        "sequence": "1".zfill(SEQUENCE_DIGITS),
        "data": {},
    }
    stored = deliveries.record(engine.documents, endpoint.id, event, now, retry_for=timedelta(0))
    return _attempt_one(engine, endpoint, stored, targets)


def send_again(
    engine: DeliveringPorts, endpoint: WebhookEndpoint, stored: StoredDelivery, targets: Targets
) -> WebhookDelivery:
    """Attempt a delivery now, whatever its state, and for three more days if it fails."""
    pending = deliveries.resend(engine.documents, stored, engine.clock.now())
    return stored.delivery if pending is None else _attempt_one(engine, endpoint, pending, targets)


def _attempt_one(
    engine: DeliveringPorts, endpoint: WebhookEndpoint, stored: StoredDelivery, targets: Targets
) -> WebhookDelivery:
    _attempt(engine, [_Planned(endpoint, stored)], targets)
    after = deliveries.load_delivery(engine.documents, endpoint.id, stored.delivery.key)
    return stored.delivery if after is None else after.delivery


def _due_of_all(engine: DeliveringPorts) -> list[_Planned]:
    """Return due deliveries, at most ``AN_ENDPOINT_MAX`` of an endpoint, those due longest first."""
    now = engine.clock.now()
    listed = [
        _Planned(endpoint, stored)
        for endpoint in endpoints.stored_endpoints(engine.documents)
        if _is_active(endpoint)
        for stored in deliveries.due(engine.documents, endpoint.id, now, AN_ENDPOINT_MAX)
    ]
    return sorted(listed, key=lambda planned: str(planned.stored.delivery.next_try))


def _attempt(engine: DeliveringPorts, batch: Sequence[_Planned], targets: Targets) -> Mapping[str, WebhookEndpoint]:
    """Attempt deliveries together and record the outcomes; return the endpoints as they are afterwards, by id."""
    at = engine.clock.now()
    claims = ((planned.endpoint, deliveries.claim(engine.documents, planned.stored, at)) for planned in batch)
    claimed = [_Planned(endpoint, stored) for endpoint, stored in claims if stored is not None]
    if not claimed:
        return {}
    answers = engine.webhooks.post_all(posts=[_post(planned, at) for planned in claimed], targets=targets)
    outcomes: dict[str, list[WebhookAnswer]] = {}
    for planned, answer in zip(claimed, answers, strict=True):
        after = deliveries.settle(engine.documents, planned.stored, answer, at, engine.clock.now())
        if after.state is DeliveryState.FAILED:
            _log.warning(GAVE_UP, extra={"endpoint": after.endpoint_id, "event": after.event["id"]})
        outcomes.setdefault(planned.endpoint.id, []).append(answer)
    return {endpoint_id: _judge(engine, endpoint_id, results) for endpoint_id, results in outcomes.items()}


def _post(planned: _Planned, at: datetime) -> WebhookPost:
    event = planned.stored.delivery.event
    body = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    headers = signed_headers(str(event["id"]), body, at, planned.endpoint.signing_secrets(at))
    return WebhookPost(
        url=planned.endpoint.url,
        body=body,
        headers={**headers, "Content-Type": CONTENT_TYPE, "User-Agent": "Expediter-Webhooks"},
    )


def _judge(engine: DeliveringPorts, endpoint_id: str, answers: Sequence[WebhookAnswer]) -> WebhookEndpoint:
    """Record in an endpoint whether it fails or is slow, and pause it if it has failed for too long."""
    now = engine.clock.now()

    def judged(endpoint: WebhookEndpoint) -> WebhookEndpoint:
        slow = any(answer.took_ms > SLOW_MS for answer in answers)
        if any(answer.is_success for answer in answers):
            return replace(endpoint, failing_since=None, slow=slow)
        since = endpoint.failing_since or now
        gone = any(answer.http == GONE for answer in answers)
        failed = replace(endpoint, failing_since=since, slow=slow)
        if not endpoint.enabled or not (gone or now - since >= PAUSE_AFTER):
            return failed
        why = "it answered 410 Gone" if gone else f"it failed for {PAUSE_AFTER.days} days: {in_words(answers[-1])}"
        return replace(failed, enabled=False, paused_at=now, paused_why=why)

    try:
        after = endpoints.change(engine.documents, endpoint_id, judged)
    except NoSuchEndpoint:
        return _GONE
    if after.paused_at == now:
        _log.warning(PAUSED, extra={"endpoint": endpoint_id})
    return after


def in_words(answer: WebhookAnswer) -> str:
    """Return the outcome of an attempt for people: ``HTTP 500``, or why there is no answer."""
    return answer.error or f"HTTP {answer.http}"


def _delete_old(engine: DeliveringPorts) -> int:
    deleted = 0
    for endpoint in endpoints.stored_endpoints(engine.documents):
        if not endpoint.removed:
            deleted += deliveries.expire(engine.documents, endpoint.id, engine.clock.now())
        elif gone := deliveries.delete_all(engine.documents, endpoint.id):
            deleted += gone
        else:
            endpoints.forget(engine.documents, endpoint.id)
    return deleted


def _is_active(endpoint: WebhookEndpoint) -> bool:
    return endpoint.enabled and not endpoint.removed


def _is_healthy(endpoint: WebhookEndpoint) -> bool:
    return _is_active(endpoint) and endpoint.failing_since is None and not endpoint.slow


def _is_due(delivery: WebhookDelivery, now: datetime) -> bool:
    return delivery.next_try is not None and delivery.next_try <= now


_GONE = WebhookEndpoint(
    id="",
    owner="",
    url="",
    types=(),
    description="",
    created_at=datetime.fromtimestamp(0, UTC),
    secret="",
    removed=True,
)
"""In place of an endpoint that was removed during its attempts."""
