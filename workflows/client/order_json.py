"""Orders and their events in JSON: the shapes that the API takes and answers with, written once.

The server makes its answers in these shapes, the client returns them, and the OpenAPI document describes them. Money is
a decimal text, never a JSON number. A time is RFC 3339 in UTC with six decimals. Wherever the caller may not see a
personal field it reads ``(withheld)``, and ``(erased)`` once the customer's key is destroyed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

ORDER_ID_PATTERN = "^ord_[a-z2-7]{26}$"

OrderIdText: TypeAlias = Annotated[str, Meta(pattern=ORDER_ID_PATTERN)]
TimeText: TypeAlias = Annotated[
    str, Meta(description="RFC 3339, UTC, microseconds.", extra_json_schema={"format": "date-time"})
]
VersionNumber: TypeAlias = Annotated[int, Meta(ge=1)]
IntentVersion: TypeAlias = Annotated[int, Meta(ge=1, description="The version of the event that requested the call.")]

Role: TypeAlias = Literal["customer", "restaurant", "courier", "support", "auditor", "service", "system"]
Fault: TypeAlias = Literal["customer", "restaurant", "courier", "platform"]
OrderStatus: TypeAlias = Literal[
    "unplaced",
    "placed",
    "authorized",
    "preparing",
    "ready",
    "picked_up",
    "delivered",
    "completed",
    "cancelling",
    "cancelled",
    "abandoned",
]
CancellationCause: TypeAlias = Literal[
    "asked",
    "payment_declined",
    "preparation_rejected",
    "preparation_timed_out",
    "preparation_overdue",
    "nothing_left",
    "no_courier",
    "delivery_failed",
    "abandoned",
]
AwaitingText: TypeAlias = Literal[
    "authorization",
    "acceptance",
    "readiness",
    "assignment",
    "pickup",
    "delivery",
    "settlement",
    "compensation",
    "run",
]


class MoneyJson(TypedDict):
    """An amount of money, in units of the currency and not in cents: 12.50 EUR, 1250 JPY."""

    amount: Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]{1,4})?$", examples=["12.50"])]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.", examples=["EUR"])]


class OptionJson(TypedDict):
    """An extra on an item."""

    name: str
    price: Annotated[MoneyJson, Meta(description="For one unit of the item.")]


class ActorJson(TypedDict):
    """The person or service that acted. The id is unique within the role."""

    role: Role
    id: str


# --- what is sent -----------------------------------------------------------------------------------------------------


class PlaceLineJson(TypedDict):
    """One item at a price of the service's own, ``quantity`` times."""

    sku: str
    name: str
    quantity: int
    unit_price: MoneyJson
    options: NotRequired[list[OptionJson]]


class PlaceContactJson(TypedDict):
    """The person to deliver to, and the address."""

    name: str
    phone: str
    address: str
    note: NotRequired[str | None]
    email: NotRequired[str | None]


class PlaceItemJson(TypedDict):
    """One item of a menu with the ids of its options, ``quantity`` times."""

    sku: str
    quantity: int
    options: NotRequired[list[str]]


class PlaceJson(TypedDict):
    """An order to place: ``items`` of the restaurant's menu, which has the prices and the fees.

    ``expected_total`` refuses the order if it costs something else. The tip is zero if left out. ``customer`` is for a
    service that places orders for customers; it may send ``lines`` and fees with prices of its own in place of
    ``items``.
    """

    customer: NotRequired[str | None]
    restaurant: str
    items: NotRequired[list[PlaceItemJson] | None]
    lines: NotRequired[list[PlaceLineJson] | None]
    delivery_fee: NotRequired[MoneyJson | None]
    service_fee: NotRequired[MoneyJson | None]
    tip: NotRequired[MoneyJson | None]
    expected_total: NotRequired[MoneyJson | None]
    kitchen_note: NotRequired[str | None]
    payment_method: str
    contact: PlaceContactJson


# --- what is answered -------------------------------------------------------------------------------------------------


class LineJson(TypedDict):
    """One item of an order. ``quantity`` units of the ``ordered`` ones are available."""

    line: Annotated[int, Meta(ge=1, description="The number of the line, in the order of placing.")]
    sku: str
    name: str
    quantity: Annotated[int, Meta(ge=0)]
    ordered: Annotated[int, Meta(ge=1)]
    unit_price: Annotated[MoneyJson, Meta(description="Without options.")]
    options: list[OptionJson]
    total: Annotated[MoneyJson, Meta(description="Unit price and options, times quantity.")]


class TotalsJson(TypedDict):
    """What the customer pays for the available items."""

    items: MoneyJson
    delivery_fee: MoneyJson
    service_fee: MoneyJson
    tip: MoneyJson
    credited: Annotated[MoneyJson, Meta(description="Credits granted by support, subtracted from the total.")]
    total: MoneyJson


class AuthorizationJson(TypedDict):
    """The hold on the customer's means of payment."""

    state: Literal["asked", "held", "declined", "captured", "voided", "written_off"]
    amount: MoneyJson


class PaymentJson(TypedDict):
    """The money that moved so far."""

    method: Annotated[str, Meta(description="The provider's token for the means of payment.")]
    authorization: AuthorizationJson | None
    authorized: Annotated[MoneyJson, Meta(description="What the provider authorized; zero before it did.")]
    captured: MoneyJson
    released: Annotated[MoneyJson, Meta(description="The authorized part that was released without a capture.")]
    refunded: MoneyJson


class PreparationJson(TypedDict):
    """The ticket at the restaurant."""

    ticket: Annotated[int, Meta(ge=1, description="The number to answer.")]
    state: Literal[
        "requested", "accepted", "ready", "rejected", "timed_out", "overdue", "collected", "cancelled", "written_off"
    ]
    ready_at: Annotated[TimeText | None, Meta(description="When the restaurant expects the meal to be ready.")]


