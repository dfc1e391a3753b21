"""A peer in a process of its own, which answers each JSON line with a JSON line.

The virtual environments of peers are created on first use from ``benchmarks/peers/requirements*.txt``; the Restate
server comes from npm.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_REQUIREMENTS = {".venv": "requirements.txt", ".venv-dynamodb": "requirements-dynamodb.txt"}


class PeerFailed(RuntimeError):
    """The process ended instead of answering."""


class Peer:
    """A running process. ``ask(do=..., ...)`` returns its answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(f"{self._process.args!r} ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def peer(driver: str, *arguments: object, venv: str = ".venv") -> Iterator[Peer]:
    """Run ``benchmarks/peers/<driver>.py`` until the end of the block."""
    with process(installed(venv), f"benchmarks.peers.{driver}", *arguments) as running:
        yield running


@contextmanager
def process(python: str, module: str, *arguments: object) -> Iterator[Peer]:
    """Run a module that answers over its pipe, until the end of the block."""
    command = [python, "-m", module, *map(str, arguments)]
    started = subprocess.Popen(
        command, cwd=FOLDER.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield Peer(started)
    finally:
        assert started.stdin is not None
        started.stdin.close()  # the process ends when its input ends
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def installed(venv: str) -> str:
    """Return the Python of a peer's virtual environment, which is created if needed."""
    folder = FOLDER / venv
    requirements, done = FOLDER / _REQUIREMENTS[venv], folder / "installed"
    if not done.exists() or done.stat().st_mtime < requirements.stat().st_mtime:
        print(f"installing {requirements.name} into {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(requirements)], check=True)
        done.touch()
    return str(folder / "bin" / "python")


def restate_server() -> Path:
    """Return the Restate server of the npm package, which is installed if needed."""
    servers = list(FOLDER.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not servers:
        print("installing @restatedev/restate-server from npm ...", file=sys.stderr)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            cwd=FOLDER,
            check=True,
        )
        servers = list(FOLDER.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    return servers[0]
