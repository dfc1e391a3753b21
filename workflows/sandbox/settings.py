"""The settings of the sandbox, read from environment variables.

Names begin with ``EXPEDITER_SANDBOX_``; ``*`` is ``PAYMENT``, ``KITCHEN`` or ``COURIER``.

| variable                                 | default | meaning                                         |
|------------------------------------------|---------|-------------------------------------------------|
| ``*_LATENCY_MIN_S``, ``*_LATENCY_MAX_S`` | 0, 0    | how long a call takes, drawn uniformly          |
| ``*_LOST_BEFORE_RATE``                   | 0       | share of calls that are lost: no effect         |
| ``*_LOST_AFTER_RATE``                    | 0       | share of answers that are lost after the effect |
| ``PAYMENT_REMEMBERS_S``                  | 86400   | how long a key is remembered (Stripe: 24 h)     |
| ``PAYMENT_HOLDS_S``                      | 604800  | how long an authorization stands (cards: 7 d)   |
| ``PAYMENT_LIMITS``                       | below   | amounts above them are declined, by currency    |
| ``KITCHEN_COOKED_AFTER_S``               | 600     | age from which a ticket cannot be cancelled     |
| ``COURIER_UNDER_WAY_AFTER_S``            | 600     | age from which an offer cannot be withdrawn     |

The limits are ``10000.00 EUR, 10000.00 USD, 10000.00 GBP, 1500000 JPY``. The limit of any other currency is
1,000,000,000 minor units: no meal costs as much in any of them.
``EXPEDITER_SANDBOX_TOKEN`` is not one of these settings: it is the token that callers of ``expediter sandbox`` send.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from domain.money import Money
from workflows.settings import Reader, amounts

T = TypeVar("T")

PREFIX = "EXPEDITER_SANDBOX_"
TOKEN = PREFIX + "TOKEN"
OTHER_LIMIT_MINOR = 1_000_000_000
PAYMENT_LIMITS = "10000.00 EUR, 10000.00 USD, 10000.00 GBP, 1500000 JPY"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The simulated network to a provider. Latency in seconds, rates from 0 to 1."""

    latency_min_s: float = 0.0
    latency_max_s: float = 0.0
    lost_before_rate: float = 0.0
    lost_after_rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """How long keys are remembered and authorizations held, and the highest authorization by currency.

    The highest authorization in a currency that is not in ``limits`` is ``OTHER_LIMIT_MINOR``.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    remembers: timedelta = timedelta(hours=24)
    holds: timedelta = timedelta(days=7)
    limits: Mapping[str, Money] = field(default_factory=lambda: amounts(PAYMENT_LIMITS))

    def limit(self, currency: str) -> Money:
        """Return the highest amount of a currency that is authorized."""
        return self.limits.get(currency, Money(OTHER_LIMIT_MINOR, currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class KitchenSettings:
    """``cooked_after``: the age from which a ticket cannot be cancelled."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    cooked_after: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierSettings:
    """``under_way_after``: the age from which an offer cannot be withdrawn."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    under_way_after: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """The settings of the three providers."""

    payment: PaymentSettings = field(default_factory=PaymentSettings)
    kitchen: KitchenSettings = field(default_factory=KitchenSettings)
    courier: CourierSettings = field(default_factory=CourierSettings)


def read_sandbox(reader: Reader) -> SandboxSettings:
    """Read the variables with our prefix. A name with our prefix that is not a setting is refused."""
    ours = _Variables(reader)
    settings = SandboxSettings(
        payment=PaymentSettings(
            network=_network(ours, "PAYMENT"),
            remembers=ours.duration("PAYMENT_REMEMBERS_S", 86_400),
            holds=ours.duration("PAYMENT_HOLDS_S", 604_800),
            limits=ours.amounts("PAYMENT_LIMITS", PAYMENT_LIMITS),
        ),
        kitchen=KitchenSettings(
            network=_network(ours, "KITCHEN"), cooked_after=ours.duration("KITCHEN_COOKED_AFTER_S", 600)
        ),
        courier=CourierSettings(
            network=_network(ours, "COURIER"), under_way_after=ours.duration("COURIER_UNDER_WAY_AFTER_S", 600)
        ),
    )
    ours.refuse_unknown()
    return settings


def _network(ours: _Variables, counterparty: str) -> NetworkSettings:
    shortest, longest = f"{counterparty}_LATENCY_MIN_S", f"{counterparty}_LATENCY_MAX_S"
    latency_min_s = ours.number(shortest, 0)
    latency_max_s = ours.number(longest, latency_min_s or 0)
    if None not in (latency_min_s, latency_max_s) and latency_max_s < latency_min_s:
        ours.reader.refuse(PREFIX + longest, f"is {latency_max_s:g}, less than {PREFIX}{shortest}: {latency_min_s:g}")
    return NetworkSettings(
        latency_min_s=latency_min_s,
        latency_max_s=latency_max_s,
        lost_before_rate=ours.rate(f"{counterparty}_LOST_BEFORE_RATE"),
        lost_after_rate=ours.rate(f"{counterparty}_LOST_AFTER_RATE"),
    )


class _Variables:
    """Reads variables by their name after the prefix, and notes the names."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._known = {TOKEN}

    def number(self, name: str, default: float) -> float:
        return self._read(name, default, _seconds)

    def duration(self, name: str, default: float) -> timedelta:
        return self._read(name, default, lambda text: timedelta(seconds=_seconds(text)))

    def rate(self, name: str) -> float:
        return self._read(name, 0, lambda text: _number(text, 1, "a share of calls from 0 to 1, e.g. 0.05"))

    def amounts(self, name: str, default: str) -> dict[str, Money]:
        return self._read(name, default, amounts)

    def refuse_unknown(self) -> None:
        known = ", ".join(sorted(self._known - {TOKEN}))
        for name in self.reader.names(PREFIX):
            if name not in self._known:
                self.reader.refuse(name, f"is not a setting of the sandbox; the settings are: {known}")

    def _read(self, name: str, default: float | str, parse: Callable[[str], T]) -> T:
        self._known.add(PREFIX + name)
        return self.reader.parsed(PREFIX + name, parse, default=str(default))


def _seconds(text: str) -> float:
    return _number(text, _YEAR_S, "a number of seconds, zero or more, at most a year, e.g. 0.25")


def _number(text: str, at_most: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= at_most:  # false for nan as well
        raise ValueError(f"is {text!r}: give {what}")
    return number


_YEAR_S = 366 * 86_400
