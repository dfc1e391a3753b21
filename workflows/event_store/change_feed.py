"""The live feed of a log: what was committed, in order, at least once; and the doorbell that says that there is more.

The feed is for those who follow; whoever missed a ring, or a change, finds everything by asking again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from workflows.event_store.commits import Commit


class Change(NamedTuple):
    """``position`` orders changes of all streams; it is what a follower keeps as its checkpoint."""

    position: int
    commit: Commit


class Feed(Protocol):
    """Commits of one stream come in their order."""

    def changes(self, after: int | None, limit: int) -> list[Change]:
        """The next durable commits past a position, from the beginning for ``None``; empty when there are none."""
        ...

    def on_change(self, ring: Callable[[], None]) -> None:
        """Call ``ring`` after each durable append, in the thread that appended: it must be short and not raise."""
        ...


class Doorbell:
    """Rings everybody who asked for it."""

    def __init__(self) -> None:
        self._rings: tuple[Callable[[], None], ...] = ()

    def add(self, ring: Callable[[], None]) -> None:
        self._rings = (*self._rings, ring)

    def ring(self) -> None:
        for ring in self._rings:
            ring()
