"""The breaker of one dependency in one process: may I call, how did it go, and the operator's hand.

While the circuit is closed a call costs nothing: successes are counted in this process, and a failure reports them with
itself in one write. So the share of failures is that of the processes that see failures; ``failures_min`` keeps a few
unlucky ones from opening it. While it is open every call asks the shared document.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from domain.identifiers import SYSTEM, Actor, OrderId
from workflows.breakers.circuit import Circuit, CircuitState, EventPosition, Tally, one_call
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitClosed, CircuitEvent, CircuitForcedClosed, CircuitHeldOpen
from workflows.breakers.settings import BreakerSettings
from workflows.breakers.shared import CONFLICTS_MAX, Followed, SharedCircuit
from workflows.clock import Clock
from workflows.event_store.documents import Documents, DocumentsUnavailable
from workflows.event_store.event_log import EventLog, StreamUnavailable, TooManyConflicts
from workflows.gateways.errors import Unavailable


class CircuitOpen(Unavailable):
    """Nothing was called: the dependency is known to be down. Retryable: once it closed after the event ``opened``."""

    def __init__(self, key: str, dependency: Dependency, opened: EventPosition) -> None:
        super().__init__(key, f"the circuit of {dependency} is open since {opened}")
        self.dependency = dependency
        self.opened = opened


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call: given under the circuit's event ``last``, and which probe it is, if it is one.

    What comes of a call counts only while the circuit is still where it was when the call began.
    """

    last: EventPosition
    probe: int | None = None


def open_breakers(
    settings: Mapping[Dependency, BreakerSettings], log: EventLog, documents: Documents, clock: Clock
) -> dict[Dependency, Breaker]:
    """The breakers of one process, one a dependency."""
    return {dependency: Breaker(dependency, settings[dependency], log, documents, clock) for dependency in Dependency}


