"""A log that lacks what the simulated providers were asked to do is found, whatever else was done to its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested
from tests.stores import SettableClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import NewCommit
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sandbox.lost_history import orders_without_history
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with an order of three commits and a line of the kitchen's ledger for each of them.

    The table of the log takes any type in any column, as a program that changed it may have made it.
    """
    with Database(tmp_path / "log.sqlite") as database:
        log = SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), SettableClock())
        history = log.load("order#ord_1")
        for attempt in range(3):
            event = CourierRequested(attempt=attempt)
            new = NewCommit(
                key=f"k{attempt}", events=(event,), actor=SYSTEM, correlation="", causation="", body_hash="b"
            )
            history = log.append(history, new)
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as log_file, log_file:
        log_file.execute("ALTER TABLE events RENAME TO original")
        log_file.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, pk, sk, k, ts, h, ev)")
        log_file.execute("INSERT INTO events SELECT * FROM original")
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite")) as ledgers, ledgers:
        ledgers.execute("CREATE TABLE kitchen_lines (seq INTEGER PRIMARY KEY, key TEXT)")
        ledgers.executemany("INSERT INTO kitchen_lines (key) VALUES (?)", [(f"ord_1/{n}",) for n in (1, 2, 3)])
    return tmp_path


def _lost(folder: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(folder / "log.sqlite")) as log, log:
        log.execute(sql)
    return [str(order) for order in orders_without_history(folder / "log.sqlite", folder / "sandbox.sqlite")]


@pytest.mark.parametrize("rows", ["sk = 3", "sk >= 2", "true"])
def test_an_order_whose_last_commits_are_missing_is_named(folder: Path, rows: str) -> None:
    """Its providers know it further than the log does."""
    assert _lost(folder, "SELECT 1") == []
    assert _lost(folder, f"DELETE FROM events WHERE {rows}") == ["ord_1"]


@pytest.mark.parametrize(
    "change",
    [
        "sk = 'three'",
        "k = NULL",
        "ts = CAST(ts AS BLOB)",
        "ts = CAST(x'ff' AS TEXT)",
        "h = hex(h)",
        "ev = CAST(x'7bff7d' AS TEXT)",
        "ev = 7",
        "ev = 'no JSON'",
        "ev = '@ no line of the archive'",
    ],
)
def test_an_order_whose_last_commit_is_not_readable_is_not_lost(folder: Path, change: str) -> None:
    """The audit names it. The engine must start, so that the other orders continue."""
    assert _lost(folder, f"UPDATE events SET {change} WHERE sk = 3") == []
