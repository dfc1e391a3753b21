"""The state of an order, to which its events add up. ``evolving.py`` folds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from domain.fast_replace import replace
from domain.identifiers import OrderId
from domain.money import Money
from domain.order.delivery import Delivery
from domain.order.events import (
    ApprovalRequested,
    CancellationRequested,
    Fact,
    Intent,
    Line,
    OrderAbandoned,
    OrderPlaced,
)
from domain.order.payment import Payment
from domain.order.preparation import Ticket, TicketState


class Status(StrEnum):
    """The state of an order in one word. A summary for people: no decision reads it."""

    UNPLACED = "unplaced"
    PLACED = "placed"
    AUTHORIZED = "authorized"
    PREPARING = "preparing"
    READY = "ready"
    PICKED_UP = "picked_up"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class RunState(StrEnum):
    """Whether a run moves the order, or it rests: parked for a person, or ended."""

    RUNNING = "running"
    PARKED = "parked"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Order:
    """The fold of ``version`` events.

    ``lines`` have the quantities that are available. ``stopped_at`` is the version at which the order was last parked
    or ended. ``intents`` has every intent, ``approvals`` the requests that wait for a second person, both by version.
    ``reports`` has the latest version of each type of report that took effect, ``contested`` the reports without effect
    by version. ``contest`` is the version of the one that a person has to decide about (0: none), and it contradicts
    the report of version ``contradicts`` (0: one is missing). ``settled_at`` is the version of the last confirmation.
    ``assignee`` is the person who took on the incident; empty without one.
    In minor units: ``credited``; ``unreturned``, captured money that was given up without a refund; ``conceded``, what
    support and services let the customer off or kept from the customer so far (see ``evolving._by_hand``).
    """

    order_id: OrderId
    version: int = 0
    placed: OrderPlaced | None = None
    lines: tuple[Line, ...] = ()
    run: int = 0
    run_state: RunState = RunState.RUNNING
    stopped_at: int = 0
    cancellation: CancellationRequested | None = None
    cancelling_since: int = 0
    reports: dict[type[Fact], int] = field(default_factory=dict)
    contested: dict[int, Fact] = field(default_factory=dict)
    confirmed: frozenset[int] = frozenset()
    settled_at: int = 0
    contest: int = 0
    contradicts: int = 0
    credited: int = 0
    credits: frozenset[str] = frozenset()
    conceded: int = 0
    payment: Payment = field(default_factory=Payment)
    ticket: Ticket | None = None
    delivery: Delivery = field(default_factory=Delivery)
    intents: dict[int, Intent] = field(default_factory=dict)
    facts: frozenset[tuple[object, ...]] = frozenset()
    written_off: frozenset[int] = frozenset()
    abandoned: OrderAbandoned | None = None
    abandoned_at: int = 0
    unreturned: int = 0
    approvals: dict[int, ApprovalRequested] = field(default_factory=dict)
    approved: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    assignee: str = ""
    notes: frozenset[str] = frozenset()

    @property
    def currency(self) -> str:
        return self.payment.currency

    @property
    def total(self) -> Money:
        """Price of the available quantities, with fees and tip, less credits; never below zero.

        It is added up without comparing currencies, which could raise: an order is placed in one currency.
        """
        return Money(max(self.gross_minor - self.credited, 0), self.currency)

    @property
    def gross_minor(self) -> int:
        """Price of the available quantities, with fees and tip, before credits; in minor units."""
        if self.placed is None:
            return 0
        minor = self.placed.delivery_fee.minor + self.placed.service_fee.minor + self.placed.tip.minor
        for line in self.lines:  # loops, because this is computed twenty times an order
            unit_minor = line.unit_price.minor
            for option in line.options:
                unit_minor += option.price.minor
            minor += line.quantity * unit_minor
        return minor

    @property
    def given_up(self) -> bool:
        """Whether a person abandoned the order and no later event opened it again."""
        return self.run_state is RunState.ENDED and self.abandoned is not None and self.stopped_at == self.abandoned_at

    @property
    def status(self) -> Status:
        if self.placed is None:
            return Status.UNPLACED
        if self.given_up:
            return Status.ABANDONED
        if self.cancellation is not None:
            return Status.CANCELLED if self.run_state is RunState.ENDED else Status.CANCELLING
        if self.run_state is RunState.ENDED:
            return Status.COMPLETED
        if self.delivery.delivered:
            return Status.DELIVERED
        if self.delivery.picked_up:
            return Status.PICKED_UP
        if self.ticket is None:
            return Status.PLACED
        if self.ticket.state is TicketState.READY:
            return Status.READY
        return Status.AUTHORIZED if self.ticket.state is TicketState.REQUESTED else Status.PREPARING


def initial(order_id: OrderId) -> Order:
    """The state before the first event."""
    return replace(_UNKNOWN, order_id=order_id)


_UNKNOWN = Order(order_id=OrderId(""))
