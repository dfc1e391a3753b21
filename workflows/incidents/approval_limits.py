"""Up to which amount one person decides alone: one setting, ``SECOND_PERSON_ABOVE``, e.g. ``100.00 EUR, 15000 JPY``.

A currency that it does not name has the limit zero: nobody said how much that is.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.money import Money, parse_amounts

SETTING = "SECOND_PERSON_ABOVE"
DEFAULT = "100.00 EUR, 100.00 USD, 100.00 GBP"
"""A product decision: most orders are below it, so that support is held up by few; what is above is worth a look."""


class LimitRefused(ValueError):
    """The setting is no list of amounts from zero on."""


def limit_for(currency: str, environment: Mapping[str, str]) -> Money:
    """What one person may move or give up of an order in this currency. Raises LimitRefused."""
    return limits_in(environment).get(currency, Money.zero(currency))


def limits_in(environment: Mapping[str, str]) -> dict[str, Money]:
    """The setting of this environment, or its default, by currency. Raises LimitRefused."""
    return limits(environment.get(SETTING, DEFAULT))


def limits(text: str) -> dict[str, Money]:
    """The setting, by currency. Raises LimitRefused."""
    try:
        return parse_amounts(text)
    except ValueError as error:
        raise LimitRefused(f"{SETTING}: {error}") from None
