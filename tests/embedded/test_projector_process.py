"""The projector in a process of its own: it may die at any moment, ends with the engine, and misses no commit."""

from __future__ import annotations

import logging
import os
import select
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import apsw
import pytest

from domain.identifiers import SYSTEM
from tests.embedded.viewed_engine import (
    DEADLINE_S,
    engine,
    is_current,
    order,
    orders_in,
    running_projectors,
    wait_until,
    wait_until_current,
)
from workflows.boundary.private_files import SecretUnusable
from workflows.clock import SystemClock
from workflows.embedded import engine as engine_module
from workflows.embedded import projector_main, projector_process
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.files import VIEWS
from workflows.embedded.projector_main import ReportPipe
from workflows.embedded.projector_process import LOOKS, ProjectorProcess
from workflows.embedded.view_builder import opened_views, read_log, views_of
from workflows.event_store.change_feed import FeedEntry, Listeners
from workflows.event_store.commits import Commit
from workflows.event_store.erasure import erase
from workflows.hub.hub import Hub
from workflows.orders.blind_index import COLUMNS
from workflows.projections import log_follower
from workflows.projections.check import check
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import Builder, LogFollower
from workflows.projections.progress import ProjectorState
from workflows.sqlite.database import DatabaseForeign

ROOT = Path(__file__).parents[2]


class Viewed:
    """An engine whose projector has a process, and its folder."""

    def __init__(self, opened: EmbeddedEngine, folder: Path) -> None:
        assert isinstance(opened.projector, ProjectorProcess)
        self.opened, self.folder, self.projector = opened, folder, opened.projector

    def kill_projector(self) -> None:
        """Kill the process. After another kill it may not have been started yet."""
        wait_until(lambda: running_projectors(self.folder) == {self.projector.pid})
        assert self.projector.pid is not None
        os.kill(self.projector.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def viewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewed]:
    folder = tmp_path_factory.mktemp("viewed") / "data"
    with engine(folder, projector_apart=True) as opened:
        wait_until_current(opened)
        yield Viewed(opened, folder)
    assert running_projectors(folder) == set()


def test_a_killed_projector_is_started_again_and_the_views_are_those_of_a_rebuild(viewed: Viewed) -> None:
    """The position is stored with the rows, so the next projector continues from there, and nothing is repaired."""
    placed = set()
    for number in range(2):
        placed.add(order(viewed.opened, f"before kill {number}"))
        restarts = viewed.projector.progress().restarts
        viewed.kill_projector()
        wait_until(lambda before=restarts: viewed.projector.progress().restarts > before)  # type: ignore[misc]
        placed.add(order(viewed.opened, f"after kill {number}"))
    wait_until_current(viewed.opened)
    assert placed <= orders_in(viewed.folder)
    with opened_views(viewed.folder) as (store, source), source.open_log() as log:
        assert check(store, log).differences == []
        with store.reading() as connection:
            assert store.parked(connection) == store.outdated(connection) == []


def test_no_order_waits_for_a_projector_that_hangs(viewed: Viewed) -> None:
    """The lag grows, which the metric shows, and the views catch up afterwards."""
    wait_until_current(viewed.opened)
    assert viewed.projector.pid is not None
    os.kill(viewed.projector.pid, signal.SIGSTOP)
    placed = {order(viewed.opened, f"while it hangs {number}") for number in range(3)}
    assert viewed.projector.progress().lag_commits == 3
    os.kill(viewed.projector.pid, signal.SIGCONT)
    wait_until_current(viewed.opened)
    assert placed <= orders_in(viewed.folder)


def test_a_projector_that_hangs_is_killed_and_the_lists_come_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise the lists would lack new orders until a person notices the lag and ends the process."""
    monkeypatch.setattr(engine_module, "ProjectorProcess", partial(ProjectorProcess, hangs_after_s=2.0))
    folder = tmp_path / "data"
    with engine(folder, projector_apart=True) as opened, caplog.at_level(logging.ERROR):
        wait_until_current(opened)
        projector = Viewed(opened, folder).projector
        stopped = projector.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        order_id = order(opened, "while it hangs")
        wait_until(lambda: is_current(opened) and projector.progress().restarts > 0)
        assert orders_in(folder) == {order_id}
        assert stopped not in running_projectors(folder)
    first: Any = next(each for each in caplog.records if each.name == projector_process.__name__)
    assert first.problem == "it hung and was killed: it did nothing for 2 s, with commits to read"
    assert first.again_in_s == log_follower.RETRY_FIRST_S


def test_an_erased_customer_is_no_longer_found(viewed: Viewed) -> None:
    """The key is destroyed in the engine's process. The projector has read it before, and must not use it again."""
    order_id = order(viewed.opened, "of an erased customer")
    wait_until_current(viewed.opened)
    assert blind_indexes(viewed.folder, order_id) != {None}
    log: Any = viewed.opened.ports.log
    customer = log.load(f"order#{order_id}").events[0].customer
    erase(log, log._codec._keyring, SystemClock(), customer, actor=SYSTEM, reason="asked")
    wait_until(lambda: is_current(viewed.opened) and blind_indexes(viewed.folder, order_id) == {None})


