"""The view ``orders``: one row for each order, with everything by which a person may search for it.

The columns hold facts of the log alone, so that no setting changes a row: what the order waits for is stored with its
beginning, and its deadline is that time plus the budget that applies when the list is read (see
``workflows.time_budgets``). An order that waits for the restaurant and a courier at once has the wait that began first
in ``waiting_for``, the other one in ``also_waiting_for``. Every reference of a provider is in the view ``events``,
where one index finds them all.
"""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy import Index, MetaData, Table

from domain.order.events import (
    CourierAssigned,
    CourierRequested,
    OrderDelivered,
    OrderPickedUp,
    OrderPlaced,
    PaymentAuthorized,
    PreparationAccepted,
    PreparationReady,
    PreparationRequested,
)
from domain.order.intents import at_stake
from domain.order.order import Order, RunState
from domain.order.payment import Hold, Transfer
from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in
from workflows.orders.blind_index import COLUMNS as BLIND_INDEX_COLUMNS
from workflows.orders.blind_index import BlindIndex
from workflows.orders.command_handling import folded_order
from workflows.orders.waiting import waits_since
from workflows.projections.open_orders import parked_now
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_count, optional_text, optional_time, text, time

ORDERS = Table(
    "orders",
    MetaData(),
    text("order_id", primary_key=True),
    count("version"),
    text("status"),
    text("run_state"),  # running, parked, ended
    count("run"),
    text("customer"),
    text("restaurant"),
    optional_text("courier"),  # the courier who has or had the meal, or else accepted the last offer
    # money, in minor units of the order's one currency
    text("currency"),
    count("total_minor"),
    count("at_stake_minor"),
    count("authorized_minor"),
    count("captured_minor"),
    count("refunded_minor"),
    count("credited_minor"),
    optional_text("authorization_id"),
    optional_text("capture_id"),
    # when each stage ended, by the time of recording, and how many milliseconds it took
    time("placed_at"),
    time("changed_at"),
    optional_time("authorized_at"),
    optional_time("accepted_at"),
    optional_time("ready_at"),
    optional_time("assigned_at"),
    optional_time("picked_up_at"),
    optional_time("delivered_at"),
    optional_time("ended_at"),
    optional_count("authorization_ms"),  # placed until authorized
    optional_count("acceptance_ms"),  # ticket sent until accepted
    optional_count("preparation_ms"),  # accepted until ready
    optional_count("assignment_ms"),  # first offer until a courier accepted the last one
    optional_count("pickup_ms"),  # ready until picked up
    optional_count("delivery_ms"),  # picked up until delivered
    optional_count("settlement_ms"),  # delivered until completed
    optional_count("total_ms"),  # placed until delivered
    # what it waits for: a name of workflows.time_budgets.Awaiting
    optional_text("waiting_for"),
    optional_time("waiting_since"),
    optional_text("also_waiting_for"),
    optional_time("also_waiting_since"),
    # why it is parked
    optional_text("parked_error"),
    optional_text("parked_cause"),  # the cause by which incidents are grouped: the error and its dependency
    optional_text("dependency"),
    optional_time("parked_since"),
    # why it was cancelled
    optional_text("cancellation_cause"),
    optional_text("fault"),
    count("offers"),
    count("approvals"),  # requests that wait for a second person
    *map(optional_text, BLIND_INDEX_COLUMNS),
    text("id_reversed"),  # the id without ord_, its last character first: an index of it finds endings
    text("head"),  # the hash of the last commit, in hexadecimal
)
_column = ORDERS.c


_LOOKED_UP = ("parked_since", *BLIND_INDEX_COLUMNS)


def _if_set(name: str) -> dict[str, Any]:
    """Return the options of an index on the rows that have a value: on those that wait, are parked or have a phone."""
    return {"sqlite_where": _column[name].is_not(None), "postgresql_where": _column[name].is_not(None)}


for _index in (
    Index("placed", _column.placed_at, _column.order_id),
    Index("changed", _column.changed_at, _column.order_id),
    Index("customer", _column.customer, _column.placed_at),
    Index("restaurant", _column.restaurant, _column.placed_at),
    Index("courier", _column.courier, _column.placed_at),
    Index("restaurant_status", _column.restaurant, _column.status, _column.placed_at),
    Index("status", _column.status, _column.placed_at),
    Index("currency", _column.currency),
    Index("id_reversed", _column.id_reversed),
    Index("waiting", _column.waiting_since, _column.order_id, **_if_set("waiting_since")),
    *(Index(name, _column[name], **_if_set(name)) for name in _LOOKED_UP),
):
    assert _index.table is ORDERS


def orders_view(blind_index: BlindIndex) -> View:
    """Return the view of a deployment."""

    def rows(history: History, _since: int) -> list[Row]:
        order = folded_order(history)
        return [] if order.placed is None else [_row(history, order, order.placed, blind_index)]

    return View(name="orders", version=4, table=ORDERS, rows=rows, fingerprint=blind_index.fingerprint)


