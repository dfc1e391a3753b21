"""The demo's engine: ``expediter up`` as a process of its own, so that the demo meets it as any client does."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

from workflows.cli.engine_commands import greeting
from workflows.cli.failures import CommandFailed
from workflows.cli.terminal import say

START_WITHIN_S = 30
"""It takes about one; a busy machine may take many."""

STOP_WITHIN_S = 30
"""A request may take as long (the front's own limit), and is finished first."""

PARAMETERS = {
    "CourierAnswerSeconds": "2",  # people in the demo answer within a tenth of a second
    "KitchenAnswerSeconds": "6",
}
"""Short waits, so that those who never answer are seen within seconds."""


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """Where it listens, and its folder."""

    url: str
    data: Path


@contextmanager
def engine(data: Path | None) -> Iterator[EngineProcess]:
    """A running engine on a free port, stopped at the end. Without a folder, on one that is removed then.

    Raises CommandFailed with the engine's own words when it does not start, or does not end well.
    """
    with tempfile.TemporaryDirectory(prefix="expediter-demo-") as temporary:
        folder = data if data is not None else Path(temporary)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
            process = _start(folder, errors.fileno())
            url = ""
            try:
                url = _url(process, errors)
                yield EngineProcess(url, folder)
            finally:
                _stop(process)
                if url:
                    _pass_on(errors, greeting(url, folder))
            if process.returncode:
                raise CommandFailed(f"the engine ended with code {process.returncode}: {_last_words(errors)}")


def _start(data: Path, errors: int) -> subprocess.Popen[str]:
    parameters = [f"--parameter={name}={value}" for name, value in PARAMETERS.items()]
    command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(data), "--port", "0", *parameters]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)


def _url(process: subprocess.Popen[str], errors: IO[str]) -> str:
    """The first line it prints. Raises CommandFailed when there is none: it ended, or does not come up."""
    assert process.stdout is not None  # it is a pipe
    patience = Timer(START_WITHIN_S, process.kill)
    patience.start()
    url = process.stdout.readline().strip()
    patience.cancel()
    if not url:
        process.wait()
        raise CommandFailed(f"the engine did not start: {_last_words(errors)}")
    return url


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _pass_on(errors: IO[str], greeting: tuple[str, ...]) -> None:
    """What the engine had to report is not kept from whoever watches the demo."""
    errors.seek(0)
    for line in errors:
        if line.rstrip() not in greeting:
            say(f"engine: {line.rstrip()}")


def _last_words(errors: IO[str]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    return lines[-1].removeprefix("expediter: ") if lines else "it said nothing"
