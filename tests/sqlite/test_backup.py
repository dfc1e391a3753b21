"""A folder is copied while its engine writes: complete, private, and as it was at one moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from workflows.sqlite import backup
from workflows.sqlite.backup import BackupRefused, back_up
from workflows.sqlite.database import Database

LOG, LEDGER, MARK = "log.sqlite", "ledger.sqlite", "a-backup.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log and a ledger, and the other files that an engine leaves."""
    folder = tmp_path / "data"
    for name in (LOG, LEDGER):
        with Database(folder / name) as database:
            database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, pad BLOB)").close())
    (folder / "tokens.key").write_text("secret")
    (folder / "address").write_text("http://127.0.0.1:1")
    return folder


def rows(file: Path) -> list[int]:
    with Database(file, read_only=True) as database:
        return database.read(lambda c: [row[0] for row in c.execute("SELECT a FROM t ORDER BY a")])


@contextmanager
def written_to(folder: Path) -> Iterator[list[int]]:
    """Write each number to the log and then to the ledger, as fast as possible; yields the numbers written."""
    done: list[int] = []
    stop = threading.Event()
    busy = threading.Event()

    def write(log: Database, ledger: Database) -> None:
        while not stop.is_set():
            number = len(done)
            for database in (log, ledger):
                sql = "INSERT INTO t VALUES (?, randomblob(2000))"
                database.write(lambda c, sql=sql, number=number: c.execute(sql, (number,)).close())
            done.append(number)
            if number > 20:
                busy.set()

    with Database(folder / LOG) as log, Database(folder / LEDGER) as ledger:
        thread = threading.Thread(target=write, args=(log, ledger))
        thread.start()
        try:
            assert busy.wait(60)
            yield done
        finally:
            stop.set()
            thread.join()


def test_a_copy_made_under_load_is_the_folder_at_one_moment(folder: Path, tmp_path: Path):
    """Every call in a copied ledger is an intent in the copied log, and nothing acknowledged is missing."""
    with written_to(folder) as done:
        for number in range(5):
            target = tmp_path / f"copy-{number}"
            before = len(done)
            back_up(folder, target, log=LOG, mark=MARK)
            log, ledger = rows(target / LOG), rows(target / LEDGER)
            assert before <= len(ledger) <= len(log) <= len(ledger) + 1
            assert log == list(range(len(log)))
            assert ledger == list(range(len(ledger)))
            assert apsw.Connection(str(target / LOG)).pragma("integrity_check") == "ok"


def test_a_copy_is_private_and_leaves_out_what_belongs_to_the_running_process(folder: Path, tmp_path: Path):
    """Its secrets are readable by the owner alone; locks, WALs and the address of the engine stay behind."""
    with written_to(folder):
        back_up(folder, tmp_path / "copy", log=LOG, mark=MARK, left_out=frozenset({"address"}))
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "copy").iterdir()}
    assert modes == dict.fromkeys((LEDGER, LOG, "tokens.key", MARK), 0o600)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "copy" / "tokens.key").read_text() == "secret"


def test_checkpoints_are_copied_before_the_log_and_other_folders_after_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """So a copied checkpoint names no commit that is not in the copy, and a copied commit no picture that is not."""
    snapshots = backup._snapshots

    def meanwhile(*arguments: Any) -> Any:
        for name in ("checkpoints", "pictures"):
            (folder / name / "new").write_text("made while the databases are copied")
        return snapshots(*arguments)

    for name in ("checkpoints", "pictures"):
        (folder / name).mkdir()
        (folder / name / "old").write_text("")
    monkeypatch.setattr(backup, "_snapshots", meanwhile)
    back_up(folder, tmp_path / "copy", log=LOG, mark=MARK, first=frozenset({"checkpoints"}))
    kinds = ("checkpoints", "pictures")
    copied = {name: {each.name for each in (tmp_path / "copy" / name).iterdir()} for name in kinds}
    assert copied == {"checkpoints": {"old"}, "pictures": {"old", "new"}}


def test_a_copy_is_opened_and_written_like_the_original(folder: Path, tmp_path: Path):
    """Restoring is opening the copy."""
    back_up(folder, tmp_path / "copy", log=LOG, mark=MARK)
    with Database(tmp_path / "copy" / LOG) as database:
        database.write(lambda c: c.execute("INSERT INTO t VALUES (7, NULL)").close())
    assert (rows(tmp_path / "copy" / LOG), rows(folder / LOG)) == ([7], [])


def test_an_interrupted_copy_never_has_the_name_of_a_complete_one(folder: Path, tmp_path: Path, monkeypatch):
    """And the next attempt replaces what it left."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("workflows.sqlite.backup._copy_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            back_up(folder, tmp_path / "copy", log=LOG, mark=MARK)
    assert not (tmp_path / "copy").exists()
    back_up(folder, tmp_path / "copy", log=LOG, mark=MARK)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["copy", "data"]


def test_an_existing_target_and_a_folder_without_a_log_are_refused(folder: Path, tmp_path: Path):
    """A backup replaces nothing."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackupRefused, match="exists; choose a folder that does not"):
        back_up(folder, tmp_path / "empty", log=LOG, mark=MARK)
    with pytest.raises(BackupRefused, match=r"is not the folder of an engine: it has no log\.sqlite"):
        back_up(tmp_path / "empty", tmp_path / "copy", log=LOG, mark=MARK)
    assert not (tmp_path / "copy").exists()


def test_a_database_that_another_program_holds_is_named_after_the_timeout(folder: Path, tmp_path: Path, monkeypatch):
    """Nothing is copied that could tear the log from its ledger."""
    monkeypatch.setattr("workflows.sqlite.backup.BUSY_TIMEOUT_MS", 1)
    holder = apsw.Connection(str(folder / LOG))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(apsw.BusyError):
        back_up(folder, tmp_path / "copy", log=LOG, mark=MARK)
    holder.close()
    assert not (tmp_path / "copy").exists()


def test_folders_within_the_folder_are_copied(folder: Path, tmp_path: Path):
    """Pictures that the log names; what a process has not finished writing is left out."""
    pictures = folder / "pictures"
    pictures.mkdir()
    (pictures / "rosa~1.png").write_bytes(b"picture")
    (pictures / "rosa~2.png.0a.new").write_bytes(b"half")
    back_up(folder, tmp_path / "copy", log=LOG, mark=MARK)
    copied = tmp_path / "copy" / "pictures"
    assert {file.name: file.read_bytes() for file in copied.iterdir()} == {"rosa~1.png": b"picture"}
    assert (copied.stat().st_mode & 0o777, (copied / "rosa~1.png").stat().st_mode & 0o777) == (0o700, 0o600)
