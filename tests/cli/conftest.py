"""An engine in its own process, one per module that uses it, and the command, run in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.advice import parse
from workflows.cli import connection
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.cli.main import run
from workflows.client import ExpediterClient

TEMPLATE_DEFAULTS: dict[str, str] = {}
"""No parameter is changed: restaurants and couriers have minutes to answer, as when deployed."""

PATIENCE_S = 60
"""Long, because the machine may be busy."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Expediter = Callable[..., Result]


@pytest.fixture
def expediter(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Expediter:
    """Run a command in this process, without its environment variables and without a stored login."""
    for name in ("EXPEDITER_DATA", "EXPEDITER_URL", "EXPEDITER_TOKEN", "EXPEDITER_SANDBOX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def command(*arguments: str) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return command


@pytest.fixture(autouse=True)
def complete_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which a page prints a command as advice that lacks something, whatever the test is about."""
    hint = connection.hint

    def parsed(command: str, url: str | None, data: Path | None) -> str:
        line = hint(command, url, data)
        parse(line)
        return line

    monkeypatch.setattr(connection, "hint", parsed)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine that serves HTTP, stopped at the end of the module. Its timeouts are longer than any test."""
    with engine(tmp_path_factory.mktemp("engine"), TEMPLATE_DEFAULTS) as process:
        yield process


@pytest.fixture
def ends_as() -> Callable[[Callable[[], dict[str, Any]], str], dict[str, Any]]:
    """Poll an order until it has this status."""

    def wait(show: Callable[[], dict[str, Any]], status: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while (view := show())["status"] != status:
            assert time.monotonic() < deadline, f"the order is {view['status']}, not {status}"
        return view

    return wait


def eventually(look: Callable[[], Any]) -> Any:
    """Poll until the answer is not empty: what is read of the views, or of a provider, follows a moment later."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return answer


def wait_until_listed(running: EngineProcess, order_id: str, version: int) -> None:
    """Wait until the views include a version of an order. One request waits for a second at most."""
    with ExpediterClient(running.url, connection.minted(running.data, "support", "sue", 600)) as client:
        eventually(lambda: client.orders(limit=1, wait_for=f"{order_id}:{version}")["as_of"]["includes"])


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command in its own process."""

    def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workflows.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            **options,
        )

    return command


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file with this text and return its path."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write
