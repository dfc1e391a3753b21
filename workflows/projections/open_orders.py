"""The view of open orders: one document for every order that has not ended, with what it waits for and since when.

A row is a pure function of the order's events. It is written from a consistent reading of the log, never from the
message that caused it, and replaces only the row that was there before that reading; so late, repeated and reordered
messages do no harm. A row that is missing or behind is found by the watchdog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import msgspec

from domain.identifiers import OrderId
from domain.money import Money
from domain.order.delivery import OfferState
from domain.order.events import (
    CourierAssigned,
    DeliveryOverdue,
    Event,
    OrderDelivered,
    OrderParked,
    OrderPickedUp,
    PreparationAccepted,
    RunStarted,
)
from domain.order.intents import Holding, Owed, at_stake, open_intents, owed
from domain.order.order import Order, RunState, Status
from domain.order.payment import Hold
from domain.order.preparation import TicketState
from workflows.breakers.dependencies import Dependency, dependency_of
from workflows.engine import Engine
from workflows.event_store.commits import RecordedEvent
from workflows.event_store.documents import Document, DocumentChanged, Documents, all_documents
from workflows.event_store.event_log import TooManyConflicts
from workflows.event_store.transact import CONFLICTS_MAX
from workflows.orders.command_handling import load
from workflows.time_budgets import Awaiting, Budgets

SHARDS = 8
"""A partition takes 1,000 writes a second. Orders start at 300/s by default and have eight commits: three would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedNow:
    """The order waits for ``what`` of intent ``intent_version`` since ``since``, ``budget_s`` seconds at most."""

    what: Awaiting
    intent_version: int
    since: datetime
    budget_s: float

    def overdue(self, now: datetime) -> bool:
        return now > self.since + timedelta(seconds=self.budget_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedNow:
    """Why the order stands as an incident. ``dependency``: who outside it is about, if anybody; ``at_stake``: the money
    that it holds, owes or is due."""

    error: str
    detail: str
    since: datetime
    dependency: Dependency | None
    owed: tuple[Owed, ...]
    at_stake: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """A row. ``awaits`` is empty for an order that is parked."""

    order_id: OrderId
    version: int
    status: Status
    run: int
    awaits: tuple[AwaitedNow, ...]
    parked: ParkedNow | None

    def overdue(self, now: datetime) -> AwaitedNow | None:
        """What it has waited for too long; the longest of them."""
        late = [awaited for awaited in self.awaits if awaited.overdue(now)]
        return min(late, key=lambda awaited: awaited.since, default=None)


def project(order: Order, recorded: Sequence[RecordedEvent], budgets: Budgets) -> OpenOrder | None:
    """The row of an order whose events are ``recorded``; None when it has none: it was never placed, or has ended."""
    if order.placed is None or (order.run_state is RunState.ENDED and not owed(order)):
        return None
    return OpenOrder(
        order_id=order.order_id,
        version=order.version,
        status=order.status,
        run=order.run,
        awaits=tuple(_awaited_now(order, recorded, budgets)) if order.run_state is RunState.RUNNING else (),
        parked=_parked_now(order, recorded) if order.run_state is RunState.PARKED else None,
    )


def refresh(
    engine: Engine,
    order_id: OrderId,
    budgets: Budgets,
    *,
    first: Callable[[Sequence[RecordedEvent]], None] = lambda unseen: None,
) -> OpenOrder | None:
    """Bring the row of the order up to its log, and return it. Raises TooManyConflicts, and what the stores raise.

    ``first`` hears of the events that the row has not seen, before it is written: so what must be done about each event
    is done, whether or not its own message ever comes.
    """
    for _ in range(CONFLICTS_MAX):
        kept = engine.documents.get(*_place(order_id))
        history, order = load(engine.log, order_id)
        row = project(order, history.recorded, budgets)
        if kept is not None and row is not None and kept.body["version"] >= row.version:
            return row
        if kept is None and row is None:
            return None
        first(history.recorded[0 if kept is None else kept.body["version"] :])
        try:
            _write(engine.documents, order_id, row, None if kept is None else kept.version)
        except DocumentChanged:
            continue
        if kept is not None:
            return row
        # A row that was not there could not be compared: somebody may have ended the order and removed it since.
    raise TooManyConflicts(f"the row of order {order_id} is written by too many at once; try again")


def open_orders(documents: Documents) -> Iterator[OpenOrder]:
    """All rows, in no order, read page by page."""
    for shard in range(SHARDS):
        yield from (_row(document) for document in all_documents(documents, _partition(shard)))


def open_order(documents: Documents, order_id: OrderId) -> OpenOrder | None:
    """The row of an order, as it was last written."""
    kept = documents.get(*_place(order_id))
    return None if kept is None else _row(kept)


# --- what it waits for ------------------------------------------------------------------------------------------------


def _awaited_now(order: Order, recorded: Sequence[RecordedEvent], budgets: Budgets) -> Iterator[AwaitedNow]:
    began = _last(recorded, RunStarted) or 1  # a new run waits anew
    for what, intent_version, since in _awaiting(order, recorded):
        at = recorded[max(began, since) - 1].recorded_at
        yield AwaitedNow(what=what, intent_version=intent_version, since=at, budget_s=budgets[what].total_seconds())


_Found = tuple[Awaiting, int, int]
"""What, the intent that it is about, and the version since when."""


def _awaiting(order: Order, recorded: Sequence[RecordedEvent]) -> list[_Found]:
    newest = max(order.intents, default=1)
    if order.cancellation is not None:
        undoing = max((found.version for found in open_intents(order)), default=newest)
        return [(Awaiting.COMPENSATION, undoing, max(order.cancelling_since, undoing))]
    authorization = order.payment.authorization
    if order.delivery.delivered:
        return [(Awaiting.SETTLEMENT, newest, max(newest, _last(recorded, OrderDelivered)))]
    if authorization is not None and authorization.state is Hold.ASKED:
        return [(Awaiting.AUTHORIZATION, authorization.intent, authorization.intent)]
    return _before_delivery(order, recorded) or [(Awaiting.RUN, newest, order.version)]


def _before_delivery(order: Order, recorded: Sequence[RecordedEvent]) -> list[_Found]:
    ticket, offer, found = order.ticket, order.delivery.current, []
    if order.delivery.overdue:  # the run is about to park it
        return [(Awaiting.RUN, max(order.intents), _last(recorded, DeliveryOverdue))]
    if order.delivery.picked_up and offer is not None:
        return [(Awaiting.DELIVERY, offer.intent, _last(recorded, OrderPickedUp))]
    if ticket is not None and ticket.state is TicketState.REQUESTED:
        found.append((Awaiting.ACCEPTANCE, ticket.intent, ticket.intent))
    if ticket is not None and ticket.state is TicketState.ACCEPTED:
        found.append((Awaiting.READINESS, ticket.intent, _last(recorded, PreparationAccepted)))
    if offer is not None and offer.state is OfferState.REQUESTED:
        found.append((Awaiting.ASSIGNMENT, offer.intent, offer.intent))
    if offer is not None and offer.state is OfferState.ASSIGNED:
        found.append((Awaiting.PICKUP, offer.intent, _last(recorded, CourierAssigned)))
    return found


def _last(recorded: Sequence[RecordedEvent], kind: type[Event]) -> int:
    return next((found.version for found in reversed(recorded) if isinstance(found.event, kind)), 0)


# --- why it is parked -------------------------------------------------------------------------------------------------


def _parked_now(order: Order, recorded: Sequence[RecordedEvent]) -> ParkedNow:
    found = recorded[order.stopped_at - 1]
    event: object = found.event
    assert isinstance(event, OrderParked)  # what the fold says of that version
    return ParkedNow(
        error=event.error,
        detail=event.detail,
        since=found.recorded_at,
        dependency=_dependency(event.error, order),
        owed=owed(order),
        at_stake=at_stake(order),
    )


def _dependency(error: str, order: Order) -> Dependency | None:
    """Whom the fault is about: by its name, or, where that only says that something was not done, by what that was."""
    if error in _NAMED:
        return _NAMED[error]
    if error not in _NOT_DONE:
        return None
    refused = next((item for item in owed(order) if item.refused), None)
    if refused is not None:
        return _HOLDS[refused.holding]
    undone = next(iter(open_intents(order)), None)
    return None if undone is None else dependency_of(undone.intent)


_NAMED = {
    "PaymentsUnavailable": Dependency.PAYMENTS,
    "KitchenUnavailable": Dependency.KITCHEN,
    "CouriersUnavailable": Dependency.COURIERS,
    "PaymentNotAuthorized": Dependency.PAYMENTS,
    "OrderNotSettled": Dependency.PAYMENTS,
    "DeliveryOverdue": Dependency.COURIERS,
}
_NOT_DONE = frozenset({"CircuitOpen", "CompensationUnfinished", "States.Timeout", "Sandbox.Timedout"})
_HOLDS = {
    Holding.AUTHORIZATION: Dependency.PAYMENTS,
    Holding.CAPTURE: Dependency.PAYMENTS,
    Holding.TICKET: Dependency.KITCHEN,
    Holding.OFFER: Dependency.COURIERS,
}


# --- documents --------------------------------------------------------------------------------------------------------


def _write(documents: Documents, order_id: OrderId, row: OpenOrder | None, expected: int | None) -> None:
    pk, sk = _place(order_id)
    if row is not None:
        body: dict[str, Any] = msgspec.to_builtins(row)
        documents.put(Document(pk, sk, body), expected)
    elif expected is not None:
        documents.delete(pk, sk, expected)


def _row(document: Document) -> OpenOrder:
    return msgspec.convert(document.body, OpenOrder)


def _place(order_id: OrderId) -> tuple[str, str]:
    return _partition(crc32(order_id.encode()) % SHARDS), order_id


def _partition(shard: int) -> str:
    return f"open-orders#{shard}"
