"""Requests about one order: placing, reading and cancelling it, and the reports of restaurants and couriers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import access_reason as _reason
from .api_call import order_path as _order
from .api_call import rfc3339 as _rfc3339
from .api_call import set_fields as _set
from .api_call import write as _write
from .incident_json import ActionOutcomeJson, WhyJson
from .order_json import HistoryJson, LedgerJson, LiveTicketJson, OrderJson, PlaceJson, PositionKeptJson, ReplayJson
from .receipt_json import ReceiptJson
from .run_json import ExecutionEventsJson, MachineDefinitionJson, MachineNameText, RunsJson
from .timeline_json import TimelineJson


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


def cancel(
    order_id: str, reason: str, *, dry_run: bool = False, key: str | None = None, if_match: int | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Cancel the order; with ``if_match`` only if it is still at that version."""
    condition = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    return _write(_order(order_id, "cancel"), {"reason": reason, "dry_run": dry_run}, key, condition)


def act(
    order_id: str, action: str, body: Mapping[str, Any], *, key: str | None = None, if_match: int | None = None
) -> ApiCall[OrderJson]:
    """Send any write to an order. ``action`` is the rest of its path, e.g. ``preparation/ready``."""
    condition = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    return _write(_order(order_id, action), body, key, condition)


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