def _row(history: History, order: Order, placed: OrderPlaced, blind_index: BlindIndex) -> Row:
    order_id = order_id_in(history.stream) or order.order_id
    return {
        "order_id": order_id,
        "version": order.version,
        "status": order.status.value,
        "run_state": order.run_state.value,
        "run": order.run,
        "customer": placed.customer,
        "restaurant": placed.restaurant,
        "courier": _courier(order),
        **_money(order),
        **_stages(history, order),
        **_waits(history, order),
        **_parked(history, order),
        "cancellation_cause": None if order.cancellation is None else order.cancellation.cause.value,
        "fault": None if order.cancellation is None else order.cancellation.fault.value,
        "offers": len(order.delivery.offers),
        "approvals": len(order.approvals),
        **blind_index.of(placed.contact),
        "id_reversed": order_id.removeprefix("ord_")[::-1],
        "head": history.head.hex(),
    }


def _courier(order: Order) -> str | None:
    return None if order.delivery.current is None else order.delivery.current.courier


def _money(order: Order) -> Row:
    payment, hold = order.payment, order.payment.authorization
    authorized = hold is not None and hold.state not in (Hold.ASKED, Hold.DECLINED)
    captured = [capture for capture in payment.captures if capture.state is Transfer.DONE]
    return {
        "currency": order.currency,
        "total_minor": order.total.minor,
        "at_stake_minor": at_stake(order).minor,
        "authorized_minor": hold.amount.minor if authorized and hold is not None else 0,
        "captured_minor": payment.captured.minor,
        "refunded_minor": payment.returned(Transfer.DONE).minor,
        "credited_minor": order.credited,
        "authorization_id": (hold.authorization_id or None) if hold is not None else None,
        "capture_id": captured[-1].capture_id if captured else None,
    }


def _waits(history: History, order: Order) -> Row:
    waits = sorted((since.ts, what.value) for what, _, since in waits_since(order, history.recorded))
    columns = (("waiting_since", "waiting_for"), ("also_waiting_since", "also_waiting_for"))
    row: dict[str, str | int | None] = {}
    for (since_column, what_column), wait in zip_longest(columns, waits[: len(columns)]):
        row[since_column] = None if wait is None else wait[0]
        row[what_column] = None if wait is None else wait[1]
    return row


def _parked(history: History, order: Order) -> Row:
    parked = parked_now(order, history.recorded)
    return {
        "parked_error": None if parked is None else parked.error,
        "parked_cause": None if parked is None else parked.cause,
        "dependency": None if parked is None or parked.dependency is None else parked.dependency.value,
        "parked_since": None if parked is None else timestamp(parked.since),
    }


# --- stages -----------------------------------------------------------------------------------------------------------

_STAGES = {
    "authorization_ms": ("placed_at", "authorized_at"),
    "acceptance_ms": ("ticket_at", "accepted_at"),
    "preparation_ms": ("accepted_at", "ready_at"),
    "assignment_ms": ("offered_at", "assigned_at"),
    "pickup_ms": ("ready_at", "picked_up_at"),
    "delivery_ms": ("picked_up_at", "delivered_at"),
    "settlement_ms": ("delivered_at", "completed_at"),
    "total_ms": ("placed_at", "delivered_at"),
}
"""The times at which each stage begins and ends."""

_FIRST = {
    OrderPlaced: "placed_at",
    PaymentAuthorized: "authorized_at",
    PreparationRequested: "ticket_at",
    PreparationAccepted: "accepted_at",
    PreparationReady: "ready_at",
    CourierRequested: "offered_at",
    OrderPickedUp: "picked_up_at",
    OrderDelivered: "delivered_at",
}
"""The time of the first event of this type or, for a courier's answer, of the last one, because offers are repeated."""


def _stages(history: History, order: Order) -> Row:
    times = {"changed_at": history.last_ts}
    for recorded in history.recorded:
        kind = type(recorded.event)
        if kind is CourierAssigned:
            times["assigned_at"] = recorded.ts
        elif (name := _FIRST.get(kind)) is not None:
            times.setdefault(name, recorded.ts)
    if order.run_state is RunState.ENDED:
        times["ended_at"] = history.recorded[order.stopped_at - 1].ts
        if order.cancellation is None and not order.given_up:
            times["completed_at"] = times["ended_at"]
    stages = {name: _milliseconds(times.get(began), times.get(ended)) for name, (began, ended) in _STAGES.items()}
    return {**{name: times.get(name) for name in _TIME_COLUMNS}, **stages}


_TIME_COLUMNS = (
    *("placed_at", "changed_at", "authorized_at", "accepted_at", "ready_at", "assigned_at"),
    *("picked_up_at", "delivered_at", "ended_at"),
)


def _milliseconds(began: str | None, ended: str | None) -> int | None:
    """Return the length of a stage that ended; None if it did not, or if its reports came in the other order."""
    if began is None or ended is None or ended < began:
        return None
    return round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds() * 1000)
