"""The messages of the provider protocol: requests and answers, as in ``docs/provider-api.yaml``.

Answers are checked strictly, because an answer becomes a fact of the order. Unknown fields of an answer are ignored, so
that a provider may add some. A request with unknown fields is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from domain.identifiers import NAME, RestaurantId, Sku
from domain.money import Money
from domain.order.events import Line, Option
from workflows.clock import read_timestamp, timestamp

Text = Annotated[str, Meta(min_length=1, max_length=255)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, read by ``facts`` with any number of digits."""

CourierText = Annotated[str, Meta(pattern=f"^{NAME}$")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class MoneyMessage(msgspec.Struct, frozen=True):
    """``{"amount": "12.50", "currency": "EUR"}``. The amount is text, because a float is not exact."""

    amount: Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]

    @classmethod
    def of(cls, money: Money) -> MoneyMessage:
        amount, currency = str(money).split(" ")
        return cls(amount, currency)

    def money(self) -> Money:
        """Return the amount. Raises ValueError if it has more digits than the currency."""
        return Money.parse(self.amount, self.currency)


# --- requests --------------------------------------------------------------------------------------------------------


class RequestMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a call. The header Idempotency-Key identifies the call across repeats."""

    def parameters(self) -> dict[str, Any]:
        """Return the arguments of the gateway's method.

        Raises ValueError if an amount has more digits than its currency.
        """
        return {name: _from_message(getattr(self, name)) for name in self.__struct_fields__}


class AuthorizeMessage(RequestMessage, frozen=True):
    """Hold the whole amount, or nothing."""

    reference: Text
    payment_method: Text
    amount: MoneyMessage


class CaptureMessage(RequestMessage, frozen=True):
    """Capture up to the held amount, and release the rest."""

    authorization_id: Text
    amount: MoneyMessage


class VoidMessage(RequestMessage, frozen=True):
    """Release the held amount."""

    authorization_id: Text


class RefundMessage(RequestMessage, frozen=True):
    """Refund up to the captured amount."""

    capture_id: Text
    amount: MoneyMessage


class FindCaptureMessage(RequestMessage, frozen=True):
    """Look up a capture that was made for an order."""

    reference: Text
    capture_id: Text


class TicketOption(RequestMessage, frozen=True):
    """An extra on an item."""

    name: str
    price: MoneyMessage


class TicketLine(RequestMessage, frozen=True):
    """One item, ``quantity`` times."""

    sku: Text
    name: str
    quantity: Count
    unit_price: MoneyMessage
    options: list[TicketOption]

    @classmethod
    def of(cls, line: Line) -> TicketLine:
        options = [TicketOption(name=option.name, price=MoneyMessage.of(option.price)) for option in line.options]
        price = MoneyMessage.of(line.unit_price)
        return cls(sku=line.sku, name=line.name, quantity=line.quantity, unit_price=price, options=options)

    def line(self) -> Line:
        """Raises ValueError."""
        options = tuple(Option(name=option.name, price=option.price.money()) for option in self.options)
        price = self.unit_price.money()
        return Line(sku=Sku(self.sku), name=self.name, quantity=self.quantity, unit_price=price, options=options)


class SendTicketMessage(RequestMessage, frozen=True, omit_defaults=True):
    """Put a ticket on the restaurant's board. ``note`` is the customer's to the kitchen; it is left out if empty."""

    reference: Text
    restaurant: Text
    lines: list[TicketLine]
    note: Annotated[str, Meta(max_length=500)] = ""

    @classmethod
    def of(cls, reference: str, restaurant: RestaurantId, lines: Iterable[Line], note: str) -> SendTicketMessage:
        ticket_lines = [TicketLine.of(line) for line in lines]
        return cls(reference=reference, restaurant=restaurant, lines=ticket_lines, note=note)


class CancelTicketMessage(RequestMessage, frozen=True):
    """Cancel a ticket, whether it arrived or not."""

    ticket_key: Text


class OfferDeliveryMessage(RequestMessage, frozen=True):
    """Offer a delivery to couriers."""

    reference: Text
    restaurant: Text
    attempt: Count


class WithdrawOfferMessage(RequestMessage, frozen=True):
    """Withdraw an offer, whether it arrived or not."""

    offer_key: Text


# --- answers ---------------------------------------------------------------------------------------------------------


class Receipt(msgspec.Struct, frozen=True, kw_only=True, tag_field="outcome"):
    """A final answer: the same call gets the same receipt again. It has the fields of the gateway's receipt."""

    at: Timestamp

    @classmethod
    def of(cls, receipt: Any) -> Receipt:
        """Return the message of a gateway's receipt: ``CapturedMessage`` for ``Captured``."""
        return _RECEIPTS[type(receipt).__name__](
            **{name: _to_message(getattr(receipt, name)) for name in type(receipt).__dataclass_fields__}
        )

    @classmethod
    def receipt_name(cls) -> str:
        """Return the class name of the gateway's receipt: ``Captured`` for ``CapturedMessage``."""
        return cls.__name__.removesuffix("Message")

    def facts(self) -> dict[str, Any]:
        """Return the fields of the gateway's receipt.

        Raises:
            ValueError, OverflowError: A time or an amount is impossible, or an id cannot be printed.
        """
        fields = {name: _from_message(getattr(self, name)) for name in self.__struct_fields__}
        fields["at"] = read_timestamp(self.at)
        if "reason" in fields:  # free text: a line break in it does not make the answer unusable
            fields["reason"] = "".join(char if char.isprintable() else " " for char in fields["reason"]).strip()
        for name, value in fields.items():
            if isinstance(value, str) and not (value and value.isprintable()):
                raise ValueError(f"nothing that can be printed - at `$.{name}`")
        return fields


