"""What a running order waits for, since when and until when: computed from its events and the time budgets.

The view of open orders stores it and the watchdog acts on it. Readers of an order see it with the deadline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.order.delivery import OfferState
from domain.order.events import (
    CourierAssigned,
    DeliveryOverdue,
    Event,
    OrderDelivered,
    OrderPickedUp,
    PreparationAccepted,
    RunStarted,
)
from domain.order.intents import open_intents
from domain.order.order import Order, RunState
from domain.order.payment import Hold
from domain.order.preparation import TicketState
from workflows.event_store.commits import RecordedEvent
from workflows.time_budgets import MARGIN, TIMEOUTS, Awaiting, Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedNow:
    """The order waits for ``what``, which the intent with version ``intent_version`` requested.

    ``since`` is when the wait began, and ``budget_s`` how many seconds it may last before the watchdog acts.
    """

    what: Awaiting
    intent_version: int
    since: datetime
    budget_s: float

    @property
    def until(self) -> datetime | None:
        """When the state machine stops waiting for the restaurant or courier.

        None for a wait for a provider or for the state machine itself: its retries end it, not a deadline.
        """
        if self.what not in TIMEOUTS:
            return None
        return self.since + timedelta(seconds=self.budget_s) - MARGIN

    def overdue(self, now: datetime) -> bool:
        """Whether the wait has exceeded its budget."""
        return now > self.since + timedelta(seconds=self.budget_s)


def waits_now(order: Order, recorded: Sequence[RecordedEvent], budgets: Budgets) -> tuple[AwaitedNow, ...]:
    """Return what the run of an order waits for: two answers at most. Empty if the order is parked or has ended.

    Args:
        recorded: The events that the order was folded from. With a new run each wait begins again.
    """
    return tuple(
        AwaitedNow(
            what=what, intent_version=intent_version, since=since.recorded_at, budget_s=budgets[what].total_seconds()
        )
        for what, intent_version, since in waits_since(order, recorded)
    )


def waits_since(order: Order, recorded: Sequence[RecordedEvent]) -> Iterator[tuple[Awaiting, int, RecordedEvent]]:
    """Yield what ``waits_now`` returns without the budgets, so that it depends on the events alone.

    Yields:
        What the order waits for, the version of the intent that requested it, and the event since which it waits.
    """
    if order.run_state is not RunState.RUNNING or order.placed is None:
        return
    run_began = _last(recorded, RunStarted) or 1
    for what, intent_version, since in _waits(order, recorded):
        yield what, intent_version, recorded[max(run_began, since) - 1]


_Wait = tuple[Awaiting, int, int]
"""What the order waits for, the version of the intent that requested it, and the version of the event it waits
since."""


def _waits(order: Order, recorded: Sequence[RecordedEvent]) -> list[_Wait]:
    newest = max(order.intents, default=1)
    if order.cancellation is not None:
        undoing = max((intent.version for intent in open_intents(order)), default=newest)
        return [(Awaiting.COMPENSATION, undoing, max(order.cancelling_since, undoing))]
    authorization = order.payment.authorization
    if order.delivery.delivered:
        return [(Awaiting.SETTLEMENT, newest, max(newest, _last(recorded, OrderDelivered)))]
    if authorization is not None and authorization.state is Hold.ASKED:
        return [(Awaiting.AUTHORIZATION, authorization.intent, authorization.intent)]
    if order.delivery.overdue:  # its run is about to park it
        return [(Awaiting.RUN, newest, _last(recorded, DeliveryOverdue))]
    return list(_answers(order, recorded)) or [(Awaiting.RUN, newest, order.version)]


def _answers(order: Order, recorded: Sequence[RecordedEvent]) -> Iterator[_Wait]:
    """Yield the answers of the restaurant and the courier that are awaited."""
    ticket, offer = order.ticket, order.delivery.current
    if order.delivery.picked_up and offer is not None:
        yield Awaiting.DELIVERY, offer.intent, _last(recorded, OrderPickedUp)
        return
    if ticket is not None and ticket.state is TicketState.REQUESTED:
        yield Awaiting.ACCEPTANCE, ticket.intent, ticket.intent
    if ticket is not None and ticket.state is TicketState.ACCEPTED:
        yield Awaiting.READINESS, ticket.intent, _last(recorded, PreparationAccepted)
    if offer is not None and offer.state is OfferState.REQUESTED:
        yield Awaiting.ASSIGNMENT, offer.intent, offer.intent
    if offer is not None and offer.state is OfferState.ASSIGNED:
        yield Awaiting.PICKUP, offer.intent, _last(recorded, CourierAssigned)


def _last(recorded: Sequence[RecordedEvent], kind: type[Event]) -> int:
    """Return the version of the last event of this type, 0 if there is none."""
    for entry in reversed(recorded):
        if type(entry.event) is kind:
            return entry.version
    return 0
