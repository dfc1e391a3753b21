"""What happens to a circuit, as events: why it opened, how it closed, who held it. Who wrote it is in the commit.

They are stored in one stream a dependency and day, ``breaker#payments#2026-05-04``, so that no stream grows for ever.
A probe is not an event: it is a promise about the next seconds, and worthless once they are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.identifiers import OrderId
from workflows.breakers.dependencies import Dependency


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOpened:
    """Too many of the ``calls`` of the last ``window_s`` seconds failed. Nobody calls, except one probe an interval."""

    failures: int
    calls: int
    window_s: int
    last_error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitClosed:
    """The call of order ``probe`` went through; it was probe number ``probes`` since the opening."""

    probe: OrderId
    probes: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitForcedClosed:
    """Somebody closed it by hand, and takes the blame for the calls that follow."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitHeldOpen:
    """Somebody opened it by hand. There are no probes, and only a hand closes it."""

    reason: str
    at: datetime


CircuitEvent = CircuitOpened | CircuitClosed | CircuitForcedClosed | CircuitHeldOpen


def stream_of(dependency: Dependency, day: str) -> str:
    """``day`` is an ISO date in UTC."""
    return f"breaker#{dependency}#{day}"
