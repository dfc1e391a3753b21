"""Webhook endpoints and deliveries as JSON. Neither secrets nor the data of events are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from workflows.client.webhook_json import WebhookAttemptJson, WebhookDeliveryJson, WebhookEndpointJson
from workflows.clock import timestamp
from workflows.publishing.webhooks.deliveries import Attempt, WebhookDelivery
from workflows.publishing.webhooks.endpoints import WebhookEndpoint


def endpoint_view(endpoint: WebhookEndpoint, now: datetime) -> WebhookEndpointJson:
    both_valid = endpoint.previous_until is not None and now < endpoint.previous_until
    return {
        "id": endpoint.id,
        "owner": endpoint.owner,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "status": _status(endpoint),
        "created_at": timestamp(endpoint.created_at),
        "failing_since": _time(endpoint.failing_since),
        "paused_at": _time(endpoint.paused_at),
        "paused_because": endpoint.paused_why or None,
        "previous_secret_until": _time(endpoint.previous_until) if both_valid else None,
    }


def with_secret(endpoint: WebhookEndpoint, now: datetime) -> WebhookEndpointJson:
    """Return the endpoint with its secret: for the answer to the request that made the secret, and no other."""
    return {**endpoint_view(endpoint, now), "secret": endpoint.secret}


def delivery_view(delivery: WebhookDelivery) -> WebhookDeliveryJson:
    return {
        "id": delivery.id,
        "webhook": delivery.endpoint_id,
        "event": str(delivery.event["id"]),
        "type": str(delivery.event["type"]),
        "recorded_at": str(delivery.event["time"]),
        "status": delivery.state.value,
        "attempts": [_attempt_view(attempt) for attempt in delivery.attempts],
        "next_try": _time(delivery.next_try),
    }


def _attempt_view(attempt: Attempt) -> WebhookAttemptJson:
    return {"at": timestamp(attempt.at), "http": attempt.http, "ms": attempt.ms, "error": attempt.error or None}


def _status(endpoint: WebhookEndpoint) -> Literal["enabled", "disabled", "paused"]:
    if endpoint.enabled:
        return "enabled"
    return "disabled" if endpoint.paused_at is None else "paused"


def _time(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
