"""Requests about incidents and circuit breakers: support acts, auditors read."""

from __future__ import annotations

from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import incident_path as _incident
from .api_call import listed as _list
from .api_call import set_fields as _set
from .api_call import write as _write
from .incident_json import ActionOutcomeJson, CircuitHistoryJson, CircuitsJson, IncidentJson, IncidentsJson


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
    order_id: str, approval: int, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Approve, as a second person, the request with this number."""
    body = {"approval": approval, "reason": reason, "dry_run": dry_run}
    return _write(f"{_incident(order_id)}/approve", body, key)


def note(order_id: str, text: str, *, dry_run: bool = False, key: str | None = None) -> ApiCall[ActionOutcomeJson]:
    """Add a note to the order's history."""
    return _write(f"{_incident(order_id)}/note", {"text": text, "dry_run": dry_run}, key)


def circuits() -> ApiCall[CircuitsJson]:
    """List the circuit breakers of the providers."""
    return ApiCall(method="GET", path="/circuits")


def circuit(
    dependency: str, action: str | None = None, reason: str = "", *, dry_run: bool = False, key: str | None = None
) -> ApiCall[CircuitHistoryJson]:
    """Read a circuit breaker, its transitions and the orders that wait for it, or ``open`` or ``close`` it by hand."""
    path = f"/circuits/{quoted(dependency, safe='')}"
    if action is None:
        return ApiCall(method="GET", path=path)
    return _write(f"{path}/{action}", {"reason": reason, "dry_run": dry_run}, key)
