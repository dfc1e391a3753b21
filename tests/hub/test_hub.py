"""The hub: one thread that runs everything, commits once a turn, and is never held by one call for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from workflows.hub.deferred import Deferred
from workflows.hub.hub import TURN_BOUNDS_S, TURN_WORK_S, Hub, sleep, wait
from workflows.hub.watch import CallTooLong, Watch
from workflows.sqlite.database import Database
from workflows.sqlite.group_commit import BATCH_MAX

DEADLINE_S = 20.0


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


def test_a_task_that_waits_lets_others_run(hub: Hub):
    """A thousand tasks that wait for one another need one thread."""
    gate: Deferred[int] = Deferred()
    waiting = [Deferred[int]() for _ in range(1000)]
    for answer in waiting:
        hub.spawn(lambda answer=answer: answer.set_result(wait(gate)))
    threads = threading.active_count()
    hub.spawn(lambda: gate.set_result(7))
    assert [answer.result(DEADLINE_S) for answer in waiting] == [7] * 1000
    assert threading.active_count() == threads


def test_a_task_that_waits_for_a_thread_is_woken_by_it(hub: Hub):
    """A future that another thread resolves comes back through the inbox."""
    answer: Deferred[str] = Deferred()
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(hub.ask, lambda: wait(answer))
        answer.set_result("from outside")
        assert waits.result(DEADLINE_S) == "from outside"


def test_time_passes_for_one_task_alone(hub: Hub):
    """A latency that one task waits for does not delay the others."""
    order: list[str] = []
    slow: Deferred[None] = Deferred()

    def sleeps() -> None:
        sleep(0.05)
        order.append("slow")
        slow.set_result(None)

    hub.spawn(sleeps)
    hub.ask(lambda: order.append("quick"))
    slow.result(DEADLINE_S)
    assert order == ["quick", "slow"]


def test_a_blocking_call_runs_on_another_thread(hub: Hub):
    """The hub goes on while a socket is waited for; the exception of the call is the task's."""
    go = threading.Event()
    blocked = Deferred[Any]()
    hub.spawn(lambda: blocked.set_result(hub.elsewhere(lambda: go.wait(DEADLINE_S))))
    assert hub.ask(lambda: "still answers") == "still answers"
    go.set()
    assert blocked.result(DEADLINE_S)
    with pytest.raises(ZeroDivisionError):
        hub.ask(lambda: hub.elsewhere(lambda: 1 // 0))


def test_an_error_in_one_call_stops_no_other(hub: Hub, caplog: pytest.LogCaptureFixture):
    """Not even the end of a process that a handler asks for."""

    def leave() -> None:
        raise SystemExit(3)

    hub.soon(leave)
    hub.spawn(leave)
    assert hub.ask(lambda: 1) == 1
    assert len([record for record in caplog.records if record.levelname == "CRITICAL"]) == 2


def test_a_callback_of_the_hub_cannot_wait(hub: Hub):
    """It would hold everything; a task can."""
    refused: Deferred[str] = Deferred()

    def callback() -> None:
        try:
            wait(Deferred[None]())
        except RuntimeError as error:
            refused.set_result(str(error))

    hub.soon(callback)
    assert "spawn" in refused.result(DEADLINE_S)


def test_all_that_a_turn_writes_is_one_transaction(tmp_path: Path):
    """A hundred tasks that write before any of them goes on share one fsync: they are one commit of SQLite."""
    with closing(Hub(turn_work_s=DEADLINE_S)) as hub, Database(tmp_path / "state.db", hub=hub) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER)").close())
        commits: list[int] = []
        hub.ask(lambda: database._writer._connection.set_commit_hook(lambda: commits.append(1) or False))  # type: ignore[union-attr]  # a test looks inside
        written = [Deferred[None]() for _ in range(100)]

        def spawn_all() -> None:
            for number, done in enumerate(written):
                hub.spawn(lambda number=number, done=done: done.set_result(database.write(_insert(number))))

        hub.soon(spawn_all)
        for done in written:
            done.result(DEADLINE_S)
        assert len(commits) == 1


def test_writes_that_one_transaction_has_no_room_for_are_committed_by_the_next(tmp_path: Path):
    """A transaction is bounded. What is left in the queue wakes the hub again: no task waits for ever."""
    writes = 2 * BATCH_MAX + 1
    with closing(Hub(turn_work_s=DEADLINE_S)) as hub, Database(tmp_path / "state.db", hub=hub) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER)").close())
        queued = hub.ask(lambda: [database.submit(_insert(number)) for number in range(writes)])
        for written in queued:
            written.result(DEADLINE_S)
        assert database.read(lambda c: c.execute("SELECT count(*) FROM t").fetchall()) == [(writes,)]


def test_a_busy_turn_commits_in_time(hub: Hub, tmp_path: Path):
    """Work that never ends does not keep a write from becoming durable: a turn is bounded."""
    with Database(tmp_path / "state.db", hub=hub) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER)").close())
        is_over = threading.Event()

        def again() -> None:
            until = time.monotonic() + TURN_WORK_S / 10
            while time.monotonic() < until:
                pass
            if not is_over.is_set():
                hub.soon(again)

        hub.soon(again)
        database.write(_insert(1))
        is_over.set()
        assert database.read(lambda c: c.execute("SELECT count(*) FROM t").fetchall()) == [(1,)]


def test_a_task_goes_on_only_after_its_write_is_durable(hub: Hub, tmp_path: Path):
    """After a write, a task finds it in the file, from another connection."""
    path = tmp_path / "state.db"
    with Database(path, hub=hub) as database:
        database.write(lambda c: c.execute("CREATE TABLE t (a INTEGER)").close())

        def task(number: int) -> bool:
            database.write(_insert(number))
            beside = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            return bool(beside.execute("SELECT 1 FROM t WHERE a = ?", (number,)).fetchall())

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(lambda number: hub.ask(lambda: task(number)), range(64)))


def test_the_longest_turn_is_measured(hub: Hub):
    """One call that computes for long delays all others; the metric shows how long the worst one took."""

    def compute() -> float:
        began_s = time.monotonic()
        while (took_s := time.monotonic() - began_s) <= TURN_BOUNDS_S[1]:
            pass
        return took_s

    took_s = hub.ask(compute)
    times = hub.ask(hub.turn_times)
    assert times.longest_s >= took_s
    assert times.busy_s >= times.longest_s
    assert sum(times.by_bound[2:]) >= 1


def test_closing_finishes_what_is_ready():
    """An orderly end drops nothing that was accepted."""
    hub, done = Hub(), []
    for number in range(100):
        hub.soon(lambda number=number: done.append(number))
    hub.close()
    assert done == list(range(100))
    hub.close()


def test_a_call_that_computes_without_end_is_interrupted(hub: Hub, caplog: pytest.LogCaptureFixture):
    """It gets an exception of its own, its stack is in the log, and the others go on."""
    watch = Watch(hub, log_after_s=0.05, interrupt_after_s=0.1)
    ended: Deferred[str] = Deferred()

    def spins() -> None:
        try:
            while True:
                pass
        except CallTooLong:
            ended.set_result("interrupted")

    hub.spawn(spins)
    assert hub.ask(lambda: "goes on", DEADLINE_S) == "goes on"
    assert ended.result(DEADLINE_S) == "interrupted"
    assert any("spins" in vars(record).get("stack", "") for record in caplog.records)
    watch.close()


def _insert(number: int) -> Any:
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (number,)).close()
