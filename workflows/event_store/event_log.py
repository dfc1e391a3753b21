"""The event log as a port, and the part that all its adapters share.

An adapter stores and reads items. Hashing a commit, distinguishing a replayed append from a conflict, and verifying
the chain happen here. The version of a commit comes from the loaded History, never from a caller's number, so an
append cannot leave a gap or overlap another commit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from domain.picklable import Picklable
from workflows.clock import Clock, timestamp
from workflows.event_store.codec import Codec
from workflows.event_store.commits import (
    GENESIS,
    ChainBroken,
    Commit,
    History,
    KeySeen,
    NewCommit,
    RecordedEvent,
    StoredRow,
    UnreadableRow,
    chain_hash,
    check_link,
)

ITEM_MAX_BYTES = 400 * 1024
"""DynamoDB's limit for an item, attribute names included. Every adapter enforces it, so that a log can be moved."""

STREAM_MAX_BYTES = 2048
"""DynamoDB's limit for a partition key."""


class WrongExpectedVersion(Picklable, Exception):
    """Another command appended first. ``history`` includes its commit: decide again on it. Retryable: yes."""

    def __init__(self, expected: int, winner: Commit, history: History) -> None:
        super().__init__(
            f"{winner.pk} was at version {expected}; then {winner.k} wrote up to version {history.version}"
        )
        self.stream = winner.pk
        self.expected = expected
        self.winner = winner
        self.history = history


class TooManyConflicts(Exception):
    """Other commands kept appending to the stream before this one could. Retryable: yes. HTTP: 503."""


class CommitTooLarge(Picklable, Exception):
    """The commit does not fit into an item; nothing was sent. Retryable: no. HTTP: 413."""

    def __init__(self, stream: str, size_bytes: int) -> None:
        super().__init__(f"a commit to {stream} would take {size_bytes} bytes; the limit is {ITEM_MAX_BYTES}")
        self.stream = stream
        self.size_bytes = size_bytes


class StreamUnavailable(Picklable, Exception):
    """The store did not answer; a write may have happened. Retryable: yes, with the same key."""

    def __init__(self, stream: str, why: str) -> None:
        super().__init__(f"{stream}: {why}")
        self.stream = stream


class NoSuchVersion(Picklable, LookupError):
    """The stream has not reached the requested version. Retryable: no. HTTP: 404."""

    def __init__(self, stream: str, requested: int, version: int) -> None:
        super().__init__(f"{stream} has no version {requested}; it is at version {version}")
        self.stream = stream
        self.requested = requested
        self.version = version


Place: TypeAlias = tuple[str, int]
"""The place of a commit: its ``pk`` and ``sk``."""


def place_after(stream: str) -> Place:
    """Return a place behind all commits of a stream: a scan after it continues with the next stream."""
    return stream, 2**53  # a version that no stream reaches


class Share(NamedTuple):
    """A part of a log that one process scans: number ``number`` (from 0) of ``of``. Only ``shares`` makes one.

    A log that scans in the order of stream names reads the streams from ``first`` on and below ``before`` (None: to the
    end). DynamoDB divides its table by the number alone.
    """

    number: int
    of: int
    first: str = ""
    before: str | None = None


