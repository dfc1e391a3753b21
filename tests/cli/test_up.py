"""An engine from the command line: start, stop, and continuing open orders after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Start ``expediter up`` on a folder and a free port; its processes are killed after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(tmp_path / "data"), "--port", "0"]
        command.append("--demo-data")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "removable"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_ends_the_engine_cleanly(number: int, removable: bool, started: Any, tmp_path: Path) -> None:
    """The exit code is 0 without a traceback; its URL, its docs and the token command were printed.

    Also if the file with its address cannot be removed, as in a folder that became read-only.
    """
    process, url = started()
    assert url.startswith("http://127.0.0.1:")
    if not removable:
        address = tmp_path / "data" / "address"
        address.unlink()
        address.mkdir()  # for root too, it is no file that can be removed
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert f"{url}/docs" in err
    assert "expediter token --role customer" in err
    assert "Traceback" not in err


def test_an_engine_continues_the_orders_of_one_that_was_killed(
    started: Any, expediter: Any, tmp_path: Path, ends_as: Any
) -> None:
    """kill -9 loses no acknowledged order."""
    process, _ = started()
    order_id = expediter("order", "place", "--example", "--data", tmp_path / "data").out.strip()
    process.kill()
    process.communicate()
    started()

    def shown() -> Any:
        return expediter("order", "show", order_id, "--data", tmp_path / "data", "--json").json

    ends_as(shown, "authorized")
    expediter("order", "cancel", order_id, "--reason", "enough", "--data", tmp_path / "data")
    ends_as(shown, "cancelled")
