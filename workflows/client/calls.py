"""The requests of the API: one function each, written once for the blocking and the asynchronous client.

Every write carries an ``Idempotency-Key``, by default a new one for each call, so that sending a call again changes
nothing more. Give ``key`` yourself if another process may repeat the call, e.g. after a crash.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import incident_path as _incident
from .api_call import listed as _list
from .api_call import order_path as _order
from .api_call import rfc3339 as _rfc3339
from .api_call import set_fields as _set
from .api_call import write as _write
from .audit_json import CheckpointsJson, HeadsJson, ProofJson
from .books_json import BooksJson
from .catalogue_json import (
    MenuJson,
    PictureJson,
    ProfileJson,
    QuoteJson,
    RestaurantJson,
    SectionJson,
)
from .export_json import ExportBlockJson, ExportJson
from .incident_json import (
    ActionOutcomeJson,
    CircuitHistoryJson,
    CircuitsJson,
    IncidentJson,
    IncidentsJson,
    WhyJson,
)
from .order_json import (
    HistoryJson,
    LedgerJson,
    LiveTicketJson,
    MoneyJson,
    OrderJson,
    PlaceItemJson,
    PlaceJson,
    PositionKeptJson,
    ReplayJson,
)
from .query_json import QueryResultJson
from .receipt_json import ReceiptJson
from .run_json import ExecutionEventsJson, MachineDefinitionJson, MachineNameText, RunsJson
from .search_json import (
    ListedApprovalsJson,
    ListedEventsJson,
    ListedOffersJson,
    ListedOrdersJson,
    ListedReadsJson,
    ListedRestaurantsJson,
    ListedTicketsJson,
    MeJson,
    PopularItemsJson,
    StatsJson,
    ViewsJson,
)
from .timeline_json import TimelineJson
from .webhook_json import (
    RemovedWebhookJson,
    WebhookDeliveriesJson,
    WebhookDeliveryJson,
    WebhookEndpointJson,
    WebhookEndpointsJson,
)

# --- orders ----------------------------------------------------------------------------------------------------------


def place(order: PlaceJson, key: str) -> ApiCall[OrderJson]:
    """Place an order. The same key again returns the same order."""
    return _write("/orders", order, key)


def get(
    order_id: str,
    *,
    version: int | None = None,
    at: datetime | None = None,
    personal: bool = True,
    reason: str | None = None,
) -> ApiCall[OrderJson]:
    """Read the order as it is now, or as it was at a version or a time (with a time zone).

    Args:
        personal: False to leave out personal data, so that no read of it is recorded.
        reason: Why personal data is read. It is recorded for auditors; it should not name the customer.
    """
    query = _set(version=None if version is None else str(version), at=None if at is None else _rfc3339(at))
    return ApiCall(method="GET", path=_order(order_id), query=query | _personal(personal), headers=_reason(reason))


def _personal(wanted: bool) -> dict[str, str]:
    return {} if wanted else {"personal": "false"}


def get_changed(order_id: str, version: int, *, wait_s: int | None = None) -> ApiCall[OrderJson | None]:
    """Read the order; None if it is still at this version.

    Args:
        wait_s: The seconds that the engine may wait for a change, 25 at most. It may answer earlier.
    """
    query = {} if wait_s is None else {"wait_s": str(wait_s)}
    return ApiCall(method="GET", path=_order(order_id), query=query, headers={"If-None-Match": f'"{version}"'})


def live_ticket() -> ApiCall[LiveTicketJson]:
    """Get a ticket that opens one socket within 30 seconds."""
    return ApiCall(method="POST", path="/live-tickets")


def history_page(
    order_id: str, limit: int, cursor: str | None = None, *, reason: str | None = None
) -> ApiCall[HistoryJson]:
    """Read up to ``limit`` events, oldest first, from where ``cursor`` (the previous page's ``next``) points.

    Args:
        reason: As of ``get``.
    """
    query = {"limit": str(limit), **_set(cursor=cursor)}
    return ApiCall(method="GET", path=_order(order_id, "history"), query=query, headers=_reason(reason))


def replay(order_id: str, at: int | datetime, *, reason: str | None = None) -> ApiCall[ReplayJson]:
    """Read the order as it was at a version or a time, with what each event until then changed.

    Args:
        reason: As of ``get``.
    """
    moment = _rfc3339(at) if isinstance(at, datetime) else str(at)
    return ApiCall(method="GET", path=_order(order_id, "replay"), query={"at": moment}, headers=_reason(reason))


def timeline(
    order_id: str,
    *,
    first: int = 1,
    limit: int = 100,
    at: int | datetime | None = None,
    personal: bool = True,
    reason: str | None = None,
) -> ApiCall[TimelineJson]:
    """Read a page of what happened to the order, in words, with what each event changed.

    Args:
        first: The version of the first event; ``next`` of the previous page.
        limit: The most events, 100 at most.
        at: A version or a time (with a time zone) at which the timeline ends; None for now.
        personal: As of ``get``.
        reason: As of ``get``.
    """
    moment = _rfc3339(at) if isinstance(at, datetime) else None if at is None else str(at)
    query = {"from": str(first), "limit": str(limit), **_set(at=moment), **_personal(personal)}
    return ApiCall(method="GET", path=_order(order_id, "timeline"), query=query, headers=_reason(reason))


def ledger(order_id: str) -> ApiCall[LedgerJson]:
    """Read the order's money in double entry."""
    return ApiCall(method="GET", path=_order(order_id, "ledger"))


def why(order_id: str) -> ApiCall[WhyJson]:
    """Ask why the order is where it is: what it waits for, what happens next, and what each action would do."""
    return ApiCall(method="GET", path=_order(order_id, "why"))


def runs(order_id: str, *, newest: int = 10) -> ApiCall[RunsJson]:
    """Read the runs of the order with what the engine did, and what log and engine do not agree on.

    Args:
        newest: Of how many runs, from the last one back, the executions are read; 100 at most.
    """
    return ApiCall(method="GET", path=_order(order_id, "runs"), query={"limit": str(newest)})


def execution_history(
    execution: str, *, limit: int = 100, cursor: str | None = None, reverse: bool = False
) -> ApiCall[ExecutionEventsJson]:
    """Read a page of the events of an execution, the oldest first unless ``reverse``."""
    query = {"limit": str(limit), "reverse": "true" if reverse else "false", **_set(cursor=cursor)}
    return ApiCall(method="GET", path=f"/executions/{quoted(execution, safe='')}/history", query=query)


def machine(name: MachineNameText, *, execution: str | None = None) -> ApiCall[MachineDefinitionJson]:
    """Read the definition of a machine and its graph: the deployed one, or the one that an execution runs."""
    return ApiCall(method="GET", path=f"/machines/{name}/definition", query=_set(execution=execution))


def receipt(order_id: str, *, version: int | None = None) -> ApiCall[ReceiptJson]:
    """Read the newest receipt of the order, or the one that was made for a version."""
    query = _set(version=None if version is None else str(version))
    return ApiCall(method="GET", path=_order(order_id, "receipt"), query=query)


def cancel(order_id: str, reason: str, *, key: str | None = None, if_match: int | None = None) -> ApiCall[OrderJson]:
    """Cancel the order; with ``if_match`` only if it is still at that version."""
    return act(order_id, "cancel", {"reason": reason}, key=key, if_match=if_match)


def act(
    order_id: str, action: str, body: Mapping[str, Any], *, key: str | None = None, if_match: int | None = None
) -> ApiCall[OrderJson]:
    """Send any write to an order. ``action`` is the rest of its path, e.g. ``preparation/ready``."""
    condition = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    return _write(_order(order_id, action), body, key, condition)


# --- restaurants and menus -------------------------------------------------------------------------------------------


def restaurant(restaurant_id: str) -> ApiCall[RestaurantJson]:
    """Read a restaurant as it is now: its profile, whether it takes orders, and what is sold out."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id))


def menu(restaurant_id: str, menu_version: int) -> ApiCall[MenuJson]:
    """Read the menu that was published under a version."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id, f"menus/{menu_version}"))


def quote(restaurant_id: str, items: Sequence[PlaceItemJson], *, tip: MoneyJson | None = None) -> ApiCall[QuoteJson]:
    """Price items of a menu, with fees and tip, without placing an order."""
    return ApiCall(method="POST", path="/quotes", body={"restaurant": restaurant_id, "items": items, **_set(tip=tip)})


def register_restaurant(restaurant_id: str, profile: ProfileJson) -> ApiCall[RestaurantJson]:
    """Let a restaurant join. The same profile again changes nothing."""
    return ApiCall(method="POST", path="/restaurants", body={"restaurant": restaurant_id, **profile})


def change_restaurant(restaurant_id: str, profile: ProfileJson) -> ApiCall[RestaurantJson]:
    """Replace the profile as a whole."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "profile"), body=profile)


def publish_menu(restaurant_id: str, sections: Sequence[SectionJson]) -> ApiCall[RestaurantJson]:
    """Publish a menu under the next version. It replaces the one before as a whole."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "menu"), body={"sections": sections})


def upload_picture(restaurant_id: str, content: bytes) -> ApiCall[PictureJson]:
    """Upload a PNG, JPEG or WebP of at most 1 MiB. An item of a menu then names it by its ``name``."""
    body = {"content": b64encode(content).decode()}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "pictures"), body=body)


