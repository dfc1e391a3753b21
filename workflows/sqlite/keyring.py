"""Data keys in a SQLite table of their own.

The keys are readable to every reader of the file: on one machine they serve erasure and do not protect a stolen disk.
Erasing overwrites the row (``secure_delete``) and truncates the WAL, so that the key is in neither; copies of the file
made earlier still hold it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import apsw

from workflows.event_store.keyring import DataKey, KeyRingUnavailable, new_data_key
from workflows.sqlite.database import Database, DatabaseUnavailable, T, Work

_TABLE = """
CREATE TABLE IF NOT EXISTS data_keys (
    customer TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, material BLOB NOT NULL
) STRICT
"""
_CACHED_MAX = 10_000  # keys, about 3 MB


class SqliteKeyRing:
    """A new customer costs one write, which shares its fsync with all other queued writes."""

    forgotten_after_s = 0.0

    def __init__(
        self,
        database: Database,
        *,
        before_destroy: Callable[[str], None] = lambda _: None,
        on_destroy: Callable[[], None] = lambda: None,
    ) -> None:
        """Create the table unless the database is read-only.

        Args:
            before_destroy: Called with the id of a key before it is destroyed.
            on_destroy: Called once a key is gone, to drop what was decrypted with it.
        """
        self._database = database
        self._before_destroy = before_destroy
        self._on_destroy = on_destroy
        self._cache: OrderedDict[str, DataKey] = OrderedDict()  # by "customer <id>" and by "key <id>"
        self._gate = threading.Lock()
        self._destroyed = 0  # counts destructions: a key read before one is not cached after it
        if not database.read_only:
            database.write(lambda connection: connection.execute(_TABLE).close())

    def current(self, customer: str) -> DataKey:
        cached = self._cache.get(f"customer {customer}")
        if cached is not None:
            return cached
        destroyed = self._destroyed
        sql = "SELECT id, material FROM data_keys WHERE customer = ?"
        key = self._read(sql, customer) or self._write(lambda connection: _create(connection, customer))
        self._remember(destroyed, f"customer {customer}", key)
        self._remember(destroyed, f"key {key.id}", key)
        return key

    def find(self, key_id: str) -> DataKey | None:
        cached = self._cache.get(f"key {key_id}")
        if cached is not None:
            return cached
        destroyed = self._destroyed
        key = self._read("SELECT id, material FROM data_keys WHERE id = ?", key_id)
        if key is not None:
            self._remember(destroyed, f"key {key_id}", key)
        return key

    def key_id_of(self, customer: str) -> str | None:
        key = self._read("SELECT id, material FROM data_keys WHERE customer = ?", customer)
        return None if key is None else key.id

    def customer_of(self, key_id: str) -> str | None:
        """Return the customer whose key this is; None if it does not exist."""
        sql = "SELECT customer FROM data_keys WHERE id = ?"
        rows = self._rows(sql, key_id)
        return None if not rows else str(rows[0][0])

    def destroy(self, customer: str, key_id: str) -> bool:
        self._before_destroy(key_id)
        sql = "DELETE FROM data_keys WHERE customer = ? AND id = ? RETURNING id"
        row = self._write(lambda connection: connection.execute(sql, (customer, key_id)).fetchone())
        with self._gate:
            self._destroyed += 1
            self._cache.pop(f"customer {customer}", None)
            self._cache.pop(f"key {key_id}", None)
        self._on_destroy()
        self._truncate_wal()
        return row is not None

    def forget(self) -> None:
        """Drop all keys that were read: another process may have destroyed one of them."""
        with self._gate:
            self._destroyed += 1
            self._cache.clear()

    def _remember(self, destroyed: int, name: str, key: DataKey) -> None:
        with self._gate:
            if destroyed == self._destroyed:
                self._cache[name] = key
            if len(self._cache) > _CACHED_MAX:
                self._cache.popitem(last=False)

    def _read(self, sql: str, value: str) -> DataKey | None:
        rows = self._rows(sql, value)
        return _key(rows[0]) if rows else None

    def _rows(self, sql: str, value: str) -> list[tuple[Any, ...]]:
        try:
            return self._database.read(lambda connection: connection.execute(sql, (value,)).fetchall())
        except (DatabaseUnavailable, apsw.BusyError) as error:
            raise KeyRingUnavailable(str(error)) from error

    def _truncate_wal(self) -> None:
        """Truncate the WAL, also if no row was deleted: an earlier attempt may have ended between the two."""
        try:
            self._database.truncate_wal()
        except DatabaseUnavailable as error:
            raise KeyRingUnavailable(str(error)) from error

    def _write(self, work: Work[T]) -> T:
        try:
            return self._database.write(work)
        except DatabaseUnavailable as error:
            raise KeyRingUnavailable(str(error)) from error


def _create(connection: apsw.Connection, customer: str) -> DataKey:
    """Insert a key unless there is one, and return the stored one. The writer thread runs one such work at a time."""
    fresh = new_data_key()
    insert = "INSERT OR IGNORE INTO data_keys (customer, id, material) VALUES (?, ?, ?)"
    connection.execute(insert, (customer, fresh.id, fresh.material))
    rows = connection.execute("SELECT id, material FROM data_keys WHERE customer = ?", (customer,)).fetchall()
    return _key(rows[0])


def _key(row: tuple[Any, ...]) -> DataKey:
    """Build a key. A STRICT table enforces the column types."""
    return DataKey(row[0], row[1])
