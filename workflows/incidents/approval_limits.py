"""The amounts up to which one person decides alone: ``SECOND_PERSON_ABOVE``, e.g. ``100.00 EUR, 15000 JPY``.

A currency without an amount has the limit zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from domain.money import Money
from workflows.settings import Reader, amounts

SETTING = "SECOND_PERSON_ABOVE"
DEFAULT = "100.00 EUR, 100.00 USD, 100.00 GBP"
"""A product decision: most orders cost less, so few requests of support have to wait for a second person."""

ApprovalLimits: TypeAlias = Mapping[str, Money]
"""By currency."""


def read_limits(reader: Reader) -> ApprovalLimits:
    """Read the limit of each currency in the setting."""
    return reader.parsed(SETTING, amounts, default=DEFAULT)


def limit_for(currency: str, limits: ApprovalLimits) -> Money:
    """Return the amount up to which one person decides alone. Zero for a currency without a limit."""
    return limits.get(currency, Money.zero(currency))
