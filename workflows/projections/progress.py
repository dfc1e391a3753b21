"""How far a projector is, and how far its views are behind the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from workflows.clock import Clock, read_timestamp
from workflows.event_store.change_feed import Feed

NOT_STARTED: Final = "NotStarted"
"""The failure of a projector that has not opened the views yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorState:
    """The position of the last commit that is in the views, the number of parked streams, and what fails now.

    ``mended`` counts the streams whose rows the daily comparison mended. ``failure`` is empty while nothing fails.
    """

    position: int
    parked: int
    mended: int
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorProgress:
    """A projector's state, and how far its views are behind the log.

    Attributes:
        lag_commits: Commits that are not in the views.
        lag_s: The age of the oldest of them.
        restarts: How often the projector's process was started again because it had ended.
        memory_bytes: The most memory that its process used; 0 without a process of its own.
    """

    state: ProjectorState
    lag_commits: int
    lag_s: float
    restarts: int = 0
    memory_bytes: int = 0


class RunningProjector(Protocol):
    """The projector of an engine, on a thread or in a process of its own."""

    def begin(self) -> None:
        """Start it. It continues from the stored position."""
        ...

    def close(self) -> None:
        """Let it finish the transaction under way, and stop it. Idempotent."""
        ...

    def progress(self) -> ProjectorProgress:
        """Return how far the views are. From any thread."""
        ...


def progress_of(
    state: ProjectorState, feed: Feed, clock: Clock, *, restarts: int = 0, memory_bytes: int = 0
) -> ProjectorProgress:
    """Compare a projector's state with the log."""
    behind = feed.changes(state.position, 1)
    lag_s = 0.0
    if behind:
        lag_s = max(0.0, (clock.now() - read_timestamp(behind[0].commit.ts)).total_seconds())
    return ProjectorProgress(
        state=state,
        lag_commits=feed.newest() - state.position if behind else 0,  # rows behind it may be unreadable
        lag_s=lag_s,
        restarts=restarts,
        memory_bytes=memory_bytes,
    )
