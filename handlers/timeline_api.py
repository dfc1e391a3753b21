"""The timeline of an order over HTTP. Its routes are served by the function of ``orders_api``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, WithJsonSchema

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import VERSION_SCHEMA, AccessReason, AtEitherOrNow, Limit, Personal, read_version
from handlers.http.order_reads import record_order_read
from handlers.http.parameters import InQuery
from handlers.http.preconditions import etag
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.clock import timestamp
from workflows.engine import engine
from workflows.orders import requests
from workflows.orders.timeline import check_chain, timeline
from workflows.orders.visibility import discreet

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.timeline_json import TimelineJson

api = Api()

FromVersion = Annotated[
    Annotated[int, BeforeValidator(read_version), WithJsonSchema(VERSION_SCHEMA)],
    InQuery("The version of the first event; `next` of the previous page.", name="from"),
]


@operation(api, "GET", "/orders/{order_id}/timeline", tag="Orders", answers="TimelineJson")
def get_timeline(
    order_id: OrderIdText,
    *,
    from_version: FromVersion = 1,
    limit: Limit = 100,
    at: AtEitherOrNow = None,
    personal: Personal = True,
    access_reason: AccessReason = None,
) -> Response:
    """Read what happened to the order, in words, and what each event changed. Who is shown personal data is recorded.

    With `at` the timeline ends at that version or time. `verified` is computed for this answer from the stored commits.
    """
    ports, caller = engine(), api.caller
    history, audience = requests.see_history(ports.log, order_id, caller.actor)
    audience = discreet(audience, personal=personal)
    page = timeline(history, order_id, audience, since=from_version, limit=limit, at=at)
    last = min(from_version - 1 + limit, page.until)
    record_order_read(
        caller,
        "GET /orders/{order_id}/timeline",
        history=history,
        shown=history.recorded[:last],
        audience=audience,
        reason=access_reason,
    )
    checked = check_chain(ports.log, history)
    body: TimelineJson = {
        "order_id": order_id,
        "version": history.version,
        "initial": page.initial,
        "events": page.events,
        "next": last + 1 if last < page.until else None,
        "head": {"version": history.version, "hash": history.head.hex()},
        "verified": {
            "ok": not checked.findings,
            "events": checked.version,
            "checked_at": timestamp(ports.clock.now()),
            "findings": [{"version": finding.version, "what": finding.what} for finding in checked.findings],
        },
    }
    return json_answer(body, headers={"ETag": etag(history.version)})
