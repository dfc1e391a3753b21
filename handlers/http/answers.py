"""Orders as HTTP responses: what the caller may see of the order as JSON, and its version as the ETag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from domain.identifiers import Actor
from domain.order.order import Order
from handlers.http.preconditions import etag, is_fresh
from handlers.http.responses import Response
from workflows.asl.json_text import to_text
from workflows.orders.command_handling import Handled
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience, audience_of
from workflows.orders.waiting import AwaitedNow

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""Callers see different fields of an order. A cache may keep a copy and must revalidate it with its ETag before use."""


def json_answer(body: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """Respond with ``body`` as JSON."""
    return Response(status.value, "application/json", to_text(body), headers={**PRIVATE, **(headers or {})})


def cacheable(response: Response, tag: str, if_none_match: str | None) -> Response:
    """Respond with a weak ETag of the content; or 304 with the same headers if the caller has it already."""
    headers = {**response.headers, "ETag": tag}
    if is_fresh(if_none_match, tag):
        return Response(HTTPStatus.NOT_MODIFIED.value, headers=headers)
    return replace(response, headers=headers)


def order_read(order: Order, audience: Audience, waits: Sequence[AwaitedNow] | None = None) -> Response:
    """Respond with an order as it is, or was.

    Args:
        audience: Of the order as it is now, which decides what a courier sees also in a past version.
        waits: What its run waits for now; None for a past version.
    """
    return json_answer(order_view(order, audience, waits), headers={"ETag": etag(order.version)})


def order_written(handled: Handled, actor: Actor, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Respond with the order after a write. A retry gets the same response as the first attempt, and is marked."""
    order = handled.order
    headers = written_headers(handled)
    if status is HTTPStatus.CREATED:
        headers["Location"] = f"/orders/{order.order_id}"
    return json_answer(order_view(order, audience_of(actor, order)), status, headers)


def written_headers(handled: Handled) -> dict[str, str]:
    """The headers after a write: the order's ETag, and whether an earlier attempt had done it already."""
    replayed = {"Idempotent-Replayed": "true"} if handled.replayed else {}
    return {"ETag": etag(handled.order.version), **replayed}


def written_minimally(handled: Handled) -> Response:
    """Respond 204 after a write, to a caller that prefers that: the order's version and no field of it."""
    headers = {**PRIVATE, **written_headers(handled), "Preference-Applied": "return=minimal"}
    return Response(HTTPStatus.NO_CONTENT.value, headers=headers)


def not_modified(version: int) -> Response:
    """Respond 304: the caller has this version already."""
    return Response(HTTPStatus.NOT_MODIFIED.value, None, "", headers={**PRIVATE, "ETag": etag(version)})
