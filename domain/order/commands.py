"""Commands: wishes and reports, with the time and the ids that the order cannot make up itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from domain.identifiers import Actor, CustomerId, OrderId, RestaurantId
from domain.money import Money
from domain.order.events import Fact, Fault, Line
from domain.personal import Contact, Erased


class Awaited(StrEnum):
    """What a run waits for. Each is about one intent: the ticket, or one offer to a courier."""

    ACCEPTANCE = "acceptance"
    READINESS = "readiness"
    ASSIGNMENT = "assignment"
    PICKUP = "pickup"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Somebody wants to eat. One currency, 1 to 100 lines, a total above zero."""

    order_id: OrderId
    customer: CustomerId
    restaurant: RestaurantId
    lines: tuple[Line, ...]
    delivery_fee: Money
    service_fee: Money
    tip: Money
    payment_method: str
    contact: Contact
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Somebody does not want it any more. Possible until the meal is picked up."""

    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """The outside did this. Never refused when it answers a question that was asked, on an ended order too; only what
    cannot be about this order is (a line it does not have, an amount of nothing or in another currency)."""

    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTimeout:
    """A run waited long enough for the answer to a question. Adds nothing if the answer is there."""

    run: int
    awaited: Awaited
    intent_version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkOrder:
    """A run met a fault of ours. ``compensating``: it was undoing, so the reason to undo is known and was followed."""

    run: int
    error: str
    detail: str
    compensating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Go on from the facts in run ``run``, which is one more than the current one. What was refused is tried again."""

    run: int
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCredit:
    """Lower what the customer pays. ``credit_id`` makes asking twice harmless.

    Above ``limit``, or when it is in another currency, a second person has to approve; ``None``: there is no limit.
    """

    credit_id: str
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """Stop pursuing what the intent of this version holds or owes. ``limit`` as for a credit."""

    intent: int
    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonOrder:
    """End the order as it is: what it holds, owes or is due is given up. ``limit`` as for a credit."""

    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Agree to the wish of version ``approval``, as somebody else than who wished it."""

    approval: int
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Leave a note for others who look at the order. ``note_id`` makes asking twice harmless."""

    note_id: str
    by: Actor
    text: str


Command: TypeAlias = (
    PlaceOrder
    | CancelOrder
    | RecordFact
    | RecordTimeout
    | ParkOrder
    | StartRun
    | GrantCredit
    | WriteOff
    | AbandonOrder
    | Approve
    | AddNote
)
