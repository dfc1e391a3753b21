"""The events of an order. Class and field names are the storage format: add, never rename.

An event whose name ends in ``Requested`` is an intent (but for ``CancellationRequested`` and ``ApprovalRequested``): a
call to a provider, restaurant or courier that became necessary. It is performed under the key ``order id / version of
the intent``, and its outcome names that version in ``answers``. ``at`` is the time that the other side reports; the
commit has the time of recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from domain.identifiers import Actor, CourierId, CustomerId, OrderId, RestaurantId, Role, Sku
from domain.money import Money
from domain.personal import Contact, Erased


class Fault(StrEnum):
    """The party at fault. Payouts depend on it; another system makes them."""

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


class Adjustment(StrEnum):
    """A change of money by hand, or a report on behalf of a party that lowers what the customer pays.

    The value is stored in ``ApprovalRequested.wish``.
    """

    CREDIT = "credit"
    WRITE_OFF = "write_off"
    ABANDON = "abandon"
    ITEM_UNAVAILABLE = "item_unavailable"
    DELIVERY_FAILED = "delivery_failed"
    CONFIRM_REPORT = "confirm_report"
    REFUND_EXTRA = "refund_extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An extra on an item, e.g. burrata. ``price`` is per unit of the item."""

    name: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item, ``quantity`` times. Lines are numbered from 1 in the order they were placed.

    ``tax_rate_bp`` is in hundredths of a percent; the prices include the tax. A line that was not priced from a menu
    has no tax class.
    """

    sku: Sku
    name: str
    quantity: int
    unit_price: Money
    options: tuple[Option, ...] = ()
    tax_class: str | None = None
    tax_rate_bp: int | None = None

    @property
    def total(self) -> Money:
        """Price of all units, options included."""
        each = self.unit_price
        for option in self.options:
            each += option.price
        return each * self.quantity


# --- the order --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """A customer ordered these lines at these prices. Starts run 1.

    ``menu_version`` is the version of the restaurant's menu that the prices are from; None if the caller, a service,
    brought its own prices. ``fee_tax_class`` and ``fee_tax_rate_bp`` are about delivery and service fee.

    Schema 2; schema 1 stored ``payment_method`` unencrypted.
    """

    SCHEMA = 2

    order_id: OrderId
    customer: CustomerId
    restaurant: RestaurantId
    lines: tuple[Line, ...]
    delivery_fee: Money
    service_fee: Money
    tip: Money
    payment_method: str | Erased
    contact: Contact | Erased
    placed_at: datetime
    menu_version: int | None = None
    fee_tax_class: str | None = None
    fee_tax_rate_bp: int | None = None
    kitchen_note: str | Erased = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A new run of the state machine carries the order on from its events. Older runs can no longer decide anything."""

    run: int
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParked:
    """The run failed for a technical reason, not one of the order. It undid nothing and waits for a person."""

    run: int
    error: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContested:
    """The report of version ``report``, the next event, contradicts that of version ``contradicts``: it has no effect.

    ``contradicts`` is 0 if a report is missing, e.g. the pickup before a delivery. A person decides.
    """

    report: int
    contradicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfirmed:
    """The contested report of version ``report`` takes effect now. ``by`` is the system if the missing report came."""

    report: int
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedOnBehalf:
    """Support passed on what a restaurant or courier said: the report of version ``report`` is theirs.

    ``report`` is the version of an ``ApprovalRequested`` if a second person has to agree to the report. ``said_by`` is
    who said so and where, e.g. "the owner, by phone"; ``reason`` is why the party did not report it.
    """

    report: int
    on_behalf_of: Role
    said_by: str | Erased
    reason: str | Erased
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested:
    """The cancellation began. From here on the order only gives back what it holds."""

    cause: CancellationCause
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """The cancellation ended: everything was given back or written off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted:
    """The order was delivered and paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGranted:
    """Support lowered what the customer has to pay, e.g. for a cold meal."""

    credit_id: str
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """A person gave up what the intent of version ``intent`` holds or still has to collect or give back."""

    intent: int
    fault: Fault
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """Support left a note about the order for colleagues. ``note_id`` makes adding twice harmless."""

    note_id: str
    by: Actor
    text: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAbandoned:
    """A person ended the order without compensation. ``WrittenOff`` events before it name what was given up.

    ``unclaimed``: the part of the price that will not be collected. ``unreturned``: the part that was captured without
    being due and for which no refund was requested.
    """

    fault: Fault
    by: Actor
    reason: str | Erased
    unclaimed: Money
    unreturned: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """A person requested a change of more money than one person may decide on. It waits for a second person.

    The version of this event identifies the request. ``amount`` is the money that it moves or gives up. ``credit_id``
    is set for a credit, ``intent`` for a write-off, ``capture_id`` for the refund of an extra capture. Of a report,
    ``intent`` is the ticket or the offer that it answers, ``line`` and ``available`` are those of the unavailable item,
    and ``reported_at`` is its time.
    """

    wish: Adjustment
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased
    credit_id: str = ""
    intent: int = 0
    line: int = 0
    available: int = 0
    reported_at: datetime | None = None
    capture_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven:
    """A second person approved the request of version ``approval``. Its effect is in the same commit."""

    approval: int
    by: Actor
    reason: str | Erased = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRejected:
    """A person decided against the request of version ``approval``, or withdrew it: it has no effect."""

    approval: int
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAssigned:
    """The incident of the order was taken on by the person ``to``, or released: then ``to`` is empty."""

    to: str
    by: Actor
    reason: str | Erased = ""


