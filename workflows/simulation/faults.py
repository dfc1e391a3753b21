"""The faults that a simulation injects: each with a rate, drawn from a stream of its own, or given as a schedule.

A drawn schedule is a list of (occasion, fault). Replaying a part of it is how a failure is shortened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What goes wrong, by the kind of occasion it strikes."""

    CRASH_BEFORE = "crash before a call"
    CRASH_AFTER = "crash after a call"
    LOST_REQUEST = "request lost"
    LOST_RESPONSE = "response lost"
    STALLED = "stalled past every timeout"
    DUPLICATED = "outside call delivered twice"
    FEED_LATE = "feed late and out of order"
    FEED_TWICE = "feed twice"
    FEED_LOST = "feed record lost"
    CLOCK_SKEW = "clock of a process off"
    PROVIDER_DOWN = "provider down for minutes"
    NEVER_ANSWERS = "person never answers"
    CANCELLED = "cancelled at any tick"
    TOLD_TWICE = "person reports twice at once"
    UPGRADED = "definition upgraded under way"
    STARTED_AGAIN = "new run beside the old one"


OF_CALLS = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.LOST_REQUEST,
    Fault.LOST_RESPONSE,
    Fault.STALLED,
    Fault.DUPLICATED,
)

OF_FEED = (Fault.FEED_LATE, Fault.FEED_TWICE, Fault.FEED_LOST)

RATES: Mapping[Fault, float] = {
    **dict.fromkeys(OF_CALLS, 0.006),
    Fault.DUPLICATED: 0.05,
    Fault.FEED_LATE: 0.05,
    Fault.FEED_TWICE: 0.05,
    Fault.FEED_LOST: 0.01,
    Fault.CLOCK_SKEW: 0.1,
    Fault.PROVIDER_DOWN: 0.3,
    Fault.NEVER_ANSWERS: 0.03,
    Fault.CANCELLED: 0.25,
    Fault.TOLD_TWICE: 0.05,
    Fault.UPGRADED: 0.3,
    Fault.STARTED_AGAIN: 0.05,
}
"""Shares of occasions: calls of a port, commits of the feed, invocations, worlds, answers of people, orders."""


Witness = Callable[[int, tuple[Fault, ...], str], None]
"""Sees an occasion: its number, what could strike there, and what it is."""


@dataclass(slots=True)
class Faults:
    """``strikes`` is asked at every occasion, in the order in which they come. ``witness`` sees each before it."""

    seed: int
    rates: Mapping[Fault, float] = field(default_factory=lambda: RATES)
    schedule: Mapping[int, Fault] | None = None
    witness: Witness | None = None
    injected: list[tuple[int, Fault, str]] = field(default_factory=list)
    _occasions: int = 0
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"faults of {self.seed}")

    def strikes(self, candidates: Iterable[Fault], what: str) -> Fault | None:
        """The fault that strikes this occasion, if one of the candidates does. ``what`` describes it for people."""
        self._occasions += 1
        drawn = self._random.random()
        if self.witness is not None:
            self.witness(self._occasions, tuple(candidates), what)
        if self.schedule is not None:
            found = self.schedule.get(self._occasions)
            return self._noted(found, what) if found is not None and found in tuple(candidates) else None
        for fault in candidates:
            drawn -= self.rates.get(fault, 0.0)
            if drawn < 0:
                return self._noted(fault, what)
        return None

    def _noted(self, fault: Fault, what: str) -> Fault:
        self.injected.append((self._occasions, fault, what))
        return fault