class OfferJson(TypedDict):
    """An offer of the delivery to couriers."""

    offer: Annotated[int, Meta(ge=1, description="The number to answer.")]
    attempt: Annotated[int, Meta(ge=1, description="Counts the offers of this order.")]
    state: Literal[
        "requested",
        "assigned",
        "declined",
        "timed_out",
        "picked_up",
        "delivered",
        "failed",
        "released",
        "written_off",
    ]
    courier: Annotated[str | None, Meta(description="The courier who took the offer.")]


class DeliveryJson(TypedDict):
    """The offers made to couriers, and the delivery."""

    offer: Annotated[OfferJson | None, Meta(description="The current offer.")]
    offers: list[OfferJson]
    picked_up: bool
    delivered: bool
    overdue: Annotated[bool, Meta(description="Picked up, and no report of the delivery arrived in time.")]


class CancellationJson(TypedDict):
    """Why the order is being or was cancelled."""

    cause: CancellationCause
    fault: Fault
    by: ActorJson
    reason: str


class ContactJson(TypedDict):
    """The person to deliver to, and the address."""

    name: str
    phone: str
    address: str
    note: str
    email: str


class PendingJson(TypedDict):
    """A call to a provider that was decided and has no recorded outcome yet."""

    version: IntentVersion
    intent: Annotated[str, Meta(description="The type of that event.", examples=["PaymentCaptureRequested"])]


class WaitJson(TypedDict):
    """Something that the running state machine waits for."""

    what: AwaitingText
    intent_version: IntentVersion
    since: TimeText
    until: Annotated[
        TimeText | None,
        Meta(
            description="When it stops waiting for the restaurant or courier. Null for a provider and for its own "
            "next step: retries end those waits, not a deadline."
        ),
    ]


class OrderJson(TypedDict):
    """An order."""

    id: OrderIdText
    version: Annotated[VersionNumber, Meta(description="The number of its events. In quotes it is the ETag.")]
    status: OrderStatus
    parked: Annotated[bool, Meta(description="Stopped by a fault; waits for support.")]
    run: Annotated[int, Meta(ge=1, description="Counts the runs of the state machine; a retry starts a new one.")]
    customer: str
    restaurant: str
    placed_at: TimeText
    contact: ContactJson | Literal["(withheld)", "(erased)"]
    menu_version: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="The menu that the prices are from. Null if a service sent prices of its own."),
    ]
    kitchen_note: Annotated[str, Meta(description="What the customer wrote for the kitchen; may be empty.")]
    lines: list[LineJson]
    totals: TotalsJson
    payment: PaymentJson
    preparation: PreparationJson | None
    delivery: DeliveryJson
    cancellation: CancellationJson | None
    pending: list[PendingJson]
    waiting: NotRequired[
        Annotated[
            list[WaitJson],
            Meta(
                description="What the order waits for. Only where the current order is read; empty if it is parked or "
                "has ended."
            ),
        ]
    ]
    approvals: Annotated[
        list[VersionNumber],
        Meta(description="Requests above the limit, which wait for a second person."),
    ]


class EventJson(TypedDict):
    """An event as recorded in the log."""

    version: Annotated[VersionNumber, Meta(description="The order's version after this event.")]
    type: str
    recorded_at: TimeText
    actor: ActorJson
    correlation: Annotated[str, Meta(description="The trace id, or else the id of the request that began it all.")]
    causation: Annotated[str, Meta(description="The id of the request or execution that recorded it.")]
    data: Annotated[dict[str, Any], Meta(description="The fields of this type of event.")]
    unknown: NotRequired[Annotated[Literal[True], Meta(description="Recorded by a newer release.")]]


class HistoryJson(TypedDict):
    """A page of events, oldest first."""

    order_id: OrderIdText
    version: VersionNumber
    events: list[EventJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]


class ChangeJson(TypedDict):
    """What an event changed in the order."""

    path: Annotated[str, Meta(examples=["delivery.offers[0].state"])]
    before: Any
    after: Any


class StepJson(EventJson):
    """An event and what it changed."""

    changes: list[ChangeJson]


class ReplayJson(TypedDict):
    """An order as it was, and the events that led there."""

    order: OrderJson
    steps: list[StepJson]
    latest: Annotated[VersionNumber, Meta(description="The order's version now.")]


class LiveTicketJson(TypedDict):
    """A ticket that opens one socket, and where."""

    ticket: str
    path: Annotated[str, Meta(examples=["/live"])]
    expires_at: TimeText


class PositionKeptJson(TypedDict):
    """Whether a reported position was kept: false if the last one is less than three seconds old."""

    kept: bool


# --- the ledger -------------------------------------------------------------------------------------------------------


class PostingJson(TypedDict):
    """A debit (positive) or a credit (negative) of one account."""

    account: Annotated[str, Meta(examples=["provider_clearing"])]
    party: Annotated[str | None, Meta(description="The restaurant or the courier that a payable belongs to.")]
    amount: MoneyJson


class BalanceJson(TypedDict):
    """What is left on one account: a debit (positive) or a credit (negative)."""

    account: Annotated[str, Meta(examples=["provider_clearing"])]
    amount: MoneyJson


class TransactionJson(TypedDict):
    """What one event changed. The postings add up to zero. ``reference`` is the provider's id of the payment."""

    version: VersionNumber
    event: str
    recorded_at: TimeText
    reference: str | None
    postings: list[PostingJson]


class LedgerJson(TypedDict):
    """The transactions of an order in double entry, oldest first, and what is left on each account."""

    order_id: OrderIdText
    version: VersionNumber
    transactions: list[TransactionJson]
    balances: list[BalanceJson]
