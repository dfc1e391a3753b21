"""The projector in a process of its own, so that the views take no CPU time from orders: the engine's side.

Two pipes connect the two. Into the *lifeline* the engine writes a byte for each turn of the hub in which something was
committed; the projector then reads the log from its file. Only the engine holds the writing end, so the projector reads
the end of the pipe as soon as the engine has ended, even by SIGKILL, and ends too. Into the other pipe the projector
writes a line of JSON whenever its state has changed, and an empty line with each statement, once a second at most.

A projector that ended is started again after a pause that grows. One that *hangs* is killed before: it wrote nothing
for a while although the log has commits that are not in the views. Nothing else is a hang: a projector that fails (a
full disk, a locked file) writes with each try, one that parks a stream goes on with the others, views are built by a
process beside it, and a long statement writes as long as it proceeds.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from workflows.boundary.child_python import start_module
from workflows.clock import Clock
from workflows.event_store.change_feed import Feed, FeedEntry
from workflows.hub.hub import Hub
from workflows.projections.loading import STORE_ERRORS
from workflows.projections.log_follower import RETRY_FIRST_S, RETRY_LAST_S
from workflows.projections.progress import (
    NOT_STARTED,
    ProjectorProgress,
    ProjectorState,
    oldest_missing_s,
    progress_of,
)

log = logging.getLogger(__name__)

ENDED: Final = "ProjectorEnded"
"""The failure while no projector runs, until the next one has caught up."""

CLOSE_WITHIN_S: Final = 10.0
"""How long ``close`` waits for the transaction under way; then the process is killed, which harms no view."""

_LOOK_EVERY_S: Final = 0.05

START_AFTER_S: Final = 0.5
"""How long after the engine the first projector is started: the imports of both would compete for the same cores."""

RAN_WELL_S: Final = 60.0
"""After a projector that ran for so long, the next one is started after the shortest pause again."""

HANGS_AFTER_S: Final = 120.0
"""A projector with commits to read that wrote nothing for so long hangs. One that works writes within 35 s: after a
failure it pauses for up to 30 s, and waits 5 s for the file's lock. The rest is for a commit to a slow disk."""

HANGS_AFTER_MAX_S: Final = 3600.0
"""The limit is doubled up to this while projectors are killed in a row, so that a step that takes longer ends too."""

LOOKS: Final = 10
"""The limit is counted in looks at the pipe, so that a machine that was suspended misses one and not all of them."""


