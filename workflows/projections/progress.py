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
    lag_s = oldest_missing_s(feed, state.position, clock)
    return ProjectorProgress(
        state=state,
        lag_commits=0 if lag_s is None else feed.newest() - state.position,  # rows behind it may be unreadable
        lag_s=lag_s or 0.0,
        restarts=restarts,
        memory_bytes=memory_bytes,
    )


def oldest_missing_s(feed: Feed, position: int, clock: Clock) -> float | None:
    """Return the age in seconds of the first commit behind a position; None if there is none."""
    behind = feed.changes(position, 1)
    return max(0.0, (clock.now() - read_timestamp(behind[0].commit.ts)).total_seconds()) if behind else None
