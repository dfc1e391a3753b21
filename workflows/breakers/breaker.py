"""The circuit breaker of one dependency in one process: it admits calls and counts their outcomes. People can open and
close it.

While the circuit is closed a call costs no request: successes are counted in this process, and a failure reports them
with itself in one write. So the failure rate is that of the processes that see failures; ``failures_min`` prevents a
few of them from opening it. While the circuit is open every call reads the shared document.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from domain.identifiers import SYSTEM, Actor, OrderId
from workflows.breakers.circuit import Circuit, CircuitState, EventPosition, Tally, one_call
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitClosed, CircuitForcedClosed, CircuitHeldOpen, CircuitOpened
from workflows.breakers.settings import BreakerSettings
from workflows.breakers.shared import CONFLICTS_MAX, CircuitRequest, Followed, SharedCircuit
from workflows.clock import Clock
from workflows.event_store.documents import Documents, DocumentsUnavailable
from workflows.event_store.event_log import EventLog, StreamUnavailable, TooManyConflicts
from workflows.gateways.errors import Unavailable

_log = logging.getLogger(__name__)

OPENED = "a circuit was opened"
"""The message of a log line with ``dependency``, ``event`` and ``actor`` (its role, without the person's id)."""


class CircuitOpen(Unavailable):
    """The call was not made, because the dependency is down.

    Retryable: once the circuit that ``opened`` opened closes.
    """

    def __init__(self, key: str, dependency: Dependency, opened: EventPosition) -> None:
        super().__init__(key, f"the circuit of {dependency} is open, by event {opened}")
        self.dependency = dependency
        self.opened = opened


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission for one call. ``last`` is the circuit's newest event then, ``probe`` the number of a probe.

    The outcome of a call counts only if the circuit had no event since the call began.
    """

    last: EventPosition
    probe: int | None = None


def open_breakers(
    settings: Mapping[Dependency, BreakerSettings], log: EventLog, documents: Documents, clock: Clock
) -> dict[Dependency, Breaker]:
    """Return the breakers of one process, one for each dependency."""
    return {dependency: Breaker(dependency, settings[dependency], log, documents, clock) for dependency in Dependency}


class Breaker:
    """Safe to use from several threads. Raises the errors of the stores, except when it reports an outcome."""

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
        """Admit the call ``key`` of an order.

        Raises:
            CircuitOpen: The circuit is open, and the order does not hold the probe.
            DocumentsUnavailable, StreamUnavailable: The circuit cannot be read.
        """
        if (known := self._believed_closed()) is not None:
            return Permit(known.last)
        for _ in range(CONFLICTS_MAX):
            current = self._follow()
            if current.circuit.state is CircuitState.CLOSED:
                return Permit(current.circuit.last)
            probing = current.circuit.calling(order_id, self.settings, self._clock.now())
            if probing is None:
                break
            if self._shared.store(current, probing):
                return Permit(probing.last, probing.probes)
        assert current.circuit.opened is not None  # a circuit that is not closed was opened
        raise CircuitOpen(key, self.dependency, current.circuit.opened)

    def succeeded(self, permit: Permit) -> None:
        """Report an answer in time.

        If the stores do not answer, the success of a probe is lost; the next probe closes.
        """
        if permit.probe is None:
            self._count(permit)
        else:
            with suppress(DocumentsUnavailable, StreamUnavailable):
                self._close_after_probe(permit)

    def failed(self, permit: Permit, error: str) -> None:
        """Report a call without an answer in time.

        If the stores do not answer, it is reported with the next failure.
        """
        if permit.probe is not None:
            with suppress(DocumentsUnavailable, StreamUnavailable):
                self._change_probe(permit, lambda circuit: circuit.probe_failed(error, self._clock.now()))
            return
        unreported = self._take_unreported_with_failure()
        try:
            reported = self._report(permit, unreported, error)
        except (DocumentsUnavailable, StreamUnavailable):
            reported = False
        if not reported:
            self._put_back(unreported)

    def read(self) -> Circuit:
        """Return the circuit as it is stored now."""
        return self._follow().circuit

    def lend_probe(self, order_id: OrderId) -> Permit | None:
        """Reserve the next probe for an order that will be woken. None if it is not due or another order has it."""
        current = self._follow()
        now = self._clock.now()
        if not current.circuit.probe_due(self.settings, now):
            return None
        lent = current.circuit.lent(order_id, self.settings, now)
        return Permit(lent.last, lent.probes) if self._shared.store(current, lent) else None

    def take_back_probe(self, permit: Permit) -> None:
        """Return the probe of an order that does not wait any more, so that the next order may probe."""
        self._change_probe(permit, lambda circuit: circuit.taken_back(self.settings, self._clock.now()))

    def hold_open(self, actor: Actor, reason: str, key: str | None = None) -> Circuit:
        """Stop calls and probes until a person closes the circuit. No effect if it is held open already.

        Running calls continue, and a process may rely on the closed circuit for another ``read_every_s`` seconds.

        Args:
            key: Identifies the request: a late copy, within a day, does not open a circuit that was closed meanwhile,
                also if the request found the circuit held open.

        Raises:
            KeyReused: The caller used the key with another reason.
        """
        event = CircuitHeldOpen(reason=reason, at=self._clock.now())
        return self._set_state(CircuitState.HELD_OPEN, CircuitRequest(event, actor, key))

    def close(self, actor: Actor, reason: str, key: str | None = None) -> Circuit:
        """Close the circuit for a person and release the waiting orders. No effect if it is closed already.

        ``key`` and errors as for ``hold_open``.
        """
        event = CircuitForcedClosed(reason=reason, at=self._clock.now())
        return self._set_state(CircuitState.CLOSED, CircuitRequest(event, actor, key))

    # --- shared with the other processes

    def _follow(self) -> Followed:
        current = self._shared.follow()
        self._remember(current.circuit)
        return current

    def _report(self, permit: Permit, unreported: Tally, error: str) -> bool:
        """Add the outcomes of this process to the shared tally, and open the circuit if that is enough."""
        for _ in range(CONFLICTS_MAX):
            current, now = self._follow(), self._clock.now()
            if current.circuit.last != permit.last:
                return True  # the circuit changed since the call began: the outcome does not count
            tally = current.circuit.tally.plus(unreported, now, self.settings.window_s)
            counted = replace(current.circuit, tally=tally)
            opening = counted.opening(self.settings, now, error)
            if opening is None:
                if self._shared.store(current, counted):
                    return True
            elif self._record(current, CircuitRequest(opening, SYSTEM)):
                return True
        return False

    def _close_after_probe(self, permit: Permit) -> None:
        for _ in range(CONFLICTS_MAX):
            current = self._follow()
            lease = current.circuit.lease
            if not _is_probe(current.circuit, permit) or lease is None:
                return
            closed = CircuitClosed(probe=lease.holder, probes=lease.number, at=self._clock.now())
            if self._record(current, CircuitRequest(closed, SYSTEM)):
                return

    def _change_probe(self, permit: Permit, change: Callable[[Circuit], Circuit]) -> None:
        for _ in range(CONFLICTS_MAX):
            current = self._follow()
            if not _is_probe(current.circuit, permit) or self._shared.store(current, change(current.circuit)):
                return

    def _set_state(self, state: CircuitState, request: CircuitRequest) -> Circuit:
        """Record an event of a person that brings the circuit into this state, unless it is in it already."""
        for _ in range(CONFLICTS_MAX):
            current = self._follow()
            if self._shared.is_recorded(current, request):
                return current.circuit
            if current.circuit.state is state:
                self._shared.note(current, request)
                return current.circuit
            self._record(current, request)  # the next read shows whether it was written
        raise TooManyConflicts(f"the circuit of {self.dependency} keeps changing; try again")

    def _record(self, current: Followed, request: CircuitRequest) -> Circuit | None:
        circuit = self._shared.record(current, request)
        if circuit is None:
            return None
        self._remember(circuit)
        event, actor = request.event, request.actor
        if isinstance(event, CircuitOpened | CircuitHeldOpen):
            extra = {"dependency": self.dependency.value, "event": type(event).__name__, "actor": actor.role.value}
            _log.warning(OPENED, extra=extra)
        return circuit

    # --- in this process

    def _believed_closed(self) -> Circuit | None:
        """Return the circuit if it was closed when it was read a moment ago."""
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

    def _take_unreported_with_failure(self) -> Tally:
        """Return the calls that were not reported yet and one failure, and count from zero again."""
        now = self._clock.now()
        failure = one_call(now, self.settings.window_s, failed=True)
        with self._gate:
            unreported, self._unreported = self._unreported, Tally()
        return unreported.plus(failure, now, self.settings.window_s)

    def _put_back(self, unreported: Tally) -> None:
        now = self._clock.now()
        with self._gate:
            self._unreported = self._unreported.plus(unreported, now, self.settings.window_s)


def _is_probe(circuit: Circuit, permit: Permit) -> bool:
    return circuit.last == permit.last and circuit.lease is not None and circuit.lease.number == permit.probe
