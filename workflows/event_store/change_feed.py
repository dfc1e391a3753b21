"""The live feed of a log: durable commits in order, at least once, and a notification after each append.

A consumer that missed a notification or a commit finds everything by reading the feed again from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from workflows.event_store.commits import Commit


class FeedEntry(NamedTuple):
    """A commit and its place in the feed: ``position`` orders the commits of all streams, and is a checkpoint."""

    position: int
    commit: Commit


class Feed(Protocol):
    """Commits of one stream come in their order."""

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        """Return the next durable commits after a position; from the beginning for None. Empty if there are none."""
        ...

    def on_change(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` after each durable append, in the thread that appended: it must be short and not raise."""
        ...


class Listeners:
    """The functions to call after each append."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[], None], ...] = ()

    def add(self, listener: Callable[[], None]) -> None:
        self._listeners = (*self._listeners, listener)

    def notify(self) -> None:
        for listener in self._listeners:
            listener()
