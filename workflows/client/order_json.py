"""Orders and events in JSON, typed: what the API takes and answers, for those who call it from Python."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class MoneyJson(TypedDict):
    amount: str
    currency: str


class OptionJson(TypedDict):
    name: str
    price: MoneyJson


class PlaceLineJson(TypedDict):
    """One item to order, ``quantity`` times."""

    sku: str
    name: str
    quantity: int
    unit_price: MoneyJson
    options: NotRequired[list[OptionJson]]


class PlaceContactJson(TypedDict):
    """Whom to bring it to, and where."""

    name: str
    phone: str
    address: str
    note: NotRequired[str]


class PlaceJson(TypedDict):
    """An order to place. ``customer`` is for a service that places for somebody."""

    customer: NotRequired[str]
    restaurant: str
    lines: list[PlaceLineJson]
    delivery_fee: NotRequired[MoneyJson]
    service_fee: NotRequired[MoneyJson]
    tip: NotRequired[MoneyJson]
    payment_method: str
    contact: PlaceContactJson


class LineJson(TypedDict):
    """One item of an order: ``quantity`` of the ``ordered`` can be had."""

    line: int
    sku: str
    name: str
    quantity: int
    ordered: int
    unit_price: MoneyJson
    options: list[OptionJson]
    total: MoneyJson


class TotalsJson(TypedDict):
    items: MoneyJson
    delivery_fee: MoneyJson
    service_fee: MoneyJson
    tip: MoneyJson
    credited: MoneyJson
    total: MoneyJson


class AuthorizationJson(TypedDict):
    state: str
    amount: MoneyJson


class PaymentJson(TypedDict):
    method: str
    authorization: AuthorizationJson | None
    captured: MoneyJson
    refunded: MoneyJson


class PreparationJson(TypedDict):
    """``ticket`` is the number to answer."""

    ticket: int
    state: str
    ready_at: str | None


class OfferJson(TypedDict):
    """``offer`` is the number to answer."""

    offer: int
    attempt: int
    state: str
    courier: str | None


class DeliveryJson(TypedDict):
    offer: OfferJson | None
    offers: list[OfferJson]
    picked_up: bool
    delivered: bool
    overdue: bool


class ActorJson(TypedDict):
    role: str
    id: str


class CancellationJson(TypedDict):
    cause: str
    fault: str
    by: ActorJson
    reason: str


class ContactJson(TypedDict):
    name: str
    phone: str
    address: str
    note: str


class PendingJson(TypedDict):
    """An outside call that was decided and has no outcome yet."""

    version: int
    intent: str


class OrderJson(TypedDict):
    """An order. ``version`` counts its events."""

    id: str
    version: int
    status: str
    parked: bool
    run: int
    customer: str
    restaurant: str
    placed_at: str
    contact: ContactJson | Literal["(withheld)", "(erased)"]
    lines: list[LineJson]
    totals: TotalsJson
    payment: PaymentJson
    preparation: PreparationJson | None
    delivery: DeliveryJson
    cancellation: CancellationJson | None
    pending: list[PendingJson]


class EventJson(TypedDict):
    """An event as it stands in the log. ``unknown``: written by newer code."""

    version: int
    type: str
    recorded_at: str
    actor: ActorJson
    correlation: str
    causation: str
    data: dict[str, Any]
    unknown: NotRequired[bool]


class ChangeJson(TypedDict):
    """What an event changed in the order."""

    path: str
    before: Any
    after: Any


class StepJson(EventJson):
    changes: list[ChangeJson]


class ReplayJson(TypedDict):
    """The order then, the events that led there, and the version it has now."""

    order: OrderJson
    steps: list[StepJson]
    latest: int
