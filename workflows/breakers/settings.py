"""When a circuit opens, how often it is probed and how fast it lets go: per dependency, with units and sources.

Each can be set by a variable ``EXPEDITER_BREAKER_<dependency>_<setting>``: ``EXPEDITER_BREAKER_PAYMENTS_WINDOW_S=60``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from workflows.breakers.dependencies import Dependency

PREFIX = "EXPEDITER_BREAKER_"


class BreakerSettingRefused(ValueError):
    """A variable says what a breaker cannot do. The message names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """One circuit's numbers. Seconds end in ``_s``; ``failure_rate`` is a share from 0 to 1.

    ``window_s``: calls older than this do not count. The payment machine's own limit, within which an order makes all
        its attempts; Polly samples 30 s, Hystrix 10 s.
    ``failures_min``, ``failure_rate``: both are needed to open. Fewer than the attempts a machine makes, so that a
        lone order at night meets the open circuit, and waits, before it has used them up. The share keeps a busy day
        from opening on so few: 50 % is the default of Resilience4j and Hystrix.
    ``slow_s``: a call that took longer is a failure, whatever it answered. Providers answer in one or two seconds, and
        a call ends after 10.
    ``probe_interval_s``: at most one call in this time while open. Hystrix and Polly wait 5 s, Resilience4j 60 s.
    ``probe_lease_s``: how long the probe has, from its wake-up to its answer. Twice a call's timeout of 10 s, and what
        a state machine takes to get there.
    ``release_per_s``: orders let go after closing. StartExecution refills 150/s in small regions; a provider that has
        just come back gets a fraction of it.
    ``read_every_s``: how long a process may believe that the circuit is closed without looking.
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
    Dependency.COURIERS: BreakerSettings(failures_min=6),  # and so does the delivery machine
}


def breaker_settings(environment: Mapping[str, str]) -> dict[Dependency, BreakerSettings]:
    """The defaults with the variables of our prefix over them. Raises BreakerSettingRefused, for a misspelt one too."""
    settings = dict(DEFAULTS)
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX):
            dependency, field = _named(name)
            change: dict[str, Any] = {field: _number(name, text, field)}
            settings[dependency] = replace(settings[dependency], **change)
    return settings


def _named(name: str) -> tuple[Dependency, str]:
    circuit, _, field = name.removeprefix(PREFIX).lower().partition("_")
    if circuit not in set(Dependency) or field not in _FIELDS:
        raise BreakerSettingRefused(
            name,
            f"is not a setting: after {PREFIX} comes one of {', '.join(Dependency).upper()}, "
            f"then _ and one of {', '.join(_FIELDS).upper()}",
        )
    return Dependency(circuit), field


def _number(name: str, text: str, field: str) -> float:
    whole = field in {"window_s", "failures_min"}
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:  # false for nan as well
        raise BreakerSettingRefused(name, f"is {text!r}: give a {'whole ' if whole else ''}number above zero")
    if field == "failure_rate" and number > 1:
        raise BreakerSettingRefused(name, f"is {number:g}: a share of calls is at most 1")
    return number


_FIELDS = tuple(field.name for field in fields(BreakerSettings))
