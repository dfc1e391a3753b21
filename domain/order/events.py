"""The events of an order: facts, frozen. Class and field names are the storage format: add, never rename.

An event ending in ``Requested`` is an intent: an outside call that the order made necessary, performed under the key
``order id / version of the intent``. Its outcome names it in ``answers``. ``at`` is when the outside says that it
happened; when it was recorded is on the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from domain.identifiers import Actor, CourierId, CustomerId, OrderId, RestaurantId, Sku
from domain.money import Money
from domain.personal import Contact, Erased


class Fault(StrEnum):
    """Who answers for it. Payouts follow from it; they are made elsewhere."""

    CUSTOMER = "customer"
    RESTAURANT = "restaurant"
    COURIER = "courier"
    PLATFORM = "platform"


class CancellationCause(StrEnum):
    """Why an order is cancelled."""

    ASKED = "asked"
    PAYMENT_DECLINED = "payment_declined"
    PREPARATION_REJECTED = "preparation_rejected"
    PREPARATION_TIMED_OUT = "preparation_timed_out"
    PREPARATION_OVERDUE = "preparation_overdue"
    NOTHING_LEFT = "nothing_left"
    NO_COURIER = "no_courier"
    DELIVERY_FAILED = "delivery_failed"
    ABANDONED = "abandoned"


class Wish(StrEnum):
    """What a person may want that moves or gives up money."""

    CREDIT = "credit"
    WRITE_OFF = "write_off"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An extra on an item, e.g. burrata for 2.00, a unit."""

    name: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item, ``quantity`` times. Lines are numbered from 1 in the order they were placed."""

    sku: Sku
    name: str
    quantity: int
    unit_price: Money
    options: tuple[Option, ...] = ()

    @property
    def total(self) -> Money:
        each = self.unit_price
        for option in self.options:
            each += option.price
        return each * self.quantity


# --- the order --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """A customer wants this, at these prices. Begins run 1."""

    order_id: OrderId
    customer: CustomerId
    restaurant: RestaurantId
    lines: tuple[Line, ...]
    delivery_fee: Money
    service_fee: Money
    tip: Money
    payment_method: str
    contact: Contact | Erased
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The order goes on from its facts in a new run of its state machine; older runs decide nothing any more."""

    run: int
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParked:
    """The run met a fault that is ours, not the order's. It undid nothing and waits for a person."""

    run: int
    error: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested:
    """From here the order only gives back."""

    cause: CancellationCause
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """Everything was given back or written off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted:
    """Delivered and paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGranted:
    """Support lowers what the customer has to pay, e.g. for a cold meal."""

    credit_id: str
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """A person decided that what intent ``intent`` holds or owes is not pursued any more."""

    intent: int
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A person's words about the order, for other people. ``note_id`` makes adding twice harmless."""

    note_id: str
    by: Actor
    text: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAbandoned:
    """A person ended the order without compensating; ``WrittenOff`` events before it name what is not pursued.

    ``unclaimed`` is what the customer still had to pay and is not asked for any more, ``unreturned`` what was taken too
    much and no refund was asked for.
    """

    fault: Fault
    by: Actor
    reason: str | Erased
    unclaimed: Money
    unreturned: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """A person's wish about more money than one person decides on. It is named by its version and waits for another.

    ``amount`` is what it moves or gives up. ``credit_id`` is a credit's, ``intent`` a write-off's.
    """

    wish: Wish
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased
    credit_id: str = ""
    intent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven:
    """A second person agreed to the wish of version ``approval``, which is done in the same commit."""

    approval: int
    by: Actor


# --- payment ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorizationRequested:
    """Intent: hold this amount on the customer's means of payment."""

    amount: Money
    payment_method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorized:
    """The provider holds the amount."""

    answers: int
    authorization_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDeclined:
    """The provider, or the customer's bank, said no."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptureRequested:
    """Intent: take this part of what is held. A capture closes its authorization; the provider releases the rest."""

    authorization_id: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured:
    """The provider took the money."""

    answers: int
    capture_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptureRefused:
    """The provider will not take the money, e.g. because the authorization expired."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRequested:
    """Intent: let go of what is held."""

    authorization_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided:
    """The provider holds nothing any more."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRefused:
    """The provider will not let go."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefundRequested:
    """Intent: give this part of a capture back."""

    capture_id: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded:
    """The provider gave the money back."""

    answers: int
    refund_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefundRefused:
    """The provider will not give the money back, e.g. because the account is closed."""

    answers: int
    reason: str
    at: datetime


