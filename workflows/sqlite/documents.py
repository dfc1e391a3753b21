"""Documents in SQLite. Sort keys are compared by code point, in the same order as DynamoDB's UTF-8 bytes."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, Literal, TypeAlias

import apsw

from workflows.asl.json_text import from_text
from workflows.event_store.documents import AnyVersion, Document, DocumentsUnavailable, Expected, check_version
from workflows.hub.hub import wait
from workflows.sqlite.database import Database, DatabaseUnavailable, T, Work

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, expires_s INTEGER,
    PRIMARY KEY (pk, sk)
) WITHOUT ROWID, STRICT
"""
_EXPIRING = "CREATE INDEX IF NOT EXISTS documents_expiring ON documents (expires_s) WHERE expires_s IS NOT NULL"
_COLUMNS = "pk, sk, version, body"

_encode = json.JSONEncoder().encode  # in ASCII: SQLite takes no lone surrogates

_PARTITIONS_KEPT_MAX = 4096  # three an order in flight
_READS_KEPT_MAX = 8  # of one partition
_ROWS_KEPT_MAX = 25  # of one read: an order has a few waits; a long listing is read again

_Values: TypeAlias = tuple[str | int, ...]
_Rows: TypeAlias = list[tuple[Any, ...]]


class SqliteDocuments:
    """A write shares its transaction and fsync with all other queued writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent = _RecentReads()
        self._foreign_writes = 0
        if not database.read_only:
            database.write(_create_table)

    def get(self, pk: str, sk: str) -> Document | None:
        rows = self._select(pk, "sk = ?", (sk,))
        return _document(rows[0]) if rows else None

    def put(self, document: Document, expected: Expected) -> Document:
        body = _encode(document.body)

        def work(connection: apsw.Connection) -> int:
            replaced = _version(connection, document.pk, document.sk)
            check_version(document.pk, document.sk, expected, replaced)
            version = (replaced or 0) + 1
            row = (document.pk, document.sk, version, body, document.expires_s)
            connection.execute(f"REPLACE INTO documents ({_COLUMNS}, expires_s) VALUES (?, ?, ?, ?, ?)", row)
            if document.expires_s is not None:  # those that expire clear away those that have expired
                connection.execute("DELETE FROM documents WHERE expires_s < unixepoch()")
            return version

        version = self._write(work, pk=document.pk if document.expires_s is None else None)
        return _document((document.pk, document.sk, version, body))

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        def work(connection: apsw.Connection) -> None:
            check_version(pk, sk, expected, _version(connection, pk, sk))
            connection.execute("DELETE FROM documents WHERE pk = ? AND sk = ?", (pk, sk))

        self._write(work, pk=pk)

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        rows = self._select(pk, "sk > ? ORDER BY sk LIMIT ?", (after or "", limit))
        return [_document(row) for row in rows]

    def _write(self, work: Work[T], *, pk: str | None) -> T:
        """Write documents of the partition ``pk``; None: of any."""
        try:
            return wait(self._database.submit(work, on_durable=lambda _: self._recent.forget(pk)))
        except DatabaseUnavailable as error:
            raise DocumentsUnavailable(str(error)) from error

    def _select(self, pk: str, where: str, values: _Values) -> _Rows:
        """Read rows of a partition, on the hub at most once between two writes of the partition."""
        if (foreign := self._database.foreign_writes()) is None:
            return self._read(pk, where, values)
        if foreign != self._foreign_writes:
            self._recent.forget(None)
            self._foreign_writes = foreign
        rows = self._recent.find(pk, (where, *values))
        if rows is None:
            rows = self._read(pk, where, values)
            self._recent.keep(pk, (where, *values), rows)
        return rows

    def _read(self, pk: str, where: str, values: _Values) -> _Rows:
        sql = f"SELECT {_COLUMNS} FROM documents WHERE pk = ? AND {where}"
        try:
            return self._database.read(lambda connection: connection.execute(sql, (pk, *values)).fetchall())
        except (DatabaseUnavailable, apsw.BusyError) as error:
            raise DocumentsUnavailable(str(error)) from error


class _RecentReads:
    """The rows of the reads made last, by partition: most reads of an order's waits find what the read before found.

    They stay exact as the histories of ``recent`` do. Only the hub's thread uses them, and a durable write of a
    partition drops its reads before any other code runs.
    """

    def __init__(self) -> None:
        self._reads: OrderedDict[str, dict[_Values, _Rows]] = OrderedDict()

    def find(self, pk: str, read: _Values) -> _Rows | None:
        return self._reads.get(pk, {}).get(read)

    def keep(self, pk: str, read: _Values, rows: _Rows) -> None:
        if len(rows) > _ROWS_KEPT_MAX:
            return
        reads = self._reads.setdefault(pk, {})
        if len(reads) < _READS_KEPT_MAX:
            reads[read] = rows
        self._reads.move_to_end(pk)
        if len(self._reads) > _PARTITIONS_KEPT_MAX:
            self._reads.popitem(last=False)

    def forget(self, pk: str | None) -> None:
        """Drop the reads of a partition; all if ``pk`` is None."""
        if pk is None:
            self._reads.clear()
        else:
            self._reads.pop(pk, None)


def _create_table(connection: apsw.Connection) -> None:
    connection.execute(_TABLE)
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(documents)")]
    if "indexes" in columns:  # folders of earlier versions: the column was written, but never read
        connection.execute("ALTER TABLE documents DROP COLUMN indexes")
    if "expires_s" not in columns:  # folders of versions before documents could expire
        connection.execute("ALTER TABLE documents ADD COLUMN expires_s INTEGER")
    connection.execute(_EXPIRING)


def _version(connection: apsw.Connection, pk: str, sk: str) -> int | None:
    row = connection.execute("SELECT version FROM documents WHERE pk = ? AND sk = ?", (pk, sk)).fetchone()
    return row[0] if row else None


def _document(row: tuple[Any, ...]) -> Document:
    """Build a document. A STRICT table enforces the column types."""
    pk, sk, version, body = row
    stored: Any = from_text(body)
    return Document(pk, sk, stored, version)
