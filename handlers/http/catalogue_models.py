"""The bodies of requests about restaurants, menus and quotes, one model each."""

from __future__ import annotations

import base64
import binascii
from datetime import time
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, JsonValue

from domain.catalogue.checks import CHOICES_MAX, GROUPS_MAX, ITEMS_MAX, TEXT_MAX
from domain.catalogue.events import Profile, ServiceFee, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.pricing import Selection
from domain.identifiers import RestaurantId, Sku
from domain.money import Money
from domain.order.deciding import LINES_MAX
from handlers.http.currencies import CURRENCIES
from handlers.http.models import SelectionBody, example
from handlers.http.values import Instant, Long, MoneyBody, PlainText, RestaurantName, Shape, Short, SkuName, Strict
from workflows.catalogue.picture_formats import BYTES_MAX

_EUR: dict[str, JsonValue] = {"amount": "9.50", "currency": "EUR"}

ClockTime = Annotated[str, Shape(r"([01][0-9]|2[0-3]):[0-5][0-9]", "must be a time of the day, e.g. 17:30")]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Text = Annotated[str, Field(max_length=10 * TEXT_MAX), PlainText(blank=True)]


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("must be an ISO 4217 currency, e.g. EUR")
    return code


def _clock_time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


class OpeningPeriodBody(Strict):
    """Open on a weekday (0 is Monday) by the local clock. A ``closes`` at or before ``opens`` is on the next day."""

    weekday: Annotated[int, Field(ge=0, le=6)]
    opens: ClockTime
    closes: ClockTime

    def period(self) -> OpeningPeriod:
        return OpeningPeriod(weekday=self.weekday, opens=_clock_time(self.opens), closes=_clock_time(self.closes))


class TaxClassBody(Strict):
    """Goods that are taxed alike. ``rate_bp`` is in hundredths of a percent."""

    name: Short
    rate_bp: BasisPoints


class ServiceFeeBody(Strict):
    """A share of the price of the items, at least ``least`` and at most ``most``."""

    rate_bp: BasisPoints
    least: MoneyBody
    most: MoneyBody

    def fee(self) -> ServiceFee:
        return ServiceFee(rate_bp=self.rate_bp, least=self.least.money, most=self.most.money)


class ProfileBody(Strict):
    """The profile of a restaurant, without its menu. All amounts are in ``currency``.

    ``time_zone`` is a name of the IANA database. ``fee_tax_class`` is the tax class of delivery and service fee.
    ``preparation_min`` is in minutes.
    """

    name: Short
    address: Short
    currency: Annotated[str, AfterValidator(_currency), Field(json_schema_extra={"enum": sorted(CURRENCIES)})]
    time_zone: Short
    opening_hours: Annotated[list[OpeningPeriodBody], Field(max_length=70)]
    tax_classes: Annotated[list[TaxClassBody], Field(min_length=1, max_length=20)]
    fee_tax_class: Short
    minimum_order: MoneyBody
    delivery_fee: MoneyBody
    free_delivery_from: MoneyBody | None = None
    service_fee: ServiceFeeBody | None = None
    preparation_min: Annotated[int, Field(ge=0, le=1440)]
    cuisines: Annotated[list[Short], Field(default_factory=list, max_length=20)]

    def profile(self) -> Profile:
        return Profile(
            name=self.name,
            address=self.address,
            currency=self.currency,
            time_zone=self.time_zone,
            opening_hours=tuple(period.period() for period in self.opening_hours),
            tax_classes=tuple(TaxClass(name=tax.name, rate_bp=tax.rate_bp) for tax in self.tax_classes),
            fee_tax_class=self.fee_tax_class,
            minimum_order=self.minimum_order.money,
            delivery_fee=self.delivery_fee.money,
            free_delivery_from=None if self.free_delivery_from is None else self.free_delivery_from.money,
            service_fee=None if self.service_fee is None else self.service_fee.fee(),
            preparation_min=self.preparation_min,
            cuisines=tuple(self.cuisines),
        )


class RegisterBody(ProfileBody):
    """A restaurant to register. ``restaurant`` is its id, which is also the user name in its access token."""

    model_config = example(
        restaurant="rest-17",
        name="Trattoria Lina",
        address="Torstrasse 1, Berlin",
        currency="EUR",
        time_zone="Europe/Berlin",
        opening_hours=[{"weekday": 4, "opens": "17:00", "closes": "01:00"}],
        tax_classes=[{"name": "food", "rate_bp": 700}],
        fee_tax_class="food",
        minimum_order={"amount": "12.00", "currency": "EUR"},
        delivery_fee={"amount": "2.90", "currency": "EUR"},
        preparation_min=25,
    )

    restaurant: RestaurantName


