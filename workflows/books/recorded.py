"""What the log says about payments, in the terms of a statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.identifiers import OrderId
from domain.money import Money
from domain.order.events import Event, PaymentAuthorized, PaymentCaptured, PaymentFound, PaymentRefunded, PaymentVoided
from workflows.books.statement import LineKind
from workflows.clock import read_timestamp

TYPES = {
    "PaymentAuthorized": (LineKind.AUTHORIZED, "authorization_id"),
    "PaymentCaptured": (LineKind.CAPTURED, "capture_id"),
    "PaymentFound": (LineKind.CAPTURED, "capture_id"),
    "PaymentRefunded": (LineKind.REFUNDED, "refund_id"),
    "PaymentVoided": (LineKind.VOIDED, ""),
}
"""The events that state what the provider did, their kind of line, and the field with the provider's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPayment:
    """What an event of an order states. A void has neither an id of its own nor an amount."""

    kind: LineKind
    order: str
    version: int
    id: str
    amount: Money | None
    at: datetime


def recorded_payments(events: Iterable[Mapping[str, Any]]) -> Iterator[RecordedPayment]:
    """Yield the payments among events in the API's JSON, as ``GET /events`` lists them."""
    for event in events:
        if event["type"] not in TYPES:
            continue
        kind, field = TYPES[event["type"]]
        data = event["data"]
        amount = data.get("amount")
        yield RecordedPayment(
            kind=kind,
            order=event["order_id"],
            version=event["version"],
            id=data[field] if field else "",
            amount=None if amount is None else Money.parse(amount["amount"], amount["currency"]),
            at=read_timestamp(data["at"]),
        )


def payments_in(order_id: OrderId, events: Iterable[Event]) -> Iterator[RecordedPayment]:
    """Yield the payments among the events of one order."""
    for version, event in enumerate(events, start=1):
        match event:
            case PaymentAuthorized() | PaymentCaptured() | PaymentFound() | PaymentRefunded() | PaymentVoided():
                kind, field = TYPES[type(event).__name__]
                yield RecordedPayment(
                    kind=kind,
                    order=order_id,
                    version=version,
                    id=getattr(event, field) if field else "",
                    amount=None if isinstance(event, PaymentVoided) else event.amount,
                    at=event.at,
                )
            case _:
                pass
