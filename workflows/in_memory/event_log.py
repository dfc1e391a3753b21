"""The event log in memory: the reference implementation of the contract suite."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import is_not
from typing import NamedTuple

from msgspec.structs import replace

from workflows.clock import Clock
from workflows.event_store.change_feed import CommitListener, FeedEntry, Listeners
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History, StoredRow, UnknownEvent
from workflows.event_store.event_log import ChainedEventLog, Place, Share, shares_by_name
from workflows.event_store.segments import Archived, OrderAge, Segments, is_pointer, whole_commit, with_contents
from workflows.event_store.streams import ORDER, category_of
from workflows.in_memory.segments import InMemorySegments


class InMemoryEventLog(ChainedEventLog):
    """Keeps commits by stream, and also in the order of their appends, for the feed."""

    def __init__(
        self, codec: Codec, clock: Clock, *, keeps_histories: bool = False, segments: Segments | None = None
    ) -> None:
        """Make an empty log.

        Args:
            keeps_histories: A stream that is loaded again is verified, decoded and folded from its first new commit on.
                For logs whose customers are never erased: decoded events hold what a data key protects.
            segments: Its archive; an empty one in memory if None.
        """
        super().__init__(codec, clock)
        self._replayed: dict[str, _Replayed] | None = {} if keeps_histories else None
        self._streams: dict[str, dict[int, Commit]] = {}
        self._in_order: list[Commit] = []
        self._gate = threading.RLock()  # held while listeners are called, so that they see commits in order
        self._listeners = Listeners()
        self.segments: Segments = segments or InMemorySegments()

    def load(self, stream: str) -> History:
        if self._replayed is None or self.segments.newest():
            return super().load(stream)
        rows = self._stored(stream)
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

    def read(self, stream: str) -> list[StoredRow]:
        return list(with_contents(self._stored(stream), self.segments))

    def _stored(self, stream: str) -> list[Commit]:
        with self._gate:
            return [commit for _, commit in sorted(self._streams.get(stream, {}).items())]

    def stored(self) -> Iterator[Commit]:
        """Yield every row as it is stored: with the name of its line in place of a content that is in the archive."""
        for stream in sorted(self._streams):
            yield from self._stored(stream)

    def rows(self) -> Iterator[StoredRow]:
        for stream in sorted(self._streams):
            yield from self.read(stream)

    def scan(
        self, after: Place | None = None, share: Share | None = None, *, contents: bool = True
    ) -> Iterator[Commit]:
        place = after or ("", 0)
        _, _, first, before = share or _WHOLE
        for stream in sorted(self._streams):
            if max(first, place[0]) <= stream and (before is None or stream < before):
                rows = self.read(stream) if contents else self._stored(stream)
                commits = (row for row in rows if isinstance(row, Commit))
                yield from (commit for commit in commits if (commit.pk, commit.sk) > place)

    def shares(self, count: int) -> list[Share]:
        return shares_by_name(list(self._streams), count)

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        start = after or 0
        rows = with_contents(self._in_order[start : start + limit], self.segments)
        return [FeedEntry(start + n, row) for n, row in enumerate(rows, start=1) if isinstance(row, Commit)]

    def newest(self) -> int:
        return len(self._in_order)

    def on_commit(self, listener: CommitListener) -> None:
        self._listeners.add(listener)

    def ages(self, after: str | None = None) -> Iterator[OrderAge]:
        for stream in sorted(self._streams):
            if category_of(stream) == ORDER and stream > (after or ""):
                commits = self._stored(stream)
                yield OrderAge(stream, commits[-1].ts, all(is_pointer(commit.ev) for commit in commits))

    def point(self, archived: Sequence[Archived]) -> None:
        """Replace contents by the names of their lines, all at once."""
        with self._gate:
            for commit, pointer in archived:
                stored = self._streams[commit.pk].get(commit.sk)
                if stored is not None and stored.h == commit.h:
                    self._streams[commit.pk][commit.sk] = replace(stored, ev=pointer)
            self._in_order = [self._streams[each.pk].get(each.sk, each) for each in self._in_order]

    def _insert(self, commit: Commit) -> Commit | None:
        with self._gate:
            stream = self._streams.setdefault(commit.pk, {})
            if commit.sk in stream:
                return whole_commit(stream[commit.sk], self.segments)
            stream[commit.sk] = commit
            self._in_order.append(commit)
            self._listeners.notify(FeedEntry(len(self._in_order), commit))
        return None


class _Replayed(NamedTuple):
    """The history of the commits of a stream. It is exact while the stream holds the same objects."""

    rows: list[Commit]
    history: History


_WHOLE = Share(0, 1)
