"""The files of a database: deleted or replaced under a writer, of another program, or on a medium without writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from workflows.sqlite.database import APPLICATION_ID, Database, DatabaseBroken, DatabaseForeign


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)


def insert(database: Database, number: int) -> None:
    database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", (number,)).close())


@pytest.mark.parametrize("name", ["state.db", "state.db-wal"])
@pytest.mark.parametrize("change", [delete, replace])
def test_a_commit_into_a_deleted_or_replaced_file_is_not_acknowledged(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    """It would be lost with the process. Nothing is written any more, and the owner of the database gets the error."""
    broken: list[BaseException] = []
    with Database(tmp_path / "state.db", on_break=broken.append) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        insert(database, 1)
        change(tmp_path / name)
        for number in (2, 3):
            with pytest.raises(DatabaseBroken, match=f"{name} was deleted or replaced"):
                insert(database, number)
        assert [str(error) for error in broken] == [
            f"{tmp_path / 'state.db'} can no longer be written ({name} was deleted or replaced while it was open); "
            "check the disk, then start the engine again"
        ]


def test_a_database_of_another_program_is_refused_and_not_written_to(tmp_path: Path) -> None:
    """It would get our tables, and its program our rows."""
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(DatabaseForeign, match="another program"):
        Database(path)
    assert path.read_bytes() == before


def test_a_database_with_the_application_id_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA application_id = 1")
        other.execute("CREATE TABLE events (a TEXT)")
    with pytest.raises(DatabaseForeign):
        Database(path)


@pytest.mark.parametrize("table", [None, "events"])
def test_a_file_from_before_the_application_id_is_taken_over(tmp_path: Path, table: str | None) -> None:
    """None: an empty file."""
    path = tmp_path / "state.db"
    path.touch()
    if table is not None:
        with sqlite3.connect(path) as former:
            former.execute(f"CREATE TABLE {table} (a TEXT)")
    Database(path).close()
    with sqlite3.connect(path) as reopened:
        assert reopened.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.fixture
def no_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A medium without writing, where SQLite cannot make the files beside a database that it needs for a WAL."""
    opened_reader = Database._opened_reader

    def opened(self: Database) -> apsw.Connection:
        if self._source == str(self.path):
            raise apsw.CantOpenError("unable to open database file")
        return opened_reader(self)

    monkeypatch.setattr(Database, "_opened_reader", opened)
    monkeypatch.setattr(os, "access", lambda *_: False)


@pytest.mark.parametrize("has_wal", [False, True])
def test_a_database_on_a_read_only_medium_is_read_with_its_wal(
    tmp_path: Path, has_wal: bool, request: pytest.FixtureRequest
) -> None:
    """A WAL that was left out would hide the newest commits from a verification."""
    path = tmp_path / "medium" / "state #1?.db"
    with Database(tmp_path / "state.db") as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        insert(database, 1)
        if has_wal:
            _copy(tmp_path / "state.db", path)
    if not has_wal:
        _copy(tmp_path / "state.db", path)
    assert path.with_name(f"{path.name}-wal").exists() is has_wal
    request.getfixturevalue("no_writing")
    before = sorted(path.parent.iterdir())
    with Database(path, read_only=True) as database:
        rows: Any = database.read(lambda c: c.execute("SELECT a FROM t").fetchall())
        assert rows == [(1,)]
    assert sorted(path.parent.iterdir()) == before


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir()
    for suffix in ("", "-wal"):
        if Path(f"{source}{suffix}").exists():
            shutil.copy(f"{source}{suffix}", f"{target}{suffix}")
