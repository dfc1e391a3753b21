"""The events of a circuit. The actor is recorded in the commit.

They are stored in one stream for each dependency and day, ``breaker#payments#2026-05-04``, which bounds its length. A
probe is not an event, because it matters for the next seconds only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.identifiers import OrderId
from workflows.breakers.dependencies import Dependency


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOpened:
    """Too many of the ``calls`` of the last ``window_s`` seconds failed.

    From now on only probes call the provider, one per interval.
    """

    failures: int
    calls: int
    window_s: int
    last_error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitClosed:
    """The probing call of order ``probe`` was answered. It was probe number ``probes`` since the opening."""

    probe: OrderId
    probes: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitForcedClosed:
    """A person closed the circuit."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitHeldOpen:
    """A person opened the circuit. There are no probes, and only a person closes it."""

    reason: str
    at: datetime


CircuitEvent = CircuitOpened | CircuitClosed | CircuitForcedClosed | CircuitHeldOpen


def stream_of(dependency: Dependency, day: str) -> str:
    """Return the stream of the circuit's events of one day, an ISO date in UTC."""
    return f"breaker#{dependency}#{day}"
