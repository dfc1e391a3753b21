"""Ports as a simulated process sees them: the real adapter behind a wire on which faults strike.

Every call is a scheduling point, before it and after it. What a store or a gateway does inside one call is one instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from workflows.simulation.faults import OF_CALLS, Fault, Faults
from workflows.simulation.scheduler import Scheduler

T = TypeVar("T")

STALL_S = (31.0, 400.0)
"""Longer than a function's timeout of 30 s, so that its machine has gone on when it wakes up."""

LATENCY_S = 0.02
"""Mean of what a call takes each way."""


class ProcessKilled(BaseException):
    """The simulated process is gone. No handler catches it: it is no Exception."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody answers in this time."""

    begins: datetime
    ends: datetime


class Wire:
    """What all ports of a world share: the scheduler, the faults, and which of them are down.

    ``arrived`` are the calls that came to the outside, answered or not.
    """

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self.outages: dict[str, Outage] = {}
        self.calls = 0
        self.arrived: list[tuple[datetime, str]] = []

    def carry(self, port: str, method: str, act: Callable[[], T], lost: Callable[[str], Exception]) -> T:
        """One call by the running task."""
        self.calls += 1
        label = f"{port}.{method}"
        fault = self._faults.strikes(_candidates(port), label)
        self._scheduler.pause(self._delay(fault))
        if fault is Fault.CRASH_BEFORE:
            raise ProcessKilled
        if port in GATEWAYS:
            self.arrived.append((self._scheduler.now(), label))
        if self._is_down(port):
            raise lost("nobody answers")
        if fault is Fault.LOST_REQUEST:
            raise lost("the request was lost")
        result = act()
        if fault is Fault.DUPLICATED:
            self._scheduler.after(self._scheduler.random.expovariate(1 / 30), lambda: _heedless(act))
        self._scheduler.pause(self._delay(fault))
        if fault is Fault.CRASH_AFTER:
            raise ProcessKilled
        if fault is Fault.LOST_RESPONSE:
            raise lost("the answer was lost")
        return result

    def _delay(self, fault: Fault | None) -> float:
        random = self._scheduler.random
        return random.uniform(*STALL_S) if fault is Fault.STALLED else random.expovariate(1 / LATENCY_S)

    def _is_down(self, port: str) -> bool:
        outage = self.outages.get(port)
        return outage is not None and outage.begins <= self._scheduler.now() < outage.ends


class Port:
    """Stands for ``target``, whose methods it carries over the wire."""

    def __init__(self, wire: Wire, name: str, target: Any, lost: Callable[[str], Exception]) -> None:
        self._wire = wire
        self._name = name
        self._target = target
        self._lost = lost

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._target, method)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._wire.carry(self._name, method, lambda: found(*args, **kwargs), self._lost)


GATEWAYS = ("payments", "kitchen", "couriers")


def _candidates(port: str) -> Iterable[Fault]:
    """Only the network to the outside delivers a call twice by itself."""
    return OF_CALLS if port in GATEWAYS else OF_CALLS[:-1]


def _heedless(act: Callable[[], object]) -> None:
    """The second delivery of a call: nobody hears what it answers."""
    try:
        act()
    except Exception:
        return


def outage(begins: datetime, seconds: float) -> Outage:
    return Outage(begins, begins + timedelta(seconds=seconds))