def pause_restaurant(restaurant_id: str, reason: str, until: datetime | None = None) -> ApiCall[RestaurantJson]:
    """Take no orders until a time (with a time zone), or else until ``resume_restaurant``."""
    body = {"reason": reason, **_set(until=None if until is None else _rfc3339(until))}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "pause"), body=body)


def resume_restaurant(restaurant_id: str) -> ApiCall[RestaurantJson]:
    """End a pause."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "resume"))


def mark_sold_out(restaurant_id: str, sku: str, option: str | None = None) -> ApiCall[RestaurantJson]:
    """Mark an item, or one option of it, sold out for now."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "sold-out"), body={"sku": sku, **_set(option=option)})


def mark_back_in_stock(restaurant_id: str, sku: str, option: str | None = None) -> ApiCall[RestaurantJson]:
    """Mark an item, or one option of it, as available again."""
    body = {"sku": sku, **_set(option=option)}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "back-in-stock"), body=body)


# --- preparation -----------------------------------------------------------------------------------------------------
# ``ticket`` is the number of the ticket that is answered, by default the current one.


def accept(
    order_id: str, ready_at: datetime, *, ticket: int | None = None, key: str | None = None
) -> ApiCall[OrderJson]:
    """Report that the restaurant accepts the ticket and when the meal will be ready (a time with a time zone)."""
    return act(order_id, "preparation/accept", {"ready_at": _rfc3339(ready_at), **_set(ticket=ticket)}, key=key)


