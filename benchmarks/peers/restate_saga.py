"""The small saga of eight steps on Restate: ``python -m benchmarks.peers.restate_saga FOLDER SERVER``.

The server is the one from npm, with its default settings (4 partitions instead of 24 make no difference) and fsync of
its log. The service uses the Python SDK behind Hypercorn and is invoked over the server's HTTP ingress. Each step is a
``ctx.run_typed``.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from itertools import count
from pathlib import Path
from typing import Any

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

from benchmarks.peers.answering import answer_all
from benchmarks.peers.closed_loop import closed_loop
from benchmarks.peers.records import Records

STEPS = 8


def main(folder: Path, server: str) -> None:
    records = Records(folder / "records.sqlite")
    service = restate.Service("Saga")

    @service.handler()
    async def run_saga(ctx: restate.Context, saga: str) -> int:
        for number in range(STEPS):
            await ctx.run_typed(f"step {number}", records.append, saga=saga, step=number)
        return STEPS

    ingress, admin, node, ours = (_free_port() for _ in range(4))
    threading.Thread(target=_serve, args=(restate.app([service]), ours), daemon=True).start()
    environment = {
        "RESTATE_BASE_DIR": str(folder / "restate"),
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "off",
    }
    process = subprocess.Popen(
        [server, "--no-logo"], env=os.environ | environment, stdout=subprocess.DEVNULL, cwd=folder
    )
    try:
        _register(admin, ours)
        runs = count()
        connections = threading.local()

        def invoke(name: str) -> None:
            if not hasattr(connections, "one"):
                connections.one = http.client.HTTPConnection("127.0.0.1", ingress, timeout=120)
            connections.one.request("POST", "/Saga/run_saga", json.dumps(name), {"Content-Type": "application/json"})
            response = connections.one.getresponse()
            body = response.read()
            if response.status != 200 or json.loads(body) != STEPS:
                raise RuntimeError(f"{response.status}: {body!r}")

        def run(sagas: int, in_flight: int) -> dict[str, Any]:
            name = f"saga-{time.time_ns()}-{next(runs)}"
            return closed_loop(lambda number: invoke(f"{name}-{number}"), sagas, in_flight)

        answer_all({"run": run, "processes": lambda: {"pids": [os.getpid(), process.pid]}})
    finally:
        process.terminate()
        process.wait()


def _serve(app: Any, port: int) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.h2_max_concurrent_streams = 2147483647  # as in the SDK's template
    config.keep_alive_max_requests = 2147483647
    config.accesslog = None
    config.errorlog = None
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))


def _register(admin: int, ours: int) -> None:
    """Register the service at the server, once both are up."""
    body = json.dumps({"uri": f"http://127.0.0.1:{ours}"}).encode()
    deadline = time.monotonic() + 60
    while True:
        request = urllib.request.Request(
            f"http://127.0.0.1:{admin}/deployments", body, {"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=10).read()
            return
        except (OSError, urllib.error.HTTPError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