def shares_by_name(sample: Iterable[str], count: int) -> list[Share]:
    """Divide all possible stream names into at most ``count`` ranges, which the names of a sample fill equally."""
    names = sorted(sample)
    starts = ["", *sorted({names[len(names) * number // count] for number in range(1, count) if names})]
    ends = [*starts[1:], None]
    return [Share(number, len(starts), *ends) for number, ends in enumerate(zip(starts, ends, strict=True))]


class EventLog(Protocol):
    """Reads are consistent. Every method may raise StreamUnavailable; ``load`` and ``append`` also ChainBroken."""

    def load(self, stream: str) -> History:
        """Read the whole stream and verify its chain. A stream without commits is an empty History."""
        ...

    def append(self, history: History, new: NewCommit) -> History:
        """Write ``new`` after ``history`` and return the history that includes it.

        If the stream holds a commit with the same key and body, this append is a replay: it succeeds, and nothing is
        written again.

        Raises:
            WrongExpectedVersion: A commit with another key is stored at this version.
            KeyReused: The key was used with another body.
            CommitTooLarge, NotStorable: Nothing was sent.
        """
        ...

    def read(self, stream: str) -> Iterable[StoredRow]:
        """Return the stored rows of a stream in order, not verified, for the audit."""
        ...

    def rows(self) -> Iterator[StoredRow]:
        """Yield every stored row, also those outside every stream, not verified, for the audit.

        The rows may lag behind the log. Streams come in any order; the rows of one stream come together, in order.
        """
        ...

    def scan(
        self, after: Place | None = None, share: Share | None = None, *, contents: bool = True
    ) -> Iterator[Commit]:
        """Yield all commits, not verified, in constant memory; rows that are not commits are left out.

        Streams come in any order; the commits of one stream come together, in order.

        Args:
            after: Continue behind the last commit of an earlier scan.
            share: Yield the streams of this share only. A scan of a share is continued with the same share.
            contents: Without, an archived commit has the name of its line in place of its content, and no segment is
                read.
        """
        ...

    def shares(self, count: int) -> list[Share]:
        """Divide the log into at most ``count`` shares of about the same size. Every stream is in one of them."""
        ...

    def replay(self, stream: str, rows: Iterable[StoredRow]) -> History:
        """Verify and decode the rows of one stream, which must be all of it. Raises ChainBroken, Undecodable."""
        ...

    def events(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        """Decode a commit of ``scan`` or the feed."""
        ...


class ChainedEventLog(ABC):
    """An event log over a store of items. Its adapters insert an item if its place is free, and read items."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        self._codec = codec
        self._clock = clock

    def load(self, stream: str) -> History:
        return self.replay(stream, self.read(stream))

    def append(self, history: History, new: NewCommit) -> History:
        if not isinstance(history, History):
            raise TypeError(f"cannot append to a {type(history).__name__}: load the whole stream")
        if history.find(new.key, new.body_hash) is not None:
            return history
        commit = self._sealed(history, new)
        stored = self._insert(commit)
        if stored is None:
            return history.followed_by(commit, self._codec.recorded(commit, new))
        after = history.extended(stored, self._codec.decode(stored))
        if after.find(new.key, new.body_hash) is None:
            raise WrongExpectedVersion(history.version, stored, after)
        return after

    def replay(self, stream: str, rows: Iterable[StoredRow]) -> History:
        recorded: list[RecordedEvent] = []
        keys: dict[str, KeySeen] = {}
        head, last_ts = GENESIS, ""
        for commit in rows:
            if isinstance(commit, UnreadableRow):
                raise ChainBroken(stream, commit.sk, commit.problem)
            check_link(commit, stream, len(recorded), head, last_ts)
            recorded += self._codec.decode(commit)
            keys[commit.k] = KeySeen(commit.sk, len(recorded), recorded[-1].meta.body)
            head, last_ts = commit.h, commit.ts
        return History(stream=stream, recorded=tuple(recorded), head=head, last_ts=last_ts, keys=keys)

    @abstractmethod
    def read(self, stream: str) -> Iterable[StoredRow]: ...

    @abstractmethod
    def rows(self) -> Iterator[StoredRow]: ...

    @abstractmethod
    def scan(
        self, after: Place | None = None, share: Share | None = None, *, contents: bool = True
    ) -> Iterator[Commit]: ...

    @abstractmethod
    def shares(self, count: int) -> list[Share]: ...

    def events(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        return self._codec.decode(commit)

    @abstractmethod
    def _insert(self, commit: Commit) -> Commit | None:
        """Store the commit durably and return None if (pk, sk) is free; otherwise return the stored commit."""

    def _sealed(self, history: History, new: NewCommit) -> Commit:
        if not 1 <= len(history.stream.encode()) <= STREAM_MAX_BYTES:
            raise ValueError(f"the name of a stream must have 1 to {STREAM_MAX_BYTES} bytes")
        ev = self._codec.encode(history.stream, new)
        sk = history.version + 1
        ts = max(timestamp(self._clock.now()), history.last_ts)
        unsealed = Commit(history.stream, sk, new.key, ts, b"", ev)
        commit = replace(unsealed, h=chain_hash(history.head, unsealed))
        if (size_bytes := item_size(commit)) > ITEM_MAX_BYTES:
            raise CommitTooLarge(history.stream, size_bytes)
        return commit


def item_size(commit: Commit) -> int:
    """Return the bytes as DynamoDB counts them: names and values in UTF-8, 21 at most for a number."""
    texts = len(commit.pk.encode()) + len(commit.k.encode()) + len(commit.ts) + len(commit.ev.encode())
    return len("pkskktshev") + texts + len(commit.h) + 21