class PauseBody(Strict):
    """Stop taking orders until a time at most 30 days ahead or, without a time, until ``resume``."""

    model_config = example(until="2026-03-01T18:30:00Z", reason="too many orders")

    until: Instant | None = None
    reason: Long


class ResumeBody(Strict):
    """Nothing to say."""


class MenuOptionBody(Strict):
    """A choice within a group. ``option`` identifies it within the item."""

    option: SkuName
    name: Short
    price: MoneyBody

    def choice(self) -> MenuOption:
        return MenuOption(option=self.option, name=self.name, price=self.price.money)


class OptionGroupBody(Strict):
    """A question about an item: between ``choose_min`` and ``choose_max`` options are chosen, repetitions counted."""

    name: Short
    choose_min: Annotated[int, Field(ge=0, le=CHOICES_MAX)]
    choose_max: Annotated[int, Field(ge=1, le=CHOICES_MAX)]
    options: Annotated[list[MenuOptionBody], Field(min_length=1, max_length=100)]

    def group(self) -> OptionGroup:
        return OptionGroup(
            name=self.name,
            choose_min=self.choose_min,
            choose_max=self.choose_max,
            options=tuple(option.choice() for option in self.options),
        )


class MenuItemBody(Strict):
    """Something to order. ``price`` is for one unit without options, tax included."""

    sku: SkuName
    name: Short
    price: MoneyBody
    tax_class: Short
    description: Text = ""
    picture: Text = ""
    groups: Annotated[list[OptionGroupBody], Field(default_factory=list, max_length=GROUPS_MAX)]

    def item(self) -> MenuItem:
        return MenuItem(
            sku=Sku(self.sku),
            name=self.name,
            price=self.price.money,
            tax_class=self.tax_class,
            description=self.description,
            picture=self.picture,
            groups=tuple(group.group() for group in self.groups),
        )


class SectionBody(Strict):
    """A heading of the menu, and the items under it."""

    name: Short
    items: Annotated[list[MenuItemBody], Field(max_length=ITEMS_MAX)]


class MenuBody(Strict):
    """A whole menu. It replaces the one before and gets the next version."""

    model_config = example(
        sections=[
            {"name": "Pizze", "items": [{"sku": "pizza", "name": "Margherita", "price": _EUR, "tax_class": "food"}]}
        ]
    )

    sections: Annotated[list[SectionBody], Field(min_length=1, max_length=100)]

    def menu(self) -> Menu:
        return Menu(
            sections=tuple(
                Section(name=section.name, items=tuple(item.item() for item in section.items))
                for section in self.sections
            )
        )


BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
"""What ``_base64`` accepts, for the documentation."""


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("must be base64 (RFC 4648, section 4)") from None
    return text


class PictureBody(Strict):
    """A picture of an item: a PNG, JPEG or WebP of at most 1 MiB and 4096 pixels a side."""

    model_config = example(content="iVBORw0KGgo=")
    body_bytes_max: ClassVar[int] = 2 * BYTES_MAX

    content: Annotated[
        str,
        AfterValidator(_base64),
        Field(min_length=1, json_schema_extra={"contentEncoding": "base64", "pattern": BASE64}),
    ]

    @property
    def decoded(self) -> bytes:
        return base64.b64decode(self.content)


class StockBody(Strict):
    """An item, or one option of it."""

    model_config = example(sku="pizza", option="burrata")

    sku: SkuName
    option: SkuName | None = None


class QuoteBody(Strict):
    """What to price: items of one restaurant's menu, and a tip."""

    model_config = example(restaurant="rest-17", items=[{"sku": "pizza", "quantity": 2, "options": ["large"]}])

    restaurant: RestaurantName
    items: Annotated[list[SelectionBody], Field(min_length=1, max_length=LINES_MAX)]
    tip: MoneyBody | None = None

    @property
    def selections(self) -> tuple[Selection, ...]:
        return tuple(item.selection() for item in self.items)

    @property
    def restaurant_id(self) -> RestaurantId:
        return RestaurantId(self.restaurant)

    @property
    def tip_money(self) -> Money | None:
        return None if self.tip is None else self.tip.money
