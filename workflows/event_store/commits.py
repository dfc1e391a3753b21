"""Commits, histories, and the hash chain that links each commit to the one before it.

A ``Commit`` is one stored item. A ``History`` is a whole stream at its newest known version; only a ``History`` can be
appended to. A ``PastHistory`` is the stream at an earlier version and cannot be appended to.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from domain.identifiers import Actor
from domain.picklable import Picklable

if TYPE_CHECKING:
    from domain.order.events import Event

GENESIS = b""
"""The hash before the first commit of a stream."""

CHANGED = "does not match its hash: the commit, or the one before it, was changed"

_lengths = struct.Struct(">6I").pack


class Commit(msgspec.Struct, frozen=True, gc=False):
    """One stored item, exactly as stored; see the table in docs/architecture.md."""

    pk: str
    sk: int
    k: str
    ts: str
    h: bytes
    ev: str

    @property
    def size(self) -> int:
        """The number of its events. Raises msgspec.DecodeError if ``ev`` is not the JSON of a commit."""
        return len(_count(self.ev).e)


class UnreadableRow(msgspec.Struct, frozen=True, gc=False):
    """A stored row that is not a commit: a column is missing, has another type, or is not text in UTF-8.

    ``pk`` is what can be shown of the stream's name; ``sk`` is 0 if the row has no whole number there.
    """

    pk: str
    sk: int
    problem: str


StoredRow: TypeAlias = Commit | UnreadableRow


class _Counted(msgspec.Struct, frozen=True, gc=False):
    e: list[msgspec.Raw]


_count = msgspec.json.Decoder(_Counted).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """Events to append in one commit. ``subject`` is the customer whose data key encrypts the personal fields."""

    key: str
    events: tuple[Any, ...]
    actor: Actor
    correlation: str
    causation: str
    body_hash: str
    subject: str | None = None

    def __post_init__(self) -> None:
        if not self.events or not self.key:
            raise ValueError("a commit has a key and at least one event")


class Meta(msgspec.Struct, frozen=True, gc=False):
    """The author of a commit and the request behind it. ``body`` is the hash of the command's body."""

    actor: Actor
    correlation: str
    causation: str
    body: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """An event whose type or schema this code does not know. It can be shown, but no decision is made on it."""

    type: str
    schema: int
    data: Mapping[str, Any]


class RecordedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event with its version in the stream and the key, time and author of its commit.

    ``commit`` is the version of the first event in that commit and ``h`` the commit's hash; ``schema`` is the one that
    the event was stored in.
    """

    version: int
    event: Event | Opaque
    key: str
    ts: str
    meta: Meta
    commit: int = 0
    h: bytes = b""
    schema: int = 1

    @property
    def recorded_at(self) -> datetime:
        return datetime.fromisoformat(self.ts)

    @property
    def actor(self) -> Actor:
        return self.meta.actor

    @property
    def correlation(self) -> str:
        return self.meta.correlation

    @property
    def causation(self) -> str:
        return self.meta.causation


class KeySeen(NamedTuple):
    """The versions that a key wrote, and the hash of the command's body."""

    first: int
    last: int
    body_hash: str


class UnknownEvent(Picklable, Exception):
    """The stream holds an event of a newer release, so this code must not decide. Retryable: after an upgrade."""

    def __init__(self, stream: str, version: int, event: Opaque) -> None:
        super().__init__(
            f"{stream} version {version} is {event.type} schema {event.schema}, unknown here; upgrade first"
        )
        self.stream = stream
        self.version = version
        self.type = event.type
        self.schema = event.schema


class KeyReused(Picklable, Exception):
    """The same key was sent with another body, so it is not a retry. Retryable: no. HTTP: 422."""

    def __init__(self, stream: str, key: str) -> None:
        super().__init__(f"key {key!r} was used on {stream} with another body; a new request needs a new key")
        self.stream = stream
        self.key = key


NOT_AS_WRITTEN = (
    "The stored data was changed after it was written, so it is not shown or processed. Give support the id."
)
"""The words for callers about a stream that is broken or cannot be decoded; the engine's log has the place."""


