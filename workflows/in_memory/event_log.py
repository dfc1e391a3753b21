"""The event log in memory: the reference implementation of the contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import is_not
from typing import NamedTuple

from workflows.clock import Clock
from workflows.event_store.change_feed import CommitListener, FeedEntry, Listeners
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History, UnknownEvent
from workflows.event_store.event_log import ChainedEventLog, Place, Share, shares_by_name


class InMemoryEventLog(ChainedEventLog):
    """Keeps commits by stream, and also in the order of their appends, for the feed."""

    def __init__(self, codec: Codec, clock: Clock, *, keeps_histories: bool = False) -> None:
        """Make an empty log.

        Args:
            keeps_histories: A stream that is loaded again is verified, decoded and folded from its first new commit on.
                For logs whose customers are never erased: decoded events hold what a data key protects.
        """
        super().__init__(codec, clock)
        self._replayed: dict[str, _Replayed] | None = {} if keeps_histories else None
        self._streams: dict[str, dict[int, Commit]] = {}
        self._in_order: list[Commit] = []
        self._gate = threading.RLock()  # held while listeners are called, so that they see commits in order
        self._listeners = Listeners()

    def load(self, stream: str) -> History:
        if self._replayed is None:
            return super().load(stream)
        rows = self.read(stream)
        kept = self._replayed.get(stream)
        known = [] if kept is None else kept.rows
        if kept is None or any(map(is_not, known, rows)) or len(known) > len(rows):
            history = self.replay(stream, rows)
        else:
            history = self._continued(kept.history, rows[len(known) :])
        self._replayed[stream] = _Replayed(rows, history)
        return history

    def _continued(self, history: History, rows: Iterable[Commit]) -> History:
        """Return the history after more commits, with the states that were folded from it."""
        for commit in rows:
            longer = history.extended(commit, self._codec.decode(commit))
            for key, state in history.folds.items():
                with suppress(UnknownEvent):  # it can be read, and is not folded
                    if callable(key):
                        longer.folds[key] = key(state, longer.events_after(history.version))
            history = longer
        return history

    def read(self, stream: str) -> list[Commit]:
        with self._gate:
            return [commit for _, commit in sorted(self._streams.get(stream, {}).items())]

    def rows(self) -> Iterator[Commit]:
        return self.scan()

    def scan(self, after: Place | None = None, share: Share | None = None) -> Iterator[Commit]:
        place = after or ("", 0)
        _, _, first, before = share or _WHOLE
        for stream in sorted(self._streams):
            if max(first, place[0]) <= stream and (before is None or stream < before):
                yield from (commit for commit in self.read(stream) if (commit.pk, commit.sk) > place)

    def shares(self, count: int) -> list[Share]:
        return shares_by_name(list(self._streams), count)

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        start = after or 0
        return [FeedEntry(start + n, commit) for n, commit in enumerate(self._in_order[start : start + limit], start=1)]

    def newest(self) -> int:
        return len(self._in_order)

    def on_commit(self, listener: CommitListener) -> None:
        self._listeners.add(listener)

    def _insert(self, commit: Commit) -> Commit | None:
        with self._gate:
            stream = self._streams.setdefault(commit.pk, {})
            if commit.sk in stream:
                return stream[commit.sk]
            stream[commit.sk] = commit
            self._in_order.append(commit)
            self._listeners.notify(FeedEntry(len(self._in_order), commit))
        return None


class _Replayed(NamedTuple):
    """The history of the commits of a stream. It is exact while the stream holds the same objects."""

    rows: list[Commit]
    history: History


_WHOLE = Share(0, 1)
