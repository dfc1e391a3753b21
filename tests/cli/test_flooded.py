"""An engine with more client connections than file descriptors."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

DEADLINE_S = 60.0


@pytest.fixture
def starved(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An engine limited to 64 open files, and its URL."""
    command = ["/bin/sh", "-c", 'ulimit -n 64; exec "$@"', "sh", sys.executable, "-m", "workflows.cli", "up"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path / "data"), "--port", "0", "--demo-data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_an_engine_with_64_descriptors_serves_orders_beside_120_idle_connections(
    starved: tuple[subprocess.Popen[str], str], expediter: Any, ends_as: Any, tmp_path: Path
) -> None:
    """Connections never crash the engine, and a stop does not wait for them."""
    process, url = starved
    port = int(url.rpartition(":")[2])
    data = tmp_path / "data"
    with ExitStack() as idle:
        for _ in range(120):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S))
        order_id = expediter("order", "place", "--example", "--data", data).out.strip()
        ends_as(lambda: expediter("order", "show", order_id, "--data", data, "--json").json, "authorized")
        assert httpx.get(f"{url}/health/ready").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "Traceback" not in errors
