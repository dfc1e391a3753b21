"""Orders over HTTP: place, read, travel in time, cancel; and the documentation of all three APIs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from domain.identifiers import RestaurantId
from domain.money import Money
from domain.order.commands import PlaceOrder
from handlers.http.answers import done, json_answer, not_modified, order_answer
from handlers.http.api import Api
from handlers.http.documented import READS, WRITES, operation
from handlers.http.models import CancelBody, PlaceBody
from handlers.http.moments import AtEither, AtTime, AtVersion, Cursor, Limit, chosen, cursor_after, last_seen
from handlers.http.order_models import HistoryModel, OrderModel, ReplayModel
from handlers.http.preconditions import IfMatch, IfNoneMatch, OptionalKey, RequiredKey, etag, is_fresh
from handlers.http.values import Amount, OrderIdText
from workflows.engine import KEYS, engine
from workflows.orders import requests as access
from workflows.orders.permissions import Action, may, places_for
from workflows.orders.time_travel import order_at, replay
from workflows.orders.views import event_view, order_view, plain

TAG = "Orders"

api = Api(open_paths=frozenset({"/openapi.json", "/docs"}))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(*KEYS)  # without them it would say of everybody that they were erased
    return api.resolve(event, context)


@operation(api, "POST", "/orders", tag=TAG, answers=(201, OrderModel), refuses=(400, 401, 403, 409, 413, 415, 422, 503))
def place_order(body: PlaceBody, idempotency_key: RequiredKey) -> Response[str]:
    """Place an order.

    The order's id is derived from the caller and the key, so a retry meets its own order: it is answered with 201 and
    the order as it is now, and marked `Idempotent-Replayed: true`.
    """
    caller = api.caller
    command = PlaceOrder(
        order_id=access.placed_id(caller.actor, idempotency_key),
        customer=places_for(caller.actor, body.customer),
        restaurant=RestaurantId(body.restaurant),
        lines=tuple(line.line() for line in body.lines),
        delivery_fee=_or_zero(body.delivery_fee, body),
        service_fee=_or_zero(body.service_fee, body),
        tip=_or_zero(body.tip, body),
        payment_method=body.payment_method,
        contact=body.contact.contact(),
        at=engine().clock.now(),
    )
    return done(access.place(engine().log, command, caller, idempotency_key), caller.actor, HTTPStatus.CREATED)


@operation(api, "GET", "/orders/<order_id>", tag=TAG, answers=(200, OrderModel), refuses=(304, *READS))
def get_order(
    order_id: OrderIdText, version: AtVersion = None, at: AtTime = None, if_none_match: IfNoneMatch = None
) -> Response[str]:
    """The order now, or as it was at a version or a time."""
    history, order = access.see(engine().log, order_id, api.caller.actor)
    asked = chosen(version, at)
    then = order if asked is None else order_at(history, order_id, asked)
    if is_fresh(if_none_match, then.version):
        return not_modified(then.version)
    return order_answer(then, api.caller.actor, now=order)


@operation(api, "GET", "/orders/<order_id>/history", tag=TAG, answers=(200, HistoryModel), refuses=READS)
def get_history(order_id: OrderIdText, limit: Limit = 50, cursor: Cursor = None) -> Response[str]:
    """The events of the order, oldest first, in pages. `next` is the cursor of the next page, null on the last."""
    actor = api.caller.actor
    seen = last_seen(order_id, cursor)
    history, personal = access.see_history(engine().log, order_id, actor)
    page = history.recorded[seen : seen + limit]
    body = {
        "order_id": order_id,
        "version": history.version,
        "events": [event_view(recorded, personal=personal) for recorded in page],
        "next": cursor_after(order_id, seen + limit) if seen + limit < history.version else None,
    }
    return json_answer(body, HTTPStatus.OK, {"ETag": etag(history.version)})


@operation(api, "GET", "/orders/<order_id>/replay", tag=TAG, answers=(200, ReplayModel), refuses=READS)
def get_replay(order_id: OrderIdText, at: AtEither) -> Response[str]:
    """The order as it was at a version or a time, and, event by event, what changed on the way there."""
    actor = api.caller.actor
    history, order = access.see(engine().log, order_id, actor)
    personal = may(actor, Action.READ_PERSONAL, order)
    found = replay(history, order_id, at, personal=personal)
    body = {
        "order": order_view(found.order, personal=personal),
        "steps": [
            {**event_view(step.recorded, personal=personal), "changes": plain(step.changes)} for step in found.steps
        ],
        "latest": found.latest,
    }
    return json_answer(body, HTTPStatus.OK, {"ETag": etag(history.version)})


@operation(api, "POST", "/orders/<order_id>/cancel", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def cancel_order(
    order_id: OrderIdText, body: CancelBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Ask for the end of the order. Possible until the meal is picked up; what was taken is given back."""
    asked = api.asked(Action.CANCEL, order_id, idempotency_key, if_match)
    return done(access.cancel(engine().log, asked, body.reason), api.caller.actor)


@api.get("/openapi.json", include_in_schema=False)
def get_openapi() -> Response[str]:
    from handlers.http.openapi import document_text

    return Response(200, "application/json", document_text(), headers=_PUBLIC)


@api.get("/docs", include_in_schema=False)
def get_docs() -> Response[str]:
    from handlers.http.docs_page import PAGE_HEADERS, page

    return Response(200, "text/html; charset=utf-8", page(), headers={**_PUBLIC, **PAGE_HEADERS})


_PUBLIC = {"Cache-Control": "public, max-age=300"}


def _or_zero(fee: Amount | None, body: PlaceBody) -> Money:
    """A fee that is not named is zero, in the currency of the first line."""
    return Money.zero(body.lines[0].unit_price.currency) if fee is None else fee.money