def reject(order_id: str, reason: str, *, ticket: int | None = None, key: str | None = None) -> ApiCall[OrderJson]:
    """Report that the restaurant rejects the ticket."""
    return act(order_id, "preparation/reject", {"reason": reason, **_set(ticket=ticket)}, key=key)


def item_unavailable(
    order_id: str, line: int, available: int, *, ticket: int | None = None, key: str | None = None
) -> ApiCall[OrderJson]:
    """Report that only ``available`` of a line's items can be delivered. Lines are numbered from 1."""
    body = {"line": line, "available": available, **_set(ticket=ticket)}
    return act(order_id, "preparation/item-unavailable", body, key=key)


def ready(order_id: str, *, ticket: int | None = None, key: str | None = None) -> ApiCall[OrderJson]:
    """Report that the meal is ready for pickup."""
    return act(order_id, "preparation/ready", _set(ticket=ticket), key=key)


# --- delivery --------------------------------------------------------------------------------------------------------
# ``offer`` is the number of the offer that is answered, by default the current one.


def assign(
    order_id: str, courier_id: str | None = None, *, offer: int | None = None, key: str | None = None
) -> ApiCall[OrderJson]:
    """Assign a courier to the offer: the caller, or for support and services the one they name."""
    return act(order_id, "delivery/assign", _set(courier_id=courier_id, offer=offer), key=key)


def decline(order_id: str, reason: str, *, offer: int | None = None, key: str | None = None) -> ApiCall[OrderJson]:
    """Report that the courier declines the offer, or gives it back."""
    return act(order_id, "delivery/decline", {"reason": reason, **_set(offer=offer)}, key=key)


def pick_up(order_id: str, *, offer: int | None = None, key: str | None = None) -> ApiCall[OrderJson]:
    """Report that the courier picked the meal up."""
    return act(order_id, "delivery/pick-up", _set(offer=offer), key=key)


