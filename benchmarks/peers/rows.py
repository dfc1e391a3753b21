"""Rows of a SQLite file in WAL mode, each synced to the disk before ``add`` returns.

Rows that are added at the same time share one transaction and one fsync, as the writes of one turn of our engine do, so
that no peer is slow because of its application's file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

_WRITTEN_WITHIN_S = 60.0
_AT_ONCE = 256
_Row = tuple[str, str, str]


class SyncedRows:
    """An append-only table of what happened to orders. Threads may share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._added: SimpleQueue[tuple[_Row, Future[None]]] = SimpleQueue()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(
                "CREATE TABLE rows (reference TEXT, kind TEXT, body TEXT, PRIMARY KEY (reference, kind)) WITHOUT ROWID"
            )
        Thread(target=self._write, daemon=True).start()

    def add(self, reference: str, kind: str) -> str:
        """Add a row, once for any number of repeats. Durable on return."""
        body = f'{{"reference":"{reference}","kind":"{kind}","amount":"28.00 EUR","at":"2026-05-04T12:00:00Z"}}'
        written: Future[None] = Future()
        self._added.put(((reference, kind, body), written))
        written.result(_WRITTEN_WITHIN_S)
        return body

    def kinds(self) -> dict[str, set[str]]:
        """Return the kinds of rows of each order, as they are in the file."""
        kinds: dict[str, set[str]] = {}
        with closing(sqlite3.connect(self._file)) as connection:
            for reference, kind in connection.execute("SELECT reference, kind FROM rows"):
                kinds.setdefault(reference, set()).add(kind)
        return kinds

    def _write(self) -> None:
        connection = sqlite3.connect(self._file, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        while True:
            rows = [self._added.get(), *self._waiting()]
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", [row for row, _ in rows])
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                for _, written in rows:
                    written.set_exception(error)
                raise
            for _, written in rows:
                written.set_result(None)

    def _waiting(self) -> Iterator[tuple[_Row, Future[None]]]:
        for _ in range(_AT_ONCE):
            try:
                yield self._added.get_nowait()
            except Empty:
                return
