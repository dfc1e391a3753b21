"""The view of open orders: one document for each order that has not ended, with what it waits for and since when.

A row is a pure function of the order's events. It is computed from a consistent read of the log and not from the
message that caused it, and it replaces only the row that was there before that read. So late, repeated and reordered
messages have no effect. The watchdog finds rows that are missing or out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

import msgspec

from domain.identifiers import OrderId
from domain.money import Money
from domain.order.events import OrderParked
from domain.order.intents import Holding, Owed, at_stake, open_intents, owed
from domain.order.order import Order, RunState, Status
from workflows.breakers.dependencies import Dependency, dependency_of
from workflows.engine import Engine
from workflows.event_store.commits import Commit, History, RecordedEvent
from workflows.event_store.documents import Document, DocumentChanged, Documents, all_documents, body_as
from workflows.event_store.event_log import TooManyConflicts
from workflows.event_store.transact import CONFLICTS_MAX
from workflows.orders.command_handling import load
from workflows.orders.waiting import AwaitedNow, waits_now
from workflows.time_budgets import Budgets

SHARDS = 8
"""Partitions. One takes 1,000 writes a second. By default 300 orders a second start, of eight commits each, so three
are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedNow:
    """Why the order is parked.

    ``dependency`` is the provider that the fault concerns, if it concerns one. ``at_stake`` is the money that the order
    holds, owes or is due.
    """

    error: str
    detail: str
    since: datetime
    dependency: Dependency | None
    owed: tuple[Owed, ...]
    at_stake: Money

    @property
    def cause(self) -> str:
        """The key of a group of incidents: ``PaymentsUnavailable@payments``, or the error alone without a provider."""
        return self.error if self.dependency is None else f"{self.error}@{self.dependency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """A row. ``awaits`` is empty if the order is parked; ``assignee`` if no person has taken it on."""

    order_id: OrderId
    version: int
    status: Status
    run: int
    awaits: tuple[AwaitedNow, ...]
    parked: ParkedNow | None
    assignee: str = ""

    def overdue(self, now: datetime) -> AwaitedNow | None:
        """Return the oldest wait that has exceeded its budget."""
        late = [awaited for awaited in self.awaits if awaited.overdue(now)]
        return min(late, key=lambda awaited: awaited.since, default=None)


def project(order: Order, recorded: Sequence[RecordedEvent], budgets: Budgets) -> OpenOrder | None:
    """Return the row of an order with these events. None if it was never placed, or has ended and owes nothing."""
    if order.placed is None or (order.run_state is RunState.ENDED and not owed(order)):
        return None
    return OpenOrder(
        order_id=order.order_id,
        version=order.version,
        status=order.status,
        run=order.run,
        awaits=waits_now(order, recorded, budgets),
        parked=parked_now(order, recorded),
        assignee=order.assignee,
    )


@dataclass(frozen=True, slots=True)
class NextRow:
    """The row of an order as its log has it now, not stored yet.

    Args:
        row: None if the order has no row: it was never placed, or it has ended.
        history: The log that the row was computed from.
        stored: The document that the row replaces.
        stored_version: The order's version in the stored row, 0 if there is no row or its shape is unknown.
    """

    order_id: OrderId
    row: OpenOrder | None
    history: History
    stored: Document | None
    stored_version: int

    @property
    def is_stored(self) -> bool:
        """Whether the stored row includes everything already."""
        if self.row is None or self.stored is None:
            return self.row is None and self.stored is None
        return self.stored_version >= self.row.version

    @property
    def unseen(self) -> tuple[object, ...]:
        """The events that the stored row does not include."""
        if self.is_stored:
            return ()
        return self.history.events_after(self.stored_version)

    def events_of(self, commit: Commit) -> tuple[object, ...]:
        """The events of one commit of the order."""
        return self.history.events[commit.sk - 1 : commit.sk - 1 + commit.size]


def next_row(engine: Engine, order_id: OrderId, budgets: Budgets) -> NextRow:
    """Compute the row of an order from its log, and how it differs from the stored one."""
    stored = engine.documents.get(*_place(order_id))  # read first, so that the row is never computed from older events
    history, order = load(engine.log, order_id)
    before = body_as(stored, OpenOrder)
    return NextRow(
        order_id, project(order, history.recorded, budgets), history, stored, before.version if before else 0
    )


def store_row(documents: Documents, computed: NextRow) -> bool:
    """Store the row, or delete it if the order has ended.

    Returns:
        False if the row has to be computed again: another process changed it, or there was no row. Then the order may
        have ended, and its row may have been deleted, since the log was read.
    """
    if computed.is_stored:
        return True
    pk, sk = _place(computed.order_id)
    expected = None if computed.stored is None else computed.stored.version
    try:
        if computed.row is not None:
            body: dict[str, Any] = msgspec.to_builtins(computed.row)
            documents.put(Document(pk, sk, body), expected)
        elif expected is not None:
            documents.delete(pk, sk, expected)
    except DocumentChanged:
        return False
    return expected is not None


def refresh(engine: Engine, order_id: OrderId, budgets: Budgets) -> OpenOrder | None:
    """Recompute the row of an order and store it if the stored one is older. Return the row.

    Raises:
        TooManyConflicts: Other processes kept changing the row. Retryable.
    """
    for _ in range(CONFLICTS_MAX):
        computed = next_row(engine, order_id, budgets)
        if store_row(engine.documents, computed):
            return computed.row
    raise TooManyConflicts(f"the row of order {order_id} is changed by too many processes at once; try again")


def open_orders(documents: Documents) -> Iterator[OpenOrder]:
    """Return all rows, unordered, read page by page."""
    return (row for _, row in stored_rows(documents) if row is not None)


def stored_rows(documents: Documents) -> Iterator[tuple[OrderId, OpenOrder | None]]:
    """Return the orders that have a row, each with its row: None if another version of Expediter wrote it."""
    for shard in range(SHARDS):
        for document in all_documents(documents, _partition(shard)):
            yield OrderId(document.sk), body_as(document, OpenOrder)


def open_order(documents: Documents, order_id: OrderId) -> OpenOrder | None:
    """Return the row of an order as it is stored. None if there is none, or its shape is unknown."""
    return body_as(documents.get(*_place(order_id)), OpenOrder)


# --- why it is parked -------------------------------------------------------------------------------------------------


def parked_now(order: Order, recorded: Sequence[RecordedEvent]) -> ParkedNow | None:
    """Return why the order with these events is parked; None if it is not."""
    if order.run_state is not RunState.PARKED:
        return None
    parked = recorded[order.stopped_at - 1]
    event: object = parked.event
    assert isinstance(event, OrderParked)  # the fold took ``stopped_at`` from it
    return ParkedNow(
        error=event.error,
        detail=event.detail,
        since=parked.recorded_at,
        dependency=_dependency(event.error, order),
        owed=owed(order),
        at_stake=at_stake(order),
    )


def _dependency(error: str, order: Order) -> Dependency | None:
    """Return the provider that a fault concerns.

    Some errors name it. Others only report that a call was not made; then it is the provider of that call.
    """
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


def _place(order_id: OrderId) -> tuple[str, str]:
    return _partition(crc32(order_id.encode()) % SHARDS), order_id


def _partition(shard: int) -> str:
    return f"open-orders#{shard}"