# --- payment ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorizationRequested:
    """Intent: hold this amount on the customer's payment method.

    Schema 2; schema 1 stored ``payment_method`` unencrypted.
    """

    SCHEMA = 2

    amount: Money
    payment_method: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAuthorized:
    """The provider holds the amount."""

    answers: int
    authorization_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDeclined:
    """The provider, or the customer's bank, declined."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptureRequested:
    """Intent: take this part of the hold. A capture closes its authorization; the provider releases the rest."""

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
    """The provider refused to take the money, e.g. because the authorization expired."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRequested:
    """Intent: release the hold."""

    authorization_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided:
    """The provider released the hold."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoidRefused:
    """The provider refused to release the hold."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefundRequested:
    """Intent: refund this part of a capture."""

    capture_id: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded:
    """The provider refunded the money."""

    answers: int
    refund_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefundRefused:
    """The provider refused the refund, e.g. because the account is closed."""

    answers: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLookupRequested:
    """Intent: ask the provider for a capture that no event of the order has. Once found it is refunded.

    Support found it in the provider's books, e.g. because the provider took the money twice.
    """

    capture_id: str
    amount: Money
    by: Actor
    reason: str | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFound:
    """The provider captured this amount for the order at ``at``, and has refunded nothing of it."""

    answers: int
    capture_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotFound:
    """The provider has no such capture of this order and amount, or has refunded it."""

    answers: int
    reason: str
    at: datetime


# --- preparation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationRequested:
    """Intent: send the restaurant a ticket with the ordered lines. Open until the restaurant answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationAccepted:
    """The restaurant accepted the ticket and expects the meal to be ready at ``ready_at``."""

    answers: int
    ready_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationRejected:
    """The restaurant rejected the ticket."""

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
    """Of a line (numbered from 1) only ``available`` units exist. The customer does not pay for the others.

    ``by``: support or the service that reported it on behalf of the restaurant; None if the restaurant did.
    """

    answers: int
    line: int
    available: int
    at: datetime
    by: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationReady:
    """The meal is ready for pickup."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationOverdue:
    """The ticket was accepted, but the meal was not ready in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationCancellationRequested:
    """Intent: recall the ticket of intent ``request``."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationCancelled:
    """The restaurant cancelled the ticket."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationWrittenOff:
    """The ticket could not be recalled, because the meal was cooked. The restaurant is paid elsewhere."""

    answers: int
    reason: str
    at: datetime


# --- delivery ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierRequested:
    """Intent: offer the delivery to couriers; the ``attempt``-th offer of this order. Open until it is answered."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierOffered:
    """The dispatcher made the offer to these couriers and to no others. Without this fact the offer is open to all."""

    answers: int
    couriers: tuple[CourierId, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierAssigned:
    """A courier accepted the offer."""

    answers: int
    courier: CourierId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierDeclined:
    """A courier declined the offer, or gave it back after accepting it, before pickup.

    ``courier`` is None if the dispatcher or support reports that no courier takes the offer.
    """

    answers: int
    reason: str | Erased
    at: datetime
    courier: CourierId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierTimedOut:
    """No courier accepted the offer in time, or the courier who did was not at the restaurant in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPickedUp:
    """A courier has the meal. From here on the order can no longer be cancelled: this is the pivot of the saga."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDelivered:
    """The customer has the meal."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """The courier could not deliver: the customer will not get the meal.

    ``by``: support or the service that reported it on behalf of the courier; None if the courier did.
    """

    answers: int
    reason: str | Erased
    fault: Fault
    at: datetime
    by: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOverdue:
    """The meal was picked up, and no report of its delivery came in time."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierReleaseRequested:
    """Intent: withdraw the offer of intent ``request`` and release the courier who accepted it."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierReleased:
    """The offer was withdrawn; no courier is on the way for it."""

    answers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierWrittenOff:
    """The courier could not be released in time and is paid for the trip elsewhere."""

    answers: int
    reason: str
    at: datetime


PaymentIntent: TypeAlias = (
    PaymentAuthorizationRequested
    | PaymentCaptureRequested
    | PaymentVoidRequested
    | PaymentRefundRequested
    | PaymentLookupRequested
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
    | PaymentFound
    | PaymentNotFound
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
    CourierOffered
    | CourierAssigned
    | CourierDeclined
    | OrderPickedUp
    | OrderDelivered
    | DeliveryFailed
    | CourierReleased
    | CourierWrittenOff
)
Fact: TypeAlias = PaymentFact | PreparationFact | DeliveryFact
"""A report of a provider, restaurant or courier in answer to an intent."""

Timeout: TypeAlias = PreparationTimedOut | PreparationOverdue | CourierTimedOut | DeliveryOverdue
"""No answer came in time. Decided by a run of the order; no outside party reports it."""

Decision: TypeAlias = (
    OrderPlaced
    | RunStarted
    | OrderParked
    | ReportContested
    | ReportConfirmed
    | ReportedOnBehalf
    | CancellationRequested
    | OrderCancelled
    | OrderCompleted
    | CreditGranted
    | WrittenOff
    | NoteAdded
    | OrderAbandoned
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalRejected
    | IncidentAssigned
)

Event: TypeAlias = Decision | Intent | Fact | Timeout
