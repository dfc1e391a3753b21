"""Money: whole minor units of one ISO 4217 currency. No floats; the parts of a split add up exactly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.picklable import Picklable

# Digits after the point, where they are not two (ISO 4217, list one).
_DIGITS = {
    "BHD": 3, "BIF": 0, "CLF": 4, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0,
    "KRW": 0, "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "UYW": 4, "VND": 0,
    "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip
_AMOUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_CURRENCY = re.compile(r"[A-Z]{3}")


class CurrencyMismatch(Picklable, ValueError):
    """Amounts of two currencies were added or compared. Retryable: no. HTTP: 422."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} cannot be added or compared; an order has one currency")


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` is in minor units (cents for EUR, yen for JPY) and may be negative; ``currency`` is ISO 4217."""

    minor: int
    currency: str

    @staticmethod
    @lru_cache(maxsize=256)
    def zero(currency: str) -> Money:
        return Money(0, currency)

    @classmethod
    def parse(cls, amount: str, currency: str) -> Money:
        """Read an amount in major units: ``Money.parse("12.50", "EUR")``.

        Raises:
            ValueError: Not a currency code, not an amount, or more decimals than the currency has.
        """
        if not _CURRENCY.fullmatch(currency):
            raise ValueError(f"{currency!r} is not an ISO 4217 currency code: use three capital letters, e.g. EUR")
        match = _AMOUNT.fullmatch(amount)
        digits = _DIGITS.get(currency, 2)
        if not match or len(match[3] or "") > digits:
            raise ValueError(f"{amount!r} is not an amount in {currency}: use digits with at most {digits} decimals")
        minor = int(match[2] + (match[3] or "").ljust(digits, "0"))
        return cls(-minor if match[1] else minor, currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        digits = _DIGITS.get(self.currency, 2)
        text = f"{abs(self.minor):0{digits + 1}d}"
        if digits:
            text = f"{text[:-digits]}.{text[-digits:]}"
        return f"{'-' if self.minor < 0 else ''}{text} {self.currency}"

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Split by weights so that the parts add up exactly: the largest remainders get the remaining units.

        Raises:
            ValueError: No weight is positive, or one is negative.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be zero or positive, and one of them positive")
        parts = [self.minor * weight // total for weight in weights]
        by_remainder = sorted(range(len(parts)), key=lambda i: (-(self.minor * weights[i] % total), i))
        for index in by_remainder[: self.minor - sum(parts)]:
            parts[index] += 1
        return tuple(Money(part, self.currency) for part in parts)

    def split(self, parts: int) -> tuple[Money, ...]:
        """Split into equal parts that differ by at most one minor unit and add up exactly."""
        return self.allocate([1] * parts)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.minor


def parse_amounts(text: str) -> dict[str, Money]:
    """Read one amount a currency, e.g. ``"100.00 EUR, 15000 JPY"``.

    Returns:
        The amounts by currency; empty for an empty text.

    Raises:
        ValueError: A part is not an amount, is below zero, or repeats a currency.
    """
    amounts: dict[str, Money] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        amount, _, currency = part.partition(" ")
        try:
            money = Money.parse(amount, currency)
        except ValueError as error:
            raise ValueError(f"{part!r} is not like 100.00 EUR: {error}") from None
        if money.minor < 0:
            raise ValueError(f"{part!r} is below zero")
        if currency in amounts:
            raise ValueError(f"{part!r} is a second amount in {currency}")
        amounts[currency] = money
    return amounts


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Add up amounts of one currency; zero if there are none. Raises CurrencyMismatch."""
    minor = 0
    for amount in amounts:
        if amount.currency != currency:
            raise CurrencyMismatch(currency, amount.currency)
        minor += amount.minor
    return Money(minor, currency)


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Add up amounts, one sum per currency, in the order of the currencies' codes."""
    by_currency: dict[str, Money] = {}
    for amount in amounts:
        by_currency[amount.currency] = by_currency.get(amount.currency, Money.zero(amount.currency)) + amount
    return tuple(sum_ for _, sum_ in sorted(by_currency.items()))
