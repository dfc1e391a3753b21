"""The SQLite file of the embedded engine: one writer, one fsync for many writes, durable before visible."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from workflows.sqlite.database import (
    Database,
    DatabaseBroken,
    DatabaseBusy,
    DatabaseClosed,
    DatabaseInUse,
    DatabaseUnavailable,
)


@pytest.fixture
def database(tmp_path: Path, syncs) -> Iterator[Database]:
    with Database(tmp_path / "state.db", vfs=syncs.vfs) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        yield database


def insert(value: int):
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (value,)).close()


def stored(connection: apsw.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT a FROM t ORDER BY a")]


def in_one_batch(database: Database, *works):
    """Queue works while the writer is held inside a transaction before them, so that they share the next one."""
    entered, go = threading.Event(), threading.Event()
    holder = database.submit(lambda _c: (entered.set(), go.wait(10)))
    assert entered.wait(10)
    futures = [database.submit(work) for work in works]
    go.set()
    holder.result(10)
    return futures


def test_a_write_is_synced_before_it_is_acknowledged(database: Database, syncs):
    """No caller gets a result before the fsync of its write."""
    acknowledged_at = []
    for value in range(20):
        before = syncs.wal
        database.write(insert(value))
        acknowledged_at.append(syncs.wal - before)
    assert min(acknowledged_at) >= 1


def test_one_sync_serves_a_whole_batch(database: Database, syncs):
    """Works queued while the disk is busy share the next transaction and its fsync."""
    before = syncs.wal
    for future in in_one_batch(database, *(insert(value) for value in range(50))):
        future.result(10)
    assert database.read(stored) == list(range(50))
    assert syncs.wal - before == 1


def test_thirty_two_writers_need_fewer_syncs_than_writes(database: Database, syncs):
    """Group commit: batches form by themselves under load."""
    before = syncs.wal

    def write_some(first: int) -> None:
        for value in range(first, first + 20):
            seen = syncs.wal
            database.write(insert(value))
            assert syncs.wal > seen  # this write was covered by a sync that ended after it was queued

    threads = [threading.Thread(target=write_some, args=(n * 20,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read(stored) == list(range(640))
    assert syncs.wal - before < 640


def test_nothing_is_visible_or_acknowledged_while_the_sync_runs(database: Database, syncs):
    """A reader must not see data that a power cut could still remove."""
    in_sync, go_on = threading.Event(), threading.Event()

    def hold(_name: str) -> None:
        in_sync.set()
        assert go_on.wait(10)

    syncs.before = hold
    future = database.submit(insert(1))
    assert in_sync.wait(10)
    assert database.read(stored) == []
    assert not future.done()
    syncs.before = lambda _name: None
    go_on.set()
    future.result(10)
    assert database.read(stored) == [1]


def test_a_conflict_resolves_only_once_the_batch_it_saw_is_durable(database: Database, syncs):
    """An exception that reports another write acknowledges that write too."""
    in_sync, go_on = threading.Event(), threading.Event()

    def hold(_name: str) -> None:
        in_sync.set()
        assert go_on.wait(10)

    futures = in_one_batch(database, lambda c: setattr(syncs, "before", hold), insert(1), insert(1))
    assert in_sync.wait(10)
    assert not any(future.done() for future in futures)
    syncs.before = lambda _name: None
    go_on.set()
    futures[1].result(10)
    with pytest.raises(apsw.ConstraintError):
        futures[2].result(10)


def test_a_failing_work_undoes_itself_and_not_its_batch(database: Database):
    """Each work has its own savepoint."""

    def half_done(connection: apsw.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (99)")
        raise ValueError("changed my mind")

    first, failing, last = in_one_batch(database, insert(1), half_done, insert(2))
    first.result(10)
    last.result(10)
    with pytest.raises(ValueError, match="changed my mind"):
        failing.result(10)
    assert database.read(stored) == [1, 2]


def test_a_failed_sync_is_never_acknowledged_and_ends_all_writing(tmp_path: Path, syncs, disk_gone):
    """After a failed fsync the kernel may have dropped the pages, so a later success would prove nothing."""
    database = Database(tmp_path / "state.db", vfs=syncs.vfs)
    database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
    database.write(insert(1))

    def fail(_name: str) -> None:
        raise disk_gone

    futures = in_one_batch(database, lambda c: setattr(syncs, "before", fail), insert(2), insert(3))
    for future in futures:
        with pytest.raises(DatabaseBroken):
            future.result(10)
    syncs.before = lambda _name: None
    with pytest.raises(DatabaseBroken, match="check the disk"):
        database.write(insert(4))
    assert database.read(stored) == [1]
    database.close()


def test_a_full_disk_ends_all_writing(database: Database):
    """SQLite may have rolled the whole batch back, so none of its callers gets a result."""
    database.write(lambda c: c.execute("PRAGMA max_page_count=3").close())
    good, too_much = in_one_batch(
        database, insert(1), lambda c: c.execute("CREATE TABLE big AS SELECT zeroblob(100000) AS b").close()
    )
    with pytest.raises(DatabaseBroken):
        good.result(10)
    with pytest.raises(DatabaseBroken):
        too_much.result(10)
    with pytest.raises(DatabaseBroken):
        database.write(insert(2))
    assert database.read(stored) == []


def test_a_work_that_ends_the_transaction_of_its_batch_is_found(database: Database):
    """A work that commits on its own breaks the atomicity of the others: an internal error, which ends all writing."""
    good, guilty = in_one_batch(database, insert(1), lambda c: c.execute("ROLLBACK").close())
    for future in (good, guilty):
        with pytest.raises(DatabaseBroken):
            future.result(10)


def test_a_second_engine_is_refused_by_the_pid_of_the_first(tmp_path: Path):
    """A folder is locked by one engine."""
    with (
        Database(tmp_path / "state.db"),
        pytest.raises(DatabaseInUse, match=f"in use by process {os.getpid()}") as refusal,
    ):
        Database(tmp_path / "state.db")
    assert refusal.value.pid == os.getpid()
    Database(tmp_path / "state.db").close()


def test_a_reader_opens_beside_an_engine_and_after_one_was_killed(tmp_path: Path):
    """``audit verify`` runs beside a running engine and on the files of a crashed one."""
    path = tmp_path / "state.db"
    script = (
        "import os, signal, sys; from workflows.sqlite.database import Database; d = Database(sys.argv[1]);"
        "d.write(lambda c: c.execute('CREATE TABLE t (a INTEGER PRIMARY KEY)').close());"
        "d.write(lambda c: c.execute('INSERT INTO t VALUES (7)').close()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    with Database(path, read_only=True) as reader:
        assert reader.read(stored) == [7]
        with pytest.raises(DatabaseUnavailable, match="reading only"):
            reader.write(insert(1))
        with Database(path) as engine:
            engine.write(insert(8))
            assert reader.read(stored) == [7, 8]


def test_opening_a_missing_database_for_reading_is_refused(tmp_path: Path):
    """A wrong folder must not look like an empty log."""
    with pytest.raises(FileNotFoundError, match="folder of an engine"):
        Database(tmp_path / "state.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_write_lock_of_another_process_makes_the_database_busy_and_not_broken(tmp_path: Path, monkeypatch):
    """An open database shell delays orders; they continue once it releases the lock."""
    monkeypatch.setattr("workflows.sqlite.database.BUSY_TIMEOUT_MS", 1)
    with Database(tmp_path / "state.db") as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
        shell = apsw.Connection(str(tmp_path / "state.db"))
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            database.write(insert(1))
        shell.execute("ROLLBACK")
        shell.close()
        database.write(insert(2))
        assert database.read(stored) == [2]


def test_a_broken_database_closes_while_the_disk_still_fails(tmp_path: Path, syncs, disk_gone):
    """Closing must neither hang nor raise a second error."""
    database = Database(tmp_path / "state.db", vfs=syncs.vfs)
    database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())

    def fail(_name: str) -> None:
        raise disk_gone

    syncs.before = fail
    with pytest.raises(DatabaseBroken):
        database.write(insert(1))
    database.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_caller_waits_for_a_dead_writer(database: Database):
    """A callback that raises SystemExit is an internal error; every waiting caller gets an error."""

    def kill(_future: object) -> None:
        raise SystemExit("a bug in a callback")

    held = threading.Event()
    first = database.submit(lambda c: held.wait(10))
    first.add_done_callback(kill)
    second = database.submit(insert(1))
    held.set()
    first.result(10)
    with pytest.raises(DatabaseBroken):
        second.result(10)
    with pytest.raises(DatabaseBroken):
        database.write(insert(2))


def test_closing_commits_what_is_queued_and_refuses_what_comes_after(tmp_path: Path):
    """An orderly end drops no accepted write."""
    database = Database(tmp_path / "state.db")
    database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)").close())
    futures = [database.submit(insert(value)) for value in range(100)]
    database.close()
    database.close()
    assert all(future.done() and future.exception() is None for future in futures)
    with pytest.raises(DatabaseClosed):
        database.submit(insert(1000))
    with Database(tmp_path / "state.db", read_only=True) as reader:
        assert reader.read(stored) == list(range(100))


def test_the_wal_does_not_grow_with_the_log(database: Database):
    """Checkpoints run between batches, after which the WAL is reused from its start."""
    blob = b"x" * 40_000
    database.write(lambda c: c.execute("CREATE TABLE big (b BLOB)").close())
    for _ in range(600):
        database.write(lambda c: c.execute("INSERT INTO big VALUES (?)", (blob,)).close())
    wal = database.path.with_name(database.path.name + "-wal")
    assert wal.stat().st_size < 10_000_000  # 24 MB were written


def test_waiting_for_a_write_inside_the_writer_is_refused(database: Database):
    """The writer would wait for itself."""
    errors: list[BaseException] = []

    def notify(_future: object) -> None:
        try:
            database.write(insert(2))
        except RuntimeError as error:
            errors.append(error)

    held = threading.Event()
    future = database.submit(lambda c: held.wait(10))
    future.add_done_callback(notify)
    held.set()
    future.result(10)
    database.write(insert(1))
    assert len(errors) == 1
