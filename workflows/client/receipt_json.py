"""Receipts in JSON. They hold no personal data of the customer."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from .books_json import TaxJson
from .order_json import MoneyJson, OrderIdText, TimeText, VersionNumber


class ReceiptRestaurantJson(TypedDict):
    """The restaurant as it was when the order was placed."""

    id: str
    name: Annotated[str, Meta(description="Its id, if it is not registered.")]
    address: str


class ReceiptOptionJson(TypedDict):
    """A choice, at its price for each unit of the item."""

    name: str
    price: MoneyJson


class ReceiptLineJson(TypedDict):
    """One item. ``quantity`` units of the ``ordered`` ones were available; ``total`` is their price with options."""

    name: str
    quantity: Annotated[int, Meta(ge=0)]
    ordered: Annotated[int, Meta(ge=1)]
    unit_price: MoneyJson
    options: list[ReceiptOptionJson]
    total: MoneyJson
    tax_class: str | None
    tax_rate_bp: Annotated[int | None, Meta(description="In hundredths of a percent.")]


class ReceiptRefundJson(TypedDict):
    """Money that was given back. ``reference`` is the payment provider's id."""

    reference: str
    amount: MoneyJson
    at: TimeText


class ReceiptJson(TypedDict):
    """The receipt of an order at one version.

    ``total`` is the sum of lines, fees and tip, less ``credit`` and ``cancelled``; ``paid`` is ``captured`` less the
    refunds.
    """

    order_id: OrderIdText
    version: Annotated[VersionNumber, Meta(description="The order's version that it was made for.")]
    made_for: Literal["completion", "refund"]
    restaurant: ReceiptRestaurantJson
    time_zone: Annotated[str, Meta(description="Of the restaurant; times are printed in it.", examples=["Europe/Rome"])]
    ordered_at: TimeText
    delivered_at: TimeText | None
    issued_at: TimeText
    lines: list[ReceiptLineJson]
    delivery_fee: MoneyJson
    service_fee: MoneyJson
    tip: MoneyJson
    credit: Annotated[MoneyJson, Meta(description="What support took off the price.")]
    cancelled: Annotated[MoneyJson, Meta(description="What was taken off because the order was cancelled.")]
    total: MoneyJson
    captured: MoneyJson
    refunds: list[ReceiptRefundJson]
    paid: MoneyJson
    taxes: Annotated[
        list[TaxJson], Meta(description="They add up to the total. Prices include their tax. None before delivery.")
    ]