def deliver(order_id: str, *, offer: int | None = None, key: str | None = None) -> ApiCall[OrderJson]:
    """Report that the customer has the meal."""
    return act(order_id, "delivery/deliver", _set(offer=offer), key=key)


def fail(
    order_id: str, reason: str, fault: str, *, offer: int | None = None, key: str | None = None
) -> ApiCall[OrderJson]:
    """Report that the delivery failed. ``fault`` is customer, restaurant, courier or platform."""
    return act(order_id, "delivery/fail", {"reason": reason, "fault": fault, **_set(offer=offer)}, key=key)


def report_position(order_id: str, latitude: float, longitude: float) -> ApiCall[PositionKeptJson]:
    """Report where the courier is, in degrees of WGS 84. One position in three seconds is kept."""
    body = {"latitude": latitude, "longitude": longitude}
    return ApiCall(method="POST", path=_order(order_id, "delivery/position"), body=body)


# --- incidents and circuit breakers: support acts, auditors read ----------------------------------------------------


def incidents(
    cause: str | None = None, limit: int = 100, *, assignee: str | None = None, unassigned: bool = False
) -> ApiCall[IncidentsJson]:
    """List parked orders: the groups by cause, and those parked longest.

    Args:
        assignee: Only those that this person took on.
        unassigned: Only those that no person took on.
    """
    return _list("/incidents", cause=cause, limit=limit, assignee=assignee, unassigned=unassigned or None)


def incident(order_id: str) -> ApiCall[IncidentJson]:
    """Read one incident: its cause, what is still held, its last events, and the effect of each action."""
    return ApiCall(method="GET", path=_incident(order_id))


def retry(order_id: str, reason: str, *, dry_run: bool = False, key: str | None = None) -> ApiCall[ActionOutcomeJson]:
    """Continue a parked order in a new run."""
    return _write(f"{_incident(order_id)}/retry", {"reason": reason, "dry_run": dry_run}, key)


def resolve(
    order_id: str,
    how: str,
    reason: str,
    *,
    fault: str | None = None,
    intent: int | None = None,
    dry_run: bool = False,
    key: str | None = None,
) -> ApiCall[ActionOutcomeJson]:
    """End an incident.

    Args:
        how: ``cancel`` gives back what is held, ``abandon`` does not, ``write_off`` stops pursuing one intent.
        fault: The party at fault: customer, restaurant, courier or platform.
        intent: The version of the intent to write off.
    """
    body = {"how": how, "reason": reason, "dry_run": dry_run, **_set(fault=fault, intent=intent)}
    return _write(f"{_incident(order_id)}/resolve", body, key)


