"""Generated orders to place: several currencies, lines, quantities, options with prices, tax classes, fees and tips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from domain.identifiers import Sku
from domain.money import Money, total
from domain.order.commands import PlaceOrder
from domain.order.events import Line, Option
from tests.domain.order.stories import place

CURRENCIES = ("EUR", "JPY", "KWD")
"""With two digits after the point, none and three."""

TAXES: tuple[tuple[str | None, int | None], ...] = ((None, None), ("food", 700), ("standard", 1900), ("free", 0))
"""A tax class with its rate in hundredths of a percent; none if the price is the caller's own."""


def placings() -> st.SearchStrategy[PlaceOrder]:
    """Generate orders of one to four lines that cost something. Prices, fees and the tip may be zero."""
    return st.sampled_from(CURRENCIES).flatmap(_placing).filter(_costs_something)


def _placing(currency: str) -> st.SearchStrategy[PlaceOrder]:
    amount = st.integers(0, 3000).map(lambda minor: Money(minor, currency))
    option = st.builds(Option, name=st.sampled_from(("burrata", "large")), price=amount)
    line = st.builds(_line, st.integers(1, 4), amount, st.lists(option, max_size=2).map(tuple), st.sampled_from(TAXES))
    fees = st.tuples(amount, amount, amount, st.sampled_from(TAXES))
    return st.builds(_placed, st.lists(line, min_size=1, max_size=4), fees)


def _line(quantity: int, price: Money, options: tuple[Option, ...], tax: tuple[str | None, int | None]) -> Line:
    tax_class, rate_bp = tax
    return Line(
        sku=Sku("dish"),
        name="Dish",
        quantity=quantity,
        unit_price=price,
        options=options,
        tax_class=tax_class,
        tax_rate_bp=rate_bp,
    )


def _placed(lines: list[Line], fees: tuple[Any, ...]) -> PlaceOrder:
    delivery_fee, service_fee, tip, (tax_class, rate_bp) = fees
    return place(
        *lines,
        delivery_fee=delivery_fee,
        service_fee=service_fee,
        tip=tip,
        fee_tax_class=tax_class,
        fee_tax_rate_bp=rate_bp,
    )


def _costs_something(placed: PlaceOrder) -> bool:
    fees = (placed.delivery_fee, placed.service_fee, placed.tip)
    return bool(total((*(line.total for line in placed.lines), *fees), placed.tip.currency))
