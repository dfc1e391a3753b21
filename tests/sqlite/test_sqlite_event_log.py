"""The event log in SQLite: no append is acknowledged before it is on the disk, so it survives a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import PreparationRequested
from workflows.audit.verify import verify
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import NewCommit
from workflows.event_store.event_log import StreamUnavailable, WrongExpectedVersion
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog


def commit(key: str, events: int = 1) -> NewCommit:
    return NewCommit(
        key=key,
        events=(PreparationRequested(),) * events,
        actor=SYSTEM,
        correlation="",
        causation="",
        body_hash="b",
    )


@pytest.fixture
def database(tmp_path: Path, syncs) -> Iterator[Database]:
    with Database(tmp_path / "state.db", vfs=syncs.vfs) as database:
        yield database


@pytest.fixture
def log(database: Database, clock) -> SqliteEventLog:
    return SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), clock)


def in_threads(count: int, work) -> list[BaseException]:
    failures: list[BaseException] = []

    def guarded(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_thirty_two_orders_share_syncs_and_none_is_acknowledged_before_its_own(log, syncs):
    """Each append saw at least one sync end while it waited; together they needed fewer syncs than appends."""
    before = syncs.wal

    def append_some(n: int) -> None:
        history = log.load(f"order#{n}")
        for key in range(10):
            seen = syncs.wal
            history = log.append(history, commit(f"k{key}"))
            assert syncs.wal > seen

    assert in_threads(32, append_some) == []
    assert 0 < syncs.wal - before < 320
    assert verify(log).commits == 320


def test_a_conflict_fails_its_own_append_and_not_its_batch(log, database, syncs):
    """Orders that share an fsync do not share their fate."""
    before = log.load("order#contested")
    log.append(before, commit("winner"))
    entered, go = threading.Event(), threading.Event()
    holder = database.submit(lambda _c: (entered.set(), go.wait(10)))  # what is queued now shares the next batch
    assert entered.wait(10)
    conflicts: list[str] = []

    def append(n: int) -> None:
        if n == 7:
            with pytest.raises(WrongExpectedVersion) as conflict:
                log.append(before, commit("loser"))
            conflicts.append(conflict.value.winner.k)
        else:
            log.append(log.load(f"order#{n}"), commit("k"))

    threads = threading.Thread(target=lambda: failures.extend(in_threads(16, append)))
    failures: list[BaseException] = []
    threads.start()
    while len(database._writer._queue) < 16:
        assert threads.is_alive()
    seen = syncs.wal
    go.set()
    threads.join()
    holder.result(10)
    assert failures == []
    assert conflicts == ["winner"]
    assert syncs.wal - seen == 1
    assert verify(log).streams == 16


def test_a_replayed_append_is_answered_only_once_the_write_it_repeats_is_durable(log, database, syncs, monkeypatch):
    """A repeated command, while the first attempt is being written, is not acknowledged before that is durable."""
    before = log.load("order#1")
    entered, go, in_sync, synced = (threading.Event() for _ in range(4))
    holder = database.submit(lambda _c: (entered.set(), go.wait(10)))  # what is queued now shares the next batch
    assert entered.wait(10)
    writer, futures = database._writer, []
    queue = writer.submit
    monkeypatch.setattr(writer, "submit", lambda *work: futures.append(queue(*work)) or futures[-1])
    attempts = threading.Thread(target=in_threads, args=(2, lambda _: log.append(before, commit("k"))))
    attempts.start()
    while len(writer._queue) < 2:
        assert attempts.is_alive()

    def hold(_name: str) -> None:
        in_sync.set()
        assert synced.wait(10)

    holder.add_done_callback(lambda _: setattr(syncs, "before", hold))
    go.set()
    assert in_sync.wait(10)
    assert [future.done() for future in futures] == [False, False]
    synced.set()
    attempts.join()
    assert sorted(type(future.result()).__name__ for future in futures) == ["Commit", "int"]  # the replay, the position
    assert verify(log).commits == 1


def test_readers_feed_and_scan_see_nothing_before_the_sync(log, syncs):
    """A wake-up for a commit that a power cut takes back would be a lie."""
    notified: list[int] = []
    log.on_commit(lambda _: notified.append(len(log.changes(None, 10))))
    in_sync, go = threading.Event(), threading.Event()

    def hold(_name: str) -> None:
        in_sync.set()
        assert go.wait(10)

    syncs.before = hold
    history = log.load("order#1")
    appending = threading.Thread(target=log.append, args=(history, commit("k")))
    appending.start()
    assert in_sync.wait(10)
    assert (log.load("order#1").version, log.changes(None, 10), list(log.scan()), notified) == (0, [], [], [])
    syncs.before = lambda _name: None
    go.set()
    appending.join()
    assert (log.load("order#1").version, notified) == (1, [1])


def test_an_append_whose_sync_fails_is_never_acknowledged(log, syncs, disk_gone):
    """Nor is any later one: what the disk holds is unknown."""
    history = log.append(log.load("order#1"), commit("k1"))

    def fail(_name: str) -> None:
        raise disk_gone

    syncs.before = fail
    with pytest.raises(StreamUnavailable, match="check the disk"):
        log.append(history, commit("k2"))
    syncs.before = lambda _name: None
    with pytest.raises(StreamUnavailable, match="check the disk"):
        log.append(history, commit("k3"))
    assert log.load("order#1") == history


CUTS = 15


def test_every_acknowledged_append_survives_a_power_cut(tmp_path: Path, syncs, clock, monkeypatch):
    """Fifteen times only what was synced is left, across checkpoints: no acknowledged write is lost."""
    monkeypatch.setattr("workflows.sqlite.group_commit.CHECKPOINT_PAGES", 20)
    acknowledged: list[bytes] = []
    cuts: list[tuple[Path, int]] = []

    def cut_the_power(_name: str) -> None:
        if syncs.count % 5 == 0 and len(cuts) < CUTS:
            cuts.append((tmp_path / f"cut{len(cuts)}", len(acknowledged)))  # what callers know at this moment
            cuts[-1][0].mkdir()
            syncs.power_cut(cuts[-1][0])

    def append_until_cut(n: int) -> None:
        history = log.load(f"order#{n}")
        while len(cuts) < CUTS:
            history = log.append(history, commit(f"k{history.version}"))
            acknowledged.append(history.head)

    syncs.keep = True
    with Database(tmp_path / "state.db", vfs=syncs.vfs) as database:
        log = SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), clock)
        syncs.before = cut_the_power
        assert in_threads(4, append_until_cut) == []
    for folder, acknowledged_then in cuts:
        with Database(folder / "state.db") as database:
            left = SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), clock)
            assert verify(left).intact
            assert set(acknowledged[:acknowledged_then]) <= {stored.h for stored in left.scan()}
    assert syncs.count > syncs.wal  # there were checkpoints


_APPEND_FOR_EVER = """
import os, sys, threading
from domain.order.events import PreparationRequested
from domain.identifiers import SYSTEM
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import NewCommit
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.in_memory.keyring import InMemoryKeyRing

