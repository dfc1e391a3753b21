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

The limits are ``10000.00 EUR, 10000.00 USD, 10000.00 GBP, 1500000 JPY``; a currency that is not in the list has none.
``EXPEDITER_SANDBOX_TOKEN`` is not one of these settings: it is the token that callers of ``expediter sandbox`` send.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from domain.money import Money, parse_amounts

PREFIX = "EXPEDITER_SANDBOX_"
TOKEN = PREFIX + "TOKEN"
PAYMENT_LIMITS = "10000.00 EUR, 10000.00 USD, 10000.00 GBP, 1500000 JPY"


class SettingRefused(ValueError):
    """A variable has a value that cannot be used. The message names the variable."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The simulated network to a provider. Latency in seconds, rates from 0 to 1."""

    latency_min_s: float = 0.0
    latency_max_s: float = 0.0
    lost_before_rate: float = 0.0
    lost_after_rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """How long keys are remembered and authorizations held, and the highest authorization by currency."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    remembers: timedelta = timedelta(hours=24)
    holds: timedelta = timedelta(days=7)
    limits: Mapping[str, Money] = field(default_factory=lambda: parse_amounts(PAYMENT_LIMITS))


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


def sandbox_settings(environment: Mapping[str, str]) -> SandboxSettings:
    """Read the variables with the prefix. Raises SettingRefused, also for an unknown name with the prefix."""
    reader = _Reader(environment)
    settings = SandboxSettings(
        payment=PaymentSettings(
            network=_network(reader, "PAYMENT"),
            remembers=reader.duration("PAYMENT_REMEMBERS_S", 86_400),
            holds=reader.duration("PAYMENT_HOLDS_S", 604_800),
            limits=reader.amounts("PAYMENT_LIMITS", PAYMENT_LIMITS),
        ),
        kitchen=KitchenSettings(
            network=_network(reader, "KITCHEN"), cooked_after=reader.duration("KITCHEN_COOKED_AFTER_S", 600)
        ),
        courier=CourierSettings(
            network=_network(reader, "COURIER"), under_way_after=reader.duration("COURIER_UNDER_WAY_AFTER_S", 600)
        ),
    )
    reader.refuse_unread()
    return settings


def _network(reader: _Reader, counterparty: str) -> NetworkSettings:
    shortest, longest = f"{counterparty}_LATENCY_MIN_S", f"{counterparty}_LATENCY_MAX_S"
    latency_min_s = reader.seconds(shortest, 0)
    latency_max_s = reader.seconds(longest, latency_min_s)
    if latency_max_s < latency_min_s:
        raise SettingRefused(PREFIX + longest, f"is {latency_max_s:g}, less than {PREFIX}{shortest}: {latency_min_s:g}")
    return NetworkSettings(
        latency_min_s=latency_min_s,
        latency_max_s=latency_max_s,
        lost_before_rate=reader.rate(f"{counterparty}_LOST_BEFORE_RATE"),
        lost_after_rate=reader.rate(f"{counterparty}_LOST_AFTER_RATE"),
    )


class _Reader:
    """Reads variables by their name after the prefix, and keeps the names that were read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._texts = {name: text for name, text in environment.items() if name.startswith(PREFIX) and name != TOKEN}
        self._read: set[str] = set()

    def seconds(self, name: str, default: float) -> float:
        return self._number(name, default, _YEAR_S, "a number of seconds, zero or more, at most a year, e.g. 0.25")

    def duration(self, name: str, default: float) -> timedelta:
        return timedelta(seconds=self.seconds(name, default))

    def rate(self, name: str) -> float:
        return self._number(name, 0, 1, "a share of calls from 0 to 1, e.g. 0.05")

    def amounts(self, name: str, default: str) -> dict[str, Money]:
        text = self._text(name)
        try:
            return parse_amounts(default if text is None else text)
        except ValueError as error:
            raise SettingRefused(PREFIX + name, f"is {text!r}: give one amount a currency; {error}") from None

    def refuse_unread(self) -> None:
        for name in sorted(self._texts.keys() - self._read):
            known = ", ".join(sorted(self._read))
            raise SettingRefused(name, f"is not a setting of the sandbox; the settings are: {known}")

    def _number(self, name: str, default: float, at_most: float, what: str) -> float:
        text = self._text(name)
        try:
            number = default if text is None else float(text)
        except ValueError:
            number = math.nan
        if not 0 <= number <= at_most:  # false for nan as well
            raise SettingRefused(PREFIX + name, f"is {text!r}: give {what}")
        return number

    def _text(self, name: str) -> str | None:
        self._read.add(PREFIX + name)
        return self._texts.get(PREFIX + name)


_YEAR_S = 366 * 86_400
