"""When a circuit opens, how often it is probed and how fast waiting orders are released, for each dependency.

Each number can be set by a variable ``EXPEDITER_BREAKER_<dependency>_<setting>``:
``EXPEDITER_BREAKER_PAYMENTS_WINDOW_S=60``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from workflows.breakers.dependencies import Dependency
from workflows.settings import Reader

PREFIX = "EXPEDITER_BREAKER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """One circuit's numbers. Seconds end in ``_s``; ``failure_rate`` is a share from 0 to 1.

    ``window_s``: older calls do not count. It is the timeout of the payment machine, within which an order makes all
        its attempts. Polly samples 30 s, Hystrix 10 s.
    ``failures_min``, ``failure_rate``: both must be reached to open. ``failures_min`` is below the attempts of a
        machine, so that a single order at night finds the circuit open, and waits, before its attempts are used up. The
        rate prevents a few failures from opening the circuit on a busy day; 50 % is the default of Resilience4j and
        Hystrix.
    ``slow_s``: a call that took longer counts as a failure, whatever the answer. Providers answer in one or two
        seconds; a call times out after 10.
    ``probe_interval_s``: at most one call in this time while open. Hystrix and Polly wait 5 s, Resilience4j 60 s.
    ``probe_lease_s``: how long a probe may take from waking its order to the answer: twice the timeout of a call, 10 s,
        and the time that the state machine needs to reach the call.
    ``release_per_s``: orders released after closing. StartExecution refills 150/s in small regions; a provider that has
        just recovered gets a fraction of it.
    ``read_every_s``: how long a process may rely on a closed circuit without reading it again.
    """

    window_s: int = 60
    failures_min: int = 4
    failure_rate: float = 0.5
    slow_s: float = 8.0
    probe_interval_s: float = 15.0
    probe_lease_s: float = 30.0
    release_per_s: float = 10.0
    read_every_s: float = 2.0


DEFAULTS: Mapping[Dependency, BreakerSettings] = {
    Dependency.PAYMENTS: BreakerSettings(failures_min=4),  # the payment machine makes 5 attempts
    Dependency.KITCHEN: BreakerSettings(failures_min=6),  # the preparation machine makes 7
    Dependency.COURIERS: BreakerSettings(failures_min=6),  # so does the delivery machine
}


def read_breakers(reader: Reader) -> Mapping[Dependency, BreakerSettings]:
    """Read the defaults and the variables that change them. A name with our prefix that is not a setting is refused."""
    settings = dict(DEFAULTS)
    for name in reader.names(PREFIX):
        circuit, _, field = name.removeprefix(PREFIX).lower().partition("_")
        if circuit not in set(Dependency) or field not in _FIELDS:
            reader.refuse(name, _UNKNOWN)
            continue
        change: dict[str, Any] = {field: reader.parsed(name, partial(_number, field))}
        settings[Dependency(circuit)] = replace(settings[Dependency(circuit)], **change)
    return settings


def _number(field: str, text: str) -> float:
    whole = field in {"window_s", "failures_min"}
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:  # false for nan as well
        raise ValueError(f"is {text!r}: give a {'whole ' if whole else ''}number above zero")
    if field == "failure_rate" and number > 1:
        raise ValueError(f"is {number:g}: a share of calls is at most 1")
    return number


_FIELDS = tuple(field.name for field in fields(BreakerSettings))
_UNKNOWN = (
    f"is not a setting: after {PREFIX} comes one of {', '.join(Dependency).upper()}, "
    f"then _ and one of {', '.join(_FIELDS).upper()}"
)