def approve(
    order_id: str, approval: int, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Approve, as a second person, the request with this number."""
    return _write(f"{_incident(order_id)}/approve", {"approval": approval, "dry_run": dry_run}, key)


def note(order_id: str, text: str, *, key: str | None = None) -> ApiCall[ActionOutcomeJson]:
    """Add a note to the order's history."""
    return _write(f"{_incident(order_id)}/note", {"text": text}, key)


def circuits() -> ApiCall[CircuitsJson]:
    """List the circuit breakers of the providers."""
    return ApiCall(method="GET", path="/circuits")


def circuit(dependency: str, action: str | None = None, reason: str = "") -> ApiCall[CircuitHistoryJson]:
    """Read a circuit breaker and its transitions, or ``open`` or ``close`` it by hand."""
    path = f"/circuits/{quoted(dependency, safe='')}"
    if action is None:
        return ApiCall(method="GET", path=path)
    return ApiCall(method="POST", path=f"{path}/{action}", body={"reason": reason})


# --- lists and searches: each role its own part -----------------------------------------------------------------------
# ``cursor`` is ``next`` of the page before. ``wait_for`` is a write that the list should include, ``ord_...:12``: order
# id and version; the answer's ``as_of["includes"]`` has the outcome. Times have a time zone.


def orders(
    *,
    status: Sequence[str] = (),
    customer: str | None = None,
    restaurant: str | None = None,
    courier: str | None = None,
    waiting_for: str | None = None,
    overdue: bool | None = None,
    parked: bool | None = None,
    cause: str | None = None,
    dependency: str | None = None,
    amount_min: str | None = None,
    amount_max: str | None = None,
    currency: str | None = None,
    placed_from: datetime | None = None,
    placed_to: datetime | None = None,
    changed_from: datetime | None = None,
    payment_reference: str | None = None,
    id_prefix: str | None = None,
    sort: str = "-placed_at",
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
) -> ApiCall[ListedOrdersJson]:
    """List orders that satisfy all filters.

    Args:
        amount_min: In units of the currency, e.g. ``12.50``; needs ``currency``, as does ``amount_max``.
        sort: ``-placed_at`` (newest first), ``placed_at``, ``changed_at`` or ``waiting_since`` (oldest first).
    """
    return _list("/orders", **locals())


def search_orders(
    *,
    phone: str | None = None,
    email: str | None = None,
    name: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    reason: str | None = None,
) -> ApiCall[ListedOrdersJson]:
    """Find the orders of a customer by what the customer says. For support.

    Args:
        reason: Why it is searched. It is recorded for auditors; it should not name the customer.
    """
    query = {"limit": str(limit), **_set(cursor=cursor)}
    body = _set(phone=phone, email=email, name=name)
    return ApiCall(method="POST", path="/orders/search", query=query, body=body, headers=_reason(reason))


def _reason(reason: str | None) -> dict[str, str]:
    return _set(**{"Access-Reason": reason})


def access_log(
    *,
    actor: str | None = None,
    order: str | None = None,
    customer: str | None = None,
    read_from: datetime | None = None,
    read_to: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> ApiCall[ListedReadsJson]:
    """List who was shown whose personal data, when and why, the newest first. For auditors."""
    return _list("/access-log", **locals())


def query(sql: str, *, as_of: datetime | None = None, limit: int = 100) -> ApiCall[QueryResultJson]:
    """Query the events of all orders with SQL. For auditors; the query is recorded.

    Args:
        as_of: Leave out what was recorded after this time.
        limit: The most rows, 1,000 at most.
    """
    body = {"sql": sql, "limit": limit, **_set(as_of=None if as_of is None else _rfc3339(as_of))}
    return ApiCall(method="POST", path="/audit/query", body=body)


def create_export(
    filter: Mapping[str, Any],  # noqa: A002 -- as the API names it
    *,
    format: str = "jsonl",  # noqa: A002 -- as the API names it
    as_of: datetime | None = None,
    key: str | None = None,
) -> ApiCall[ExportJson]:
    """Begin to make a file of events. For auditors; the request is recorded.

    Args:
        filter: By the names of the parameters of ``events``, e.g. ``{"type": ["CreditGranted"]}``.
        format: ``jsonl``, ``csv`` or ``parquet``.
    """
    body = {"filter": dict(filter), "format": format, **_set(as_of=None if as_of is None else _rfc3339(as_of))}
    return _write("/exports", body, key)


def export(export_id: str) -> ApiCall[ExportJson]:
    """Read how far an export is, and its signed manifest once it is done."""
    return ApiCall(method="GET", path=f"/exports/{quoted(export_id, safe='')}")


def export_block(export_id: str, block: int) -> ApiCall[ExportBlockJson]:
    """Read a block of the file of an export that is done, in base64."""
    return ApiCall(method="GET", path=f"/exports/{quoted(export_id, safe='')}/content", query={"block": str(block)})


def events(
    *,
    type: Sequence[str] = (),  # noqa: A002 -- as the API names it
    actor: str | None = None,
    actor_role: str | None = None,
    order: str | None = None,
    customer: str | None = None,
    restaurant: str | None = None,
    recorded_from: datetime | None = None,
    recorded_to: datetime | None = None,
    correlation: str | None = None,
    people_only: bool = False,
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
    reason: str | None = None,
) -> ApiCall[ListedEventsJson]:
    """List the events of all orders, the newest first.

    Args:
        reason: Why an auditor reads the reasons of changes. It is recorded.
    """
    query = {name: value for name, value in locals().items() if name != "reason"}
    return replace(_list("/events", **query), headers=_reason(reason))


def tickets(
    *,
    open: bool = True,  # noqa: A002 -- as the API names it
    restaurant: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
) -> ApiCall[ListedTicketsJson]:
    """List the open tickets of a restaurant with the oldest first, or the closed ones with the newest first."""
    return _list("/tickets", **locals())


def approvals(
    *,
    open: bool = True,  # noqa: A002 -- as the API names it
    by_others: bool = False,
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
) -> ApiCall[ListedApprovalsJson]:
    """List the requests that wait for a second person, the oldest first.

    Args:
        open: False for those that were approved, the newest first.
        by_others: Only requests of others, which the caller may approve.
    """
    return _list("/approvals", **locals())


def restaurants(
    *,
    name: str | None = None,
    cuisine: str | None = None,
    dish: str | None = None,
    open_now: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> ApiCall[ListedRestaurantsJson]:
    """List restaurants by name. Texts are compared without case and accents.

    Args:
        dish: Words in the name of an item that is on the menu and not sold out.
        open_now: Only those that take orders now.
    """
    return _list("/restaurants", **locals())


def popular_items(restaurant_id: str, *, limit: int = 10) -> ApiCall[PopularItemsJson]:
    """List the items of a restaurant's menu that were ordered most in the last 30 days."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id, "popular"), query={"limit": str(limit)})


def offers(
    *,
    open: bool = True,  # noqa: A002 -- as the API names it
    courier: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
) -> ApiCall[ListedOffersJson]:
    """List the open offers that a courier may accept with the oldest first, or those that the courier accepted."""
    return _list("/offers", **locals())


def stats(
    *,
    placed_from: datetime | None = None,
    placed_to: datetime | None = None,
    restaurant: str | None = None,
    bucket: str | None = None,
    by_restaurant: bool = False,
) -> ApiCall[StatsJson]:
    """Count the orders placed in a time, by default the last day.

    Args:
        bucket: ``hour`` or ``day``: a group for each.
    """
    return _list("/stats", **locals())


def books(
    *,
    day_from: date | None = None,
    day_to: date | None = None,
    restaurant: str | None = None,
    currency: str | None = None,
) -> ApiCall[BooksJson]:
    """Add up the books of a period of whole days in UTC, both included. For support and auditors."""
    period = _set(
        day_from=None if day_from is None else day_from.isoformat(),
        day_to=None if day_to is None else day_to.isoformat(),
    )
    return _list("/books", **period, restaurant=restaurant, currency=currency)


def views() -> ApiCall[ViewsJson]:
    """Read the state of the views: versions, lag, and what could not be projected."""
    return ApiCall(method="GET", path="/views")


def me() -> ApiCall[MeJson]:
    """Read who the caller is, and what they may do."""
    return ApiCall(method="GET", path="/me")


# --- the audit: for support and auditors -----------------------------------------------------------------------------


def proof(order_id: str) -> ApiCall[ProofJson]:
    """Prove what was recorded about the order. ``proof_file`` makes the file of it that ``expediter-verify`` checks."""
    return ApiCall(method="GET", path=_order(order_id, "proof"))


def checkpoints(*, limit: int = 50, before: int | None = None) -> ApiCall[CheckpointsJson]:
    """List the checkpoints of the log, the newest first."""
    return _list("/audit/checkpoints", **locals())


def heads(*, checkpoint: int | None = None, limit: int = 100, after: int | None = None) -> ApiCall[HeadsJson]:
    """List the heads that a checkpoint added, by default the newest one."""
    return _list("/audit/heads", **locals())


# --- webhooks: services register endpoints; support reads and resends ------------------------------------------------


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
    webhook_id: str, *, limit: int = 50, cursor: str | None = None
) -> ApiCall[WebhookDeliveriesJson]:
    """List deliveries with all attempts, newest events first, from where ``cursor`` (``next`` of a page) points."""
    query = {"limit": str(limit), **_set(cursor=cursor)}
    return ApiCall(method="GET", path=f"{_webhook(webhook_id)}/deliveries", query=query)


def resend_delivery(delivery_id: str) -> ApiCall[WebhookDeliveryJson]:
    """Send a delivery again now, and for three more days if that fails."""
    return ApiCall(method="POST", path=f"/deliveries/{quoted(delivery_id, safe='~')}/resend")


def _restaurant(restaurant_id: str, rest: str = "") -> str:
    return f"/restaurants/{quoted(restaurant_id, safe='')}" + (f"/{rest}" if rest else "")


def _webhook(webhook_id: str) -> str:
    return f"/webhooks/{quoted(webhook_id, safe='')}"
