"""The state of one circuit, without I/O: a fold of its events, with the tally of calls and the lease of the probe.

| state      | leaves it by                                                            | calls admitted               |
|------------|-------------------------------------------------------------------------|------------------------------|
| closed     | enough failures in the window; a person                                 | all                          |
| open       | a probe is due (half-open); a person                                    | none                         |
| half-open  | success of the probe (closed), its failure or time-out (open); a person | the one that holds the lease |
| held open  | a person                                                                | none                         |

Half-open is open with a lease. The lease is stored in the document only, and losing it costs one probe.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.identifiers import OrderId
from workflows.breakers.events import CircuitClosed, CircuitForcedClosed, CircuitHeldOpen, CircuitOpened
from workflows.breakers.settings import BreakerSettings
from workflows.event_store.commits import History

EPOCH = datetime.fromtimestamp(0, UTC)

SLICES = 6
"""A window moves in steps of a sixth of its length, at least a second."""


class CircuitState(StrEnum):
    """The states of the table above."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    HELD_OPEN = "held_open"


class EventPosition(NamedTuple):
    """The position of a circuit's event in the log. Positions of one dependency sort as their events."""

    stream: str
    version: int

    def __str__(self) -> str:
        return f"{self.stream}/{self.version}"


BEGINNING = EventPosition("", 0)


class Slice(NamedTuple):
    """The calls in one step of the window, which begins at ``start_s`` (Unix time)."""

    start_s: int
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls and failures of the last window."""

    slices: tuple[Slice, ...] = ()

    @property
    def calls(self) -> int:
        return sum(counted.calls for counted in self.slices)

    @property
    def failures(self) -> int:
        return sum(counted.failures for counted in self.slices)

    def plus(self, other: Tally, now: datetime, window_s: int) -> Tally:
        """Return the sum of both, without the slices that have left the window."""
        calls, failures = Counter[int](), Counter[int]()
        for counted in self.slices + other.slices:
            if counted.start_s > now.timestamp() - window_s:
                calls[counted.start_s] += counted.calls
                failures[counted.start_s] += counted.failures
        return Tally(tuple(Slice(start, calls[start], failures[start]) for start in sorted(calls)))


def one_call(now: datetime, window_s: int, *, failed: bool) -> Tally:
    """Return the tally of one call at this time."""
    at, slice_s = int(now.timestamp()), max(1, window_s // SLICES)
    return Tally((Slice(at - at % slice_s, 1, int(failed)),))


@dataclass(frozen=True, slots=True)
class Lease:
    """Order ``holder`` may make one call before ``until``; ``calling`` once it does."""

    number: int
    holder: OrderId
    until: datetime
    calling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The circuit as its document stores it.

    ``last`` is the newest event that was followed, ``day`` the day whose stream it is followed in, ``since`` when that
    event happened, and ``opened`` the event that stopped the calls. ``rests_since`` is when the interval to the next
    probe began, ``probes`` counts those since the opening.
    """

    day: str
    state: CircuitState = CircuitState.CLOSED
    last: EventPosition = BEGINNING
    since: datetime = EPOCH
    opened: EventPosition | None = None
    tally: Tally = field(default_factory=Tally)
    rests_since: datetime = EPOCH
    lease: Lease | None = None
    probes: int = 0
    probe_error: str = ""

    def state_at(self, now: datetime) -> CircuitState:
        """Return the state at this time, which half-open depends on."""
        return CircuitState.HALF_OPEN if self.state is CircuitState.OPEN and self._leased(now) else self.state

    def following(self, day: str, history: History) -> Circuit:
        """Return the circuit after the unseen events of a day's stream. Unknown event types are ignored."""
        followed = self.last.version if self.last.stream == history.stream else 0
        circuit = replace(self, day=day)
        for recorded in history.recorded[followed:]:
            circuit = _evolve(circuit, recorded.event, EventPosition(history.stream, recorded.version))
        return circuit

    def opening(self, settings: BreakerSettings, now: datetime, error: str) -> CircuitOpened | None:
        """Return the event that opens the circuit, if the tally is enough for it."""
        calls, failures = self.tally.calls, self.tally.failures
        if self.state is not CircuitState.CLOSED or failures < settings.failures_min:
            return None
        if failures < settings.failure_rate * calls:
            return None
        return CircuitOpened(failures=failures, calls=calls, window_s=settings.window_s, last_error=error, at=now)

    def probe_due(self, settings: BreakerSettings, now: datetime) -> bool:
        """Whether an order may probe: the circuit is open, without a lease, and the interval is over."""
        interval = timedelta(seconds=settings.probe_interval_s)
        return self.state is CircuitState.OPEN and not self._leased(now) and now >= self.rests_since + interval

    def lent(self, holder: OrderId, settings: BreakerSettings, now: datetime) -> Circuit:
        """Return the circuit with the next probe reserved for ``holder``, which is being woken."""
        lease = Lease(self.probes + 1, holder, now + timedelta(seconds=settings.probe_lease_s), calling=False)
        return replace(self, lease=lease, probes=lease.number, rests_since=now)

    def calling(self, holder: OrderId, settings: BreakerSettings, now: datetime) -> Circuit | None:
        """Return the circuit while ``holder`` makes the probe's call. None if it may not.

        The lease and the interval to the next probe both start again, so that calls are at least an interval apart.
        """
        if self.lease is not None and self._leased(now):
            if self.lease.calling or self.lease.holder != holder:
                return None
            until = now + timedelta(seconds=settings.probe_lease_s)
            return replace(self, lease=replace(self.lease, until=until, calling=True), rests_since=now)
        if not self.probe_due(settings, now):
            return None
        return self.lent(holder, settings, now).calling(holder, settings, now)

    def probe_failed(self, error: str, now: datetime) -> Circuit:
        """Return the circuit after a failed probe: the interval to the next one begins."""
        return replace(self, lease=None, rests_since=now, probe_error=error)

    def taken_back(self, settings: BreakerSettings, now: datetime) -> Circuit:
        """Return the circuit after an unused probe: another order may probe at once."""
        return replace(self, lease=None, rests_since=now - timedelta(seconds=settings.probe_interval_s))

    def _leased(self, now: datetime) -> bool:
        return self.lease is not None and now < self.lease.until


def _evolve(circuit: Circuit, event: object, position: EventPosition) -> Circuit:
    after = Circuit(day=circuit.day, last=position)
    match event:
        case CircuitOpened(at=at):
            return replace(after, state=CircuitState.OPEN, since=at, rests_since=at, opened=position)
        case CircuitHeldOpen(at=at):
            return replace(after, state=CircuitState.HELD_OPEN, since=at, opened=position)
        case CircuitClosed(at=at) | CircuitForcedClosed(at=at):
            return replace(after, state=CircuitState.CLOSED, since=at)
        case _:
            return circuit
