"""Encode events as the JSON text of a commit, and decode them.

``{"m":{actor,correlation,causation,body},"e":[{"t":type,"v":schema,"d":{...}}]}``. The data of an event stays raw bytes
until its type is known, and is then decoded directly into the dataclass.
"""

from __future__ import annotations

from typing import Any

import msgspec

from domain.picklable import Picklable
from workflows.event_store.commits import Commit, Meta, NewCommit, Opaque, RecordedEvent
from workflows.event_store.event_types import EventTypes, NotStorable, decode_json, encode_json, opened
from workflows.event_store.keyring import KeyRing
from workflows.event_store.personal_fields import PersonalFieldForged, Vault
from workflows.event_store.streams import category_of
from workflows.event_store.upcasters import upcast


class Undecodable(Picklable, Exception):
    """A stored commit or event cannot be decoded. Retryable: no; run ``audit verify``."""

    def __init__(self, commit: Commit, what: str) -> None:
        super().__init__(f"{commit.pk} version {commit.sk}: {what}")
        self.stream = commit.pk
        self.version = commit.sk
        self.what = what


class _Stored(msgspec.Struct, frozen=True, gc=False):
    t: str
    v: int
    d: msgspec.Raw


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    m: Meta
    e: list[_Stored]


_DECODING_ERRORS = (
    *(msgspec.DecodeError, PersonalFieldForged),
    # from upcasters, dataclasses and base64, for data that no version of this code has written
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError),
)

_read_envelope = msgspec.json.Decoder(_Envelope).decode


class Codec:
    """Encode and decode commits of the event types in ``types``. The key ring holds the keys of personal fields."""

    def __init__(self, keyring: KeyRing, types: EventTypes) -> None:
        self._keyring = keyring
        self._types = types

    def encode(self, stream: str, new: NewCommit) -> str:
        """Return the ``ev`` of a commit. Raises NotStorable, KeyRingUnavailable."""
        meta = Meta(new.actor, new.correlation, new.causation, new.body_hash)
        stored = [self._stored(stream, event, new.subject) for event in new.events]
        return encode_json(_Envelope(meta, stored)).decode()

    def decode(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        """Return the events of a commit; an unknown type or schema becomes an Opaque. Raises Undecodable."""
        recorded: list[RecordedEvent] = []
        readers, version, category = self._types.readers, commit.sk, category_of(commit.pk)
        try:
            envelope = _read_envelope(commit.ev)
            if not envelope.e:
                raise Undecodable(commit, "contains no event")
            for stored in envelope.e:
                read = readers.get((category, stored.t, stored.v))
                event = read(stored.d) if read is not None else self._opened(commit.pk, category, stored)
                recorded.append(
                    RecordedEvent(version, event, commit.k, commit.ts, envelope.m, commit.sk, commit.h, stored.v)
                )
                version += 1
        except _DECODING_ERRORS as error:
            raise Undecodable(commit, f"{error}") from error
        return tuple(recorded)

    def recorded(self, commit: Commit, new: NewCommit) -> tuple[RecordedEvent, ...]:
        """Return the events of a commit that was created from ``new``, without decoding them."""
        meta = Meta(new.actor, new.correlation, new.causation, new.body_hash)
        return tuple(
            RecordedEvent(version, event, commit.k, commit.ts, meta, commit.sk, commit.h, self._schema(event))
            for version, event in enumerate(new.events, start=commit.sk)
        )

    def _schema(self, event: object) -> int:
        return self._types.by_class[type(event)].schema

    def _stored(self, stream: str, event: Any, subject: str | None) -> _Stored:
        kind = self._types.by_class.get(type(event))
        if kind is None:
            raise NotStorable(f"{type(event).__name__} is not an event type")
        if kind.category != category_of(stream):
            raise NotStorable(f"{kind.name} is an event of {kind.category} streams and cannot be stored in {stream}")
        key = self._keyring.current(subject) if subject and kind.seals(event) else None
        return _Stored(kind.name, kind.schema, kind.write(event, Vault(self._keyring.find, (stream, kind.name)), key))

    def _opened(self, stream: str, category: str, stored: _Stored) -> Any:
        """Decode the first event of a type, or one that has personal fields, an old schema or an unknown type."""
        kind = self._types.by_name.get((category, stored.t))
        vault = Vault(self._keyring.find, (stream, stored.t))
        if kind is not None and stored.v == kind.schema:
            if not kind.personal:
                self._types.readers[category, kind.name, kind.schema] = kind.read
            return kind.read_sealed(stored.d, vault)
        data = decode_json(stored.d)
        if kind is None or not 1 <= stored.v < kind.schema:
            return Opaque(stored.t, stored.v, data)
        current = upcast(opened(data, vault), (category, stored.t), stored.v, kind.schema, self._types.upcasters)
        return kind.build(current, vault)
