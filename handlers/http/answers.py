"""Orders as HTTP answers: the view that the caller may see, its version as the ETag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from domain.identifiers import Actor
from domain.order.order import Order
from handlers.http.preconditions import etag
from workflows.orders.command_handling import Handled
from workflows.orders.permissions import Action, may
from workflows.orders.views import order_view

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""What an order looks like depends on who asks; it may be kept, and is asked for again with its ETag."""


def json_answer(body: Any, status: HTTPStatus, headers: Mapping[str, str]) -> Response[str]:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status.value, "application/json", text, headers={**PRIVATE, **headers})


def order_answer(order: Order, actor: Actor, *, now: Order | None = None) -> Response[str]:
    """An order. ``now`` is what it is today, when ``order`` is what it was: who may see more, may do so today."""
    personal = may(actor, Action.READ_PERSONAL, now or order)
    return json_answer(order_view(order, personal=personal), HTTPStatus.OK, {"ETag": etag(order.version)})


def done(handled: Handled, actor: Actor, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """The order after a write. A retry is answered like the first attempt, and marked."""
    order = handled.order
    view = order_view(order, personal=may(actor, Action.READ_PERSONAL, order))
    headers = {"ETag": etag(order.version)}
    if handled.echo:
        headers["Idempotent-Replayed"] = "true"
    if status is HTTPStatus.CREATED:
        headers["Location"] = f"/orders/{order.order_id}"
    return json_answer(view, status, headers)


def not_modified(version: int) -> Response[str]:
    return Response(HTTPStatus.NOT_MODIFIED.value, None, "", headers={**PRIVATE, "ETag": etag(version)})
