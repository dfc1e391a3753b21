"""The view ``events``: one row for each event of an order, so that events are found across orders.

Personal fields are left out of ``data``; roles that may see them read them from the log. ``customer`` and
``restaurant`` are those of the order. ``reference`` is the provider's id that the event brought (an authorization, a
capture or a refund): with its index an order is found by any of them.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import msgspec
from sqlalchemy import Index, MetaData, Table

from domain.order.events import Event, OrderPlaced
from domain.personal import Erased
from workflows.event_store.commits import History, Opaque, RecordedEvent
from workflows.event_store.personal_fields import is_sealed
from workflows.event_store.streams import order_id_in
from workflows.orders.json_values import plain
from workflows.orders.ledger_view import provider_reference
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, text, time

EVENTS = Table(
    "events",
    MetaData(),
    text("order_id", primary_key=True),
    count("version", primary_key=True),
    text("type"),
    count("schema"),  # the one that it is stored in
    time("recorded_at"),
    text("actor_role"),
    text("actor_id"),
    text("correlation"),
    text("causation"),
    count("commit_version"),  # of the first event in the same commit
    text("key"),
    text("hash"),  # of the commit, in hexadecimal
    optional_text("customer"),
    optional_text("restaurant"),
    optional_text("reference"),
    text("data"),  # JSON as the API shows it
)
_column = EVENTS.c
_newest = (_column.recorded_at, _column.order_id, _column.version)

for _index in (
    Index("recorded", *_newest),
    Index("type", _column.type, *_newest),
    Index("actor", _column.actor_id, *_newest),
    Index("role", _column.actor_role, *_newest),
    Index("customer", _column.customer, *_newest),
    Index("restaurant", _column.restaurant, *_newest),
    Index("correlation", _column.correlation),
    Index(
        "reference",
        _column.reference,
        sqlite_where=_column.reference.is_not(None),
        postgresql_where=_column.reference.is_not(None),
    ),
):
    assert _index.table is EVENTS


def _rows(history: History, since: int) -> list[Row]:
    first = history.recorded[0].event if history.recorded else None
    placed = first if isinstance(first, OrderPlaced) else None
    shared = {
        "order_id": order_id_in(history.stream),
        "customer": None if placed is None else placed.customer,
        "restaurant": None if placed is None else placed.restaurant,
    }
    return [{**shared, **_row(recorded)} for recorded in history.recorded[since:]]


EVENTS_VIEW = View(name="events", version=1, table=EVENTS, rows=_rows, appends=True)


def _row(recorded: RecordedEvent) -> Row:
    event = recorded.event
    return {
        "version": recorded.version,
        "type": event.type if isinstance(event, Opaque) else type(event).__name__,
        "schema": recorded.schema,
        "recorded_at": recorded.ts,
        "actor_role": recorded.actor.role.value,
        "actor_id": recorded.actor.id,
        "correlation": recorded.correlation,
        "causation": recorded.causation,
        "commit_version": recorded.commit,
        "key": recorded.key,
        "hash": recorded.h.hex(),
        "reference": provider_reference(event),
        "data": _encode(_data(event)).decode(),
    }


_encode = msgspec.json.Encoder().encode


def _data(event: Any) -> dict[str, Any]:
    if isinstance(event, Opaque):
        return {name: plain(value) for name, value in event.data.items() if not is_sealed(value)}
    return {name: plain(getattr(event, name)) for name in _NOT_PERSONAL[type(event)]}


_NOT_PERSONAL: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name, hint in get_type_hints(kind).items() if Erased not in get_args(hint))
    for kind in get_args(Event)
}
"""The fields of each event type that are not personal."""
