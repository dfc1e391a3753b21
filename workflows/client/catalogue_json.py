"""Restaurants, menus and quotes in JSON: the shapes that the API takes and answers with, written once."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from .order_json import MoneyJson, OptionJson, TimeText, VersionNumber

ClockText = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["17:30"])]
RateText = Annotated[int, Meta(ge=0, le=10_000, description="In hundredths of a percent: 700 is 7 %.")]


class OpeningPeriodJson(TypedDict):
    """Open on a weekday (0 is Monday) from ``opens`` to ``closes`` by the local clock.

    A ``closes`` at or before ``opens`` is on the next day.
    """

    weekday: Annotated[int, Meta(ge=0, le=6)]
    opens: ClockText
    closes: ClockText


class TaxClassJson(TypedDict):
    """Goods that are taxed alike. Prices include the tax."""

    name: str
    rate_bp: RateText


class ServiceFeeJson(TypedDict):
    """A share of the price of the items, at least ``least`` and at most ``most``."""

    rate_bp: RateText
    least: MoneyJson
    most: MoneyJson


class ProfileJson(TypedDict):
    """What a restaurant tells about itself, but for its menu.

    ``minimum_order`` and ``free_delivery_from`` are compared with the price of the items, without fees and tip.
    ``preparation_min`` is in minutes.
    """

    name: str
    address: str
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]
    time_zone: Annotated[str, Meta(description="A name of the IANA time zone database.", examples=["Europe/Berlin"])]
    opening_hours: list[OpeningPeriodJson]
    tax_classes: list[TaxClassJson]
    fee_tax_class: Annotated[str, Meta(description="The tax class of delivery and service fee.")]
    minimum_order: MoneyJson
    delivery_fee: MoneyJson
    free_delivery_from: MoneyJson | None
    service_fee: ServiceFeeJson | None
    preparation_min: int
    cuisines: list[str]


class SoldOutJson(TypedDict):
    """What cannot be ordered for now: an item, or one option of it if ``option`` is not empty."""

    sku: str
    option: str


class RestaurantJson(TypedDict):
    """A restaurant as it is now.

    ``opens_at`` is when it takes orders next: null while it does, or if unknown. ``paused_until`` is null too if a
    pause has no end. ``menu_version`` is 0 before the first menu.
    """

    id: str
    version: VersionNumber
    profile: ProfileJson
    takes_orders: bool
    opens_at: TimeText | None
    paused: bool
    paused_until: TimeText | None
    menu_version: int
    sold_out: list[SoldOutJson]


class MenuOptionJson(TypedDict):
    """A choice within a group. ``price`` is for one unit of the item. ``option`` identifies it within the item."""

    option: str
    name: str
    price: MoneyJson


class OptionGroupJson(TypedDict):
    """A question about an item: between ``choose_min`` and ``choose_max`` options are chosen, repetitions counted."""

    name: str
    choose_min: int
    choose_max: int
    options: list[MenuOptionJson]


class MenuItemJson(TypedDict):
    """Something to order. ``price`` is for one unit without options; ``picture`` names an uploaded one, or is empty."""

    sku: str
    name: str
    price: MoneyJson
    tax_class: str
    description: str
    picture: str
    groups: list[OptionGroupJson]


class PictureJson(TypedDict):
    """A picture that was uploaded. ``name`` is what an item of a menu names; ``path`` is where it is read."""

    name: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\.(png|jpg|webp)$")]
    path: str
    type: str
    width: Annotated[int, Meta(ge=1)]
    height: Annotated[int, Meta(ge=1)]
    bytes: Annotated[int, Meta(ge=1)]


class SectionJson(TypedDict):
    """A heading of the menu, and the items under it."""

    name: str
    items: list[MenuItemJson]


class MenuJson(TypedDict):
    """A menu as it was published. What is sold out for now is in the restaurant."""

    restaurant: str
    menu_version: VersionNumber
    sections: list[SectionJson]


class QuotedLineJson(TypedDict):
    """One item of a quote. ``unit_price`` is without options."""

    sku: str
    name: str
    quantity: int
    unit_price: MoneyJson
    options: list[OptionJson]
    tax_class: str | None
    tax_rate_bp: int | None
    total: MoneyJson


class QuoteJson(TypedDict):
    """What an order would cost if it were placed now."""

    restaurant: str
    menu_version: VersionNumber
    lines: list[QuotedLineJson]
    items: MoneyJson
    delivery_fee: MoneyJson
    service_fee: MoneyJson
    tip: MoneyJson
    total: MoneyJson
