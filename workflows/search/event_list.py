"""Pages of events of all orders, the newest first. An event never changes, so it is in one page, once.

The filter that names the fewest events is looked up in its index, which also has the order; of the other filters no
index is used, because SQLite cannot tell which of two is the better one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import ColumnElement, Connection, RowMapping, select, union_all

from domain.identifiers import Role
from domain.order.events import Event
from workflows.orders.visibility import OPERATORS, VISIBILITY, Audience
from workflows.orders.words import WITHHELD
from workflows.projections.events import EVENTS
from workflows.search.cursors import behind, decode
from workflows.search.filters import EventFilter
from workflows.search.pages import page_of, read_page, union_page
from workflows.search.unindexed import hidden

if TYPE_CHECKING:
    from workflows.client.search_json import ListedEventJson

_LIST = "events"
_column = EVENTS.c
_KEYS = (_column.recorded_at, _column.order_id, _column.version)
_BY_NAME: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events as the API shows them, and the cursor of the next page; None on the last."""

    events: list[ListedEventJson]
    next: str | None


def list_events(
    connection: Connection, wanted: EventFilter, audience: Audience, *, limit: int, cursor: str | None
) -> EventPage:
    """Return a page of the events of all orders. Raises NotACursor."""
    assert audience in OPERATORS, "others may not list the events of all orders"
    page, following = read_page(connection, _statement(wanted, limit, cursor), limit, _LIST, _KEYS)
    return EventPage(events=[_shown(row, audience) for row in page], next=following)


def _statement(wanted: EventFilter, limit: int, cursor: str | None) -> Any:
    equal = [
        (column, value)
        for column, value in (
            (_column.order_id, wanted.order),  # the fewest events first
            (_column.correlation, wanted.correlation),
            (_column.customer, wanted.customer),
            (_column.actor_id, wanted.actor),
            (_column.restaurant, wanted.restaurant),
        )
        if value is not None
    ]
    is_narrow = wanted.order is not None or wanted.correlation is not None
    keys: list[ColumnElement[Any]] = [hidden(_KEYS[0]) if is_narrow else _KEYS[0], *_KEYS[1:]]
    conditions = [(column if number == 0 else hidden(column)) == value for number, (column, value) in enumerate(equal)]
    if wanted.actor_role is not None:
        role = hidden(_column.actor_role) if equal or wanted.types else _column.actor_role
        conditions.append(role == wanted.actor_role)
    if wanted.people_only:
        conditions.append(hidden(_column.actor_role) != Role.SYSTEM.value)
    if wanted.recorded_from is not None:
        conditions.append(keys[0] >= wanted.recorded_from)
    if wanted.recorded_to is not None:
        conditions.append(keys[0] < wanted.recorded_to)
    if cursor is not None:
        conditions.append(behind(keys, decode(_LIST, cursor, (str, str, int)), descending=True))
    types = sorted(set(wanted.types))
    if types and equal:
        conditions.append(hidden(_column.type).in_(types))
    elif len(types) == 1:
        conditions.append(_column.type == types[0])
    elif types:
        parts = [
            page_of(select(EVENTS), [*conditions, _column.type == each], keys, limit, descending=True) for each in types
        ]
        return union_page(union_all, parts, keys, limit, descending=True)
    return page_of(select(EVENTS), conditions, keys, limit, descending=True)


def _shown(row: RowMapping, audience: Audience) -> ListedEventJson:
    return {
        "order_id": row["order_id"],
        "version": row["version"],
        "type": row["type"],
        "schema": row["schema"],
        "recorded_at": row["recorded_at"],
        "actor": {"role": row["actor_role"], "id": row["actor_id"]},
        "customer": row["customer"],
        "restaurant": row["restaurant"],
        "correlation": row["correlation"],
        "causation": row["causation"],
        "commit": row["commit_version"],
        "key": row["key"],
        "hash": row["hash"],
        "data": _visible(row["type"], json.loads(row["data"]), audience),
    }


def _visible(type_name: str, data: dict[str, Any], audience: Audience) -> dict[str, Any]:
    """Return the fields of an event that are in the view, without those that the audience may not see.

    An event of a newer release has no entry in the table of visibility; operators alone see it.
    """
    kind = _BY_NAME.get(type_name)
    if kind is None:
        return data
    seen_by = VISIBILITY[kind].fields
    return {name: value if audience in seen_by[name] else WITHHELD for name, value in data.items()}
