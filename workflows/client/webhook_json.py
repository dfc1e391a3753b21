"""Webhook endpoints and deliveries in JSON: the shapes that the API answers with, written once."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

from .order_json import TimeText

EndpointId: TypeAlias = Annotated[str, Meta(pattern="^whe_[0-9a-f]{16}$")]


class WebhookEndpointJson(TypedDict):
    """An endpoint. ``status``: enabled, disabled by its owner, or paused because it failed for days."""

    id: EndpointId
    owner: Annotated[str, Meta(description="The service that registered it.")]
    url: str
    types: Annotated[list[str], Meta(description="The types of events that are sent; empty for all.")]
    description: str
    enabled: bool
    status: Literal["enabled", "disabled", "paused"]
    created_at: TimeText
    failing_since: Annotated[TimeText | None, Meta(description="The first failed attempt since the last success.")]
    paused_at: TimeText | None
    paused_because: Annotated[str | None, Meta(description="Why it was paused. Enable it to go on.")]
    previous_secret_until: Annotated[
        TimeText | None, Meta(description="Until when the secret before the last rotation signs as well.")
    ]
    secret: NotRequired[
        Annotated[str, Meta(description="Signs the requests. In the answer that creates it, and in no other.")]
    ]


class WebhookEndpointsJson(TypedDict):
    """The endpoints that the caller may see, the oldest first."""

    webhooks: list[WebhookEndpointJson]


class RemovedWebhookJson(TypedDict):
    """An endpoint that was removed. Its deliveries are deleted within minutes."""

    id: EndpointId
    removed: bool


class WebhookAttemptJson(TypedDict):
    """One request to an endpoint."""

    at: TimeText
    http: Annotated[int | None, Meta(description="The status of the answer; null without an answer.")]
    ms: Annotated[int, Meta(ge=0, description="Milliseconds until the answer.")]
    error: Annotated[str | None, Meta(description="Why there is no answer.")]


class WebhookDeliveryJson(TypedDict):
    """One event for one endpoint, with every attempt, the oldest first."""

    id: str
    webhook: EndpointId
    event: Annotated[str, Meta(description="The event's id, which is the `webhook-id` of each request.")]
    type: str
    recorded_at: Annotated[TimeText, Meta(description="The time of the event.")]
    status: Literal["pending", "delivered", "failed"]
    attempts: list[WebhookAttemptJson]
    next_try: TimeText | None


class OrderDeliveriesJson(TypedDict):
    """Deliveries of an order's events to all endpoints that the caller may see, those of the newest events first."""

    deliveries: list[WebhookDeliveryJson]


class WebhookDeliveriesJson(TypedDict):
    """Deliveries of an endpoint, those of the newest events first."""

    deliveries: list[WebhookDeliveryJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last.")]
