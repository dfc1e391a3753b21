"""Commands: requests and reports. They bring the times and ids that a pure decision cannot make itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from domain.identifiers import Actor, CustomerId, OrderId, RestaurantId, Role
from domain.money import Money
from domain.order.events import Fact, Fault, Line
from domain.personal import Contact, Erased


class Awaited(StrEnum):
    """What a run can wait for. Each wait is for the answer to one intent: the ticket, or one offer to couriers."""

    ACCEPTANCE = "acceptance"
    READINESS = "readiness"
    ASSIGNMENT = "assignment"
    PICKUP = "pickup"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place an order. One currency, 1 to 100 lines, a total above zero.

    ``menu_version`` is the version of the menu that the prices are from, None for prices of the caller's own.
    """

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
    menu_version: int | None = None
    fee_tax_class: str | None = None
    fee_tax_rate_bp: int | None = None
    kitchen_note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel the order. Possible until the meal is picked up."""

    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBehalf:
    """Of whom a report is that support passes on: the party, who said so, and why the party did not report it."""

    party: Role
    said_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """Record what a provider, restaurant or courier reports in answer to an intent.

    Never refused if the intent exists, on an ended order neither, but for content that cannot be about this order: a
    line that it does not have, an amount of zero or in another currency.

    ``by``: support or a service that reports on behalf of a party; None for a report of the party itself. A report on
    behalf waits for a second person if it lowers what the customer pays by more than ``limit``. ``on_behalf``: who said
    so, if ``by`` names it.
    """

    fact: Fact
    by: Actor | None = None
    on_behalf: OnBehalf | None = None
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTimeout:
    """Record that the wait for the answer to an intent ran out. Adds nothing if the log already has the answer."""

    run: int
    awaited: Awaited
    intent_version: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkOrder:
    """Stop the run after a technical failure. ``compensating``: it was already undoing when it failed."""

    run: int
    error: str
    detail: str
    compensating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Carry the order on in a new run. ``run`` is the current run plus one. Refused calls are tried again."""

    run: int
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCredit:
    """Lower what the customer pays. ``credit_id`` makes a repeated request harmless.

    A second person has to approve if the amount is above ``limit`` or in another currency. ``None``: no limit.
    """

    credit_id: str
    amount: Money
    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """Give up what the intent of this version holds or still has to move. ``limit`` as for a credit."""

    intent: int
    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonOrder:
    """End the order as it is and give up all that it holds or that is still to be paid. ``limit`` as for a credit."""

    fault: Fault
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReport:
    """Let the contested report of version ``report`` take effect. ``limit`` as for a credit."""

    report: int
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundExtra:
    """Refund a capture of the provider's that no event of the order has. ``limit`` as for a credit.

    The provider is asked first whether it took this amount for the order.
    """

    capture_id: str
    amount: Money
    by: Actor
    reason: str | Erased
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approve the request of version ``approval``, as another person than the one who made it."""

    approval: int
    by: Actor
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectApproval:
    """Decide against the request of version ``approval``. The person who made it can withdraw it so."""

    approval: int
    by: Actor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignIncident:
    """Let the person ``to`` take on the incident; empty: release it."""

    to: str
    by: Actor
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Leave a note for colleagues. ``note_id`` makes a repeated request harmless."""

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
    | ConfirmReport
    | RefundExtra
    | Approve
    | RejectApproval
    | AssignIncident
    | AddNote
)