# --- preparation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationRequested:
    """Intent: send the restaurant a ticket with the lines placed. Open until the restaurant answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationAccepted:
    """The restaurant cooks it and says when it will be ready."""

    answers: int
    ready_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationRejected:
    """The restaurant does not cook it."""

    answers: int
    reason: str | Erased
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationTimedOut:
    """The restaurant did not answer in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUnavailable:
    """Of a line (numbered from 1) only ``available`` units can be had. What is not had is not paid for."""

    answers: int
    line: int
    available: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationReady:
    """The meal stands at the pass."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationOverdue:
    """The meal was accepted and never became ready in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationCancellationRequested:
    """Intent: take the ticket of intent ``request`` back."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationCancelled:
    """The restaurant took the ticket off the board."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationWrittenOff:
    """Too late: the meal is cooked, and nobody eats it."""

    answers: int
    reason: str
    at: datetime


# --- delivery ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierRequested:
    """Intent: offer the delivery to a courier; the ``attempt``-th offer of this order. Open until it is answered."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierAssigned:
    """A courier took the offer."""

    answers: int
    courier: CourierId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierDeclined:
    """Nobody takes the offer, or who took it gives it back before picking up."""

    answers: int
    reason: str | Erased
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierTimedOut:
    """No courier took the offer, or who took it did not pick up, in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPickedUp:
    """The meal left the restaurant. From here the order only goes forward."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDelivered:
    """The customer has the meal."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """The customer will not get the meal."""

    answers: int
    reason: str | Erased
    fault: Fault
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOverdue:
    """The meal was picked up, and nobody said in time what became of it."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierReleaseRequested:
    """Intent: withdraw the offer of intent ``request``, and release the courier who took it."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierReleased:
    """The offer is withdrawn; no courier is under way for it."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierWrittenOff:
    """Too late: the courier is under way and will be paid."""

    answers: int
    reason: str
    at: datetime


PaymentIntent: TypeAlias = (
    PaymentAuthorizationRequested | PaymentCaptureRequested | PaymentVoidRequested | PaymentRefundRequested
)
PreparationIntent: TypeAlias = PreparationRequested | PreparationCancellationRequested
DeliveryIntent: TypeAlias = CourierRequested | CourierReleaseRequested
Intent: TypeAlias = PaymentIntent | PreparationIntent | DeliveryIntent

PaymentFact: TypeAlias = (
    PaymentAuthorized
    | PaymentDeclined
    | PaymentCaptured
    | PaymentCaptureRefused
    | PaymentVoided
    | PaymentVoidRefused
    | PaymentRefunded
    | PaymentRefundRefused
)
PreparationFact: TypeAlias = (
    PreparationAccepted
    | PreparationRejected
    | ItemUnavailable
    | PreparationReady
    | PreparationCancelled
    | PreparationWrittenOff
)
DeliveryFact: TypeAlias = (
    CourierAssigned
    | CourierDeclined
    | OrderPickedUp
    | OrderDelivered
    | DeliveryFailed
    | CourierReleased
    | CourierWrittenOff
)
Fact: TypeAlias = PaymentFact | PreparationFact | DeliveryFact
"""What the outside did, as the answer to an intent."""

Timeout: TypeAlias = PreparationTimedOut | PreparationOverdue | CourierTimedOut | DeliveryOverdue
"""What the outside did not do in time: decided, not told."""

Decision: TypeAlias = (
    OrderPlaced
    | RunStarted
    | OrderParked
    | CancellationRequested
    | OrderCancelled
    | OrderCompleted
    | CreditGranted
    | WrittenOff
    | NoteAdded
    | OrderAbandoned
    | ApprovalRequested
    | ApprovalGiven
)

Event: TypeAlias = Decision | Intent | Fact | Timeout
