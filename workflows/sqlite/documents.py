"""Documents in SQLite. Sort keys are compared by code point, in the same order as DynamoDB's UTF-8 bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import apsw

from workflows.event_store.documents import AnyVersion, Document, DocumentsUnavailable, Expected, check_version
from workflows.sqlite.database import Database, DatabaseUnavailable, T, Work

_TABLE = """
CREATE TABLE IF NOT EXISTS documents (
    pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, expires_s INTEGER,
    PRIMARY KEY (pk, sk)
) WITHOUT ROWID, STRICT
"""
_EXPIRING = "CREATE INDEX IF NOT EXISTS documents_expiring ON documents (expires_s) WHERE expires_s IS NOT NULL"
_COLUMNS = "pk, sk, version, body"


class SqliteDocuments:
    """A write shares its transaction and fsync with all other queued writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if not database.read_only:
            database.write(_create_table)

    def get(self, pk: str, sk: str) -> Document | None:
        sql = f"SELECT {_COLUMNS} FROM documents WHERE pk = ? AND sk = ?"
        rows = _select(self._database, sql, (pk, sk))
        return _document(rows[0]) if rows else None

    def put(self, document: Document, expected: Expected) -> Document:
        body = json.dumps(document.body)

        def work(connection: apsw.Connection) -> int:
            replaced = _version(connection, document.pk, document.sk)
            check_version(document.pk, document.sk, expected, replaced)
            version = (replaced or 0) + 1
            row = (document.pk, document.sk, version, body, document.expires_s)
            connection.execute(f"REPLACE INTO documents ({_COLUMNS}, expires_s) VALUES (?, ?, ?, ?, ?)", row)
            if document.expires_s is not None:  # those that expire clear away those that have expired
                connection.execute("DELETE FROM documents WHERE expires_s < unixepoch()")
            return version

        version = self._write(work)
        return replace(document, version=version, body=json.loads(body))

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        def work(connection: apsw.Connection) -> None:
            check_version(pk, sk, expected, _version(connection, pk, sk))
            connection.execute("DELETE FROM documents WHERE pk = ? AND sk = ?", (pk, sk))

        self._write(work)

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        sql = f"SELECT {_COLUMNS} FROM documents WHERE pk = ? AND sk > ? ORDER BY sk LIMIT ?"
        return [_document(row) for row in _select(self._database, sql, (pk, after or "", limit))]

    def _write(self, work: Work[T]) -> T:
        try:
            return self._database.write(work)
        except DatabaseUnavailable as error:
            raise DocumentsUnavailable(str(error)) from error


def _create_table(connection: apsw.Connection) -> None:
    connection.execute(_TABLE)
    columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(documents)")]
    if "indexes" in columns:  # folders of earlier versions: the column was written, but never read
        connection.execute("ALTER TABLE documents DROP COLUMN indexes")
    if "expires_s" not in columns:  # folders of versions before documents could expire
        connection.execute("ALTER TABLE documents ADD COLUMN expires_s INTEGER")
    connection.execute(_EXPIRING)


def _select(database: Database, sql: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
    try:
        return database.read(lambda connection: connection.execute(sql, values).fetchall())
    except (DatabaseUnavailable, apsw.BusyError) as error:
        raise DocumentsUnavailable(str(error)) from error


def _version(connection: apsw.Connection, pk: str, sk: str) -> int | None:
    row = connection.execute("SELECT version FROM documents WHERE pk = ? AND sk = ?", (pk, sk)).fetchone()
    return row[0] if row else None


def _document(row: tuple[Any, ...]) -> Document:
    """Build a document. A STRICT table enforces the column types."""
    pk, sk, version, body = row
    return Document(pk, sk, json.loads(body), version)
