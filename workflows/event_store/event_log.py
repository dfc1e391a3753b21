"""The event log as a port, and what every adapter of it does the same way.

An adapter stores and reads items; sealing a commit, telling an echo from a conflict and verifying the chain happen
here, once. The version of a commit comes from the History that was loaded, never from a number a caller gives, so
that a gap or an overlap cannot be asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol, TypeAlias, overload

from msgspec.structs import replace

from workflows.clock import Clock, timestamp
from workflows.event_store.codec import Codec
from workflows.event_store.commits import (
    GENESIS,
    Commit,
    History,
    KeySeen,
    NewCommit,
    PastHistory,
    RecordedEvent,
    chain_hash,
    check_link,
)

ITEM_MAX_BYTES = 400 * 1024
"""DynamoDB's limit of an item, attribute names included. Every adapter keeps to it, so that a log can move."""

STREAM_MAX_BYTES = 2048
"""DynamoDB's limit of a partition key."""


class WrongExpectedVersion(Exception):
    """Somebody else wrote first. ``history`` already holds the winner: decide again on it. Retryable: yes."""

    def __init__(self, expected: int, winner: Commit, history: History) -> None:
        super().__init__(
            f"{winner.pk} was at version {expected}; then {winner.k} wrote up to version {history.version}"
        )
        self.stream = winner.pk
        self.expected = expected
        self.winner = winner
        self.history = history


class TooManyConflicts(Exception):
    """Others kept writing to the stream faster than this command could decide. Retryable: yes. HTTP: 503."""


class CommitTooLarge(Exception):
    """The commit does not fit into an item; nothing was sent. Retryable: no. HTTP: 413."""

    def __init__(self, stream: str, size_bytes: int) -> None:
        super().__init__(f"a commit to {stream} would take {size_bytes} bytes; the limit is {ITEM_MAX_BYTES}")
        self.stream = stream
        self.size_bytes = size_bytes


class StreamUnavailable(Exception):
    """The store gave no answer, or not this time; a write may have happened. Retryable: yes, with the same key."""

    def __init__(self, stream: str, why: str) -> None:
        super().__init__(f"{stream}: {why}")
        self.stream = stream


class NoSuchVersion(LookupError):
    """A version was asked for that the stream has not reached. Retryable: no. HTTP: 404."""

    def __init__(self, stream: str, asked: int, version: int) -> None:
        super().__init__(f"{stream} has no version {asked}; it is at version {version}")
        self.stream = stream
        self.asked = asked
        self.version = version


Place: TypeAlias = tuple[str, int]
"""Where a commit stands: ``pk`` and ``sk``."""