class ChainBroken(Picklable, Exception):
    """The stored stream differs from what was written. Retryable: no; run ``audit verify``."""

    def __init__(self, stream: str, version: int, what: str) -> None:
        super().__init__(f"{stream} version {version}: {what}")
        self.stream = stream
        self.version = version
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recording:
    """The events of one stream from version 1 on, without a gap."""

    stream: str
    recorded: tuple[RecordedEvent, ...] = ()

    @property
    def version(self) -> int:
        """The version of the last event; 0 if the stream is empty."""
        return len(self.recorded)

    @property
    def events(self) -> tuple[Any, ...]:
        """The events to fold. Raises UnknownEvent, so that no decision is made on an incomplete history."""
        return self.events_after(0)

    def events_after(self, version: int) -> tuple[Any, ...]:
        """Return the events after a version, to fold onto the state at that version. Raises UnknownEvent."""
        events = tuple([recorded.event for recorded in self.recorded[version:]])
        if Opaque in map(type, events):
            for recorded in self.recorded[version:]:
                if isinstance(recorded.event, Opaque):
                    raise UnknownEvent(self.stream, recorded.version, recorded.event)
        return events


@dataclass(frozen=True, slots=True, kw_only=True)
class PastHistory(_Recording):
    """A stream at an earlier version or time. Nothing can be appended to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History(_Recording):
    """A verified stream at its newest known version. Only an event log creates one."""

    head: bytes = GENESIS
    last_ts: str = ""
    keys: Mapping[str, KeySeen] = field(default_factory=dict)
    folds: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """The state that each fold function made of this history, so that a kept history is folded once. Keys that are no
    functions are for results that a longer history does not continue."""

    def find(self, key: str, body_hash: str) -> KeySeen | None:
        """Return the versions that an earlier attempt under this key wrote. Raises KeyReused if its body differs."""
        seen = self.keys.get(key)
        if seen is not None and seen.body_hash != body_hash:
            raise KeyReused(self.stream, key)
        return seen

    def extended(self, commit: Commit, recorded: tuple[RecordedEvent, ...]) -> History:
        """Return the history after one more stored commit, whose events are ``recorded``. Raises ChainBroken."""
        check_link(commit, self.stream, self.version, self.head, self.last_ts)
        return self.followed_by(commit, recorded)

    def followed_by(self, commit: Commit, recorded: tuple[RecordedEvent, ...]) -> History:
        """Return the history after a commit that was sealed onto it just now, so that its link needs no check."""
        seen = KeySeen(commit.sk, commit.sk + len(recorded) - 1, recorded[0].meta.body)
        return History(
            stream=self.stream,
            recorded=self.recorded + recorded,
            head=commit.h,
            last_ts=commit.ts,
            keys={commit.k: seen} | dict(self.keys),
        )


def chain_hash(previous: bytes, commit: Commit) -> bytes:
    """Return the hash that ``h`` of the commit must hold, given the hash of the commit before it.

    SHA-256 over six big-endian 32-bit lengths and then the six parts: the previous hash, pk, sk in decimal digits, k,
    ts and ev, text as UTF-8.
    """
    pk, sk, k, ts, ev = commit.pk.encode(), b"%d" % commit.sk, commit.k.encode(), commit.ts.encode(), commit.ev.encode()
    lengths = _lengths(len(previous), len(pk), len(sk), len(k), len(ts), len(ev))
    return sha256(b"".join((lengths, previous, pk, sk, k, ts, ev))).digest()


def check_link(commit: Commit, stream: str, version: int, head: bytes, last_ts: str) -> None:
    """Check that the commit continues ``stream``, which ends with this version, hash and time. Raises ChainBroken."""
    if commit.sk > version + 1:
        raise ChainBroken(stream, version + 1, f"missing: the next commit begins with version {commit.sk}")
    if commit.sk <= version:
        raise ChainBroken(stream, commit.sk, f"overlaps the commit before it, which ends with version {version}")
    if commit.pk != stream or chain_hash(head, commit) != commit.h:
        raise ChainBroken(stream, commit.sk, CHANGED)
    if commit.ts < last_ts:
        raise ChainBroken(stream, commit.sk, f"recorded at {commit.ts}, earlier than the commit before it at {last_ts}")
