"""Orders to place by number: several currencies, lines, quantities, options with prices, tax classes, fees and tips."""

from __future__ import annotations

from random import Random

from domain.identifiers import Sku
from domain.money import Money
from domain.order.commands import PlaceOrder
from domain.order.events import Line, Option
from tests.domain.order.stories import place

CURRENCIES = ("EUR", "JPY", "KWD")
"""With two digits after the point, none and three."""

TAXES: tuple[tuple[str | None, int | None], ...] = ((None, None), ("food", 700), ("standard", 1900), ("free", 0))
"""A tax class with its rate in hundredths of a percent; none if the price is the caller's own."""


def placing(number: int) -> PlaceOrder:
    """Return the order with this number: 0 is that of the stories. Prices, fees and tips may be zero, not the total."""
    if number == 0:
        return place()
    random = Random(number)
    currency = random.choice(CURRENCIES)
    tax_class, rate_bp = random.choice(TAXES)
    lines = [_line(random, currency) for _ in range(random.randint(1, 4))]
    delivery_fee, service_fee = _amount(random, currency), _amount(random, currency)
    costs_something = delivery_fee or service_fee or any(line.total for line in lines)
    return place(
        *lines,
        delivery_fee=delivery_fee,
        service_fee=service_fee,
        tip=_amount(random, currency) if costs_something else Money(1, currency),
        fee_tax_class=tax_class,
        fee_tax_rate_bp=rate_bp,
    )


def _line(random: Random, currency: str) -> Line:
    tax_class, rate_bp = random.choice(TAXES)
    options = random.sample(("burrata", "large"), random.choice((0, 0, 1, 2)))
    return Line(
        sku=Sku("dish"),
        name="Dish",
        quantity=random.randint(1, 4),
        unit_price=_amount(random, currency),
        options=tuple(Option(name=name, price=_amount(random, currency)) for name in options),
        tax_class=tax_class,
        tax_rate_bp=rate_bp,
    )


def _amount(random: Random, currency: str) -> Money:
    return Money(random.choice((0, 1, 1, 1)) * random.randint(1, 3000), currency)
