"""Requests about webhooks: services register endpoints; support reads and resends."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import set_fields as _set
from .api_call import write as _write
from .webhook_json import (
    OrderDeliveriesJson,
    RemovedWebhookJson,
    WebhookDeliveriesJson,
    WebhookDeliveryJson,
    WebhookEndpointJson,
    WebhookEndpointsJson,
)


def webhooks() -> ApiCall[WebhookEndpointsJson]:
    """List the webhook endpoints: a service sees its own, support all."""
    return ApiCall(method="GET", path="/webhooks")


def webhook(webhook_id: str) -> ApiCall[WebhookEndpointJson]:
    """Read a webhook endpoint."""
    return ApiCall(method="GET", path=_webhook(webhook_id))


def register_webhook(
    target: str, types: Sequence[str] = (), *, description: str = "", enabled: bool = True, key: str | None = None
) -> ApiCall[WebhookEndpointJson]:
    """Register a URL that gets the published events. The answer holds the secret, and no later one does.

    Args:
        target: The URL.
        types: CloudEvents types, e.g. ``expediter.order.completed.v1``; none for all.
    """
    body = {"url": target, "types": list(types), "description": description, "enabled": enabled}
    return _write("/webhooks", body, key)


def change_webhook(
    webhook_id: str,
    *,
    target: str | None = None,
    types: Sequence[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> ApiCall[WebhookEndpointJson]:
    """Change a webhook endpoint; what is left out stays. Enabling it also ends a pause."""
    chosen = None if types is None else list(types)
    body = _set(url=target, types=chosen, description=description, enabled=enabled)
    return ApiCall(method="PATCH", path=_webhook(webhook_id), body=body)


def remove_webhook(webhook_id: str) -> ApiCall[RemovedWebhookJson]:
    """Remove a webhook endpoint and its deliveries."""
    return ApiCall(method="DELETE", path=_webhook(webhook_id))


def rotate_webhook(webhook_id: str) -> ApiCall[WebhookEndpointJson]:
    """Make a new secret, which the answer holds. The old one signs beside it for 24 hours."""
    return ApiCall(method="POST", path=f"{_webhook(webhook_id)}/rotate")


def test_webhook(webhook_id: str) -> ApiCall[WebhookDeliveryJson]:
    """Send a test event, once, and return its delivery with the outcome."""
    return ApiCall(method="POST", path=f"{_webhook(webhook_id)}/test")


def webhook_deliveries(
    webhook_id: str, *, status: str | None = None, limit: int = 50, cursor: str | None = None
) -> ApiCall[WebhookDeliveriesJson]:
    """List deliveries with all attempts, newest events first, from where ``cursor`` (``next`` of a page) points.

    Args:
        status: ``pending``, ``delivered`` or ``failed``; None for all. A page may then be shorter than ``limit``, even
            empty, and still have a next one.
    """
    query = {"limit": str(limit), **_set(status=status, cursor=cursor)}
    return ApiCall(method="GET", path=f"{_webhook(webhook_id)}/deliveries", query=query)


def order_webhook_deliveries(order_id: str) -> ApiCall[OrderDeliveriesJson]:
    """List the deliveries of an order's events with all attempts, newest events first."""
    return ApiCall(method="GET", path=f"/orders/{quoted(order_id, safe='')}/webhook-deliveries")


def resend_delivery(delivery_id: str) -> ApiCall[WebhookDeliveryJson]:
    """Send a delivery again now, and for three more days if that fails."""
    return ApiCall(method="POST", path=f"/deliveries/{quoted(delivery_id, safe='~')}/resend")


def _webhook(webhook_id: str) -> str:
    return f"/webhooks/{quoted(webhook_id, safe='')}"
