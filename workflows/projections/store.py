"""The views in one database: their tables, rows, versions, parked histories, and the projector's position.

A row is written under the guard of the law in ``view``: one statement inserts it, or replaces the stored one if that
has a lower version. So two projectors at once, on AWS, need no lock for it. The sums over rows are changed in the same
transaction, by one at a time.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from workflows.clock import Clock, timestamp
from workflows.projections.bookkeeping import BUILDS, COMPARISON, METADATA, PARKED, POSITION, VERSIONS
from workflows.projections.orders import ORDERS
from workflows.projections.sums import add, days, is_right, sum_up
from workflows.projections.view import Row, View
from workflows.sql.database import SqlDatabase
from workflows.sql.schema import columns_of, create, create_missing, estimated_rows, exists, named, swap

COUNTED_MAX = 10_000
"""Rows of a view that are counted; more are estimated."""

_SUMS_LOCK = zlib.crc32(b"expediter/sums")

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
class ParkedStream:
    """A stream whose rows in a view could not be computed or stored, the class of the error, and since when."""

    view: str
    stream: str
    error: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltView:
    """The definition that a view's table was built with, and how often it was built. Version 0: never."""

    version: int
    fingerprint: str
    generation: int

    def is_of(self, view: View) -> bool:
        """Whether it is the definition in this code."""
        return (self.version, self.fingerprint) == (view.version, view.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A table that is being built beside the view's own. The projector writes to both."""

    version: int
    fingerprint: str
    generation: int
    started_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonProgress:
    """How far the comparison of the views with the log is, and how many streams it compared and mended.

    ``compared_to`` is the last stream that was compared, None before the first; ``ended_at`` is None while it goes on.
    """

    began_at: str
    compared_to: str | None = None
    ended_at: str | None = None
    streams: int = 0
    mended: int = 0


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

    @contextmanager
    def building(self) -> Iterator[Connection]:
        """Open a transaction that writes whole tables, so that each statement may take long. Raises SqlUnavailable."""
        with self.database.building() as connection:
            yield connection

    # --- tables ----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create the tables that the database does not have yet. A view gets an empty table, so that it can be read."""
        with self.writing() as connection:
            create_missing(connection, METADATA.tables.values())
            for view in self.views.values():
                if not exists(connection, view.name):
                    create(connection, build_table(view, 0))
                    swap(connection, build_table(view, 0).name, view.name)
                    self._set_built(connection, view, BuiltView(version=0, fingerprint="", generation=0))
        for view in self.views.values():
            if view.sums:
                self._prepare_sums(view)

    def _prepare_sums(self, view: View) -> None:
        """Create the tables of sums that a view lacks, and sum up its rows, which an older release may have stored."""
        with self.reading() as connection:
            if all(exists(connection, each.table.name) for each in view.sums):
                return
        with self.building() as connection:
            self.lock_sums(connection)
            for each in view.sums:
                if not exists(connection, each.table.name):
                    create(connection, named(each.table, each.table.name))
                    if columns_of(connection, view.name) == set(view.table.columns.keys()):
                        sum_up(connection, each, view.table)

    def outdated(self, connection: Connection) -> list[View]:
        """Return the views whose table was not built with the definition of this code. They have to be built."""
        return [view for view in self.views.values() if not self.built(connection, view).is_of(view)]

    def of_another_shape(self, connection: Connection) -> set[str]:
        """Return the outdated views whose table has other columns than this code: rows cannot be stored there."""
        return {
            view.name
            for view in self.outdated(connection)
            if columns_of(connection, view.name) != set(view.table.columns.keys())
        }

    def built(self, connection: Connection, view: View) -> BuiltView:
        """Return the definition that a view's table was built with."""
        row = connection.execute(select(VERSIONS).where(VERSIONS.c.view == view.name)).one()
        return BuiltView(version=row.version, fingerprint=row.fingerprint, generation=row.generation)

    def set_built(self, connection: Connection, view: View, generation: int = 0) -> None:
        """Record that a view's table was built with the definition of this code."""
        built = BuiltView(version=view.version, fingerprint=view.fingerprint, generation=generation)
        self._set_built(connection, view, built)

    def _set_built(self, connection: Connection, view: View, built: BuiltView) -> None:
        values = {"view": view.name, **dataclasses.asdict(built), "built_at": self._now}
        connection.execute(_upsert(connection.dialect.name, VERSIONS), values)

    def builds(self, connection: Connection) -> dict[str, Build]:
        """Return the tables that are being built, by view."""
        rows = connection.execute(select(BUILDS)).mappings()
        return {row["view"]: Build(**{name: value for name, value in row.items() if name != "view"}) for row in rows}

    def begin_build(self, connection: Connection, view: View, generation: int) -> None:
        """Record that a table is being built: from now on the projector writes to it too."""
        build = Build(version=view.version, fingerprint=view.fingerprint, generation=generation, started_at=self._now)
        connection.execute(_upsert(connection.dialect.name, BUILDS), {"view": view.name, **dataclasses.asdict(build)})

    def forget_build(self, connection: Connection, name: str) -> None:
        """Record that no table of this view is being built any more."""
        connection.execute(delete(BUILDS).where(BUILDS.c.view == name))

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
            again: Replace a row of the same version too, because data that it was computed from was erased.
        """
        if not rows:
            return
        target = view.table if table is None else table
        if view.sums and table is None:
            self._add_to_sums(connection, view, rows)
        guard = ">=" if again else ">"
        statement, values = _upsert_text(connection.dialect, target, None if view.appends else guard)
        connection.exec_driver_sql(statement, list(map(values, rows)))

    def remove(self, connection: Connection, view: View, id_: str, up_to: int) -> None:
        """Delete the rows of a stream up to a version, in the transaction that stores them anew."""
        which = view.table.c[view.key] == id_, view.table.c.version <= up_to
        if view.sums:
            self.lock_sums(connection)
            rows = list(map(dict, connection.execute(select(view.table).where(*which)).mappings()))
            for sums in view.sums:
                add(connection, sums, sums.of(rows, -1))
        connection.execute(delete(view.table).where(*which))

    def rows_of(self, connection: Connection, view: View, ids: Iterable[str]) -> Mapping[str, list[dict[str, Any]]]:
        """Return the stored rows by the id of their stream, in the order of the primary key."""
        key = view.table.c[view.key]
        order = list(view.table.primary_key.columns)
        found: dict[str, list[dict[str, Any]]] = {}
        for row in connection.execute(select(view.table).where(key.in_(list(ids))).order_by(*order)).mappings():
            found.setdefault(row[view.key], []).append(dict(row))
        return found

    def count(self, connection: Connection, view: View) -> int:
        """Return how many rows a view has: exactly up to ``COUNTED_MAX``, and about how many beyond it.

        Counting all rows of millions takes seconds.
        """
        some = select(view.table.c.version).limit(COUNTED_MAX + 1).subquery()
        counted = connection.execute(select(func.count()).select_from(some)).scalar_one()
        return counted if counted <= COUNTED_MAX else max(counted, estimated_rows(connection, view.name))

    def orders_of(self, connection: Connection, customers: Collection[str], table: Table | None = None) -> list[str]:
        """Return the ids of all orders of these customers in the view ``orders``, or in the one that is being built."""
        orders = ORDERS if table is None else table
        found = select(orders.c.order_id).where(orders.c.customer.in_(list(customers)))
        return list(connection.execute(found).scalars())

    # --- sums ------------------------------------------------------------------------------------------------------

    def lock_sums(self, connection: Connection) -> None:
        """Let one transaction at a time change rows that are summed. In SQLite no two transactions write at once.

        Each change of a day's rows changes the same few sums, so that transactions would wait for each other anyway.
        """
        if connection.dialect.name != "sqlite":
            connection.execute(select(func.pg_advisory_xact_lock(_SUMS_LOCK)))

    def _add_to_sums(self, connection: Connection, view: View, rows: Sequence[Row]) -> None:
        """Add those of the rows to the sums that are about to be inserted."""
        self.lock_sums(connection)
        key = list(view.table.primary_key.columns)
        ids = sorted({str(row[view.key]) for row in rows})
        stored = set(map(tuple, connection.execute(select(*key).where(key[0].in_(ids)))))
        new = {place: row for row in rows if (place := tuple(row[column.name] for column in key)) not in stored}
        for sums in view.sums:
            add(connection, sums, sums.of(new.values()))

    def sum_up(self, connection: Connection, view: View, day: str | None = None) -> None:
        """Compute the sums over the rows of a view anew: all, or those of a day."""
        self.lock_sums(connection)
        for sums in view.sums:
            sum_up(connection, sums, view.table, day)

    def summed_days(self, view: View) -> list[str]:
        """Return the days that rows of the view or sums over them have."""
        with self.reading() as connection:
            return days(connection, [view.table, *(each.table for each in view.sums)])

    def wrong_sums(self, view: View, day: str) -> list[str]:
        """Return the names of the tables whose sums of a day are not those of the rows."""
        with self.reading() as connection:
            return [each.table.name for each in view.sums if not is_right(connection, each, view.table, day)]

    # --- the position ----------------------------------------------------------------------------------------------

    def as_of(self, connection: Connection) -> AsOf:
        """Return how far the views are, in the snapshot of the transaction."""
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
        connection.execute(_upsert(connection.dialect.name, POSITION), values)

    # --- the daily comparison --------------------------------------------------------------------------------------

    def comparison(self, connection: Connection) -> ComparisonProgress | None:
        """Return how far the comparison of the views with the log is; None before the first."""
        row = connection.execute(select(COMPARISON).where(COMPARISON.c.projector == PROJECTOR)).mappings().one_or_none()
        if row is None:
            return None
        return ComparisonProgress(**{name: value for name, value in row.items() if name != "projector"})

    def set_comparison(self, connection: Connection, progress: ComparisonProgress) -> None:
        """Record how far the comparison is."""
        connection.execute(
            _upsert(connection.dialect.name, COMPARISON), {"projector": PROJECTOR, **dataclasses.asdict(progress)}
        )

    # --- parked histories ------------------------------------------------------------------------------------------

    def parked(self, connection: Connection, limit: int | None = None) -> list[ParkedStream]:
        """Return the parked histories, the oldest first; the first ``limit`` of them."""
        rows = connection.execute(select(PARKED).order_by(PARKED.c.since, PARKED.c.stream, PARKED.c.view).limit(limit))
        return [ParkedStream(view=row.view, stream=row.stream, error=row.error, since=row.since) for row in rows]

    def parked_by_view(self, connection: Connection) -> dict[str, int]:
        """Return how many streams are parked in each view that has some."""
        rows = connection.execute(select(PARKED.c.view, func.count().label("parked")).group_by(PARKED.c.view))
        return {row.view: row.parked for row in rows}

    def parked_count(self, connection: Connection) -> int:
        """Return how many streams are parked, counted once for each view."""
        return connection.execute(select(func.count()).select_from(PARKED)).scalar_one()

    def park(self, connection: Connection, view: str, stream: str, error: str) -> None:
        """Record that the rows of a stream could not be computed or stored. It keeps the time of the first error.

        Args:
            error: The class of the error. Its message may quote personal data of the history, so it is only logged.
        """
        values = {"view": view, "stream": stream, "error": error, "since": self._now}
        connection.execute(_upsert(connection.dialect.name, PARKED, changed=("error",)), values)

    def parked_among(self, connection: Connection, streams: Collection[str]) -> set[tuple[str, str]]:
        """Return the views and streams that are parked, of these streams."""
        found = select(PARKED.c.view, PARKED.c.stream).where(PARKED.c.stream.in_(list(streams)))
        return {(row.view, row.stream) for row in connection.execute(found)}

    def unpark(self, connection: Connection, view: str, stream: str) -> None:
        """Forget that a stream was parked."""
        connection.execute(delete(PARKED).where(PARKED.c.view == view, PARKED.c.stream == stream))

    @property
    def _now(self) -> str:
        return timestamp(self._clock.now())


@lru_cache(maxsize=64)
def build_table(view: View, generation: int) -> Table:
    """Return the definition of the table that is built beside the view's own."""
    return named(view.table, f"{view.name}_{generation}")


@lru_cache(maxsize=64)
def _upsert_text(dialect: Dialect, table: Table, guard: str | None) -> tuple[str, Callable[[Row], Any]]:
    """Return the text of ``_upsert``, and what makes the driver's parameters of a row.

    Rows have the values of the driver already. To convert them once more takes as long as to store them.
    """
    compiled = _upsert(dialect.name, table, guard=guard).compile(dialect=dialect)
    values = dict if compiled.positiontup is None else itemgetter(*compiled.positiontup)
    return str(compiled), values


@lru_cache(maxsize=64)
def _upsert(dialect_name: str, table: Table, *, guard: str | None = "", changed: tuple[str, ...] = ()) -> Any:
    """Return the statement that inserts a row, or changes the row with the same primary key. It is built once.

    Args:
        guard: ``>`` or ``>=``: change it only if the new ``version`` compares so to the stored one. Empty: always.
            None: never.
        changed: The columns to change; all but the key by default.
    """
    dialect = sqlite if dialect_name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    if guard is None:
        return statement.on_conflict_do_nothing(index_elements=keys)
    names = changed or [column.name for column in table.columns if column.name not in keys]
    where = None if not guard else statement.excluded["version"].op(guard)(table.c["version"])
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in names}, where=where
    )
