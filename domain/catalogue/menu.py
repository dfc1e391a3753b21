"""A menu: sections of items, each with a price and groups of options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.identifiers import Sku
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuOption:
    """A choice within a group, e.g. burrata. ``price`` is per unit of the item and may be zero.

    ``option`` identifies the choice within its item.
    """

    option: str
    name: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionGroup:
    """A question about an item, e.g. its size. Between ``choose_min`` and ``choose_max`` of the options are chosen."""

    name: str
    choose_min: int
    choose_max: int
    options: tuple[MenuOption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """Something to order. ``price`` is per unit, without options, tax included.

    ``tax_class`` is one of the restaurant's. ``picture`` is the name of a picture that was uploaded, or empty.
    """

    sku: Sku
    name: str
    price: Money
    tax_class: str
    description: str = ""
    picture: str = ""
    groups: tuple[OptionGroup, ...] = ()

    def option(self, option: str) -> MenuOption | None:
        """Return the option with this id, None if the item has no such option."""
        return next((o for group in self.groups for o in group.options if o.option == option), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of the menu, and the items under it in their order."""

    name: str
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """All sections in their order."""

    sections: tuple[Section, ...]

    def items(self) -> Iterator[MenuItem]:
        """Return all items in the order of the menu."""
        return (item for section in self.sections for item in section.items)

    def item(self, sku: str) -> MenuItem | None:
        """Return the item with this sku, None if the menu has no such item."""
        return next((item for item in self.items() if item.sku == sku), None)
