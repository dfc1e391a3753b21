"""The requests about what is kept about customers, and about erasing them."""

from __future__ import annotations

from urllib.parse import quote as quoted

from .api_call import ApiCall, write
from .customer_json import CustomerDataJson, ErasureJson, ListedErasuresJson


def customer_data(
    customer: str, *, limit: int = 50, cursor: str | None = None, access_reason: str | None = None
) -> ApiCall[CustomerDataJson]:
    """Read everything that is kept about a customer. The read is recorded, with ``access_reason``."""
    query = {"limit": str(limit), **({} if cursor is None else {"cursor": cursor})}
    headers = {} if access_reason is None else {"Access-Reason": access_reason}
    return ApiCall(method="GET", path=_customer(customer, "data"), query=query, headers=headers)


def erasure(customer: str) -> ApiCall[ErasureJson]:
    """Read how far the erasure of a customer is, and its receipts."""
    return ApiCall(method="GET", path=_customer(customer, "erasure"))


def erasures() -> ApiCall[ListedErasuresJson]:
    """List the erasures that wait for a second person or go on."""
    return ApiCall(method="GET", path="/erasures")


def erase_customer(
    customer: str, reason: str, *, dry_run: bool = False, key: str | None = None
) -> ApiCall[ErasureJson]:
    """Propose to erase a customer. A second person has to approve it."""
    return write(_customer(customer, "erase"), {"reason": reason, "dry_run": dry_run}, key)


def approve_erasure(customer: str, reason: str, *, dry_run: bool = False) -> ApiCall[ErasureJson]:
    """Approve, as a second person, that a customer is erased. It cannot be undone."""
    return _decided(customer, "approve", reason, dry_run)


def reject_erasure(customer: str, reason: str, *, dry_run: bool = False) -> ApiCall[ErasureJson]:
    """Reject a proposed erasure, or withdraw one's own."""
    return _decided(customer, "reject", reason, dry_run)


def _decided(customer: str, how: str, reason: str, dry_run: bool) -> ApiCall[ErasureJson]:
    body = {"reason": reason, "dry_run": dry_run}
    return ApiCall(method="POST", path=_customer(customer, f"erase/{how}"), body=body)


def _customer(customer: str, rest: str) -> str:
    return f"/customers/{quoted(customer, safe='')}/{rest}"
