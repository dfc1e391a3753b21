"""Follow one stream row by row and find each row that is not what an append wrote.

The rules are those of ``EventLog.load``: every link of the chain holds, and every commit can be decoded. A stream
without findings can be loaded, and a stream that cannot be loaded has findings. The walk goes on after a finding, from
what is stored, so later findings may follow from an earlier one; none is left out for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from workflows.audit.findings import Finding, Head
from workflows.clock import is_timestamp
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import (
    GENESIS,
    ChainBroken,
    Commit,
    Opaque,
    RecordedEvent,
    StoredRow,
    UnreadableRow,
    check_link,
)


class StreamWalk:
    """Walks one stream; ``version`` and ``head`` are those of the last commit seen."""

    def __init__(
        self,
        stream: str,
        published: Sequence[Head],
        decode: Callable[[Commit], tuple[RecordedEvent, ...]],
        see: Callable[[Commit, tuple[RecordedEvent, ...]], None] = lambda _commit, _events: None,
    ) -> None:
        """Begin before the first row.

        Args:
            published: The heads of the stream that were published.
            decode: Decode a commit. May raise Undecodable.
            see: Called with each commit that can be decoded, and its events.
        """
        self.stream = stream
        self.findings: list[Finding] = []
        self.unreadable: list[Finding] = []
        self.rows = self.version = self.opaque = 0
        self.head = GENESIS
        self._decode = decode
        self._see = see
        self._unconfirmed: dict[int, set[bytes]] = {}
        for head in published:
            self._unconfirmed.setdefault(head.version, set()).add(head.hash)
        self.first_ts = self._last_ts = ""
        self._doubtful = False  # the commit before has a finding

    def follow(self, rows: Iterable[StoredRow]) -> StreamWalk:
        for row in rows:
            self.rows += 1
            if isinstance(row, UnreadableRow):
                self._find(row.sk, row.problem)
                self.unreadable.append(self.findings[-1])
            else:
                self._step(row)
        for version in sorted(self._unconfirmed):
            self._find_missed(version)
        category, _, id_ = self.stream.partition("#")
        if self.rows and not (category and id_):
            self._find(0, "is outside every stream: a stream is named category#id")
        return self

    def _step(self, commit: Commit) -> None:
        already = len(self.findings)
        try:
            check_link(commit, self.stream, self.version, self.head, self._last_ts)
        except ChainBroken as broken:
            may_be_longer = self._doubtful and commit.sk > self.version + 1
            words = "; the commit before it was changed, and may have held more events" if may_be_longer else ""
            self._find(broken.version, broken.what + words)
        if not is_timestamp(commit.ts):
            self._find(commit.sk, f"its time {commit.ts!r} is not in the form in which times are recorded")
        self.version = commit.sk + self._size(commit) - 1
        self.first_ts = self.first_ts or commit.ts
        self.head, self._last_ts = commit.h, max(commit.ts, self._last_ts)
        self._compare(commit)
        self._doubtful = len(self.findings) > already

    def _size(self, commit: Commit) -> int:
        try:
            events = self._decode(commit)
        except Undecodable as error:
            self._find(commit.sk, f"cannot be decoded: {error.what}")
            return _counted(commit)
        self._see(commit, events)
        self.opaque += sum(isinstance(recorded.event, Opaque) for recorded in events)
        return len(events)

    def _compare(self, commit: Commit) -> None:
        if self._unconfirmed.pop(self.version, {commit.h}) != {commit.h}:
            self._find(commit.sk, "differs from the published head: the chain was computed again up to here")

    def _find_missed(self, published: int) -> None:
        if self.version < published:
            what = f"missing: a head was published at version {published}, the tail is cut"
            self._find(self.version + 1, what)
        else:
            what = "no commit ends here, but a head was published: the chain was computed again"
            self._find(published, what)

    def _find(self, version: int, what: str) -> None:
        self.findings.append(Finding(self.stream, version, what))


def _counted(commit: Commit) -> int:
    """Count the events of a commit that cannot be decoded; 1 if they cannot be counted either."""
    try:
        return max(commit.size, 1)
    except (msgspec.DecodeError, RecursionError):
        return 1
