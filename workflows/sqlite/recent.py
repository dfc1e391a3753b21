"""Histories of streams that were used last, kept exact: the engine reads the log again only for the others.

The engine is the only writer of its file, so a kept history stays exact as long as every durable append replaces it.
``Recent`` is used on the hub's thread alone, where nothing runs between a transaction and its callbacks. It is emptied
when another process wrote to the file and when a customer's data key is destroyed, because decoded events hold what the
key protects. What it costs: a row that another program changes in place, without a transaction of SQLite, is found when
the stream is next read from the file, and not before.
"""

from __future__ import annotations

from collections import OrderedDict

from workflows.event_store.commits import Commit, History

STREAMS_MAX = 2048
"""Streams kept, some 10 KB each: more than the orders that are in flight on one machine."""


class Recent:
    """An LRU of histories by stream. A history older than the newest durable commit of its stream is never kept."""

    def __init__(self, streams_max: int = STREAMS_MAX) -> None:
        self._streams_max = streams_max
        self._kept: OrderedDict[str, tuple[int, History | None]] = OrderedDict()
        self.emptied = 0
        """How often it was emptied. A history that continues one from before must not be kept."""

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, stream: str) -> History | None:
        """Return the newest history of a stream, or None if it must be read from the file."""
        return self._kept.get(stream, _NOTHING)[1]

    def keep(self, history: History) -> None:
        """Keep a history that was read from the file, or that a durable append returned."""
        newest = self._kept.get(history.stream, _NOTHING)[0]
        if history.version >= newest:
            self._put(history.stream, newest, history)

    def appended(self, commit: Commit) -> None:
        """Drop what is kept of the commit's stream: the commit, or another in its place, is durable."""
        newest = self._kept.get(commit.pk, _NOTHING)[0]
        self._put(commit.pk, max(newest, commit.sk), None)

    def clear(self) -> None:
        """Drop everything: a key was destroyed, or another process wrote."""
        self._kept.clear()
        self.emptied += 1

    def _put(self, stream: str, newest: int, history: History | None) -> None:
        self._kept[stream] = (newest, history)
        self._kept.move_to_end(stream)
        if len(self._kept) > self._streams_max:
            self._kept.popitem(last=False)


_NOTHING: tuple[int, None] = (0, None)
