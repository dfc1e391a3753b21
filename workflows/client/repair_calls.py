"""The requests of support that repair orders: one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote as quoted

from .api_call import ApiCall, incident_path, listed, order_path, rfc3339, set_fields, write
from .incident_json import ActionOutcomeJson, BulkJobJson, BulkJson
from .order_json import MoneyJson
from .owed_json import OwedListJson


def credit(
    order_id: str, amount: MoneyJson, fault: str, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Lower what the customer pays; what was captured already is refunded.

    Args:
        fault: The party at fault: customer, restaurant, courier or platform.
    """
    body = {"amount": amount, "fault": fault, "reason": reason, "dry_run": dry_run}
    return write(order_path(order_id, "credits"), body, key)


def refund_extra(
    order_id: str, capture_id: str, amount: MoneyJson, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Refund a payment that the provider took without the order, e.g. because it took the money twice.

    Args:
        capture_id: The provider's id of the payment, which the order's log does not hold.
        amount: What the provider took.
    """
    body = {"capture_id": capture_id, "amount": amount, "reason": reason, "dry_run": dry_run}
    return write(order_path(order_id, "extra-captures"), body, key)


def pass_on(
    order_id: str,
    fact: str,
    said_by: str,
    reason: str,
    *,
    details: Mapping[str, Any] | None = None,
    ready_at: datetime | None = None,
    answers: int | None = None,
    dry_run: bool = False,
    key: str | None = None,
) -> ApiCall[ActionOutcomeJson]:
    """Pass on what a restaurant or courier said and did not report.

    Args:
        fact: accepted, rejected, item_unavailable, ready, assigned, declined, picked_up, delivered or failed.
        details: What the report needs besides: ``line``, ``available``, ``courier_id``, ``party_reason``, ``fault``.
        ready_at: When the meal will be ready, for ``accepted`` (with a time zone).
        answers: The number of the ticket or offer, by default the current one.
    """
    moment = None if ready_at is None else rfc3339(ready_at)
    body = {"fact": fact, "said_by": said_by, "reason": reason, "dry_run": dry_run, **(details or {})}
    return write(order_path(order_id, "facts"), body | set_fields(ready_at=moment, answers=answers), key)


def reject_request(
    order_id: str, approval: int, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Reject the request with this number, which waits for a second person, or withdraw your own."""
    body = {"approval": approval, "reason": reason, "dry_run": dry_run}
    return write(f"{incident_path(order_id)}/reject", body, key)


def assign_incident(
    order_id: str, to: str | None, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ActionOutcomeJson]:
    """Let a person of support take an incident on; None releases it."""
    body = {"to": to, "reason": reason, "dry_run": dry_run}
    return write(f"{incident_path(order_id)}/assign", body, key)


def owed(
    *,
    holding: str | None = None,
    dependency: str | None = None,
    in_doubt: bool | None = None,
    refused: bool | None = None,
    needed: bool | None = None,
    older_than_s: int | None = None,
    amount_min: str | None = None,
    currency: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> ApiCall[OwedListJson]:
    """List what orders in trouble hold and have not given back, the oldest first, with totals of all pages.

    Args:
        holding: authorization, capture, ticket or offer.
        needed: Whether its order still needs it, e.g. to be paid.
        amount_min: In units of the currency, e.g. ``12.50``; needs ``currency``.
        cursor: ``next`` of the page before.
    """
    return listed("/owed", **locals())


def bulk(
    action: str,
    reason: str,
    *,
    order_ids: Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the API's own word
    group: str | None = None,
    amount: MoneyJson | None = None,
    fault: str | None = None,
    per_s: float = 1.0,
    token: str | None = None,
    key: str | None = None,
) -> ApiCall[BulkJson]:
    """Act on several orders at once. Without a token it returns the plan, with the token that begins it.

    Args:
        action: retry, cancel, credit or note.
        order_ids: The orders.
        filter: In place of ``order_ids``: filters of ``orders()`` by name, e.g. ``{"restaurant": "rst_1"}``.
        group: In place of both: the cause of a group of incidents, that is all orders parked with it.
        amount: Of a credit.
        per_s: Orders a second.
    """
    body = {"action": action, "reason": reason, "per_s": per_s, "dry_run": token is None}
    chosen = set_fields(
        order_ids=None if order_ids is None else list(order_ids),
        filter=None if filter is None else {name: _plain(value) for name, value in filter.items()},
        group=group,
    )
    return write("/bulk", body | chosen | set_fields(amount=amount, fault=fault, token=token), key)


def _plain(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def bulk_job(job_id: str) -> ApiCall[BulkJobJson]:
    """Read a bulk job and the outcome of each order."""
    return ApiCall(method="GET", path=_job(job_id))


def advance_bulk_job(job_id: str) -> ApiCall[BulkJobJson]:
    """Act on as many orders as the pace allows now. A job also goes on by itself."""
    return ApiCall(method="POST", path=f"{_job(job_id)}/advance")


def stop_bulk_job(job_id: str, reason: str, *, dry_run: bool = False, key: str | None = None) -> ApiCall[BulkJobJson]:
    """Act on no more orders. What was begun continues."""
    return write(f"{_job(job_id)}/stop", {"reason": reason, "dry_run": dry_run}, key)


def resume_bulk_job(job_id: str, reason: str, *, dry_run: bool = False, key: str | None = None) -> ApiCall[BulkJobJson]:
    """Continue a stopped bulk job where it was stopped."""
    return write(f"{_job(job_id)}/resume", {"reason": reason, "dry_run": dry_run}, key)


def _job(job_id: str) -> str:
    return f"/bulk/{quoted(job_id, safe='')}"
