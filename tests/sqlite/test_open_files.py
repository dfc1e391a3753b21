"""The files of a database: deleted, replaced or overwritten under a writer, of another program, on read-only media."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
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


def empty(path: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def copy_another_over(path: Path) -> None:
    """Another database of this program, e.g. an older copy of this one, written into the same file."""
    with Database(path.with_name("another.db")) as another:
        another.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
    path.write_bytes(path.with_name("another.db").read_bytes())


def copy_older_over(path: Path) -> None:
    """A copy from before this process opened the file."""
    path.write_bytes(path.with_name("older.db").read_bytes())


def zero_the_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(4096))


def insert(database: Database, number: int) -> None:
    database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", (number,)).close())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *((change, name) for change in (delete, replace, empty) for name in ("state.db", "state.db-wal")),
        (cut, "state.db-wal"),
        *((change, "state.db") for change in (cut, copy_another_over, copy_older_over, zero_the_first_page)),
    ],
)
def test_a_commit_into_a_file_whose_content_is_gone_is_not_acknowledged(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    """It would be lost with the process. Nothing is written any more, and the owner of the database gets the error."""
    with Database(tmp_path / "state.db") as database:
        database.write(lambda c: c.execute("CREATE TABLE u (a)").close())
    shutil.copy(tmp_path / "state.db", tmp_path / "older.db")
    broken: list[BaseException] = []
    with Database(tmp_path / "state.db", on_break=broken.append) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        insert(database, 1)
        change(tmp_path / name)
        for number in (2, 3):
            with pytest.raises(DatabaseBroken, match=f"{name} was deleted, replaced or overwritten"):
                insert(database, number)
        assert [str(error) for error in broken] == [
            f"{tmp_path / 'state.db'} can no longer be written ({name} was deleted, replaced or overwritten while it "
            "was open); check the disk, then start the engine again"
        ]


SHELL = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as shell:
    shell.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    shell.execute("INSERT INTO t VALUES (?)", (sys.argv[2],))
"""


def test_a_wal_that_sqlite_began_again_or_truncated_is_no_loss(tmp_path: Path) -> None:
    """By its checkpoints, also those of a database shell: every commit before is in the database."""
    path = tmp_path / "state.db"
    with Database(path) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        for number in range(20):
            insert(database, number)
            if number % 7 == 3:
                database.truncate_wal()
            if number % 7 == 5:
                subprocess.run([sys.executable, "-c", SHELL, path, str(1000 + number)], check=True, timeout=60)
            database.write(lambda c: None)  # a commit that changes nothing
        assert database.read(lambda c: c.execute("SELECT count(*) FROM t").fetchone()) == (20 + 3,)


def test_a_vacuum_by_a_database_shell_is_no_loss(tmp_path: Path) -> None:
    """It makes the file shorter, and the engine goes on."""
    with Database(tmp_path / "state.db") as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)").close())
        database.write(lambda c: c.execute("INSERT INTO t (b) VALUES (zeroblob(1000000))").close())
        database.truncate_wal()
        insert_numbered = "INSERT INTO t (a) VALUES (?)"
        database.write(lambda c: c.execute(insert_numbered, (7,)).close())
        before = (tmp_path / "state.db").stat().st_size
        shell = "DELETE FROM t WHERE b IS NOT NULL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"
        subprocess.run(
            [sys.executable, "-c", f"import apsw; apsw.Connection({str(tmp_path / 'state.db')!r}).execute({shell!r})"],
            check=True,
        )
        assert (tmp_path / "state.db").stat().st_size < before
        database.write(lambda c: c.execute(insert_numbered, (8,)).close())


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
