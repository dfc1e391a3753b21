"""What is kept about a customer, and where: the orders, which of them are open, and the fields under a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from domain.identifiers import OrderId
from domain.order.intents import open_intents, owed
from domain.order.order import Order, RunState
from workflows.engine import Engine, Views
from workflows.event_store.commits import Commit, History
from workflows.event_store.event_log import EventLog
from workflows.event_store.personal_fields import key_ids
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import load
from workflows.orders.waiting import waits_since
from workflows.orders.waiting_words import ANSWERS, outcome_words
from workflows.projections.open_orders import open_order
from workflows.publishing.webhooks.deliveries import WebhookDelivery, deliveries_of
from workflows.publishing.webhooks.endpoints import stored_endpoints
from workflows.search.reading import in_snapshot, views_of
from workflows.search.refusals import ViewsUnavailable

VIEWS_CATCH_UP_S: Final = 5.0
"""How long a read waits until the views include every commit that is in the log now. After it, it is refused: an order
that the views lack would keep its derived data, and might be open."""

_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class CustomerOrders:
    """The orders of a customer, the oldest first, and those of them that have not ended, with what each waits for."""

    all: tuple[OrderId, ...]
    open: tuple[tuple[OrderId, str], ...]


def customer_orders(engine: Engine, customer: str) -> CustomerOrders:
    """Find the orders of a customer in the views, and read from the log which of them are open.

    Raises:
        NoViewsDatabase: HTTP 503.
        ViewsUnavailable: They do not answer, or are behind the log and did not catch up. HTTP 503.
    """
    listed = _listed(engine, customer)
    still_open = [order_id for order_id, ended in listed if not ended or open_order(engine.documents, order_id)]
    waits = ((order_id, _awaited(engine.log, order_id)) for order_id in still_open)
    return CustomerOrders(
        tuple(order_id for order_id, _ in listed),
        tuple((order_id, what) for order_id, what in waits if what),
    )


def fields_under(log: EventLog, orders: Sequence[OrderId], key_id: str) -> Iterator[int]:
    """Yield for each order how many fields of its events are encrypted with a key."""
    for order_id in orders:
        rows = (row for row in log.read(order_stream(order_id)) if isinstance(row, Commit))
        yield sum(used == key_id for row in rows for used in key_ids(row.ev))


def kept_deliveries(engine: Engine, orders: Sequence[OrderId]) -> list[WebhookDelivery]:
    """Return the webhook deliveries of some orders that are kept, sent or not."""
    endpoint_ids = [endpoint.id for endpoint in stored_endpoints(engine.documents)]
    return list(deliveries_of(engine.documents, endpoint_ids, engine.log, orders, engine.clock.now()))


def _listed(engine: Engine, customer: str) -> list[tuple[OrderId, bool]]:
    """Return the orders in the views, and whether each has ended."""
    views = views_of(engine)
    _wait_for(engine, views)

    def read(_: object, connection: object) -> list[tuple[OrderId, bool]]:
        from sqlalchemy import Connection, select

        from workflows.projections.orders import ORDERS

        assert isinstance(connection, Connection)
        column = ORDERS.c
        statement = select(column.order_id, column.run_state).where(column.customer == customer)
        rows = connection.execute(statement.order_by(column.placed_at, column.order_id))
        return [(OrderId(row.order_id), row.run_state == RunState.ENDED.value) for row in rows]

    return in_snapshot(engine, views, read)


def _wait_for(engine: Engine, views: Views) -> None:
    """Wait until the views include the newest commit, as far as their position is known. Raises ViewsUnavailable."""
    if views.feed is None:
        return
    newest = views.feed.newest()
    for _ in range(round(VIEWS_CATCH_UP_S / _LOOK_EVERY_S)):
        position = in_snapshot(engine, views, lambda store, connection: store.as_of(connection).position)
        if position >= newest:
            return
        engine.pause(_LOOK_EVERY_S)
    raise ViewsUnavailable(
        f"The views are {newest - position} commits behind the log, and may lack orders of the customer. Nothing was "
        "done. Send the same request again."
    )


def _awaited(log: EventLog, order_id: OrderId) -> str:
    """Say what an order waits for; empty if it has ended and owes nothing."""
    history, order = load(log, order_id)
    if order.placed is None:
        return ""
    match order.run_state:
        case RunState.PARKED:
            return "a person, because it is parked"
        case RunState.ENDED:
            return "what it still owes to be given back" if owed(order) else ""
        case _:
            return " and ".join(_running(history, order)) or "its state machine to continue"


def _running(history: History, order: Order) -> Iterator[str]:
    for what, intent_version, _ in waits_since(order, history.recorded):
        if what.value in ANSWERS:
            yield ANSWERS[what.value].format(intent_version)
        elif (call := next(iter(open_intents(order)), None)) is not None:
            yield outcome_words(type(call.intent).__name__, call.version)
