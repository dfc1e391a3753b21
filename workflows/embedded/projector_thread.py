"""The projector on a thread of the engine's own process: for tests that play with its parts or open many engines."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from workflows.clock import Clock
from workflows.embedded.view_builder import start_building
from workflows.engine import Views
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import FollowedLog, LogFollower
from workflows.projections.progress import ProjectorProgress, progress_of


class ProjectorThread:
    """A ``RunningProjector``."""

    def __init__(self, folder: Path, views: Views, log: FollowedLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._follower = LogFollower(views, log, loads_from(log), clock, build=partial(start_building, folder))
        self._thread = threading.Thread(target=self._follower.run, name="projector", daemon=True)

    def begin(self) -> None:
        self._log.on_commit(lambda _: self._follower.wake())
        self._thread.start()

    def close(self) -> None:
        self._follower.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def progress(self) -> ProjectorProgress:
        return progress_of(self._follower.state, self._log, self._clock)