class AuthorizedMessage(Receipt, frozen=True, tag="authorized"):
    authorization_id: Text
    amount: MoneyMessage


class DeclinedMessage(Receipt, frozen=True, tag="declined"):
    reason: Reason


class CapturedMessage(Receipt, frozen=True, tag="captured"):
    capture_id: Text
    amount: MoneyMessage


class VoidedMessage(Receipt, frozen=True, tag="voided"):
    """The amount is not held any more."""


class RefundedMessage(Receipt, frozen=True, tag="refunded"):
    refund_id: Text
    amount: MoneyMessage


class RefusedMessage(Receipt, frozen=True, tag="refused"):
    reason: Reason


class CancelledMessage(Receipt, frozen=True, tag="cancelled"):
    """The ticket is off the board."""


class ReleasedMessage(Receipt, frozen=True, tag="released"):
    """The offer is withdrawn."""


class TooLateMessage(Receipt, frozen=True, tag="too_late"):
    reason: Reason


class OfferedMessage(Receipt, frozen=True, tag="offered"):
    """The offer was made to these couriers and to no others."""

    couriers: Annotated[list[CourierText], Meta(min_length=1, max_length=1000)]


class ReceivedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket arrived, or was turned away because it had been taken back before it arrived."""

    outcome: Literal["received"]


class OfferReceivedMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="outcome", tag="received"):
    """Any courier may accept the offer, or it was turned away because it had been withdrawn before it arrived."""


class ErrorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every status but 200. ``error`` is ``key_misused`` or ``key_in_use`` with status 409."""

    error: Text
    detail: Reason


AuthorizeAnswer: TypeAlias = AuthorizedMessage | DeclinedMessage
CaptureAnswer: TypeAlias = CapturedMessage | RefusedMessage
VoidAnswer: TypeAlias = VoidedMessage | RefusedMessage
RefundAnswer: TypeAlias = RefundedMessage | RefusedMessage
CancelTicketAnswer: TypeAlias = CancelledMessage | TooLateMessage
OfferDeliveryAnswer: TypeAlias = OfferReceivedMessage | OfferedMessage
WithdrawOfferAnswer: TypeAlias = ReleasedMessage | TooLateMessage

_RECEIPTS = {kind.receipt_name(): kind for kind in Receipt.__subclasses__()}


def _to_message(value: Any) -> Any:
    match value:
        case Money():
            return MoneyMessage.of(value)
        case datetime():
            return timestamp(value)
        case _:
            return value


def _from_message(value: Any) -> Any:
    match value:
        case MoneyMessage():
            return value.money()
        case list():
            return tuple(item.line() if isinstance(item, TicketLine) else item for item in value)
        case _:
            return value
