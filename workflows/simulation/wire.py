"""Ports of a simulated process: each call to the real adapter goes over a wire on which faults strike.

Other tasks may run before and after every call. The work of a store or gateway inside one call takes no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from workflows.simulation.faults import OF_CALLS, Faults, InjectedFault
from workflows.simulation.scheduler import Scheduler

T = TypeVar("T")

STALL_S = (31.0, 400.0)
"""Longer than a function's timeout of 30 s, so that its machine has gone on when the function resumes."""

LATENCY_S = 0.02
"""Mean time of a call in each direction, in seconds."""


class ProcessKilled(BaseException):
    """The simulated process was killed. A BaseException, so that handlers do not catch it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a port or a service does not answer."""

    begins: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        """Whether it lasts at this time."""
        return self.begins <= at < self.ends


class Wire:
    """The connection that all ports of a world share. ``outages`` are by port; ``arrived`` lists calls of gateways."""

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self.outages: dict[str, Outage] = {}
        self.calls = 0
        self.latency_s = LATENCY_S
        self.arrived: list[tuple[datetime, str]] = []

    def carry(self, port: str, method: str, act: Callable[[], T], lost: Callable[[str], Exception]) -> T:
        """Make one call for the running task.

        Args:
            act: The call itself.
            lost: Builds the port's error for a call that got no answer.

        Raises:
            ProcessKilled: The fault killed the calling process.
        """
        self.calls += 1
        label = f"{port}.{method}"
        fault = self._faults.strikes(_candidates(port), label)
        self._scheduler.pause(self._delay(fault))
        if fault is InjectedFault.CRASH_BEFORE:
            raise ProcessKilled
        if port in GATEWAYS:
            self.arrived.append((self._scheduler.now(), label))
        if self._is_down(port):
            raise lost("the provider is down")
        if fault is InjectedFault.LOST_REQUEST:
            raise lost("the request was lost")
        result = act()
        if fault is InjectedFault.DUPLICATED:
            self._scheduler.after(self._scheduler.random.expovariate(1 / 30), lambda: _ignoring_errors(act))
        self._scheduler.pause(self._delay(fault))
        if fault is InjectedFault.CRASH_AFTER:
            raise ProcessKilled
        if fault is InjectedFault.LOST_RESPONSE:
            raise lost("the answer was lost")
        return result

    def _delay(self, fault: InjectedFault | None) -> float:
        random = self._scheduler.random
        return random.uniform(*STALL_S) if fault is InjectedFault.STALLED else random.expovariate(1 / self.latency_s)

    def _is_down(self, port: str) -> bool:
        outage = self.outages.get(port)
        return outage is not None and outage.covers(self._scheduler.now())


class Port:
    """A proxy of ``target`` that makes every method call over the wire."""

    def __init__(self, wire: Wire, name: str, target: Any, lost: Callable[[str], Exception]) -> None:
        self._wire = wire
        self._name = name
        self._target = target
        self._lost = lost

    def __getattr__(self, method: str) -> Any:
        member = getattr(self._target, method)
        if not callable(member):
            return member
        return lambda *args, **kwargs: self._wire.carry(self._name, method, lambda: member(*args, **kwargs), self._lost)


GATEWAYS = ("payments", "kitchen", "couriers")


def _candidates(port: str) -> Iterable[InjectedFault]:
    """Only calls of gateways can be delivered twice by the network."""
    return OF_CALLS if port in GATEWAYS else OF_CALLS[:-1]


def _ignoring_errors(act: Callable[[], object]) -> None:
    """Deliver a call a second time. Its answer and errors are lost."""
    try:
        act()
    except Exception:
        return


def outage(begins: datetime, seconds: float) -> Outage:
    """Build an outage from its duration."""
    return Outage(begins, begins + timedelta(seconds=seconds))
