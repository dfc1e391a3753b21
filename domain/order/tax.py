"""The tax that a sale contains, by tax class and rate. Prices include their tax.

The parts add up to the price of what was delivered, after credits. A credit lowers every part in proportion, the tip
too. The tax of a part is rounded once, half up, so receipts and books show the same amounts. What is written off after
the sale lowers no tax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.money import Money
from domain.order.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPart:
    """The part of a sale in one tax class at one rate, in hundredths of a percent. ``gross`` includes ``tax``.

    Tips, and lines that were not priced from a menu, have neither class nor rate, and no tax.
    """

    tax_class: str | None
    rate_bp: int | None
    gross: Money
    tax: Money

    @property
    def net(self) -> Money:
        return self.gross - self.tax


def tax_parts(order: Order) -> tuple[TaxPart, ...]:
    """Return the parts of the order's price, by class and rate. They add up to ``order.total``; none if it is zero."""
    gross = {kind: minor for kind, minor in _gross(order).items() if minor}
    if not sum(gross.values()) > 0:
        return ()
    shares = order.total.allocate(list(gross.values()))
    parts = sorted(zip(gross, shares, strict=True), key=lambda part: (part[0][0] or "", part[0][1] or 0))
    return tuple(
        TaxPart(tax_class=tax_class, rate_bp=rate_bp, gross=share, tax=included_tax(share, rate_bp or 0))
        for (tax_class, rate_bp), share in parts
        if share
    )


def included_tax(gross: Money, rate_bp: int) -> Money:
    """Return the tax that an amount includes at a rate in hundredths of a percent, rounded half up."""
    whole = 10_000 + rate_bp
    return Money((2 * gross.minor * rate_bp + whole) // (2 * whole), gross.currency)


def _gross(order: Order) -> Mapping[tuple[str | None, int | None], int]:
    """Return the prices of the available quantities, fees and tip in minor units, by tax class and rate."""
    placed = order.placed
    if placed is None:
        return {}
    summed: dict[tuple[str | None, int | None], int] = {}
    amounts = [((line.tax_class, line.tax_rate_bp), line.total.minor) for line in order.lines]
    fees = placed.delivery_fee.minor + placed.service_fee.minor
    amounts += [((placed.fee_tax_class, placed.fee_tax_rate_bp), fees), ((None, None), placed.tip.minor)]
    for kind, minor in amounts:
        summed[kind] = summed.get(kind, 0) + minor
    return summed
