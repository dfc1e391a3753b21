"""Lists and statistics in JSON: the shapes that the views in SQL are answered in."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from .incident_json import Cause, Provider
from .order_json import (
    AwaitingText,
    CancellationCause,
    Fault,
    MoneyJson,
    OrderIdText,
    OrderStatus,
    TimeText,
    VersionNumber,
)


class AsOfJson(TypedDict):
    """How old the answer is. Views follow the log, on one machine within a second."""

    recorded_at: Annotated[TimeText | None, Meta(description="The newest commit in the views; null before the first.")]
    lag_commits: Annotated[int | None, Meta(description="Commits that are not in the views yet. Null if unknown.")]
    lag_s: Annotated[float | None, Meta(description="The age in seconds of the oldest of them. Null if unknown.")]
    complete: Annotated[bool, Meta(description="False while the view is built for the first time: rows are missing.")]
    includes: Annotated[
        bool | None, Meta(description="Whether the version of `wait_for` is included. Null without `wait_for`.")
    ]


class ListedWaitJson(TypedDict):
    """Something that a running order waits for."""

    what: AwaitingText
    since: TimeText
    until: Annotated[TimeText | None, Meta(description="When it stops waiting for the restaurant or courier.")]
    overdue: Annotated[bool, Meta(description="It waits for longer than the watchdog allows.")]


class ListedIncidentJson(TypedDict):
    """Why an order is parked."""

    error: str
    cause: Cause
    dependency: Provider | None
    since: TimeText
    at_stake: MoneyJson


class ListedOrderJson(TypedDict):
    """An order in a list. It has no personal data."""

    id: OrderIdText
    version: VersionNumber
    status: OrderStatus
    parked: Annotated[bool, Meta(description="Stopped by a fault; waits for support.")]
    customer: str
    restaurant: str
    courier: Annotated[str | None, Meta(description="The courier who accepted the current offer.")]
    total: MoneyJson
    captured: MoneyJson
    refunded: MoneyJson
    placed_at: TimeText
    changed_at: TimeText
    delivered_at: TimeText | None
    ended_at: Annotated[TimeText | None, Meta(description="When no run moved the order any more.")]
    waiting: list[ListedWaitJson]
    cancellation_cause: CancellationCause | None
    fault: Fault | None
    authorization_id: Annotated[str | None, Meta(description="The payment provider's id of the authorization.")]
    incident: Annotated[
        ListedIncidentJson | None, Meta(description="Why it is parked; only for support, auditors and services.")
    ]


class ListedOrdersJson(TypedDict):
    """A page of orders."""

    orders: list[ListedOrderJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson
