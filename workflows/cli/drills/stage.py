"""The stage of a drill: a temporary folder with an engine and simulated providers, which a drill breaks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Final, TypeVar

from workflows.boundary.child_python import start_module
from workflows.cli.demo.engine_process import first_line, stop
from workflows.cli.failures import CommandFailed
from workflows.cli.folder import address_of

if TYPE_CHECKING:
    from workflows.client import ExpediterClient

T = TypeVar("T")

Words = tuple[str, ...]
"""A command without ``expediter``, with names in braces for what the stage knows, e.g. ``{data}``."""

PATIENCE_S: Final = 40.0
_LOOK_EVERY_S: Final = 0.1
_RUNS_ON: Final = frozenset({"up", "sandbox"})
"""Commands that run until they are stopped."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


class Stage:
    """Folders, processes and names of one drill."""

    def __init__(self, folder: Path, closed: ExitStack, run: Callable[[Sequence[str]], int]) -> None:
        self.names = {
            "data": str(folder / "engine"),
            "backup": str(folder / "backup"),
            "restored": str(folder / "restored"),
            "providers": str(folder / "providers"),
        }
        self._closed = closed
        self._run = run
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.patience_s = PATIENCE_S

    @property
    def data(self) -> Path:
        return Path(self.names["data"])

    def filled(self, words: Words) -> Words:
        """Put in the names that the stage knows."""
        return tuple(word.format_map(self.names) for word in words)

    def text(self, words: Words) -> str:
        """Return a command as a person types it."""
        return shlex.join(("expediter", *self.filled(words)))

    def run(self, *words: str) -> Done:
        """Run a command; one that runs until it is stopped is left running."""
        arguments = self.filled(words)
        if arguments[0] in _RUNS_ON:
            return Done(0, self.start(*arguments), "")
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            code = self._run(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    def must(self, *words: str) -> Done:
        """Run a command that sets the stage. Raises CommandFailed."""
        done = self.run(*words)
        if done.code != 0:
            raise CommandFailed(f"the drill could not be prepared: {self.text(words)}: {done.err.strip()}")
        return done

    def start(self, *words: str) -> str:
        """Start a command that runs until it is stopped; return the address that it prints."""
        errors = self._closed.enter_context(TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 -- closed by the stack
        process = start_module(
            "workflows.cli",
            *self.filled(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors.fileno(),
            text=True,
        )
        self.processes[words[0]] = process
        self._closed.callback(stop, process)
        return first_line(process, errors)

    def kill(self, name: str) -> None:
        """Kill a process, as a power cut would."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def place(self) -> str:
        """Place an order; return its id."""
        return self.must("order", "place", "--example", "--data", "{data}").out.strip()

    def ask(self, question: Callable[[ExpediterClient], T], data: str = "{data}") -> T | None:
        """Ask the engine of a folder as support; None if it does not answer, or refuses."""
        from workflows.cli.connection import minted
        from workflows.client import ApiProblem, EngineUnreachable, ExpediterClient

        folder = Path(data.format_map(self.names))
        url = address_of(folder) if folder.is_dir() else None
        if url is None:
            return None
        try:
            with ExpediterClient(url, minted(folder, "support", "drill", 60), retry_for_s=0.0) as client:
                return question(client)
        except (ApiProblem, EngineUnreachable):
            return None

    def eventually(self, holds: Callable[[], object]) -> bool:
        """Wait until something is put right, as long as the stage is patient. Return whether it is."""
        return eventually(holds, self.patience_s)


def eventually(holds: Callable[[], object], within_s: float = PATIENCE_S) -> bool:
    """Wait until something holds. Return whether it does."""
    ends_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends_s:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


@contextmanager
def open_stage(run: Callable[[Sequence[str]], int]) -> Iterator[Stage]:
    """Make the folders, and at the end, also at SIGTERM or Ctrl-C, stop the processes and remove the folders."""
    for name in ("EXPEDITER_URL", "EXPEDITER_DATA", "EXPEDITER_TOKEN"):  # of another engine than the drill's
        os.environ.pop(name, None)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with TemporaryDirectory(prefix="expediter-drill-", ignore_cleanup_errors=True) as name, ExitStack() as closed:
            yield Stage(Path(name), closed, run)
    finally:
        signal.signal(signal.SIGTERM, before)


def limit_file_size(process: subprocess.Popen[str], size: int) -> None:
    """Let a running process write no file beyond a size: to the process the disk is full."""
    import resource

    with suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
