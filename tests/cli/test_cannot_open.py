"""Folders that an engine cannot run on: each is refused in one line, including full disks and machine limits."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from workflows.embedded.engine import EmbeddedEngine
from workflows.sqlite.database import DatabaseBroken

Start = Callable[[], subprocess.Popen[str]]
DEADLINE_S = 60.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an engine on a folder in its own process; it is killed after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start_() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(tmp_path / "data"), "--port", "0"]
        command.append("--demo-data")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://")
        return process

    yield start_
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def placed(start: Start, expediter: Any, ends_as: Any, tmp_path: Path) -> Callable[[], str]:
    """Place an order, and return its id once its payment is authorized."""
    data = tmp_path / "data"

    def place() -> str:
        order_id: str = expediter("order", "place", "--example", "--data", data).out.strip()
        ends_as(lambda: expediter("order", "show", order_id, "--data", data, "--json").json, "authorized")
        return order_id

    return place


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=DEADLINE_S)


def refused(expediter: Any, data: Path, code: int = 2) -> str:
    """Start an engine on this folder, and return the one line with which it is refused. One that runs is stopped."""
    runs_on = threading.Timer(DEADLINE_S, os.kill, (os.getpid(), signal.SIGTERM))
    runs_on.start()
    try:
        result = expediter("up", "--data", data, "--port", "0")
    finally:
        runs_on.cancel()
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    line: str = result.err
    return line


FULL = apsw.FullError("database or disk is full")
ERRORS: list[tuple[BaseException, str]] = [
    (FULL, "cannot hold an engine's data: the disk is full"),
    (DatabaseBroken(Path("x"), FULL), "the disk is full"),
    (apsw.IOError("disk I/O error"), "cannot hold an engine's data: disk I/O error"),
    (apsw.CantOpenError("unable to open database file"), "unable to open database file"),
    (apsw.ReadOnlyError("attempt to write a readonly database"), "readonly"),
    (apsw.NoMemError("out of memory"), "not enough memory"),
    (MemoryError(), "not enough memory"),
    (RuntimeError("can't start new thread"), "no more threads"),
    (OSError(24, "Too many open files"), "Too many open files"),
]


@pytest.mark.parametrize(("error", "words"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_an_operating_system_error_is_reported_in_one_line(
    expediter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, words: str
) -> None:
    """It is not a bug, so no traceback is printed."""

    def open_(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(EmbeddedEngine, "open", open_)
    assert words in refused(expediter, tmp_path / "data")


def test_a_full_disk_is_reported_in_one_line(process: Any, tmp_path: Path) -> None:
    """Simulated by a limit of 8 kB per file."""
    result = process(
        *("up", "--data", tmp_path / "data", "--port", "0"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1), result
    assert "cannot hold an engine's data" in result.stderr


@pytest.mark.parametrize("name", ["expediter.sqlite", "sandbox.sqlite"])
def test_a_database_of_another_program_is_refused(expediter: Any, tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / name) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    assert f"{name} is a database of another program" in refused(expediter, data)


@pytest.mark.parametrize("name", ["expediter.sqlite", "sandbox.sqlite"])
def test_a_damaged_database_is_refused(expediter: Any, tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).write_bytes(b"no database " * 1000)
    assert "is damaged" in refused(expediter, data, code=1)


def test_an_empty_log_beside_a_sandbox_that_knows_its_orders_is_refused(
    start: Start, placed: Callable[[], str], expediter: Any, tmp_path: Path
) -> None:
    """The orders were lost: their money would stay held without anyone noticing."""
    process = start()
    order_id = placed()
    stop(process)
    (tmp_path / "data" / "expediter.sqlite").unlink()
    line = refused(expediter, tmp_path / "data")
    assert f"expediter.sqlite lacks events of 1 orders that sandbox.sqlite knows, e.g. {order_id}" in line
    assert not (tmp_path / "data" / "expediter.sqlite").exists()


def test_a_log_that_is_older_than_the_sandbox_is_refused_and_both_together_are_not(
    start: Start, placed: Callable[[], str], expediter: Any, tmp_path: Path
) -> None:
    """A restored log lacks the newest orders; the whole folder restored from one backup is consistent."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    process = start()
    placed()
    stop(process)
    shutil.copytree(data, backup)
    process = start()
    newest = placed()
    stop(process)
    shutil.copy(backup / "expediter.sqlite", data / "expediter.sqlite")
    assert newest in refused(expediter, data)
    shutil.copy(backup / "sandbox.sqlite", data / "sandbox.sqlite")
    stop(start())


def test_an_engine_starts_on_an_archived_folder_that_lacks_nothing(
    start: Start, placed: Callable[[], str], expediter: Any, tmp_path: Path
) -> None:
    """Its newest commits are read from the archive to compare them with the sandbox. A lost end is still found.

    A missing segment is not a lost end: the engine starts, other orders continue, and the audit names the order.
    """
    data = tmp_path / "data"
    process = start()
    archived, other = placed(), placed()
    cancelled = expediter("order", "cancel", archived, "--reason", "a test", "--data", data)
    assert (cancelled.code, "is cancelled" in cancelled.err) == (0, True), cancelled
    stop(process)
    assert "1 orders with" in expediter("archive", "--older-than", "0d", "--data", data).err
    process = start()
    assert expediter("order", "show", archived, "--data", data, "--json").json["status"] == "cancelled"
    stop(process)
    with sqlite3.connect(data / "expediter.sqlite") as log:
        log.execute(f"DELETE FROM events WHERE pk = 'order#{archived}' AND sk > 2")
    assert f"lacks events of 1 orders that sandbox.sqlite knows, e.g. {archived}" in refused(expediter, data)
    with sqlite3.connect(data / "expediter.sqlite") as log:
        log.execute(f"DELETE FROM events WHERE pk = 'order#{archived}' AND sk > 1")
    (data / "archive" / "000001.jsonl").unlink()
    process = start()
    assert expediter("order", "show", other, "--data", data).code == 0
    stop(process)
    assert archived in expediter("audit", "verify", "--data", data).out


@pytest.mark.parametrize("name", ["expediter.sqlite", "expediter.sqlite-wal"])
def test_an_engine_whose_database_is_deleted_acknowledges_no_order_and_ends(
    start: Start, placed: Callable[[], str], expediter: Any, tmp_path: Path, name: str
) -> None:
    """An order that is answered with 201 is never lost."""
    data = tmp_path / "data"
    process = start()
    placed()
    (data / name).unlink()
    assert expediter("order", "place", "--example", "--data", data).code != 0
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert f"{name} was deleted, replaced or overwritten" in errors.splitlines()[-1]
