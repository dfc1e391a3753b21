"""The demo's engine: ``expediter up`` in a process of its own, which the demo calls as any client does."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

from workflows.boundary.child_python import start_module
from workflows.cli.engine_commands import greeting
from workflows.cli.failures import CommandFailed
from workflows.cli.terminal import say

START_WITHIN_S = 30
"""It takes about one second; a busy machine takes longer."""

STOP_WITHIN_S = 30
"""Requests are finished first, and may take this long."""

PARAMETERS = {
    "CourierAnswerSeconds": "2",  # the demo's couriers answer within a tenth of a second
    "KitchenAnswerSeconds": "6",
}
"""Short timeouts, so that the orders without an answer end within seconds."""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """An engine's address and folder. ``is_kept``: the folder stays when the engine has ended."""

    url: str
    data: Path
    is_kept: bool = True


@contextmanager
def engine(data: Path | None, parameters: Mapping[str, str] = PARAMETERS) -> Iterator[EngineProcess]:
    """Run an engine on a free port, and stop it at the end. Without a folder it uses a temporary one.

    Raises:
        CommandFailed: The engine did not start or failed; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="expediter-demo-") as temporary:
        folder = data if data is not None else Path(temporary)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
            process = _start(folder, parameters, errors.fileno())
            url = ""
            try:
                url = first_line(process, errors)
                yield EngineProcess(url, folder, is_kept=data is not None)
            finally:
                stop(process)
                if url:
                    _pass_on(errors, greeting(url, folder))
            if process.returncode:
                raise CommandFailed(f"the engine ended with code {process.returncode}: {_last_words(errors)}")


def _start(data: Path, parameters: Mapping[str, str], errors: int) -> subprocess.Popen[str]:
    options = [f"--parameter={name}={value}" for name, value in parameters.items()]
    command = ["up", "--data", str(data), "--port", "0", "--demo-data", *options]
    return start_module(
        "workflows.cli", *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True
    )


def first_line(process: subprocess.Popen[str], errors: IO[str]) -> str:
    """Return the first line that the engine prints. Raises CommandFailed if it ends or prints none in time."""
    assert process.stdout is not None  # it is a pipe
    patience = Timer(START_WITHIN_S, process.kill)
    patience.start()
    url = process.stdout.readline().strip()
    patience.cancel()
    if not url:
        process.wait()
        raise CommandFailed(f"the engine did not start: {_last_words(errors)}")
    return url


def stop(process: subprocess.Popen[str]) -> None:
    """Stop an engine, or another process that ends at SIGTERM."""
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _pass_on(errors: IO[str], greeting: tuple[str, ...]) -> None:
    """Print what the engine reported, without its greeting."""
    errors.seek(0)
    for line in errors:
        if line.rstrip() not in greeting:
            say(f"engine: {line.rstrip()}")


def _last_words(errors: IO[str]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return lines[-1].removeprefix("expediter: ") if lines else "no message"