class Breaker:
    """May be used by many threads. What the stores raise comes through, except from reports of how a call went."""

    def __init__(
        self, dependency: Dependency, settings: BreakerSettings, log: EventLog, documents: Documents, clock: Clock
    ) -> None:
        self.dependency = dependency
        self.settings = settings
        self._shared = SharedCircuit(dependency, log, documents, clock)
        self._clock = clock
        self._gate = threading.Lock()
        self._known: tuple[datetime, Circuit] | None = None
        self._unreported = Tally()

    def admit(self, order_id: OrderId, key: str) -> Permit:
        """Leave to make the call ``key`` for the order.

        Raises:
            CircuitOpen: And this order is not the one that probes.
            DocumentsUnavailable, StreamUnavailable: Nobody knows; and without them no outcome could be recorded.
        """
        if (known := self._believed_closed()) is not None:
            return Permit(known.last)
        for _ in range(CONFLICTS_MAX):
            found = self._follow()
            if found.circuit.state is CircuitState.CLOSED:
                return Permit(found.circuit.last)
            probing = found.circuit.calling(order_id, self.settings, self._clock.now())
            if probing is None:
                break
            if self._shared.store(found, probing):
                return Permit(probing.last, probing.probes)
        assert found.circuit.opened is not None  # what is not closed was opened
        raise CircuitOpen(key, self.dependency, found.circuit.opened)

    def succeeded(self, permit: Permit) -> None:
        """The call was answered in time. If the stores are gone, a probe's success is lost, and the next one tells."""
        if permit.probe is None:
            self._count(permit)
        else:
            with suppress(DocumentsUnavailable, StreamUnavailable):
                self._close_after_probe(permit)

    def failed(self, permit: Permit, error: str) -> None:
        """The call was not answered, or too late. If the stores are gone, it is reported with the next failure."""
        if permit.probe is not None:
            with suppress(DocumentsUnavailable, StreamUnavailable):
                self._change_probe(permit, lambda circuit: circuit.probe_failed(error, self._clock.now()))
            return
        mine = self._taken_with_failure()
        try:
            reported = self._report(permit, mine, error)
        except (DocumentsUnavailable, StreamUnavailable):
            reported = False
        if not reported:
            self._put_back(mine)

    def read(self) -> Circuit:
        """The circuit as it is now, never from memory."""
        return self._follow().circuit

    def lend_probe(self, order_id: OrderId) -> Permit | None:
        """Reserve the next probe for an order that is to be woken; ``None`` when it is not time, or another has it."""
        found = self._follow()
        now = self._clock.now()
        if not found.circuit.probe_due(self.settings, now):
            return None
        lent = found.circuit.lent(order_id, self.settings, now)
        return Permit(lent.last, lent.probes) if self._shared.store(found, lent) else None

    def take_back_probe(self, permit: Permit) -> None:
        """The order that was to probe is gone: the next one may."""
        self._change_probe(permit, lambda circuit: circuit.taken_back(self.settings, self._clock.now()))

    def hold_open(self, actor: Actor, reason: str) -> Circuit:
        """By hand: no calls and no probes until somebody closes it. Calls under way are not called back, and a process
        may go on believing that it is closed for ``read_every_s``. Holding what is held is no error."""
        return self._by_hand(
            actor, CircuitState.HELD_OPEN, lambda: CircuitHeldOpen(reason=reason, at=self._clock.now())
        )

    def close(self, actor: Actor, reason: str) -> Circuit:
        """By hand: everybody may call, and those who wait are let go. Closing what is closed is no error."""
        return self._by_hand(
            actor, CircuitState.CLOSED, lambda: CircuitForcedClosed(reason=reason, at=self._clock.now())
        )

    # --- shared with the other processes

    def _follow(self) -> Followed:
        found = self._shared.follow()
        self._remember(found.circuit)
        return found

    def _report(self, permit: Permit, mine: Tally, error: str) -> bool:
        """Count what this process saw, and open if that is enough."""
        for _ in range(CONFLICTS_MAX):
            found, now = self._follow(), self._clock.now()
            if found.circuit.last != permit.last:
                return True  # the circuit has moved on since the call began: old news
            tally = found.circuit.tally.plus(mine, now, self.settings.window_s)
            counted = replace(found.circuit, tally=tally)
            opening = counted.opening(self.settings, now, error)
            if opening is None:
                if self._shared.store(found, counted):
                    return True
            elif self._record(found, opening, SYSTEM):
                return True
        return False

    def _close_after_probe(self, permit: Permit) -> None:
        for _ in range(CONFLICTS_MAX):
            found = self._follow()
            lease = found.circuit.lease
            if not _is_probe(found.circuit, permit) or lease is None:
                return
            if self._record(
                found, CircuitClosed(probe=lease.holder, probes=lease.number, at=self._clock.now()), SYSTEM
            ):
                return

    def _change_probe(self, permit: Permit, change: Callable[[Circuit], Circuit]) -> None:
        for _ in range(CONFLICTS_MAX):
            found = self._follow()
            if not _is_probe(found.circuit, permit) or self._shared.store(found, change(found.circuit)):
                return

    def _by_hand(self, actor: Actor, wanted: CircuitState, event: Callable[[], CircuitEvent]) -> Circuit:
        for _ in range(CONFLICTS_MAX):
            found = self._follow()
            if found.circuit.state is wanted:
                return found.circuit
            self._record(found, event(), actor)  # and look whether it is so
        raise TooManyConflicts(f"the circuit of {self.dependency} keeps changing; try again")

    def _record(self, found: Followed, event: CircuitEvent, actor: Actor) -> Circuit | None:
        circuit = self._shared.record(found, event, actor)
        if circuit is not None:
            self._remember(circuit)
        return circuit

    # --- in this process

    def _believed_closed(self) -> Circuit | None:
        """What was read a moment ago, if it was closed."""
        known = self._known
        if known is None or known[1].state is not CircuitState.CLOSED:
            return None
        age_s = (self._clock.now() - known[0]).total_seconds()
        return known[1] if 0 <= age_s < self.settings.read_every_s else None

    def _remember(self, circuit: Circuit) -> None:
        with self._gate:
            if self._known is not None and self._known[1].last != circuit.last:
                self._unreported = Tally()
            self._known = (self._clock.now(), circuit)

    def _count(self, permit: Permit) -> None:
        now = self._clock.now()
        with self._gate:
            if self._known is not None and self._known[1].last == permit.last:
                success = one_call(now, self.settings.window_s, failed=False)
                self._unreported = self._unreported.plus(success, now, self.settings.window_s)

    def _taken_with_failure(self) -> Tally:
        now = self._clock.now()
        failure = one_call(now, self.settings.window_s, failed=True)
        with self._gate:
            mine, self._unreported = self._unreported, Tally()
        return mine.plus(failure, now, self.settings.window_s)

    def _put_back(self, mine: Tally) -> None:
        now = self._clock.now()
        with self._gate:
            self._unreported = self._unreported.plus(mine, now, self.settings.window_s)


def _is_probe(circuit: Circuit, permit: Permit) -> bool:
    return circuit.last == permit.last and circuit.lease is not None and circuit.lease.number == permit.probe
