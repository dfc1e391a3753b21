"""What is owed in JSON: the shapes that the API answers with."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypedDict

from msgspec import Meta

from .incident_json import Provider
from .order_json import IntentVersion, MoneyJson, OrderIdText, OrderStatus, TimeText, VersionNumber
from .search_json import AsOfJson

HoldingText: TypeAlias = Literal["authorization", "capture", "ticket", "offer"]


class OwedItemJson(TypedDict):
    """Something that an order holds and has not given back."""

    order_id: OrderIdText
    version: VersionNumber
    order_status: OrderStatus
    parked: Annotated[bool, Meta(description="A person has to decide; else the order gives it back by itself.")]
    holding: HoldingText
    dependency: Annotated[Provider, Meta(description="The provider that it is at.")]
    intent: Annotated[IntentVersion, Meta(description="For `write_off`: the event that took it, or gives it back.")]
    amount: Annotated[MoneyJson | None, Meta(description="Null for a ticket and an offer.")]
    since: TimeText
    in_doubt: Annotated[bool, Meta(description="Its outcome is unknown: it may not be held at all.")]
    refused: Annotated[bool, Meta(description="The provider refused to take it back.")]
    needed: Annotated[bool, Meta(description="The order still needs it, e.g. to be paid.")]


class OwedTotalJson(TypedDict):
    """A sum of what is owed."""

    currency: str
    holding: HoldingText
    age: Literal["under_an_hour", "under_a_day", "under_a_week", "older"]
    items: Annotated[int, Meta(ge=1)]
    amount: MoneyJson


class OwedListJson(TypedDict):
    """A page of what is owed, the oldest first. The totals are of all pages."""

    items: list[OwedItemJson]
    totals: list[OwedTotalJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
    as_of: AsOfJson
