"""Lists and statistics in JSON: the shapes that the views in SQL are answered in."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from .incident_json import Cause, Provider
from .order_json import (
    ActorJson,
    AwaitingText,
    CancellationCause,
    Fault,
    MoneyJson,
    OrderIdText,
    OrderStatus,
    Role,
    TimeText,
    VersionNumber,
)


class AsOfJson(TypedDict):
    """How old the answer is. Views follow the log, on one machine within a second."""

    recorded_at: Annotated[TimeText | None, Meta(description="The newest commit in the views. Null on AWS.")]
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
    placed_at: Annotated[TimeText, Meta(description="When its placing was recorded.")]
    changed_at: Annotated[TimeText, Meta(description="When its newest event was recorded.")]
    delivered_at: Annotated[TimeText | None, Meta(description="When its delivery was recorded.")]
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


class ListedEventJson(TypedDict):
    """An event of any order. Personal fields are not in lists, but for the reason of a change, which auditors see."""

    order_id: OrderIdText
    version: Annotated[VersionNumber, Meta(description="The order's version after this event.")]
    type: str
    schema: Annotated[int, Meta(ge=1, description="The schema that the event is stored in.")]
    recorded_at: TimeText
    actor: ActorJson
    customer: str | None
    restaurant: str | None
    correlation: str
    causation: str
    commit: Annotated[VersionNumber, Meta(description="The version of the first event in its commit.")]
    key: Annotated[str, Meta(description="The command's key, which a repeated command has too.")]
    hash: Annotated[str, Meta(description="The hash of its commit, in hexadecimal.")]
    data: Annotated[dict[str, Any], Meta(description="The fields of this type of event that are not personal.")]


class ListedEventsJson(TypedDict):
    """A page of events, the newest first."""

    events: list[ListedEventJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson


class TicketLineJson(TypedDict):
    """One item on a ticket. ``quantity`` units of the ``ordered`` ones are available."""

    line: Annotated[int, Meta(ge=1)]
    sku: str
    name: str
    quantity: Annotated[int, Meta(ge=0)]
    ordered: Annotated[int, Meta(ge=1)]
    options: list[str]


class ListedReadJson(TypedDict):
    """Personal data of an order that was shown to a caller, or by which the order was found."""

    at: TimeText
    actor: ActorJson
    route: Annotated[str, Meta(description="What was requested.", examples=["GET /orders/{order_id}"])]
    order_id: Annotated[OrderIdText | None, Meta(description="Null if the request named no order.")]
    customer: str | None
    fields: Annotated[list[str], Meta(description="The personal fields that were shown, or searched by.")]
    reason: Annotated[str, Meta(description="What the caller sent as `Access-Reason`; may be empty.")]
    request: Annotated[str, Meta(description="The SQL of a query, or the filter of an export; empty for other reads.")]
    trace: Annotated[str, Meta(description="The trace id of the request.")]


class ListedReadsJson(TypedDict):
    """A page of reads of personal data, the newest first."""

    reads: list[ListedReadJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson


class ListedTicketJson(TypedDict):
    """An order as its restaurant sees it."""

    order_id: OrderIdText
    version: VersionNumber
    restaurant: str
    ticket: Annotated[int, Meta(ge=1, description="The number to answer.")]
    state: str
    open: Annotated[bool, Meta(description="The restaurant has something to do: answer, cook or hand over.")]
    order_status: OrderStatus
    placed_at: TimeText
    sent_at: TimeText
    accepted_at: TimeText | None
    ready_by: Annotated[TimeText | None, Meta(description="When the restaurant expects the meal to be ready.")]
    ready_at: Annotated[TimeText | None, Meta(description="When it reported the meal ready.")]
    courier: str | None
    lines: list[TicketLineJson]


class ListedTicketsJson(TypedDict):
    """A page of tickets: the open ones with the oldest first, or the closed ones with the newest first."""

    tickets: list[ListedTicketJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson


class ListedOfferJson(TypedDict):
    """An offer of a delivery."""

    order_id: OrderIdText
    version: VersionNumber
    offer: Annotated[int, Meta(ge=1, description="The number to answer.")]
    attempt: Annotated[int, Meta(ge=1)]
    state: str
    open: Annotated[bool, Meta(description="A courier can accept it.")]
    restaurant: str
    courier: Annotated[str | None, Meta(description="The courier who accepted it.")]
    order_status: OrderStatus
    offered_at: TimeText
    assigned_at: TimeText | None
    ready_by: Annotated[TimeText | None, Meta(description="When the restaurant expects the meal to be ready.")]


class ListedOffersJson(TypedDict):
    """A page of offers: the open ones with the oldest first, or accepted and ended ones with the newest first."""

    offers: list[ListedOfferJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson


class ListedApprovalJson(TypedDict):
    """A request for more money than one person may decide on. Its reason is in `GET /orders/{order_id}/why`."""

    order_id: OrderIdText
    version: VersionNumber
    approval: Annotated[VersionNumber, Meta(description="Its number, for `POST /incidents/{order_id}/approve`.")]
    action: Literal[
        "credit", "write_off", "abandon", "item_unavailable", "delivery_failed", "confirm_report", "refund_extra"
    ]
    amount: MoneyJson
    by: ActorJson
    open: Annotated[bool, Meta(description="It waits for a second person.")]
    order_status: OrderStatus
    requested_at: TimeText
    given_at: TimeText | None
    given_by: Annotated[str | None, Meta(description="The person who decided about it.")]
    rejected: Annotated[bool, Meta(description="The decision was against it.")]


class ListedApprovalsJson(TypedDict):
    """A page of requests: those that wait with the oldest first, or the decided ones with the newest first."""

    approvals: list[ListedApprovalJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson


class ListedRestaurantJson(TypedDict):
    """A restaurant in a list. ``opens_at`` is when it takes orders next: null while it does, or if unknown."""

    id: str
    version: VersionNumber
    name: str
    address: str
    cuisines: list[str]
    minimum_order: MoneyJson
    delivery_fee: MoneyJson
    free_delivery_from: MoneyJson | None
    preparation_min: Annotated[int, Meta(ge=0, description="The usual time in minutes.")]
    menu_version: Annotated[int, Meta(ge=0, description="The menu in force; 0 before the first.")]
    takes_orders: bool
    opens_at: TimeText | None


class ListedRestaurantsJson(TypedDict):
    """A page of restaurants. It may be shorter than `limit`; `next` is null on the last page."""

    restaurants: list[ListedRestaurantJson]
    next: str | None
    as_of: AsOfJson


class PopularItemJson(TypedDict):
    """An item of the menu in force, and how many units of it were ordered lately."""

    sku: str
    name: str
    price: MoneyJson
    available: Annotated[bool, Meta(description="It is not sold out.")]
    ordered: Annotated[int, Meta(ge=1)]


class PopularItemsJson(TypedDict):
    """The items of a restaurant that were ordered most, the most popular first."""

    items: list[PopularItemJson]
    as_of: AsOfJson


class StageJson(TypedDict):
    """How long a stage took, in milliseconds, of the orders that ended it."""

    orders: Annotated[int, Meta(ge=0)]
    p50_ms: int
    p95_ms: int


class StatsMoneyJson(TypedDict):
    """Sums in one currency."""

    total: MoneyJson
    captured: MoneyJson
    refunded: MoneyJson
    credited: MoneyJson


class StatsGroupJson(TypedDict):
    """Orders that were placed in one hour or day, or at one restaurant, or both."""

    bucket: Annotated[str | None, Meta(description="The hour or day in UTC.", examples=["2026-05-04T12", "2026-05-04"])]
    restaurant: str | None
    orders: Annotated[int, Meta(ge=0)]
    parked: Annotated[int, Meta(ge=0, description="How many of them are parked now.")]
    by_status: Annotated[dict[str, int], Meta(description="The number of orders by their status now.")]
    money: list[StatsMoneyJson]
    stages: Annotated[
        dict[str, StageJson],
        Meta(
            description="By stage: authorization, acceptance, preparation, assignment, pickup, delivery, settlement, "
            "total."
        ),
    ]


class StatsJson(TypedDict):
    """Statistics of the orders that were placed in a time."""

    placed_from: TimeText
    placed_to: TimeText
    groups: list[StatsGroupJson]
    more: Annotated[bool, Meta(description="There are more groups: choose a shorter time or one restaurant.")]
    as_of: AsOfJson


class ViewStateJson(TypedDict):
    """A view."""

    name: str
    version: Annotated[int, Meta(ge=0, description="Of the definition that it was built with; 0 before.")]
    outdated: Annotated[bool, Meta(description="The code has another definition: the view has to be built again.")]
    rows: Annotated[int, Meta(ge=0, description="Exact up to 10,000; about how many beyond.")]
    building: Annotated[float | None, Meta(description="The part that is built beside it, from 0 to 1; else null.")]
    parked: Annotated[int, Meta(ge=0, description="Streams whose rows could not be computed.")]


class ParkedStreamJson(TypedDict):
    """A stream whose rows in a view could not be computed."""

    view: str
    stream: str
    error: str
    since: TimeText


class ViewsJson(TypedDict):
    """The views, and how far they are behind the log."""

    recorded_at: Annotated[TimeText | None, Meta(description="The newest commit in the views. Null on AWS.")]
    lag_commits: Annotated[int | None, Meta(description="Commits that are not in the views yet. Null if unknown.")]
    lag_s: Annotated[float | None, Meta(description="The age in seconds of the oldest of them. Null if unknown.")]
    views: list[ViewStateJson]
    parked: Annotated[list[ParkedStreamJson], Meta(description="The oldest hundred.")]


class RetriedViewJson(TypedDict):
    """A view that lacked the stream."""

    view: str
    error: Annotated[str | None, Meta(description="Why it still lacks the stream. Null if it has its rows now.")]


class RetriedStreamJson(TypedDict):
    """A parked stream that was tried again."""

    stream: str
    dry_run: Annotated[bool, Meta(description="Whether the rows were only computed, and not stored.")]
    views: Annotated[list[RetriedViewJson], Meta(description="Those that lacked it. Empty if it was not parked.")]


class PermissionJson(TypedDict):
    """Something that the caller may do."""

    action: Annotated[str, Meta(examples=["cancel"])]
    on: Annotated[Literal["any", "own"], Meta(description="On any order, or on the caller's own.")]


class MeJson(TypedDict):
    """The caller, as the token says, and what they may do."""

    role: Role
    id: str
    may: list[PermissionJson]
    second_person_above: Annotated[
        list[MoneyJson], Meta(description="Larger amounts, and other currencies, need a second person.")
    ]
