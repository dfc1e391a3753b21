"""Read the events of an export in pages, the oldest first: memory is that of one page, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from sqlalchemy import and_, select

from domain.identifiers import Role
from workflows.projections.events import EVENTS
from workflows.queries.relations import RELATIONS
from workflows.search.cursors import behind
from workflows.search.filters import EventFilter
from workflows.sql.database import SqlDatabase

COLUMNS: Final = RELATIONS["events"].columns
"""Those of a file, in their order: nothing of a person is in them."""

NUMBERS: Final = frozenset({"version", "schema", "commit_version"})
"""Columns with a whole number; the others are text."""

PAGE: Final = 2000

EventRow: TypeAlias = dict[str, Any]
_column = EVENTS.c
_KEYS = (_column.recorded_at, _column.order_id, _column.version)


def event_pages(database: SqlDatabase, wanted: EventFilter, as_of: str) -> Iterator[list[EventRow]]:
    """Yield pages of the events recorded until ``as_of``. Each is read in a transaction of its own.

    An event never changes, so pages neither repeat nor contradict each other. Raises SqlUnavailable.
    """
    conditions = [*_conditions(wanted), _column.recorded_at <= as_of]
    columns = [_column[name] for name in COLUMNS]
    after: list[Any] = []
    while True:
        statement = select(*columns).where(and_(*conditions, *after)).order_by(*_KEYS).limit(PAGE)
        with database.reading() as connection:
            rows = [dict(row) for row in connection.execute(statement).mappings()]
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        after = [behind(_KEYS, tuple(rows[-1][key.name] for key in _KEYS), descending=False)]


def _conditions(wanted: EventFilter) -> list[Any]:
    equal = {
        _column.order_id: wanted.order,
        _column.customer: wanted.customer,
        _column.restaurant: wanted.restaurant,
        _column.actor_id: wanted.actor,
        _column.actor_role: wanted.actor_role,
        _column.correlation: wanted.correlation,
    }
    conditions: list[Any] = [column == value for column, value in equal.items() if value is not None]
    if wanted.types:
        conditions.append(_column.type.in_(sorted(set(wanted.types))))
    if wanted.people_only:
        conditions.append(_column.actor_role != Role.SYSTEM.value)
    if wanted.recorded_from is not None:
        conditions.append(_column.recorded_at >= wanted.recorded_from)
    if wanted.recorded_to is not None:
        conditions.append(_column.recorded_at < wanted.recorded_to)
    return conditions
