"""Lists and searches: each role gets its own part.

``cursor`` is ``next`` of the page before. ``wait_for`` is a write that the list should include, ``ord_...:12``: order
id and version; the answer's ``as_of["includes"]`` has the outcome. Times have a time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from .api_call import ApiCall
from .api_call import access_reason as _reason
from .api_call import listed as _list
from .api_call import set_fields as _set
from .books_json import BooksJson
from .search_json import (
    ListedApprovalsJson,
    ListedEventsJson,
    ListedOffersJson,
    ListedOrdersJson,
    ListedReadsJson,
    ListedTicketsJson,
    MeJson,
    RetriedStreamJson,
    StatsJson,
    ViewsJson,
)


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
    id_suffix: str | None = None,
    sort: str = "-placed_at",
    limit: int = 50,
    cursor: str | None = None,
    wait_for: str | None = None,
) -> ApiCall[ListedOrdersJson]:
    """List orders that satisfy all filters.

    Args:
        amount_min: In units of the currency, e.g. ``12.50``; needs ``currency``, as does ``amount_max``. One amount of
            the order is in the range: a total that it had, a hold, a capture, a refund or a credit.
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
        name: One or several words of the name, in any order.
        reason: Why it is searched. It is recorded for auditors; it should not name the customer.
    """
    query = {"limit": str(limit), **_set(cursor=cursor)}
    body = _set(phone=phone, email=email, name=name)
    return ApiCall(method="POST", path="/orders/search", query=query, body=body, headers=_reason(reason))


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


def retry_view(stream: str, *, dry_run: bool = False) -> ApiCall[RetriedStreamJson]:
    """Compute the rows of a parked stream of the views again. For support.

    Args:
        stream: As ``views`` lists it, e.g. ``order#ord_...``.
        dry_run: Only say which views would have its rows.
    """
    return ApiCall(method="POST", path="/views/retry", body={"stream": stream, "dry_run": dry_run})


def me() -> ApiCall[MeJson]:
    """Read who the caller is, and what they may do."""
    return ApiCall(method="GET", path="/me")
