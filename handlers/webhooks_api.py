"""Webhook endpoints and their deliveries over HTTP, for backend services; support may read and resend."""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.invalid import invalid
from handlers.http.moments import Cursor, Limit
from handlers.http.parameters import InQuery
from handlers.http.preconditions import RequiredKey
from handlers.http.responses import Response
from handlers.http.search_parameters import OneOf
from handlers.http.values import OrderIdText
from handlers.http.webhook_models import WebhookBody, WebhookChangeBody
from workflows.engine import engine, settings
from workflows.orders.command_handling import load
from workflows.orders.permissions import Action, check, check_all
from workflows.publishing.webhooks import deliveries, delivering, endpoints
from workflows.publishing.webhooks.deliveries import DeliveryState, StoredDelivery
from workflows.publishing.webhooks.endpoints import WebhookEndpoint
from workflows.publishing.webhooks.refusals import NoSuchDelivery, NoSuchEndpoint
from workflows.publishing.webhooks.targets import TargetRefused, read_targets
from workflows.publishing.webhooks.views import delivery_view, endpoint_view, with_secret

WEBHOOKS = "Webhooks"

api = Api()

EndpointIdText = Annotated[str, Field(max_length=64)]
DeliveryIdText = Annotated[str, Field(max_length=200)]
DeliveryStatus = Annotated[
    Annotated[DeliveryState, OneOf(DeliveryState)] | None,
    InQuery(
        "Only deliveries in this state. A page looks at 1,000 deliveries at most, so it may be shorter than `limit`, "
        "even empty, and still have a `next` one."
    ),
]

webhook_route = partial(operation, api, tag=WEBHOOKS, order=False)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_targets)
    return api.resolve(event)


@webhook_route("GET", "/webhooks", answers="WebhookEndpointsJson")
def list_webhooks() -> Response:
    """List the webhook endpoints: a service sees its own, support all."""
    check_all(api.caller.actor, Action.READ_WEBHOOKS)
    now = engine().clock.now()
    listed = endpoints.visible(engine().documents, api.caller.actor)
    return json_answer({"webhooks": [endpoint_view(endpoint, now) for endpoint in listed]})


@webhook_route("POST", "/webhooks", answers="WebhookEndpointJson", statuses=(201, 200), refuses=(409,))
def register_webhook(body: WebhookBody, idempotency_key: RequiredKey) -> Response:
    """Register a URL that gets the published events.

    The answer holds the secret that signs the requests. No other answer does: not even that to the same request sent
    again. Rotate the secret if the answer was lost.
    """
    check_all(api.caller.actor, Action.MANAGE_WEBHOOKS)
    _check(body.url)
    now = engine().clock.now()
    endpoint, replayed = endpoints.register(
        engine().documents, api.caller.actor, idempotency_key, now=now, **body.model_dump()
    )
    if replayed:
        return json_answer(endpoint_view(endpoint, now), headers={"Idempotent-Replayed": "true"})
    return json_answer(with_secret(endpoint, now), HTTPStatus.CREATED, {"Location": f"/webhooks/{endpoint.id}"})


@webhook_route("GET", "/webhooks/{webhook_id}", answers="WebhookEndpointJson")
def get_webhook(webhook_id: EndpointIdText) -> Response:
    """Read a webhook endpoint: what it gets, and whether it fails or was paused."""
    check_all(api.caller.actor, Action.READ_WEBHOOKS)
    return json_answer(endpoint_view(_endpoint(webhook_id), engine().clock.now()))


@webhook_route("PATCH", "/webhooks/{webhook_id}", answers="WebhookEndpointJson")
def change_webhook(webhook_id: EndpointIdText, body: WebhookChangeBody) -> Response:
    """Change a webhook endpoint, disable it, or enable it again.

    While it is disabled or paused, new events are not delivered to it. Pending deliveries go on once it is enabled.
    """
    check_all(api.caller.actor, Action.MANAGE_WEBHOOKS)
    _endpoint(webhook_id)
    if body.url is not None:
        _check(body.url)
    changes = body.model_dump(exclude_unset=True)
    after = endpoints.change(engine().documents, webhook_id, lambda endpoint: endpoints.edited(endpoint, **changes))
    return json_answer(endpoint_view(after, engine().clock.now()))


@webhook_route("DELETE", "/webhooks/{webhook_id}", answers="RemovedWebhookJson")
def remove_webhook(webhook_id: EndpointIdText) -> Response:
    """Remove a webhook endpoint. Nothing is sent to it any more, and its deliveries are deleted."""
    check_all(api.caller.actor, Action.MANAGE_WEBHOOKS)
    _endpoint(webhook_id)
    endpoints.change(engine().documents, webhook_id, endpoints.marked_removed)
    return json_answer({"id": webhook_id, "removed": True})


