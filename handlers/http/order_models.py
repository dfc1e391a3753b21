"""What the API answers, for its documentation: the shapes of ``workflows.orders.views`` and of problem documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.identifiers import ORDER_ID, Role
from domain.order.delivery import OfferState
from domain.order.events import CancellationCause, Fault
from domain.order.order import Status
from domain.order.payment import Hold
from domain.order.preparation import TicketState

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
OrderIdModel = Annotated[str, Field(pattern=f"^{ORDER_ID}$")]
Version = Annotated[int, Field(ge=1)]


class Answer(BaseModel):
    """Has these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class MoneyModel(Answer):
    """Money."""

    amount: str
    currency: str


class OptionModel(Answer):
    """An extra on an item."""

    name: str
    price: MoneyModel


class LineModel(Answer):
    """One item: ``quantity`` of the ``ordered`` can be had."""

    line: int
    sku: str
    name: str
    quantity: int
    ordered: int
    unit_price: MoneyModel
    options: list[OptionModel]
    total: MoneyModel


class TotalsModel(Answer):
    """What the customer pays for what can be had."""

    items: MoneyModel
    delivery_fee: MoneyModel
    service_fee: MoneyModel
    tip: MoneyModel
    credited: MoneyModel
    total: MoneyModel


class AuthorizationModel(Answer):
    """What the provider holds."""

    state: Hold
    amount: MoneyModel


class PaymentModel(Answer):
    """The money that moved."""

    method: str
    authorization: AuthorizationModel | None
    captured: MoneyModel
    refunded: MoneyModel


class PreparationModel(Answer):
    """The ticket at the restaurant. ``ticket`` is the number to answer."""

    ticket: int
    state: TicketState
    ready_at: Time | None


class OfferModel(Answer):
    """An offer to couriers. ``offer`` is the number to answer."""

    offer: int
    attempt: int
    state: OfferState
    courier: str | None


class DeliveryModel(Answer):
    """The offers made; ``offer`` is the one that counts now."""

    offer: OfferModel | None
    offers: list[OfferModel]
    picked_up: bool
    delivered: bool
    overdue: bool


class ActorModel(Answer):
    """Who did it."""

    role: Role
    id: str


class CancellationModel(Answer):
    """Why the order is or was cancelled."""

    cause: CancellationCause
    fault: Fault
    by: ActorModel
    reason: str


class ContactModel(Answer):
    """Whom to bring it to, and where."""

    name: str
    phone: str
    address: str
    note: str


class PendingModel(Answer):
    """An outside call that was decided and has no outcome yet."""

    version: int
    intent: str


class OrderModel(Answer):
    """An order. ``version`` counts its events and is its ETag."""

    id: OrderIdModel
    version: Version
    status: Status
    parked: bool
    run: int
    customer: str
    restaurant: str
    placed_at: Time
    contact: ContactModel | Literal["(withheld)", "(erased)"]
    lines: list[LineModel]
    totals: TotalsModel
    payment: PaymentModel
    preparation: PreparationModel | None
    delivery: DeliveryModel
    cancellation: CancellationModel | None
    pending: list[PendingModel]


class EventModel(Answer):
    """An event as it stands in the log. ``data`` has the fields of its type; ``unknown``: written by newer code."""

    version: Version
    type: str
    recorded_at: Time
    actor: ActorModel
    correlation: str
    causation: str
    data: dict[str, Any]
    unknown: bool = False


class HistoryModel(Answer):
    """A page of events. ``next`` is the cursor of the next page."""

    order_id: OrderIdModel
    version: Version
    events: list[EventModel]
    next: str | None


class ChangeModel(Answer):
    """What an event changed in the order, e.g. ``delivery.offers[0].state``."""

    path: str
    before: Any
    after: Any


class StepModel(EventModel):
    """An event and what it changed."""

    changes: list[ChangeModel]


class ReplayModel(Answer):
    """The order then, the events that led there, and the version it has now."""

    order: OrderModel
    steps: list[StepModel]
    latest: Version


class FieldProblem(Answer):
    """One field, what is wrong with it and how to mend it."""

    field: str
    problem: str


class ProblemModel(Answer):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:expediter:problem:OrderAlreadyPickedUp",
                    "title": "Order already picked up",
                    "status": 409,
                    "detail": "order ord_abcdefghijklmnopqrstuvwxyz was picked up; grant a credit instead",
                    "instance": "/orders/ord_abcdefghijklmnopqrstuvwxyz/cancel",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] | None = None
