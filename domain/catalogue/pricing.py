"""The price of what a customer chose. A customer names items, options and quantities, and never an amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.catalogue.events import Profile, ServiceFee
from domain.catalogue.menu import Menu, MenuItem
from domain.catalogue.refusals import (
    BelowMinimum,
    ChoiceMissing,
    ItemSoldOut,
    PriceChanged,
    RestaurantClosed,
    RestaurantNotFound,
    TooManyChoices,
    UnknownItem,
)
from domain.catalogue.restaurant import Restaurant
from domain.identifiers import Sku
from domain.money import Money, total
from domain.order.events import Line, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One item with the ids of its options, ``quantity`` times. An option that is named twice is added twice."""

    sku: Sku
    quantity: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an order would cost: its lines, its fees, and the menu that they were priced from."""

    lines: tuple[Line, ...]
    delivery_fee: Money
    service_fee: Money
    tip: Money
    fee_tax_class: str
    fee_tax_rate_bp: int
    menu_version: int

    @property
    def items(self) -> Money:
        """The price of all lines, without fees and tip."""
        return total((line.total for line in self.lines), self.delivery_fee.currency)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return self.items + self.delivery_fee + self.service_fee + self.tip


def quote(
    restaurant: Restaurant,
    selections: Sequence[Selection],
    *,
    at: datetime,
    tip: Money | None = None,
    expected_total: Money | None = None,
) -> Quote:
    """Price an order at the restaurant as it is now.

    Args:
        at: The moment of ordering, which the opening hours are compared with.
        tip: In the restaurant's currency; zero if None.
        expected_total: What the customer was told that it costs, if they want to be refused another price.

    Raises:
        RestaurantNotFound, RestaurantClosed: It is not registered, or takes no orders at ``at``.
        UnknownItem, ItemSoldOut, ChoiceMissing, TooManyChoices: A selection cannot be ordered.
        BelowMinimum: The items cost less than the restaurant's minimum.
        PriceChanged: The total is not ``expected_total``.
        CurrencyMismatch: ``tip`` is in another currency.
    """
    profile, menu = restaurant.profile, restaurant.menu
    if profile is None:
        raise RestaurantNotFound(restaurant.restaurant_id)
    if menu is None or not restaurant.takes_orders(at):
        raise RestaurantClosed(restaurant.restaurant_id, restaurant.opens_at(at))
    lines = price_lines(menu, restaurant.menu_version, selections, profile)
    for selection in selections:
        _refuse_sold_out(selection, restaurant.sold_out)
    items = total((line.total for line in lines), profile.currency)
    if items < profile.minimum_order:
        raise BelowMinimum(profile.minimum_order, items)
    quoted = Quote(
        lines=lines,
        delivery_fee=_delivery_fee(profile, items),
        service_fee=_service_fee(profile.service_fee, items),
        tip=Money.zero(profile.currency) + (tip or Money.zero(profile.currency)),
        fee_tax_class=profile.fee_tax_class,
        fee_tax_rate_bp=_rate_bp(profile, profile.fee_tax_class),
        menu_version=restaurant.menu_version,
    )
    if expected_total is not None and expected_total != quoted.total:
        raise PriceChanged(expected_total, quoted.total)
    return quoted


def price_lines(menu: Menu, menu_version: int, selections: Sequence[Selection], profile: Profile) -> tuple[Line, ...]:
    """Price selections from a menu. The same menu, selections and tax classes always give the same lines.

    Raises:
        UnknownItem, ChoiceMissing, TooManyChoices: A selection cannot be made from this menu.
    """
    return tuple(_line(menu, menu_version, selection, profile) for selection in selections)


def _line(menu: Menu, menu_version: int, selection: Selection, profile: Profile) -> Line:
    item = menu.item(selection.sku)
    if item is None:
        raise UnknownItem(selection.sku, "", menu_version)
    _check_choices(item, selection, menu_version)
    chosen = (
        option
        for group in item.groups
        for option in group.options
        for _ in range(selection.options.count(option.option))
    )
    return Line(
        sku=item.sku,
        name=item.name,
        quantity=selection.quantity,
        unit_price=item.price,
        options=tuple(Option(name=option.name, price=option.price) for option in chosen),
        tax_class=item.tax_class,
        tax_rate_bp=_rate_bp(profile, item.tax_class),
    )


def _check_choices(item: MenuItem, selection: Selection, menu_version: int) -> None:
    for option in selection.options:
        if item.option(option) is None:
            raise UnknownItem(item.sku, option, menu_version)
    for group in item.groups:
        chosen = sum(selection.options.count(option.option) for option in group.options)
        if chosen < group.choose_min:
            raise ChoiceMissing(item.sku, group.name, group.choose_min)
        if chosen > group.choose_max:
            raise TooManyChoices(item.sku, group.name, group.choose_max)


def _refuse_sold_out(selection: Selection, sold_out: frozenset[tuple[str, str]]) -> None:
    for option in ("", *selection.options):
        if (selection.sku, option) in sold_out:
            raise ItemSoldOut(selection.sku, option)


def _delivery_fee(profile: Profile, items: Money) -> Money:
    is_free = profile.free_delivery_from is not None and items >= profile.free_delivery_from
    return Money.zero(profile.currency) if is_free else profile.delivery_fee


def _service_fee(fee: ServiceFee | None, items: Money) -> Money:
    """Return the share of the items' price, rounded half up to a minor unit, within the fee's bounds."""
    if fee is None:
        return Money.zero(items.currency)
    share = Money((items.minor * fee.rate_bp + 5_000) // 10_000, items.currency)
    return min(max(share, fee.least), fee.most)


def _rate_bp(profile: Profile, tax_class: str) -> int:
    return next((tax.rate_bp for tax in profile.tax_classes if tax.name == tax_class), 0)