class EventLog(Protocol):
    """Reads are consistent. Everything may raise StreamUnavailable; ``load`` and ``append`` also ChainBroken."""

    def load(self, stream: str) -> History:
        """The whole stream, its chain verified; empty when nothing was ever appended."""
        ...

    @overload
    def load_past(self, stream: str, *, version: int) -> PastHistory: ...
    @overload
    def load_past(self, stream: str, *, at: datetime) -> PastHistory: ...

    def append(self, history: History, new: NewCommit) -> History:
        """Write ``new`` behind ``history`` and return the history after it.

        A commit under the same key and body is that write's echo: a success, and nothing is written again.

        Raises:
            WrongExpectedVersion: Another key's commit is there already.
            KeyReused: The key was used with another body.
            CommitTooLarge, NotStorable: Nothing was sent.
        """
        ...

    def read(self, stream: str) -> Iterable[Commit]:
        """The stored commits of a stream in order, not verified: for the auditor."""
        ...

    def scan(self, after: Place | None = None) -> Iterator[Commit]:
        """The log in flat memory, not verified; streams in any order, a stream's commits together, in order.

        ``after`` goes on behind a commit that an earlier scan ended with.
        """
        ...

    def events(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        """A commit of ``scan`` or the feed, decoded."""
        ...


class ChainedEventLog(ABC):
    """An event log over a store of items: adapters insert one if its place is free, and read them."""

    def __init__(self, codec: Codec, clock: Clock) -> None:
        self._codec = codec
        self._clock = clock

    def load(self, stream: str) -> History:
        return self._replay(stream, self._read(stream, through=None))

    @overload
    def load_past(self, stream: str, *, version: int) -> PastHistory: ...
    @overload
    def load_past(self, stream: str, *, at: datetime) -> PastHistory: ...

    def load_past(self, stream: str, *, version: int | None = None, at: datetime | None = None) -> PastHistory:
        """Up to a version, which may lie within a commit (raises NoSuchVersion), or up to a time (inclusive)."""
        if at is not None and version is None:
            until = timestamp(at)
            seen = self._replay(stream, self._read(stream, through=None)).recorded
            return PastHistory(stream=stream, recorded=tuple(event for event in seen if event.ts <= until))
        if version is None or at is not None or version < 0:
            raise ValueError("give a version from 0 on, or a time")
        history = self._replay(stream, self._read(stream, through=version))
        if version > history.version:
            raise NoSuchVersion(stream, version, history.version)
        return PastHistory(stream=stream, recorded=history.recorded[:version])

    def append(self, history: History, new: NewCommit) -> History:
        if not isinstance(history, History):
            raise TypeError(f"cannot append to a {type(history).__name__}: load the stream as it is now")
        if history.find(new.key, new.body_hash) is not None:
            return history
        commit = self._sealed(history, new)
        stored = self._insert(commit)
        if stored is None:
            return history.extended(commit, self._codec.recorded(commit, new))
        after = history.extended(stored, self._codec.decode(stored))
        if after.find(new.key, new.body_hash) is None:
            raise WrongExpectedVersion(history.version, stored, after)
        return after

    def read(self, stream: str) -> Iterable[Commit]:
        return self._read(stream, through=None)

    @abstractmethod
    def scan(self, after: Place | None = None) -> Iterator[Commit]: ...

    def events(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        return self._codec.decode(commit)

    @abstractmethod
    def _read(self, stream: str, *, through: int | None) -> Iterable[Commit]:
        """The commits of a stream in order, consistently; only those that begin at ``through`` or before."""

    @abstractmethod
    def _insert(self, commit: Commit) -> Commit | None:
        """Store durably if (pk, sk) is free and return ``None``; otherwise return what is there."""

    def _sealed(self, history: History, new: NewCommit) -> Commit:
        if not 1 <= len(history.stream.encode()) <= STREAM_MAX_BYTES:
            raise ValueError(f"the name of a stream has 1 to {STREAM_MAX_BYTES} bytes")
        ev = self._codec.encode(history.stream, new)
        sk = history.version + 1
        ts = max(timestamp(self._clock.now()), history.last_ts)
        unsealed = Commit(history.stream, sk, new.key, ts, b"", ev)
        commit = replace(unsealed, h=chain_hash(history.head, unsealed))
        if (size_bytes := item_size(commit)) > ITEM_MAX_BYTES:
            raise CommitTooLarge(history.stream, size_bytes)
        return commit

    def _replay(self, stream: str, commits: Iterable[Commit]) -> History:
        recorded: list[RecordedEvent] = []
        keys: dict[str, KeySeen] = {}
        head, last_ts = GENESIS, ""
        for commit in commits:
            check_link(commit, stream, len(recorded), head, last_ts)
            recorded += self._codec.decode(commit)
            keys[commit.k] = KeySeen(commit.sk, len(recorded), recorded[-1].meta.body)
            head, last_ts = commit.h, commit.ts
        return History(stream=stream, recorded=tuple(recorded), head=head, last_ts=last_ts, keys=keys)


def item_size(commit: Commit) -> int:
    """Bytes as DynamoDB counts them: names and values in UTF-8; a number takes at most 21."""
    texts = len(commit.pk.encode()) + len(commit.k.encode()) + len(commit.ts) + len(commit.ev.encode())
    return len("pkskktshev") + texts + len(commit.h) + 21
