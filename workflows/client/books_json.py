"""The books in JSON."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from .order_json import MoneyJson
from .search_json import AsOfJson

DayText = Annotated[str, Meta(description="A day in UTC.", examples=["2026-05-04"])]


class AccountJson(TypedDict):
    """An account: its balance before the period, the two sides of the period, and its balance at the end.

    A balance is positive if debits outweigh credits.
    """

    account: Annotated[str, Meta(examples=["provider_clearing"])]
    opening: MoneyJson
    debit: MoneyJson
    credit: MoneyJson
    closing: MoneyJson


class TaxJson(TypedDict):
    """What was sold in the period in one tax class at one rate, after credits. ``gross`` is ``net`` and ``tax``."""

    tax_class: Annotated[str | None, Meta(description="Null for tips and for lines without a class.")]
    rate_bp: Annotated[int | None, Meta(description="The rate in hundredths of a percent.", examples=[1900])]
    gross: MoneyJson
    net: MoneyJson
    tax: MoneyJson


class CurrencyBooksJson(TypedDict):
    """The books in one currency."""

    currency: str
    balanced: Annotated[bool, Meta(description="Debits equal credits in the period, and the closing balances cancel.")]
    accounts: Annotated[list[AccountJson], Meta(description="The trial balance.")]
    debit: Annotated[MoneyJson, Meta(description="All debits of the period.")]
    credit: Annotated[MoneyJson, Meta(description="All credits of the period.")]
    holds: Annotated[MoneyJson, Meta(description="Authorized and neither captured nor released at the end.")]
    revenue: Annotated[MoneyJson, Meta(description="The platform's fees of the period.")]
    taxes: list[TaxJson]


class PayableJson(TypedDict):
    """What became payable to a restaurant or a courier on one day by the orders of one restaurant."""

    day: DayText
    restaurant: str
    to: Literal["restaurant", "courier"]
    party: Annotated[str | None, Meta(description="Its id; null if the courier is unknown.")]
    amount: MoneyJson


class BooksJson(TypedDict):
    """The books of a period of whole days in UTC."""

    day_from: Annotated[DayText | None, Meta(description="The first day; null: from the beginning.")]
    day_to: Annotated[DayText | None, Meta(description="The last day; null: until now.")]
    restaurant: str | None
    currencies: Annotated[list[CurrencyBooksJson], Meta(description="By currency; amounts are never converted.")]
    payables: list[PayableJson]
    more: Annotated[bool, Meta(description="There are more payables: choose a shorter period or one restaurant.")]
    as_of: AsOfJson
