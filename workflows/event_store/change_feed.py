"""The live feed of a log: durable commits in order, at least once, and a notification of each new one.

A notification is a hint: it reaches only what runs in this process, and only while it runs. A consumer that missed one
finds everything by reading the feed again from its checkpoint.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

from workflows.event_store.commits import Commit

log = logging.getLogger(__name__)


class FeedEntry(NamedTuple):
    """A commit and its place in the feed: ``position`` orders the commits of all streams, and is a checkpoint."""

    position: int
    commit: Commit


class Feed(Protocol):
    """Commits of one stream come in their order."""

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        """Return the next durable commits after a position; from the beginning for None. Empty if there are none."""
        ...

    def newest(self) -> int:
        """Return the position of the newest durable commit; 0 if there is none."""
        ...

    def on_commit(self, listener: CommitListener) -> None:
        """Call ``listener`` with each commit once it is durable, in the order of positions.

        A replayed append is not a new commit. The listener is called where the log commits (on the hub of the embedded
        engine), so it must be short: it notes the stream, and other code reads the log later.
        """
        ...


CommitListener: TypeAlias = Callable[[FeedEntry], None]


class Listeners:
    """The listeners of one log. An error of one is logged: it harms neither the append nor the other listeners."""

    def __init__(self) -> None:
        self._listeners: tuple[CommitListener, ...] = ()

    def add(self, listener: CommitListener) -> None:
        self._listeners = (*self._listeners, listener)

    def notify(self, entry: FeedEntry) -> None:
        for listener in self._listeners:
            try:
                listener(entry)
            except Exception as error:
                log.critical("a listener of the log failed: %s", error, exc_info=error)
