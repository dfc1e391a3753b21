"""Orders over HTTP: place, read, travel in time, cancel; and the documentation of all APIs."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from handlers import timeline_api
from handlers.http import documentation, placing
from handlers.http.answers import json_answer, not_modified, order_read, order_written
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.models import CancelBody, PlaceBody
from handlers.http.moments import (
    AccessReason,
    AtEither,
    AtTime,
    AtVersion,
    Cursor,
    Limit,
    Personal,
    WaitS,
    check_wait,
    chosen,
    cursor_after,
    last_seen,
)
from handlers.http.order_reads import record_order_read
from handlers.http.order_writes import order_write
from handlers.http.preconditions import IfNoneMatch, RequiredKey, etag, is_fresh
from handlers.http.printing import Accept, receipt_answer
from handlers.http.refusals import LiveUpdatesUnavailable
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine, settings
from workflows.live.tickets import issue
from workflows.orders import requests
from workflows.orders.access import all_fields, record_read
from workflows.orders.json_values import plain
from workflows.orders.ledger_view import ledger_view
from workflows.orders.permissions import Action, check
from workflows.orders.requests import OrderRequest
from workflows.orders.time_travel import order_at, replay
from workflows.orders.views import event_view, event_views, order_view
from workflows.orders.visibility import audience_of, discreet
from workflows.orders.waiting import waits_now
from workflows.receipts.issuing import find_receipt
from workflows.settings import read_keys
from workflows.time_budgets import read_budgets

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.order_json import HistoryJson, LiveTicketJson, ReplayJson

TAG = "Orders"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(
        read_keys, read_budgets
    )  # fail now if the key settings are missing; otherwise personal fields would read as erased
    return api.resolve(event)


@operation(api, "POST", "/orders", tag=TAG, answers="OrderJson", statuses=(201,), refuses=(404,))
def place_order(body: PlaceBody, idempotency_key: RequiredKey) -> Response:
    """Place an order from the restaurant's menu, which has the prices. `POST /quotes` answers what it would cost.

    The order's id is derived from the caller and the Idempotency-Key, so a retry finds its own order: the response is
    201 and the order as it is now, marked `Idempotent-Replayed: true`.
    """
    caller, ports = api.caller, engine()
    handled = placing.place(ports.log, body, caller, idempotency_key, ports.clock.now())
    return order_written(handled, caller.actor, HTTPStatus.CREATED)


@operation(api, "GET", "/orders/{order_id}", tag=TAG, answers="OrderJson", refuses=(304,))
def get_order(
    order_id: OrderIdText,
    *,
    version: AtVersion = None,
    at: AtTime = None,
    wait_s: WaitS = None,
    if_none_match: IfNoneMatch = None,
    personal: Personal = True,
    access_reason: AccessReason = None,
) -> Response:
    """Read the order as it is now, or as it was at a version or a time. Who is shown personal data is recorded.

    With `wait_s` and If-None-Match the answer is sent when the order changes, or is 304 after that number of seconds.
    It may be 304 earlier: then send the request again after a second.
    """
    history, newest = requests.see(engine().log, order_id, api.caller.actor)
    moment = chosen(version, at)
    check_wait(wait_s, moment, if_none_match)
    order = newest if moment is None else order_at(history, order_id, moment)
    if is_fresh(if_none_match, etag(order.version)):
        return not_modified(order.version)
    actor = api.caller.actor
    shown = history.recorded[: order.version]
    record_order_read(
        api.caller,
        "GET /orders/{order_id}",
        history=history,
        shown=shown,
        audience=discreet(audience_of(actor, order), personal=personal),
        reason=access_reason,
    )
    waits = waits_now(order, history.recorded, settings(read_budgets)) if order is newest else None
    return order_read(order, discreet(audience_of(actor, newest), personal=personal), waits)


@operation(api, "GET", "/orders/{order_id}/history", tag=TAG, answers="HistoryJson")
def get_history(
    order_id: OrderIdText, limit: Limit = 50, cursor: Cursor = None, access_reason: AccessReason = None
) -> Response:
    """Read the events of the order, oldest first, in pages. Who is shown personal data is recorded.

    `next` is the cursor of the next page, null on the last page.
    """
    actor = api.caller.actor
    after = last_seen(order_id, cursor)
    history, audience = requests.see_history(engine().log, order_id, actor)
    page = history.recorded[after : after + limit]
    record_order_read(
        api.caller,
        "GET /orders/{order_id}/history",
        history=history,
        shown=page,
        audience=audience,
        reason=access_reason,
    )
    body: HistoryJson = {
        "order_id": order_id,
        "version": history.version,
        "events": event_views(page, audience),
        "next": cursor_after(order_id, after + limit) if after + limit < history.version else None,
    }
    return json_answer(body, headers={"ETag": etag(history.version)})


@operation(api, "GET", "/orders/{order_id}/replay", tag=TAG, answers="ReplayJson")
def get_replay(order_id: OrderIdText, at: AtEither, access_reason: AccessReason = None) -> Response:
    """Read the order as it was at a version or a time, and what each event until then changed in it.

    Who is shown personal data is recorded.
    """
    actor = api.caller.actor
    history, order = requests.see(engine().log, order_id, actor)
    audience = audience_of(actor, order)
    replayed = replay(history, order_id, at, audience)
    shown = history.recorded[: replayed.order.version]
    record_order_read(
        api.caller,
        "GET /orders/{order_id}/replay",
        history=history,
        shown=shown,
        audience=audience,
        reason=access_reason,
    )
    body: ReplayJson = {
        "order": order_view(replayed.order, audience),
        "steps": [
            {**view, "changes": plain(step.changes)}
            for step in replayed.steps
            if (view := event_view(step.recorded, audience)) is not None
        ],
        "latest": replayed.latest,
    }
    return json_answer(body, headers={"ETag": etag(history.version)})


@operation(api, "POST", "/live-tickets", tag=TAG, answers="LiveTicketJson", statuses=(201,), order=False)
def make_live_ticket(access_reason: AccessReason = None) -> Response:
    """Get a ticket that opens one socket for live updates. That a socket may show personal data is recorded.

    Open `path` with it within 30 seconds: `wss://.../live?ticket=...`. The protocol is in docs/live.md. The socket is
    closed when the access token of this request expires.
    """
    ports = engine()
    if ports.live_path is None:
        detail = "This deployment serves no sockets. Read an order with If-None-Match and wait_s instead."
        raise LiveUpdatesUnavailable(detail)
    record_read(
        ports.log,
        api.caller,
        route="POST /live-tickets",
        orders=(),
        fields=all_fields(api.caller.actor),
        reason=access_reason or "",
        at=ports.clock.now(),
    )
    name, ticket = issue(ports.documents, api.caller.actor, now=ports.clock.now(), until=api.token_ends)
    body: LiveTicketJson = {"ticket": name, "path": ports.live_path, "expires_at": ticket.expires_at}
    return json_answer(body, HTTPStatus.CREATED, headers={"Cache-Control": "no-store"})


@operation(api, "GET", "/orders/{order_id}/ledger", tag=TAG, answers="LedgerJson")
def get_ledger(order_id: OrderIdText) -> Response:
    """Read the order's money in double entry: one transaction for each event that moves or promises money.

    A debit is positive and a credit negative, so that each transaction adds up to zero.
    """
    actor = api.caller.actor
    history, order = requests.see(engine().log, order_id, actor)
    check(actor, Action.READ_LEDGER, order)
    return json_answer(ledger_view(history, order), headers={"ETag": etag(history.version)})


@operation(
    api,
    "GET",
    "/orders/{order_id}/receipt",
    tag=TAG,
    answers="ReceiptJson",
    forms=("text/html; charset=utf-8", "application/pdf"),
)
def get_receipt(order_id: OrderIdText, version: AtVersion = None, accept: Accept = None) -> Response:
    """Read a receipt of the order, by default the newest one: as JSON, HTML or PDF.

    A receipt is made when the order is completed and on each refund, for that version of the order, and never changes.
    It holds no personal data of the customer.
    """
    ports, actor = engine(), api.caller.actor
    history, order = requests.see(ports.log, order_id, actor)
    check(actor, Action.READ_RECEIPT, order)
    return receipt_answer(find_receipt(ports.log, ports.documents, history, version), accept)


@order_write(api, "/orders/{order_id}/cancel", Action.CANCEL, tag=TAG, answers="ActionOutcomeJson")
def cancel_order(request: OrderRequest, body: CancelBody) -> Response:
    """Cancel the order. Possible until the meal is picked up; payments are released or refunded."""
    from handlers.http.action_outcomes import action_outcome
    from workflows.incidents.cancelling import cancel

    return action_outcome(cancel(engine().log, request, body.reason, dry_run=body.dry_run), request.caller.actor)


api.include(timeline_api.api)


def documented_apis() -> list[Api]:
    """The APIs in the documentation."""
    from handlers import (
        audit_api,
        bulk_api,
        catalogue_api,
        customers_api,
        delivery_api,
        executions_api,
        incidents_api,
        preparation_api,
        search_api,
        webhooks_api,
    )

    others = (
        *(catalogue_api, search_api, preparation_api, delivery_api, incidents_api, bulk_api),
        *(executions_api, customers_api, webhooks_api, audit_api),
    )
    return [api, *(other.api for other in others)]


documentation.add_documentation(api, documented_apis)
