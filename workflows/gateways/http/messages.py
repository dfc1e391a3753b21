"""The provider protocol's messages: what is asked and what may be answered. ``docs/provider-api.yaml`` says the same.

Answers are read strictly: what does not say what it must is no fact. Fields that are not known here are ignored, so
that a provider may add some. Requests are refused when they hold any.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from domain.identifiers import RestaurantId, Sku
from domain.money import Money
from domain.order.events import Line, Option
from workflows.clock import read_timestamp, timestamp

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, read by ``facts`` with any number of digits."""

Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class Amount(msgspec.Struct, frozen=True):
    """``{"amount": "12.50", "currency": "EUR"}``: text, since a float is no money."""

    amount: Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]

    @classmethod
    def of(cls, money: Money) -> Amount:
        amount, currency = str(money).split(" ")
        return cls(amount, currency)

    def money(self) -> Money:
        """Raises ValueError for more digits than the currency has."""
        return Money.parse(self.amount, self.currency)


# --- what is asked ---------------------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a call. What names the call, across repeats, is the header Idempotency-Key."""

    def parameters(self) -> dict[str, Any]:
        """As the gateway's method takes them. Raises ValueError for more digits than a currency has."""
        return {name: _understood(getattr(self, name)) for name in self.__struct_fields__}


class Authorize(Request, frozen=True):
    """Hold the whole amount, or nothing."""

    reference: Text
    payment_method: Text
    amount: Amount


class Capture(Request, frozen=True):
    """Take up to what is held, and release the rest."""

    authorization_id: Text
    amount: Amount


class Void(Request, frozen=True):
    """Let go of what is held."""

    authorization_id: Text


class Refund(Request, frozen=True):
    """Give back up to what was captured."""

    capture_id: Text
    amount: Amount


class TicketOption(Request, frozen=True):
    """An extra on an item."""

    name: str
    price: Amount


class TicketLine(Request, frozen=True):
    """One item, ``quantity`` times."""

    sku: Text
    name: str
    quantity: Count
    unit_price: Amount
    options: list[TicketOption]

    @classmethod
    def of(cls, line: Line) -> TicketLine:
        options = [TicketOption(name=option.name, price=Amount.of(option.price)) for option in line.options]
        price = Amount.of(line.unit_price)
        return cls(sku=line.sku, name=line.name, quantity=line.quantity, unit_price=price, options=options)

    def line(self) -> Line:
        """Raises ValueError."""
        options = tuple(Option(name=option.name, price=option.price.money()) for option in self.options)
        price = self.unit_price.money()
        return Line(sku=Sku(self.sku), name=self.name, quantity=self.quantity, unit_price=price, options=options)


class SendTicket(Request, frozen=True):
    """Put a ticket on the restaurant's board."""

    reference: Text
    restaurant: Text
    lines: list[TicketLine]

    @classmethod
    def of(cls, reference: str, restaurant: RestaurantId, lines: Iterable[Line]) -> SendTicket:
        return cls(reference=reference, restaurant=restaurant, lines=[TicketLine.of(line) for line in lines])


class CancelTicket(Request, frozen=True):
    """Take a ticket, which may not have arrived, off the board."""

    ticket_key: Text


class OfferDelivery(Request, frozen=True):
    """Offer a delivery to couriers."""

    reference: Text
    restaurant: Text
    attempt: Count


class WithdrawOffer(Request, frozen=True):
    """Withdraw an offer, which may not have arrived."""

    offer_key: Text


# --- what is answered ------------------------------------------------------------------------------------------------


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag_field="outcome"):
    """Final: the same call again is answered with the same receipt. Its fields are those of the gateway's receipt."""

    at: Timestamp

    @classmethod
    def of(cls, receipt: Any) -> Receipt:
        """The message that says what a gateway's receipt of the same name says."""
        return _RECEIPTS[type(receipt).__name__](
            **{name: _told(getattr(receipt, name)) for name in type(receipt).__dataclass_fields__}
        )

    def facts(self) -> dict[str, Any]:
        """The fields of the gateway's receipt. Raises ValueError, OverflowError for what no clock or bank says."""
        fields = {name: _understood(getattr(self, name)) for name in self.__struct_fields__}
        fields["at"] = read_timestamp(self.at)
        if "reason" in fields:  # words, where a line break is no reason to ask again
            fields["reason"] = "".join(each if each.isprintable() else " " for each in fields["reason"]).strip()
        for name, value in fields.items():
            if isinstance(value, str) and not (value and value.isprintable()):
                raise ValueError(f"nothing that can be printed - at `$.{name}`")
        return fields


class Authorized(Receipt, frozen=True, tag="authorized"):
    authorization_id: Text
    amount: Amount


class Declined(Receipt, frozen=True, tag="declined"):
    reason: Reason


class Captured(Receipt, frozen=True, tag="captured"):
    capture_id: Text
    amount: Amount


class Voided(Receipt, frozen=True, tag="voided"):
    """Nothing is held any more."""


class Refunded(Receipt, frozen=True, tag="refunded"):
    refund_id: Text
    amount: Amount


class Refused(Receipt, frozen=True, tag="refused"):
    reason: Reason


class Cancelled(Receipt, frozen=True, tag="cancelled"):
    """The ticket is off the board."""


class Released(Receipt, frozen=True, tag="released"):
    """The offer is gone."""


class TooLate(Receipt, frozen=True, tag="too_late"):
    reason: Reason


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket or the offer is there, or was turned away because it had been taken back before it came."""

    outcome: Literal["received"]


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """No receipt. ``error`` is ``key_misused`` or ``key_in_use`` with status 409."""

    error: Text
    detail: Reason


Held: TypeAlias = Authorized | Declined
Taken: TypeAlias = Captured | Refused
LetGo: TypeAlias = Voided | Refused
GivenBack: TypeAlias = Refunded | Refused
OffTheBoard: TypeAlias = Cancelled | TooLate
Withdrawn: TypeAlias = Released | TooLate

_RECEIPTS = {kind.__name__: kind for kind in Receipt.__subclasses__()}


def _told(value: Any) -> Any:
    match value:
        case Money():
            return Amount.of(value)
        case datetime():
            return timestamp(value)
        case _:
            return value


def _understood(value: Any) -> Any:
    match value:
        case Amount():
            return value.money()
        case list():
            return tuple(line.line() for line in value)
        case _:
            return value
