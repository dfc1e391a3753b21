"""Runs the Restate server of npm with a deployment of services in this process.

The server has its default settings (4 partitions instead of 24 make no difference) and syncs its log. The services use
the Python SDK behind Hypercorn.
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
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

_STEPS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Running:
    """A server: its process and its ports on 127.0.0.1."""

    pid: int
    ingress: int
    admin: int


@contextmanager
def restate_services(folder: Path, server: str, services: list[restate.Service]) -> Iterator[Running]:
    """Run the server and the services until the end of the block."""
    ingress, admin, node, ours = (_free_port() for _ in range(4))
    threading.Thread(target=lambda: asyncio.run(_serve(restate.app(services), ours)), daemon=True).start()
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
        yield Running(process.pid, ingress, admin)
    finally:
        process.terminate()
        process.wait()


class Requests:
    """Sends JSON requests to a port of the server, over one kept connection a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections = threading.local()

    def send(self, method: str, path: str, body: object) -> Any:
        """Send a request and return the answer's JSON, or None for an empty answer."""
        if not hasattr(self._connections, "one"):
            self._connections.one = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        self._connections.one.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        response = self._connections.one.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{response.status} {path}: {answer!r}")
        return json.loads(answer) if answer else None


async def _serve(app: Any, port: int) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.h2_max_concurrent_streams = 2147483647  # as in the SDK's template
    config.keep_alive_max_requests = 2147483647
    config.accesslog = None
    config.errorlog = None
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_STEPS_AT_ONCE))  # the default: cores + 4
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


def _register(admin: int, ours: int) -> None:
    """Register the services at the server, once both are up."""
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
