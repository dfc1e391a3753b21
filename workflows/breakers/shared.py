"""The circuit that all processes share: events are written to the stream first, then to the document.

A reader reads both and updates the document from the stream, so the next reader repairs a crash between the two writes.
A lost document is rebuilt from the streams of the last days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from domain.identifiers import Actor
from workflows.breakers.circuit import EPOCH, Circuit
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitEvent, stream_of
from workflows.clock import Clock
from workflows.event_store.commits import History, KeyReused, NewCommit
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, body_as
from workflows.event_store.event_log import EventLog, WrongExpectedVersion

CONFLICTS_MAX = 16
"""Attempts at a change while other processes change the circuit too. Each time one of them succeeds."""

LOOK_BACK = timedelta(days=7)
"""How far back a lost document is rebuilt: the longest time that a circuit is expected to be held open."""

REMEMBERED_FOR = timedelta(days=1)
"""How long a request that had no effect is remembered; one that was recorded is found for as long at least."""


@dataclass(frozen=True, slots=True)
class Followed:
    """The circuit as it is now, the version of its document, and the stream of its next event."""

    circuit: Circuit
    version: int | None
    history: History


@dataclass(frozen=True, slots=True)
class CircuitRequest:
    """An event to record. ``key`` is that of a person's request: a late copy of the request has the same one."""

    event: CircuitEvent
    actor: Actor
    key: str | None = None

    def commit_key(self, history: History) -> str:
        """Return the key under which a repeated append is found: the person's, or else the version and the content."""
        name = type(self.event).__name__
        if self.key is not None:
            return f"{name}/{self.actor.role}/{self.actor.id}/key/{self.key}"
        return f"{name}/{history.version + 1}/{self.body_hash}"

    @property
    def body_hash(self) -> str:
        """A hash of the content. With a key it leaves out the time, because a copy of the request has another one."""
        event = self.event if self.key is None else replace(self.event, at=EPOCH)
        return sha256(repr((event, self.actor)).encode()).hexdigest()[:32]


class SharedCircuit:
    """Reads and changes the circuit. Every method may raise StreamUnavailable and DocumentsUnavailable."""

    def __init__(self, dependency: Dependency, log: EventLog, documents: Documents, clock: Clock) -> None:
        self._dependency = dependency
        self._log = log
        self._documents = documents
        self._clock = clock

    def follow(self) -> Followed:
        """Return the circuit as it is now, and update the document if it was behind the log."""
        for _ in range(CONFLICTS_MAX):
            document = self._documents.get(*self._key)
            stored_circuit = self._stored(document)
            circuit, history = self._followed(stored_circuit)
            current = Followed(circuit, document.version if document else None, history)
            if document is not None and circuit == stored_circuit:
                return current
            if (updated := self._put(current, circuit)) is not None:
                return updated
        return current  # correct, but not stored: the next write stores it

    def store(self, current: Followed, circuit: Circuit) -> bool:
        """Replace the circuit that was read. False if another process replaced it first."""
        return self._put(current, circuit) is not None

    def is_recorded(self, current: Followed, request: CircuitRequest) -> bool:
        """Whether the request of a person was recorded on the stream's day or on the day before, or was noted.

        Raises:
            KeyReused: A request with another content was recorded under its key.
        """
        if request.key is None:
            return False
        if (noted := self._documents.get(*self._noted_at(current, request))) is not None:
            if noted.body["hash"] != request.body_hash:
                raise KeyReused(current.history.stream, request.key)
            return True
        day_before = date.fromisoformat(current.circuit.day) - timedelta(days=1)
        days = (current.history, self._log.load(stream_of(self._dependency, day_before.isoformat())))
        return any(day.find(request.commit_key(day), request.body_hash) is not None for day in days)

    def note(self, current: Followed, request: CircuitRequest) -> None:
        """Remember for a day that a request of a person had no effect, so that a late copy of it has none either."""
        if request.key is None:
            return
        body, until = {"hash": request.body_hash}, self._clock.now() + REMEMBERED_FOR
        place = self._noted_at(current, request)
        self._documents.put(Document(*place, body, expires_s=int(until.timestamp())), ANY)

    def _noted_at(self, current: Followed, request: CircuitRequest) -> tuple[str, str]:
        return f"circuit-requests#{self._dependency}", request.commit_key(current.history)

    def record(self, current: Followed, request: CircuitRequest) -> Circuit | None:
        """Append the event, then update the document. None if another event was appended first."""
        try:
            history = self._log.append(current.history, _commit(current.history, request))
        except WrongExpectedVersion:
            return None
        circuit = current.circuit.following(current.circuit.day, history)
        self._put(current, circuit)  # if another process was faster, the next reader updates it
        return circuit

    @property
    def _key(self) -> tuple[str, str]:
        return f"breaker#{self._dependency}", "circuit"

    def _stored(self, document: Document | None) -> Circuit:
        return body_as(document, Circuit) or Circuit(day=(self._today() - LOOK_BACK).isoformat())

    def _followed(self, circuit: Circuit) -> tuple[Circuit, History]:
        """Follow the streams of all days since the circuit's. With a clock that is behind, use the newest stream."""
        day, today = date.fromisoformat(circuit.day), self._today()
        while True:
            history = self._log.load(stream_of(self._dependency, day.isoformat()))
            circuit = circuit.following(day.isoformat(), history)
            if day >= today:
                return circuit, history
            day += timedelta(days=1)

    def _put(self, current: Followed, circuit: Circuit) -> Followed | None:
        """Store the circuit if its document is still the one that was read. None if it is not."""
        body: dict[str, Any] = msgspec.to_builtins(circuit)
        try:
            stored = self._documents.put(Document(*self._key, body), current.version)
        except DocumentChanged:
            return None
        return Followed(circuit, stored.version, current.history)

    def _today(self) -> date:
        return self._clock.now().astimezone(UTC).date()


def _commit(history: History, request: CircuitRequest) -> NewCommit:
    events: tuple[Any, ...] = (request.event,)
    return NewCommit(
        key=request.commit_key(history),
        events=events,
        actor=request.actor,
        correlation=history.stream,
        causation="circuit breaker",
        body_hash=request.body_hash,
    )