class ProjectorProcess:
    """A ``RunningProjector``."""

    def __init__(
        self, folder: Path, feed: Feed, clock: Clock, hub: Hub, *, hangs_after_s: float = HANGS_AFTER_S
    ) -> None:
        """Prepare it.

        Args:
            folder: The engine's. Its log and ``views.key`` must be there.
            hub: Where ``feed`` notifies of commits.
            hangs_after_s: A projector that has commits to read and writes nothing for so long is killed.
        """
        self._folder = folder
        self._feed = feed
        self._clock = clock
        self._hub = hub
        self._state = ProjectorState(position=0, parked=0, mended=0, failure=NOT_STARTED)
        self._restarts = 0
        self._memory_bytes = 0
        self._hangs_after_s = self._limit_s = hangs_after_s
        self._closing = threading.Event()
        self._gate = threading.Lock()  # the descriptor is never written to after it was closed
        self._reading_end = self._writing_end = -1
        self._is_noted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def begin(self) -> None:
        self._reading_end, self._writing_end = os.pipe()  # of all projectors, so a wake-up between two is not lost
        os.set_blocking(self._writing_end, False)
        self._feed.on_commit(self._note)
        self._thread.start()

    def close(self) -> None:
        with self._gate:
            if self._writing_end < 0:
                return
            self._closing.set()
            os.close(self._writing_end)
            self._writing_end = -1
        if self._state.failure != NOT_STARTED:  # otherwise it is still importing modules
            self._thread.join(CLOSE_WITHIN_S)
        while self._thread.is_alive():
            if self._process is not None:
                self._process.kill()
            self._thread.join(_LOOK_EVERY_S)
        os.close(self._reading_end)

    @property
    def pid(self) -> int | None:
        """The id of the process; None before the first was started."""
        return None if self._process is None else self._process.pid

    def progress(self) -> ProjectorProgress:
        return progress_of(
            self._state, self._feed, self._clock, restarts=self._restarts, memory_bytes=self._memory_bytes
        )

    # --- on the hub ------------------------------------------------------------------------------------------------

    def _note(self, _: FeedEntry) -> None:
        """Wake the projector once for all commits of this turn."""
        if not self._is_noted:
            self._is_noted = True
            self._hub.soon(self._wake)

    def _wake(self) -> None:
        self._is_noted = False
        with self._gate, suppress(BlockingIOError):  # a full pipe wakes it as well
            if self._writing_end >= 0:
                os.write(self._writing_end, b"\n")

    # --- on the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = RETRY_FIRST_S
        self._closing.wait(START_AFTER_S)
        while not self._closing.is_set():
            began_s = time.monotonic()
            problem = self._run_one()
            if self._closing.is_set():
                return
            if time.monotonic() - began_s > RAN_WELL_S:
                pause_s = RETRY_FIRST_S
            self._state = replace(self._state, failure=ENDED)
            extra = {"problem": problem, "again_in_s": pause_s}
            log.error("the projector of the views ended, and is started again", extra=extra)
            self._closing.wait(pause_s)
            self._restarts += 1
            pause_s = min(2 * pause_s, RETRY_LAST_S)

    def _run_one(self) -> str:
        """Run one process until it ends. Return how it ended."""
        try:
            self._process = process = self._started()
        except OSError as error:  # no memory, or too many processes
            return str(error)
        assert process.stdout is not None
        position, limit_s = self._state.position, self._limit_s
        with process.stdout as reports:
            hangs = self._hangs(reports.fileno())
        if not hangs:
            return f"exit code {process.wait()}"
        has_advanced = self._state.position > position
        self._limit_s = self._hangs_after_s if has_advanced else min(2 * limit_s, HANGS_AFTER_MAX_S)
        _kill_with_children(process)
        return f"it hung and was killed: it did nothing for {limit_s:g} s, with commits to read"

    def _hangs(self, reports: int) -> bool:
        """Take over what the projector writes. Return False once it has ended, and True as soon as it hangs."""
        readable = select.poll()
        readable.register(reports, select.POLLIN)
        quiet, rest = 0, b""
        while quiet < LOOKS:
            if readable.poll(self._limit_s / LOOKS * 1000):
                read = os.read(reports, 65536)
                if not read:
                    return False
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self._take(line)
                quiet = 0
            else:
                quiet = quiet + 1 if self._has_commits_to_read() else 0
        return True

    def _has_commits_to_read(self) -> bool:
        try:
            return oldest_missing_s(self._feed, self._state.position, self._clock) is not None
        except STORE_ERRORS:  # then the projector cannot read either
            return False

    def _started(self) -> subprocess.Popen[bytes]:
        level = logging.getLogger().getEffectiveLevel()
        return start_module(
            "workflows.embedded.projector_main",
            str(self._folder),
            str(level),
            stdin=self._reading_end,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C in a terminal is for the engine, which ends this process in its turn
        )

    def _take(self, line: bytes) -> None:
        """Take over the state that the projector reports. An empty line has none."""
        if not line:
            return
        try:
            report = json.loads(line)
            self._memory_bytes = int(report.pop("memory_bytes"))
            self._state = ProjectorState(**report)
        except (ValueError, KeyError, TypeError) as error:  # the line of a process that was killed while it wrote
            log.warning("a report of the projector cannot be read", extra={"error": str(error)})


def _kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a projector that hangs and the process that builds views for it, which may hold the lock of the views."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