log = SqliteEventLog(Database(sys.argv[1]), Codec(InMemoryKeyRing(), EVENT_TYPES), SystemClock())

def append(stream):
    history = log.load(stream)
    while True:
        new = NewCommit(key=f"k{history.version}", events=(PreparationRequested(),) * 2, actor=SYSTEM,
                        correlation="", causation="", body_hash="b")
        history = log.append(history, new)
        os.write(1, f"{stream} {history.version} {history.head.hex()}\\n".encode())

for n in range(8):
    threading.Thread(target=append, args=(f"order#{n}",)).start()
"""


def test_every_acknowledged_append_survives_kill_9(tmp_path: Path):
    """Five times over: a process that appends from eight threads is killed, and all that was acknowledged is there."""
    path = tmp_path / "state.db"
    acknowledged: dict[str, tuple[int, str]] = {}
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", _APPEND_FOR_EVER, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        for line in lines:
            if line.endswith(b"\n"):
                stream, version, head = line.decode().split()
                acknowledged[stream] = (int(version), head)
    with Database(path) as database:
        log = SqliteEventLog(database, Codec(InMemoryKeyRing(), EVENT_TYPES), SystemClock())
        assert verify(log).intact
        commits = {(stored.pk, stored.sk + 1): stored.h.hex() for stored in log.scan()}
    assert len(acknowledged) == 8
    for stream, (version, head) in acknowledged.items():
        assert commits[stream, version] == head


def test_a_reader_verifies_the_log_of_a_running_engine(tmp_path: Path, log):
    """``audit verify`` takes no lock and writes nothing."""
    log.append(log.load("order#1"), commit("k", 3))
    with Database(tmp_path / "state.db", read_only=True) as beside:
        reader = SqliteEventLog(beside, Codec(InMemoryKeyRing(), EVENT_TYPES), SystemClock())
        assert verify(reader).events == 3
        with pytest.raises(StreamUnavailable, match="reading only"):
            reader.append(reader.load("order#1"), commit("k2"))


def test_unreadable_rows_hide_no_later_commit_from_the_feed(log, database):
    """A page of nothing but unreadable rows, or a page cut short by them, would look like the end of the log."""
    for number in range(10):
        log.append(log.load(f"order#{number}"), commit("k"))
    database.write(
        lambda c: c.execute("UPDATE events SET ts = CAST(x'ff' AS TEXT) WHERE position IN (1, 2, 3, 5, 9, 10)").close()
    )
    assert [entry.position for entry in log.changes(None, 2)] == [4, 6]
    assert [entry.position for entry in log.changes(4, 100)] == [6, 7, 8]
    assert [entry.position for entry in log.changes(None, 1)] == [4]
    assert log.changes(8, 1) == []
