"""The projector in a process of its own: the process. Only ``projector_process`` starts it, with its two pipes.

It reads the log from the engine's file, which it never writes, and writes the views. It shares no lock, no key that was
read and no memory with the engine. SIGINT and SIGTERM, which a service manager sends to all processes of a service, are
left to the engine: the projector ends once the engine closes the lifeline or has ended.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import signal
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final

import apsw

from workflows.boundary.private_files import SecretUnusable
from workflows.embedded.files import DATABASE
from workflows.embedded.garbage import collect_rarely
from workflows.embedded.log_lines import write_log_lines
from workflows.embedded.steady_clock import SteadyClock
from workflows.embedded.view_builder import start_building, views_of
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import GATHER_S, LogFollower
from workflows.projections.progress import ProjectorState
from workflows.sqlite.database import Database, DatabaseUnavailable
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

log = logging.getLogger(__name__)

END_WITHIN_S: Final = 8.0
"""How long the transaction under way may take after the engine has ended. It is undone if it takes longer."""

ALIVE_EVERY_S: Final = 1.0
"""How often at most the projector reports that it works, while its state does not change."""

RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of ``ru_maxrss``."""


def main(folder: Path, log_level: int) -> int:
    """Keep the views in an engine's folder up to date until the lifeline ends.

    Returns:
        The exit code: 1 if the machine or the folder does not let it begin, which is one line in the log.
    """
    with ExitStack() as opened:
        try:
            follower = _begin(folder, log_level, opened)
        except (apsw.Error, DatabaseUnavailable, SecretUnusable, OSError, MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "start new thread" not in str(error):
                raise  # a bug
            log.error("the projector of the views cannot begin: %s", str(error) or type(error).__name__)
            return 1
        follower.run()
    return 0


def _begin(folder: Path, log_level: int, opened: ExitStack) -> LogFollower:
    """Open the log and the views, and follow the lifeline on a thread."""
    lifeline, reporting_end = _own_pipes()
    reports = ReportPipe(reporting_end)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave_to_the_engine)
    write_log_lines(log_level)
    collect_rarely()
    database = opened.enter_context(Database(folder / DATABASE, read_only=True))
    views = opened.enter_context(closing(views_of(folder)))
    keyring = SqliteKeyRing(database)
    clock = SteadyClock.of(folder)
    events = SqliteEventLog(database, Codec(keyring, EVENT_TYPES), clock)
    follower = LogFollower(
        views,
        events,
        loads_from(events),
        clock,
        build=partial(start_building, folder),
        forget_keys=keyring.forget,
        report=reports.report,
        on_work=reports.work,
    )
    threading.Thread(target=_follow_lifeline, args=(lifeline, follower), daemon=True).start()
    return follower


def _own_pipes() -> tuple[int, FileIO]:
    """Take the pipes off stdin and stdout: a process that builds views must not hold them when this one has ended."""
    lifeline, reports = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return lifeline, FileIO(reports, "w")


def _leave_to_the_engine(*_: object) -> None:
    """Do nothing. A handler, unlike SIG_IGN, is not inherited by the process that builds views."""


def _follow_lifeline(lifeline: int, follower: LogFollower) -> None:
    """Wake the follower once for all commits that it gathers: each wake takes processor time that the engine needs."""
    ended = select.poll()
    ended.register(lifeline, 0)  # reports the end of the pipe alone
    while os.read(lifeline, 4096):
        follower.wake()
        ended.poll(GATHER_S * 1000)
    follower.stop()
    time.sleep(END_WITHIN_S)
    os._exit(1)


class ReportPipe:
    """What the engine gets: a line of JSON with each new state, and empty lines while the projector works."""

    def __init__(self, pipe: FileIO) -> None:
        self._pipe = pipe
        self._last: ProjectorState | None = None
        self._written_s = 0.0

    def report(self, state: ProjectorState) -> None:
        """Write the state, if it is another one."""
        if state == self._last:
            self.work()
            return
        self._last = state
        memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
        self._write(json.dumps({**asdict(state), "memory_bytes": memory_bytes}).encode())

    def work(self) -> None:
        """Write that the projector works, unless it wrote just now."""
        if time.monotonic() - self._written_s >= ALIVE_EVERY_S:
            self._write(b"")

    def _write(self, line: bytes) -> None:
        with suppress(BrokenPipeError):  # the engine has ended, as the lifeline shows too
            self._pipe.write(line + b"\n")
        self._written_s = time.monotonic()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
