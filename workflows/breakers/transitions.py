"""The history of a circuit for support: its events with time and actor, read from the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.identifiers import Actor
from workflows.breakers.circuit import EventPosition
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitEvent, stream_of
from workflows.event_store.event_log import EventLog


@dataclass(frozen=True, slots=True)
class Transition:
    """An event of a circuit."""

    position: EventPosition
    at: datetime
    event: CircuitEvent
    actor: Actor


def transitions(log: EventLog, dependency: Dependency, since: datetime, until: datetime) -> Iterator[Transition]:
    """Yield the transitions of a circuit from ``since`` to ``until``, both included, oldest first. One read a day."""
    day = since.astimezone(UTC).date()
    while day <= until.astimezone(UTC).date():
        for recorded in log.load(stream_of(dependency, day.isoformat())).recorded:
            event: object = recorded.event
            if isinstance(event, CircuitEvent) and since <= event.at <= until:
                position = EventPosition(stream_of(dependency, day.isoformat()), recorded.version)
                yield Transition(position, event.at, event, recorded.actor)
        day += timedelta(days=1)