def blind_indexes(folder: Path, order_id: str) -> set[str | None]:
    with closing(sqlite3.connect(folder / VIEWS)) as views:
        columns = ", ".join(COLUMNS)
        return set(views.execute(f"SELECT {columns} FROM orders WHERE order_id = ?", (order_id,)).fetchone())


def test_the_projector_ends_with_an_engine_that_is_killed(tmp_path: Path) -> None:
    """A projector without an engine would write the views beside the next one, and would not be stopped."""
    folder = tmp_path / "data"
    command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as up:
        try:
            assert up.stdout is not None
            assert up.stdout.readline()
            wait_until(lambda: len(running_projectors(folder)) == 1)
        finally:
            up.kill()
    try:
        wait_until(lambda: running_projectors(folder) == set())
    finally:
        for pid in running_projectors(folder):  # a projector that this test is there to find
            os.kill(pid, signal.SIGKILL)


# --- with another program in the projector's place ----------------------------------------------------------------


class Notified:
    """A log of no commits that notifies of some."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self.on_commit = self._listeners.add

    def commit(self) -> None:
        self._listeners.notify(FeedEntry(1, Commit("order#1", 1, "k", "2026-03-14T12:00:00Z", b"", "")))

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        """Called once with each look at a projector that writes nothing."""
        return []

    def newest(self) -> int:
        return 0


class Newer(Notified):
    """A log with a commit that no projector has read, which does something at each look."""

    def __init__(self, *looks: Callable[[], object]) -> None:
        super().__init__()
        self._looks = list(looks)

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        if self._looks:
            self._looks.pop(0)()
        return [FeedEntry(1, Commit("order#1", 1, "k", "2026-03-14T12:00:00Z", b"", ""))]


class Replaced(ProjectorProcess):
    """Starts another program, and keeps the lines that it writes."""

    def __init__(self, hub: Hub, log: Notified, *program: str, hangs_after_s: float = 120.0) -> None:
        super().__init__(Path(), log, SystemClock(), hub, hangs_after_s=hangs_after_s)
        self.lines: list[bytes] = []
        self._program = program

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._program, stdin=self._reading_end, stdout=subprocess.PIPE, process_group=0)

    def _take(self, line: bytes) -> None:
        self.lines.append(line)


def test_commits_of_one_turn_wake_the_projector_once() -> None:
    """A byte for each commit would make the engine pay for the views again; no byte would let them fall behind."""
    log = Notified()
    with closing(Hub()) as hub:
        projector = Replaced(hub, log, "cat")
        projector.begin()
        for turn in (1, 2):
            hub.ask(lambda: [log.commit() for _ in range(3)])
            wait_until(lambda after=turn: len(projector.lines) == after)  # type: ignore[misc]
        projector.close()
        assert projector.lines == [b"", b""]


def test_a_projector_that_cannot_run_is_tried_again_after_a_pause_that_grows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The machine may have no memory for it. Starting it again and again would take the rest from the orders."""
    monkeypatch.setattr(projector_process, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(projector_process, "RETRY_LAST_S", 0.05)
    for program, problem in (("false", "exit code 1"), ("no such program", "[Errno 2] No such file or directory")):
        caplog.clear()
        with closing(Hub()) as hub, caplog.at_level(logging.ERROR):
            projector = Replaced(hub, Notified(), program)
            projector.begin()
            wait_until(lambda tried=projector: tried.progress().restarts >= 4)  # type: ignore[misc]
            projector.close()
        logged: list[Any] = caplog.records[:4]
        assert [line.again_in_s for line in logged] == [0.01, 0.02, 0.04, 0.05]
        assert problem in logged[0].problem
        assert projector.progress().state.failure == projector_process.ENDED


def test_a_projector_that_writes_now_and_then_does_not_hang() -> None:
    """A long statement proceeds, and a full disk is tried again: to kill the projector would help neither."""
    reading_end, writing_end = os.pipe()

    def nothing() -> None:
        pass

    def work() -> None:
        os.write(writing_end, b"\n")

    almost = [nothing] * (LOOKS - 2)
    log = Newer(*almost, work, *almost, work, *almost, lambda: os.close(writing_end))
    with closing(Hub()) as hub:
        assert Replaced(hub, log, "true", hangs_after_s=0.02)._hangs(reading_end) is False
    os.close(reading_end)


@pytest.mark.parametrize("is_behind", [False, True])
def test_a_projector_hangs_only_while_it_has_commits_to_read(is_behind: bool) -> None:
    """One that is up to date has nothing to write, and a stopped one that is, does no harm."""
    reading_end, writing_end = os.pipe()
    looks = 0

    class Looked(Newer):
        def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
            nonlocal looks
            looks += 1
            if looks == 3 * LOOKS:
                os.close(writing_end)
            return super().changes(after, limit) if is_behind else []

    with closing(Hub()) as hub:
        assert Replaced(hub, Looked(), "true", hangs_after_s=0.02)._hangs(reading_end) is is_behind
    assert looks == (LOOKS if is_behind else 3 * LOOKS)
    os.close(reading_end)
    if is_behind:
        os.close(writing_end)


def test_the_limit_grows_while_projectors_are_killed_one_after_another(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A step that takes longer than expected would otherwise be killed and begun again for ever."""
    monkeypatch.setattr(projector_process, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(projector_process, "RETRY_LAST_S", 0.01)
    monkeypatch.setattr(projector_process, "HANGS_AFTER_MAX_S", 0.06)
    with closing(Hub()) as hub, caplog.at_level(logging.ERROR):
        projector = Replaced(hub, Newer(), "sleep", "600", hangs_after_s=0.02)
        projector.begin()
        wait_until(lambda: projector.progress().restarts >= 4)
        projector.close()
    logged: list[Any] = caplog.records[:4]
    limits = [line.problem.partition("nothing for ")[2].split()[0] for line in logged]
    assert limits == ["0.02", "0.04", "0.06", "0.06"]


def test_the_process_that_builds_views_is_killed_with_a_projector_that_hangs() -> None:
    """It may hold the lock of the views, and the next projector starts one that continues."""
    ended, held_by_all = os.pipe()

    class Holding(Replaced):
        def _started(self) -> subprocess.Popen[bytes]:
            program = ["sh", "-c", "sleep 600 & wait"]
            return subprocess.Popen(program, stdout=subprocess.PIPE, process_group=0, pass_fds=[held_by_all])

    with closing(Hub()) as hub:
        assert "hung" in Holding(hub, Newer(), hangs_after_s=0.02)._run_one()
    os.close(held_by_all)
    all_ended = select.poll()
    all_ended.register(ended, select.POLLIN)
    assert all_ended.poll(DEADLINE_S * 1000)
    os.close(ended)


def test_a_projector_writes_each_new_state_once_and_that_it_works_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try that fails as the last one did is a sign of life, and no news."""
    reading_end, writing_end = os.pipe()
    state = ProjectorState(position=7, parked=0, mended=0, failure="SqlUnavailable")
    with FileIO(writing_end, "w") as pipe:
        reports = ReportPipe(pipe)
        reports.report(state)
        reports.report(state)
        reports.work()
        monkeypatch.setattr(projector_main, "ALIVE_EVERY_S", 0.0)
        reports.report(state)
        reports.work()
    with os.fdopen(reading_end, "rb") as written:
        first, *others = written.readlines()
    assert b'"position": 7' in first
    assert others == [b"\n", b"\n"]


def test_the_statements_of_a_projector_show_that_it_works(tmp_path: Path) -> None:
    """Also the first ones, which may sum up all rows after an upgrade."""
    folder, statements = tmp_path / "data", list[None]()
    with engine(folder), read_log(folder) as log, closing(views_of(folder)) as views:
        follower = LogFollower(
            views, log, loads_from(log), SystemClock(), _no_build, on_work=lambda: statements.append(None)
        )
        follower.catch_up(*follower.open())
    assert len(statements) > 10


def _no_build(names: Sequence[str]) -> Builder:
    raise AssertionError(names)


def test_a_projector_reads_the_log_again_without_being_woken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake-up that is lost, for whatever reason, delays the views and does not stop them."""
    monkeypatch.setattr(log_follower, "LOOK_FOR_COMMITS_EVERY_S", 0.05)
    monkeypatch.setattr(LogFollower, "wake", lambda _: None)
    folder = tmp_path / "data"
    with engine(folder) as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
        assert orders_in(folder) == {order_id}


ERRORS: list[BaseException] = [
    RuntimeError("can't start new thread"),
    MemoryError(),
    OSError(24, "Too many open files"),
    apsw.CantOpenError("unable to open database file"),
    DatabaseForeign(Path("expediter.sqlite")),
    SecretUnusable("views.key is empty"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_projector_that_cannot_begin_says_why_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """A machine without threads or memory is not a bug of the projector: no traceback."""

    def begin(*_: object) -> None:
        raise error

    monkeypatch.setattr(projector_main, "_begin", begin)
    assert projector_main.main(tmp_path, logging.INFO) == 1
    (line,) = caplog.records
    assert line.exc_info is None
    assert (str(error) or "MemoryError") in line.getMessage()


def test_a_bug_of_the_projector_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> None:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(projector_main, "_begin", begin)
    with pytest.raises(RuntimeError, match="changed size"):
        projector_main.main(tmp_path, logging.INFO)
