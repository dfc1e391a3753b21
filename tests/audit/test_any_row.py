"""The audit handles any content of a stored row: each changed row has a finding, and no exception is raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested, PreparationRequested
from tests.stores import SettableClock
from workflows.audit.findings import Report
from workflows.audit.verify import heads, verify
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec, Undecodable
from workflows.event_store.commits import ChainBroken, NewCommit
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

STREAMS = ("order#a", "order#b")
COLUMNS = ("pk", "sk", "k", "ts", "h", "ev")


@dataclass
class Tampered:
    """A log whose table an attacker replaced by one that takes any type in any column."""

    database: Database
    log: SqliteEventLog

    def write(self, sql: str, *values: Any) -> None:
        self.database.write(lambda connection: connection.execute(sql, values).close())

    def rows(self) -> list[tuple[Any, ...]]:
        columns = ", ".join(f"typeof({name}), hex(CAST({name} AS BLOB))" for name in COLUMNS)
        return self.database.read(lambda c: c.execute(f"SELECT {columns} FROM events ORDER BY position").fetchall())

    def restore(self) -> None:
        self.write("DELETE FROM events")
        self.write("INSERT INTO events SELECT * FROM original")


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tampered]:
    path: Path = tmp_path_factory.mktemp("log") / "state.db"
    with Database(path) as database:
        log = SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), SettableClock())
        for stream in STREAMS:
            history = log.load(stream)
            for n in range(4):
                events = (CourierRequested(attempt=n), PreparationRequested())[: 1 + n % 2]
                new = NewCommit(key=f"k{n}", events=events, actor=SYSTEM, correlation="", causation="", body_hash="b")
                history = log.append(history, new)
        log_under_test = Tampered(database, log)
        log_under_test.write("ALTER TABLE events RENAME TO original")
        log_under_test.write("CREATE TABLE events (position INTEGER PRIMARY KEY, pk, sk, k, ts, h, ev)")
        log_under_test.restore()
        assert verify(log).intact
        yield log_under_test


def audited(log: SqliteEventLog) -> Report:
    """Verify, and check that all other reads raise no exception but the two that name a broken stream."""
    report = verify(log)
    for stream in STREAMS:
        if any(finding.stream == stream for finding in report.findings):
            with pytest.raises((ChainBroken, Undecodable)):
                log.load(stream)
    if report.findings:
        with pytest.raises(ChainBroken):
            list(heads(log))
    list(log.scan())
    log.changes(None, 100)
    return report


TEXTS = st.text() | st.sampled_from([*STREAMS, "order#", "", "#", "order#\x00", "2026-05-04T12:00:00.000000Z"])
BYTES = st.binary(max_size=40)
VALUES = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXTS, BYTES)


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, tuple[Any, ...]]:
    """A statement that changes one column of one row, or adds a row, and its values."""
    position, column = draw(st.integers(1, 8)), draw(st.sampled_from(COLUMNS))
    match draw(st.sampled_from(["value", "text of bytes", "byte", "type", "row", "delete", "copy"])):
        case "value":
            return f"UPDATE events SET {column} = ? WHERE position = ?", (draw(VALUES), position)
        case "text of bytes":
            return f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE position = ?", (draw(BYTES), position)
        case "byte":
            at, byte = draw(st.integers(1, 200)), draw(st.binary(min_size=1, max_size=1))
            cut = f"substr(CAST({column} AS BLOB), 1, ?) || ? || substr(CAST({column} AS BLOB), ?)"
            sql = f"UPDATE events SET {column} = CAST({cut} AS TEXT) WHERE position = ?"
            return sql, (at - 1, byte, at + 1, position)
        case "type":
            kind = draw(st.sampled_from(["TEXT", "BLOB", "INTEGER", "REAL"]))
            return f"UPDATE events SET {column} = CAST({column} AS {kind}) WHERE position = ?", (position,)
        case "delete":  # the last commit of a stream can only be missed by a published head
            return "DELETE FROM events WHERE position = ?", (draw(st.sampled_from([1, 2, 3, 5, 6, 7])),)
        case "copy":
            sql = (
                f"INSERT INTO events ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)} FROM events WHERE position = ?"
            )
            return sql, (position,)
        case _:
            sql = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)"
            return sql, tuple(draw(VALUES) for _ in COLUMNS)


@settings(max_examples=600, deadline=None)
@given(mutations())
def test_each_change_of_a_stored_row_has_a_finding(tampered: Tampered, mutation: tuple[str, tuple[Any, ...]]):
    """Any type and any bytes in any column, an added row anywhere, a deleted row."""
    before = tampered.rows()
    try:
        tampered.write(mutation[0], *mutation[1])
        changed = tampered.rows() != before
        assert audited(tampered.log).intact != changed
    finally:
        tampered.restore()


@settings(max_examples=200, deadline=None)
@given(st.lists(mutations(), min_size=2, max_size=6))
def test_no_number_of_changes_ends_in_an_exception(tampered: Tampered, several: list[tuple[str, tuple[Any, ...]]]):
    """Several broken rows are named too."""
    try:
        for sql, values in several:
            tampered.write(sql, *values)
        audited(tampered.log)
    finally:
        tampered.restore()


@pytest.mark.parametrize(
    ("sql", "stream", "what"),
    [
        ("UPDATE events SET ev = CAST(x'ff' AS TEXT) WHERE position = 2", "order#a", "ev is not text in UTF-8"),
        ("UPDATE events SET h = NULL WHERE position = 2", "order#a", "h is missing"),
        ("UPDATE events SET k = 7 WHERE position = 2", "order#a", "k is of type integer"),
        ("UPDATE events SET ts = CAST(ts AS BLOB) WHERE position = 2", "order#a", "ts is of type blob"),
        ("UPDATE events SET pk = NULL WHERE position = 2", "row 2", "pk is missing"),
        ("UPDATE events SET sk = 1.5 WHERE position = 2", "order#a", "sk is of type real"),
        ("UPDATE events SET pk = '' WHERE position = 2", "", "is outside every stream"),
        ("UPDATE events SET pk = 'order' WHERE position = 2", "order", "is outside every stream"),
        ("UPDATE events SET pk = CAST(x'6f7264657223ff' AS TEXT) WHERE position = 2", "order#\\xff", "pk is not text"),
    ],
)
def test_a_row_that_is_no_commit_is_named_by_its_column(tampered: Tampered, sql: str, stream: str, what: str):
    """The finding tells a person where to look."""
    try:
        tampered.write(sql)
        findings = audited(tampered.log).findings
        assert any(finding.stream == stream and what in finding.what for finding in findings), findings
    finally:
        tampered.restore()


def test_a_row_that_is_no_commit_does_not_end_the_listing_of_the_others(tampered: Tampered):
    """The watchdog and the views continue with the intact streams."""
    try:
        tampered.write("UPDATE events SET ev = CAST(x'ff' AS TEXT) WHERE position = 2")
        assert [(commit.pk, commit.sk) for commit in tampered.log.scan()][:3] == [
            ("order#a", 1),
            ("order#a", 4),
            ("order#a", 5),
        ]
        assert [entry.position for entry in tampered.log.changes(None, 3)] == [1, 3, 4]
        assert tampered.log.load("order#b").version == 6
    finally:
        tampered.restore()
