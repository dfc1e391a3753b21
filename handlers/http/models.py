"""The bodies of requests about orders, one model each, with the limits that the OpenAPI document states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from domain.identifiers import Sku
from domain.order.deciding import LINES_MAX
from domain.order.events import Line, Option
from domain.personal import Contact
from handlers.http.values import (
    CourierName,
    CustomerName,
    Email,
    Instant,
    IntentVersion,
    Long,
    MoneyBody,
    PaymentMethod,
    Phone,
    RestaurantName,
    Short,
    SkuName,
    Strict,
)

if TYPE_CHECKING:  # importing the pricing costs a cold start, and most requests place nothing
    from domain.catalogue.pricing import Selection

OPTIONS_MAX = 20
"""Extras on one item. Menus have fewer."""

QUANTITY_MAX = 999
"""Units of one item. Larger orders are arranged by phone."""


def example(**fields: JsonValue) -> ConfigDict:
    """Configure a model with an example for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class OptionBody(Strict):
    """An extra on an item; its price is for one unit of the item."""

    name: Short
    price: MoneyBody

    def option(self) -> Option:
        return Option(name=self.name, price=self.price.money)


class LineBody(Strict):
    """One item, ``quantity`` times. ``unit_price`` is without options."""

    sku: SkuName
    name: Short
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX)]
    unit_price: MoneyBody
    options: Annotated[list[OptionBody], Field(default_factory=list, max_length=OPTIONS_MAX)]

    def line(self) -> Line:
        return Line(
            sku=Sku(self.sku),
            name=self.name,
            quantity=self.quantity,
            unit_price=self.unit_price.money,
            options=tuple(option.option() for option in self.options),
        )


class SelectionBody(Strict):
    """One item with the ids of its options, ``quantity`` times. An option that is named twice is added twice."""

    sku: SkuName
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX)]
    options: Annotated[list[SkuName], Field(default_factory=list, max_length=OPTIONS_MAX)]

    def selection(self) -> Selection:
        from domain.catalogue.pricing import Selection

        return Selection(sku=Sku(self.sku), quantity=self.quantity, options=tuple(self.options))


class ContactBody(Strict):
    """The person to deliver to, and the address. Stored encrypted with the customer's key."""

    name: Short
    phone: Phone
    address: Long
    note: Long | None = None
    email: Email | None = None

    def contact(self) -> Contact:
        return Contact(
            name=self.name, phone=self.phone, address=self.address, note=self.note or "", email=self.email or ""
        )


_EUR = "EUR"


class PlaceBody(Strict):
    """An order to place: ``items`` of the restaurant's menu, which has the prices and the fees.

    ``expected_total`` is what the customer was shown: if the order costs something else now, it is refused with
    `PriceChanged`. The tip is zero if left out. ``kitchen_note`` is for the kitchen alone.

    ``customer``, ``lines``, ``delivery_fee`` and ``service_fee`` are for services. A service names the customer. It may
    send ``lines`` with prices of its own in place of ``items``; fees are zero if left out, and all amounts have one
    currency.
    """

    model_config = example(
        restaurant="rest-17",
        items=[{"sku": "pizza-margherita", "quantity": 2, "options": ["burrata"]}],
        tip={"amount": "1.50", "currency": _EUR},
        expected_total={"amount": "27.40", "currency": _EUR},
        payment_method="pm_ok",
        contact={"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, 10969 Berlin"},
    )

    customer: CustomerName | None = None
    restaurant: RestaurantName
    items: Annotated[list[SelectionBody], Field(min_length=1, max_length=LINES_MAX)] | None = None
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=LINES_MAX)] | None = None
    delivery_fee: MoneyBody | None = None
    service_fee: MoneyBody | None = None
    tip: MoneyBody | None = None
    expected_total: MoneyBody | None = None
    kitchen_note: Long | None = None
    payment_method: PaymentMethod
    contact: ContactBody


class CancelBody(Strict):
    """The reason for cancelling. A dry run returns what would happen, and changes nothing."""

    model_config = example(reason="ordered by mistake", dry_run=True)

    reason: Long
    dry_run: bool = False


class TicketBody(Strict):
    """``ticket`` is the number of the ticket that is answered; by default the current one."""

    model_config = example(ticket=5)

    ticket: IntentVersion | None = None

    @property
    def answers(self) -> int | None:
        """The version of the intent that is answered."""
        return self.ticket


class AcceptBody(TicketBody):
    """When the meal will be ready: at most one day ahead and at most five minutes ago."""

    model_config = example(ready_at="2026-03-01T18:30:00Z")

    ready_at: Instant


class RejectBody(TicketBody):
    """The reason for rejecting the ticket."""

    model_config = example(reason="the oven is broken")

    reason: Long


class ItemUnavailableBody(TicketBody):
    """Only ``available`` units of line ``line`` are available. Lines are numbered from 1."""

    model_config = example(line=1, available=1)

    line: Annotated[int, Field(ge=1, le=LINES_MAX)]
    available: Annotated[int, Field(ge=0, le=QUANTITY_MAX)]


class OfferBody(Strict):
    """``offer`` is the number of the offer that is answered; by default the current one."""

    model_config = example(offer=8)

    offer: IntentVersion | None = None

    @property
    def answers(self) -> int | None:
        """The version of the intent that is answered."""
        return self.offer


class AssignBody(OfferBody):
    """The courier who takes the offer. Couriers leave ``courier_id`` out; support and services must send it."""

    model_config = example(courier_id="courier-3", offer=8)

    courier_id: CourierName | None = None


class DeclineBody(OfferBody):
    """Why the offer is declined or given back. Support and services name the courier, or none for all couriers."""

    model_config = example(reason="flat tyre")

    reason: Long
    courier_id: CourierName | None = None


class FailBody(OfferBody):
    """Why the customer does not get the meal, and the party at fault."""

    model_config = example(reason="nobody opened the door", fault="customer")

    reason: Long
    fault: Literal["customer", "restaurant", "courier", "platform"]


class PositionBody(Strict):
    """Where the courier is: degrees of WGS 84, north and east positive."""

    model_config = example(latitude=48.8606, longitude=2.3376)

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
