"""What the API takes: one model a body, with the limits that its documentation states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from domain.identifiers import Sku
from domain.order.deciding import LINES_MAX
from domain.order.events import Line, Option
from domain.personal import Contact
from handlers.http.values import (
    Amount,
    CourierName,
    CustomerName,
    Instant,
    Long,
    PaymentMethod,
    Phone,
    Question,
    RestaurantName,
    Short,
    SkuName,
    Strict,
)
from workflows.incidents.bulk_retry import PER_S_MAX

OPTIONS_MAX = 20
"""Extras on one item; a menu has fewer."""

QUANTITY_MAX = 999
"""Of one item; who wants more calls the restaurant."""


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class OptionBody(Strict):
    """An extra on an item."""

    name: Short
    price: Amount

    def option(self) -> Option:
        return Option(name=self.name, price=self.price.money)


class LineBody(Strict):
    """One item, some number of times."""

    sku: SkuName
    name: Short
    quantity: Annotated[int, Field(ge=1, le=QUANTITY_MAX)]
    unit_price: Amount
    options: Annotated[list[OptionBody], Field(default_factory=list, max_length=OPTIONS_MAX)]

    def line(self) -> Line:
        return Line(
            sku=Sku(self.sku),
            name=self.name,
            quantity=self.quantity,
            unit_price=self.unit_price.money,
            options=tuple(option.option() for option in self.options),
        )


class ContactBody(Strict):
    """Whom to bring it to, and where. Stored encrypted with the customer's key."""

    name: Short
    phone: Phone
    address: Long
    note: Long | None = None

    def contact(self) -> Contact:
        return Contact(name=self.name, phone=self.phone, address=self.address, note=self.note or "")


_EUR = "EUR"
_MARGHERITA: dict[str, JsonValue] = {
    "sku": "pizza-margherita",
    "name": "Pizza Margherita",
    "quantity": 2,
    "unit_price": {"amount": "9.50", "currency": _EUR},
    "options": [{"name": "Burrata", "price": {"amount": "2.00", "currency": _EUR}}],
}


class PlaceBody(Strict):
    """An order. ``customer`` is for a service that places for somebody; fees and tip are zero unless given."""

    model_config = _example(
        restaurant="rest-17",
        lines=[_MARGHERITA],
        delivery_fee={"amount": "2.90", "currency": _EUR},
        tip={"amount": "1.50", "currency": _EUR},
        payment_method="pm_ok",
        contact={"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, 10969 Berlin"},
    )

    customer: CustomerName | None = None
    restaurant: RestaurantName
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=LINES_MAX)]
    delivery_fee: Amount | None = None
    service_fee: Amount | None = None
    tip: Amount | None = None
    payment_method: PaymentMethod
    contact: ContactBody


class CancelBody(Strict):
    """Why the order is not wanted any more."""

    model_config = _example(reason="ordered by mistake")

    reason: Long


class TicketBody(Strict):
    """``ticket`` is the number that came with the ticket; without it, the current one is meant."""

    model_config = _example(ticket=5)

    ticket: Question | None = None

    @property
    def answers(self) -> int | None:
        """The version of the intent that is answered."""
        return self.ticket


class AcceptBody(TicketBody):
    """When the meal will be ready. Within a day; up to five minutes ago are forgiven."""

    model_config = _example(ready_at="2026-03-01T18:30:00Z")

    ready_at: Instant


class RejectBody(TicketBody):
    """Why the restaurant does not cook it."""

    model_config = _example(reason="the oven is broken")

    reason: Long


class ItemUnavailableBody(TicketBody):
    """Of line ``line`` (numbered from 1) only ``available`` can be had."""

    model_config = _example(line=1, available=1)

    line: Annotated[int, Field(ge=1, le=LINES_MAX)]
    available: Annotated[int, Field(ge=0, le=QUANTITY_MAX)]


class OfferBody(Strict):
    """``offer`` is the number that came with the offer; without it, the current one is meant."""

    model_config = _example(offer=8)

    offer: Question | None = None

    @property
    def answers(self) -> int | None:
        """The version of the intent that is answered."""
        return self.offer


class AssignBody(OfferBody):
    """Who takes the offer: a courier is itself; support and services name one."""

    model_config = _example(courier_id="courier-3", offer=8)

    courier_id: CourierName | None = None


class DeclineBody(OfferBody):
    """Why nobody takes the offer, or why it is given back."""

    model_config = _example(reason="flat tyre")

    reason: Long


class FailBody(OfferBody):
    """Why the customer does not get the meal, and who answers for it."""

    model_config = _example(reason="nobody opened the door", fault="customer")

    reason: Long
    fault: Literal["customer", "restaurant", "courier", "platform"]


# --- incidents, bulk retries and circuits -----------------------------------------------------------------------------


class RetryBody(Strict):
    """Why the order should go on now. ``dry_run`` says what would happen, and does nothing."""

    model_config = _example(reason="the provider is back", dry_run=True)

    reason: Long
    dry_run: bool = False


class ResolveBody(RetryBody):
    """``cancel`` gives back what is held; ``abandon`` does not, and ends the order as it is; ``write_off`` stops
    pursuing what one intent holds or owes. ``fault`` says who answers for what is given up."""

    model_config = _example(how="write_off", intent=15, reason="the account is closed", fault="platform")

    how: Literal["cancel", "abandon", "write_off"]
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    intent: Question | None = None


class ApproveBody(Strict):
    """``approval`` is the version of the wish, as it stands with the incident."""

    model_config = _example(approval=17)

    approval: Question
    dry_run: bool = False


class NoteBody(Strict):
    """What others who look at the order should know. Stored encrypted with the customer's key."""

    model_config = _example(text="Called the restaurant: the oven is repaired.")

    text: Long


class BulkRetryBody(RetryBody):
    """Retry what is parked with this cause, at so many orders a second."""

    model_config = _example(cause="PaymentsUnavailable@payments", reason="the provider is back", per_s=2.0)

    cause: Annotated[str, Field(min_length=1, max_length=200)]
    per_s: Annotated[float, Field(gt=0, le=PER_S_MAX)] = 1.0


class CircuitBody(Strict):
    """Why."""

    model_config = _example(reason="maintenance until 22:00")

    reason: Long
