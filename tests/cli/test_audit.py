"""Proving the log from the command line, beside the engine that writes it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(expediter: Any, running: Any, tmp_path: Path) -> Path:
    """A copy of the log with one order, which nobody writes to; commits in the WAL are taken along."""
    expediter("order", "place", "--example", "--data", running.data)
    copy = tmp_path / "copy"
    copy.mkdir()
    source = sqlite3.connect(f"file:{running.data}/expediter.sqlite?mode=ro", uri=True)
    target = sqlite3.connect(copy / "expediter.sqlite")
    source.backup(target)
    source.close()
    target.close()
    shutil.copy(running.data / "tokens.key", copy)
    return copy


def _change(folder: Path, sql: str) -> None:
    connection = sqlite3.connect(folder / "expediter.sqlite")
    connection.execute(sql)
    connection.commit()
    connection.close()


def test_a_log_is_verified_while_its_engine_runs(expediter: Any, running: Any) -> None:
    """Reading takes no lock."""
    expediter("order", "place", "--example", "--data", running.data)
    result = expediter("audit", "verify", "--data", running.data)
    assert result.code == 0
    assert result.err.startswith("intact: ")
    assert result.out == ""


def test_an_edited_commit_is_named_by_stream_and_version(expediter: Any, folder: Path) -> None:
    """Exit code 1, and what is wrong is data."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "verify", "--data", folder)
    assert result.code == 1
    assert "version 1: does not match its hash" in result.out
    found = expediter("audit", "verify", "--data", folder, "--json").json
    assert found["intact"] is False
    assert found["findings"][0]["stream"].startswith("order#ord_")
    assert found["findings"][0]["version"] == 1


@pytest.mark.parametrize("command", ["audit verify", "audit heads", "up --port 0"])
def test_a_file_that_was_cut_is_said_to_be_damaged(expediter: Any, folder: Path, command: str) -> None:
    """SQLite cannot read it, so no commit can be named; that is no bug, and no log to go on with either."""
    database = folder / "expediter.sqlite"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    result = expediter(*command.split(), "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert f"{folder} is damaged: database disk image is malformed" in result.err
    assert result.err.count("\n") == 1


def test_a_tail_that_was_cut_is_found_by_published_heads(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """What is left is a valid chain, so that only a head kept elsewhere tells."""
    heads = tmp_path / "heads.json"
    heads.write_text(expediter("audit", "heads", "--data", folder).out, encoding="utf-8")
    _change(folder, "DELETE FROM events WHERE (pk, sk) IN (SELECT pk, max(sk) FROM events GROUP BY pk)")
    assert expediter("audit", "verify", "--data", folder).code == 0
    cut = expediter("audit", "verify", "--data", folder, "--heads", heads)
    assert cut.code == 1
    assert "the tail is cut" in cut.out


def test_a_broken_chain_has_no_head(expediter: Any, folder: Path) -> None:
    """Publishing it would make the forgery official."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "heads", "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert "a broken chain has no head" in result.err
