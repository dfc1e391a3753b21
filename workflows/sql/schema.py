"""Create tables by their definition, and replace an old table by a newly built one.

Alembic is not used: its migrations change tables that must keep their rows. The rows here are computed from the log, so
a table of another shape is built beside the old one and takes its place; no row is ever migrated. The bookkeeping
tables are never changed; new ones are only added.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Index, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.elements import quoted_name


def named(table: Table, name: str) -> Table:
    """Return a definition like ``table`` under another name, with its indexes named after it.

    Names of indexes are global in a database, and stay when a table is renamed: so each built table needs its own.
    """
    copy = table.to_metadata(MetaData(), name=name)
    for index in copy.indexes:
        index.name = quoted_name(f"{name}_{index.name}", quote=None)
    return copy


def create(connection: Connection, table: Table) -> None:
    """Create a table with its indexes."""
    connection.execute(CreateTable(table))
    create_indexes(connection, table)


def create_without_indexes(connection: Connection, table: Table) -> None:
    """Create a table without indexes, because filling it is several times faster before ``create_indexes``."""
    connection.execute(CreateTable(table))


def create_indexes(connection: Connection, table: Table, *, only: Index | None = None) -> None:
    """Create those indexes of a table that it does not have yet, or only one of them."""
    present = {index["name"] for index in inspect(connection).get_indexes(table.name)}
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        if index.name not in present and only in (None, index):
            connection.execute(CreateIndex(index))


def create_missing(connection: Connection, tables: Iterable[Table]) -> None:
    """Create those tables that the database does not have yet."""
    for table in tables:
        if not exists(connection, table.name):
            create(connection, table)


def exists(connection: Connection, name: str) -> bool:
    """Return whether the database has a table of this name."""
    return inspect(connection).has_table(name)


def columns_of(connection: Connection, name: str) -> set[str]:
    """Return the names of a table's columns."""
    return {column["name"] for column in inspect(connection).get_columns(name)}


def estimated_rows(connection: Connection, name: str) -> int:
    """Return about how many rows a table has, without reading them."""
    if connection.dialect.name == "sqlite":  # rowids are given in turn
        return connection.execute(text(f"SELECT max(rowid) FROM {_quoted(connection, name)}")).scalar() or 0
    found = connection.execute(text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)"), {"name": name})
    return int(found.scalar() or 0)


def analyze(connection: Connection, name: str) -> None:
    """Let PostgreSQL sample a table that was filled, which autovacuum would do within a minute.

    SQLite keeps no statistics here: the searches decide by themselves which index is used.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"ANALYZE {_quoted(connection, name)}"))


def drop(connection: Connection, name: str, *, wipe: bool = True) -> None:
    """Drop a table and its indexes, if there is one.

    Args:
        wipe: Overwrite its pages in a file of SQLite. Without it they are only marked as free, and dropping a table of
            gigabytes does not write as many.
    """
    statement = text(f"DROP TABLE IF EXISTS {_quoted(connection, name)}")
    if wipe or connection.dialect.name != "sqlite":
        connection.execute(statement)
        return
    connection.exec_driver_sql("PRAGMA secure_delete=FAST")
    try:
        connection.execute(statement)
    finally:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def swap(connection: Connection, built: str, name: str, *, wipe: bool = True) -> None:
    """Replace the table ``name``, which is dropped, by the table ``built``. Readers see one or the other."""
    drop(connection, name, wipe=wipe)
    connection.execute(text(f"ALTER TABLE {_quoted(connection, built)} RENAME TO {_quoted(connection, name)}"))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