@webhook_route("POST", "/webhooks/{webhook_id}/rotate", answers="WebhookEndpointJson")
def rotate_webhook_secret(webhook_id: EndpointIdText) -> Response:
    """Make a new secret. The old one signs beside it for 24 hours, so that receivers can change over.

    A rotation within these hours replaces the new secret and keeps the old one: send the request again if its answer
    was lost.
    """
    check_all(api.caller.actor, Action.MANAGE_WEBHOOKS)
    _endpoint(webhook_id)
    now = engine().clock.now()
    after = endpoints.change(engine().documents, webhook_id, lambda endpoint: endpoints.rotated(endpoint, now))
    return json_answer(with_secret(after, now))


@webhook_route("POST", "/webhooks/{webhook_id}/test", answers="WebhookDeliveryJson")
def test_webhook(webhook_id: EndpointIdText) -> Response:
    """Send a test event, once, and answer with its outcome. It is sent to a disabled endpoint too."""
    check_all(api.caller.actor, Action.MANAGE_WEBHOOKS)
    sent = delivering.send_test(engine(), _endpoint(webhook_id), settings(read_targets))
    return json_answer(delivery_view(sent))


@webhook_route("GET", "/webhooks/{webhook_id}/deliveries", answers="WebhookDeliveriesJson")
def list_webhook_deliveries(
    webhook_id: EndpointIdText, *, status: DeliveryStatus = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """List the deliveries to an endpoint with all attempts, the newest events first. They are kept for four days."""
    check_all(api.caller.actor, Action.READ_WEBHOOKS)
    endpoint = _endpoint(webhook_id)
    after = None if cursor is None else _read_cursor(cursor)
    documents = engine().documents
    page, following = deliveries.list_deliveries(documents, endpoint.id, limit=limit, after=after, state=status)
    following_cursor = None if following is None else _cursor(following)
    return json_answer({"deliveries": [delivery_view(delivery) for delivery in page], "next": following_cursor})


@webhook_route("GET", "/orders/{order_id}/webhook-deliveries", answers="OrderDeliveriesJson")
def list_order_deliveries(order_id: OrderIdText) -> Response:
    """List the deliveries of an order's events with all attempts, the newest events first. They are kept for four days.

    A service sees those to its own endpoints, support those to all.
    """
    ports, actor = engine(), api.caller.actor
    _, order = load(ports.log, order_id)
    check(actor, Action.READ_WEBHOOKS, order)
    endpoint_ids = [endpoint.id for endpoint in endpoints.visible(ports.documents, actor)]
    sent = list(deliveries.deliveries_of(ports.documents, endpoint_ids, ports.log, [order_id], ports.clock.now()))
    return json_answer({"deliveries": [delivery_view(delivery) for delivery in reversed(sent)]})


@webhook_route("POST", "/deliveries/{delivery_id}/resend", answers="WebhookDeliveryJson")
def resend_delivery(delivery_id: DeliveryIdText) -> Response:
    """Send a delivery again now, whatever became of it, and for three more days if that fails."""
    check_all(api.caller.actor, Action.RESEND_WEBHOOKS)
    endpoint, stored = _delivery(delivery_id)
    return json_answer(delivery_view(delivering.send_again(engine(), endpoint, stored, settings(read_targets))))


def _check(url: str) -> None:
    try:
        engine().webhooks.check(url=url, targets=settings(read_targets))
    except TargetRefused as refused:
        raise invalid([("url", str(refused))], HTTPStatus.UNPROCESSABLE_ENTITY) from None


def _endpoint(webhook_id: str) -> WebhookEndpoint:
    return endpoints.find(engine().documents, api.caller.actor, webhook_id)


def _delivery(delivery_id: str) -> tuple[WebhookEndpoint, StoredDelivery]:
    webhook_id, _, key = delivery_id.partition("~")
    try:
        endpoint = _endpoint(webhook_id)
    except NoSuchEndpoint:
        raise NoSuchDelivery(delivery_id) from None
    stored = deliveries.load_delivery(engine().documents, endpoint.id, key) if key else None
    if stored is None:
        raise NoSuchDelivery(delivery_id)
    return endpoint, stored


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not re.fullmatch(r"[0-9]{16}~[A-Za-z0-9~_.-]+", key):
        problem = "is not a cursor of deliveries; send `next` of a page unchanged, or leave it out for the first page"
        raise invalid([("cursor", problem)], HTTPStatus.BAD_REQUEST)
    return key
