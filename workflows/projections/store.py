"""The views in one database: their tables, rows, versions, parked histories, and the projector's position.

A row is written under the guard of the law in ``view``: one statement inserts it, or replaces the stored one if that
has a lower version. So two projectors at once, on AWS, need no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from workflows.clock import Clock, timestamp
from workflows.projections.bookkeeping import METADATA, PARKED, POSITION, VERSIONS
from workflows.projections.view import Row, View
from workflows.sql.database import SqlDatabase
from workflows.sql.schema import create, create_missing, exists, named, swap

PROJECTOR = "feed"
"""The name under which the one projector of a database keeps its position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """How far the views are.

    Attributes:
        position: Of the last commit that is in them; 0 before the first.
        recorded_at: When that commit was recorded; empty before the first.
    """

    position: int
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedHistory:
    """A history that a view could not be computed from. ``view`` is empty if the history could not be read at all."""

    view: str
    stream: str
    error: str
    detail: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """The version of a view's definition that its table was built with, and how often it was built."""

    version: int
    generation: int


class ViewStore:
    """Reads and writes the tables of the views. A transaction is opened by the caller: ``reading``, ``writing``."""

    def __init__(self, database: SqlDatabase, views: Sequence[View], clock: Clock) -> None:
        self.database = database
        self.views = {view.name: view for view in views}
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one snapshot of all views. Raises SqlUnavailable."""
        with self.database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes. Raises SqlUnavailable."""
        with self.database.writing() as connection:
            yield connection

    # --- tables ----------------------------------------------------------------------------------------------------

    def prepare(self) -> list[View]:
        """Create what is missing, and return the views whose table was built with another version of their definition.

        A view without a table gets an empty one, so that it can be read; it is among those to build unless nothing has
        been projected yet.
        """
        with self.writing() as connection:
            create_missing(connection, METADATA.tables.values())
            fresh = self.as_of(connection).position == 0
            return [view for view in self.views.values() if not self._is_current(connection, view, fresh)]

    def _is_current(self, connection: Connection, view: View, fresh: bool) -> bool:
        stored = self.stored_version(connection, view)
        if not exists(connection, view.name):
            create(connection, named(view.table, f"{view.name}_0"))
            swap(connection, f"{view.name}_0", view.name)
            stored = StoredVersion(version=view.version if fresh else 0, generation=0)
            self.set_version(connection, view, stored)
        return stored is not None and stored.version == view.version

    def stored_version(self, connection: Connection, view: View) -> StoredVersion | None:
        """Return the version that a view was built with; None if it has no table."""
        row = connection.execute(select(VERSIONS).where(VERSIONS.c.view == view.name)).one_or_none()
        return None if row is None else StoredVersion(version=row.version, generation=row.generation)

    def set_version(self, connection: Connection, view: View, stored: StoredVersion) -> None:
        """Record the version that a view's table was built with."""
        values = {"view": view.name, "version": stored.version, "generation": stored.generation, "built_at": self._now}
        connection.execute(_upsert(connection, VERSIONS), values)

    # --- rows ------------------------------------------------------------------------------------------------------

    def put(
        self,
        connection: Connection,
        view: View,
        rows: Sequence[Row],
        *,
        table: Table | None = None,
        again: bool = False,
    ) -> None:
        """Store rows, each unless the stored one has its version or a higher one.

        Args:
            table: Another table of the view: the one that is being built.
            again: Replace a row of the same version too: what it is computed from was erased.
        """
        if not rows:
            return
        target = view.table if table is None else table
        guard = ">=" if again else ">"
        connection.execute(_upsert(connection, target, guard=None if view.appends else guard), list(rows))

    def rows_of(self, connection: Connection, view: View, ids: Iterable[str]) -> Mapping[str, list[dict[str, Any]]]:
        """Return the stored rows by the id of their stream, in the order of the primary key."""
        key = view.table.c[view.key]
        order = list(view.table.primary_key.columns)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in connection.execute(select(view.table).where(key.in_(list(ids))).order_by(*order)).mappings():
            found.setdefault(row[view.key], []).append(dict(row))
        return found

    def count(self, connection: Connection, view: View) -> int:
        """Return how many rows a view has."""
        return connection.execute(select(func.count()).select_from(view.table)).scalar_one()

    # --- the position ----------------------------------------------------------------------------------------------

    def as_of(self, connection: Connection) -> AsOf:
        """Return how far the views are, in the same snapshot as what else the transaction reads."""
        row = connection.execute(select(POSITION).where(POSITION.c.projector == PROJECTOR)).one_or_none()
        if row is None:
            return AsOf(position=0, recorded_at="")
        return AsOf(position=row.position, recorded_at=row.recorded_at)

    def advance(self, connection: Connection, as_of: AsOf) -> None:
        """Record how far the views are, in the transaction that brought them there."""
        values = {
            "projector": PROJECTOR,
            "position": as_of.position,
            "recorded_at": as_of.recorded_at,
            "projected_at": self._now,
        }
        connection.execute(_upsert(connection, POSITION), values)

    # --- parked histories ------------------------------------------------------------------------------------------

    def parked(self, connection: Connection, limit: int | None = None) -> list[ParkedHistory]:
        """Return the parked histories, the oldest first."""
        rows = connection.execute(select(PARKED).order_by(PARKED.c.since, PARKED.c.stream, PARKED.c.view).limit(limit))
        return [
            ParkedHistory(view=row.view, stream=row.stream, error=row.error, detail=row.detail or "", since=row.since)
            for row in rows
        ]

    def park(self, connection: Connection, view: str, stream: str, error: BaseException) -> None:
        """Record that a view could not be computed from a history; of all views for an empty ``view``.

        The message of the error is not stored: it may quote the history.
        """
        values = {"view": view, "stream": stream, "error": type(error).__name__, "detail": None, "since": self._now}
        connection.execute(_upsert(connection, PARKED, changed=("error", "detail")), values)

    def unpark(self, connection: Connection, view: str, streams: Sequence[str]) -> None:
        """Forget that these histories were parked."""
        if streams:
            connection.execute(delete(PARKED).where(PARKED.c.view == view, PARKED.c.stream.in_(list(streams))))

    @property
    def _now(self) -> str:
        return timestamp(self._clock.now())


def build_table(view: View, generation: int) -> Table:
    """Return the definition of the table that is built beside the view's own."""
    return named(view.table, f"{view.name}_{generation}")


def _upsert(
    connection: Connection, table: Table, *, guard: str | None = "", changed: Iterable[str] | None = None
) -> Any:
    """Return the statement that inserts a row, or changes the row with the same primary key.

    Args:
        guard: ``>`` or ``>=``: change it only if the new ``version`` compares so to the stored one. Empty: always.
            None: never.
        changed: The columns to change; all but the key by default.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    if guard is None:
        return statement.on_conflict_do_nothing(index_elements=keys)
    names = changed or [column.name for column in table.columns if column.name not in keys]
    where = None if not guard else statement.excluded["version"].op(guard)(table.c["version"])
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in names}, where=where
    )
