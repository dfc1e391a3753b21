"""The rules of a profile and of a menu. Each function returns the first broken rule as a field and a problem."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from domain.catalogue.events import Profile
from domain.catalogue.menu import Menu, MenuItem, OptionGroup
from domain.identifiers import NAME
from domain.money import Money

Problem = tuple[str, str]
"""The path of a field, and what is wrong with it and how to mend it."""

ITEMS_MAX = 500
"""Items of a menu: more than any restaurant has, and a menu of so many items fits into a commit of 400 KB."""

GROUPS_MAX = 10
"""Groups of options of one item."""

CHOICES_MAX = 20
"""Options that may be chosen of all groups of one item: as many as a line of an order may have."""

TEXT_MAX = 200
"""Characters of a name; a description may have ten times as many."""

PRICE_MAX_MINOR = 10**9
"""The highest price of an item or an option, in minor units of its currency."""


def profile_problems(profile: Profile) -> Iterator[Problem]:
    """Return the rules that the profile breaks."""
    yield from _text_problems("name", profile.name)
    yield from _text_problems("address", profile.address)
    if not re.fullmatch("[A-Z]{3}", profile.currency):
        yield "currency", f"{profile.currency!r} is not an ISO 4217 code: use three capital letters, e.g. EUR"
    try:
        ZoneInfo(profile.time_zone)
    except (LookupError, ValueError, OSError):
        yield "time_zone", f"{profile.time_zone!r} is not an IANA time zone: use a name such as Europe/Berlin"
    yield from _hours_problems(profile)
    yield from _tax_problems(profile)
    yield from _amount_problems(profile)
    if not 0 <= profile.preparation_min <= 24 * 60:
        yield "preparation_min", "must be between 0 and 1440 minutes"
    for index, cuisine in enumerate(profile.cuisines):
        yield from _text_problems(f"cuisines[{index}]", cuisine)


def menu_problems(menu: Menu, profile: Profile) -> Iterator[Problem]:
    """Return the rules that the menu breaks, as a menu of a restaurant with this profile."""
    if not any(section.items for section in menu.sections):
        yield "sections", "has no item: a menu needs one at least"
    if sum(len(section.items) for section in menu.sections) > ITEMS_MAX:
        yield "sections", f"has more than {ITEMS_MAX} items"
    skus: set[str] = set()
    for number, section in enumerate(menu.sections):
        yield from _text_problems(f"sections[{number}].name", section.name)
        for index, item in enumerate(section.items):
            path = f"sections[{number}].items[{index}]"
            if item.sku in skus:
                yield f"{path}.sku", f"{item.sku!r} stands twice on the menu"
            skus.add(item.sku)
            yield from _item_problems(path, item, profile)


def _item_problems(path: str, item: MenuItem, profile: Profile) -> Iterator[Problem]:
    yield from _id_problems(f"{path}.sku", item.sku)
    yield from _text_problems(f"{path}.name", item.name)
    yield from _price_problems(f"{path}.price", item.price, profile.currency)
    if len(item.description) > 10 * TEXT_MAX:
        yield f"{path}.description", f"has more than {10 * TEXT_MAX} characters"
    if item.tax_class not in {tax.name for tax in profile.tax_classes}:
        known = ", ".join(tax.name for tax in profile.tax_classes)
        yield f"{path}.tax_class", f"{item.tax_class!r} is not a tax class of the restaurant: {known}"
    if len(item.groups) > GROUPS_MAX:
        yield f"{path}.groups", f"has more than {GROUPS_MAX} groups"
    if sum(group.choose_max for group in item.groups) > CHOICES_MAX:
        yield f"{path}.groups", f"would allow more than {CHOICES_MAX} options on one item: lower choose_max"
    options: set[str] = set()
    names: set[str] = set()
    for index, group in enumerate(item.groups):
        if group.name in names:
            yield f"{path}.groups[{index}].name", f"{group.name!r} stands twice on this item"
        names.add(group.name)
        yield from _group_problems(f"{path}.groups[{index}]", group, profile.currency, options)


def _group_problems(path: str, group: OptionGroup, currency: str, options: set[str]) -> Iterator[Problem]:
    yield from _text_problems(f"{path}.name", group.name)
    if not 0 <= group.choose_min <= group.choose_max or group.choose_max < 1:
        yield f"{path}.choose_max", "must be 1 or more, and choose_min between 0 and choose_max"
    if not group.options:
        yield f"{path}.options", "is empty: a group needs one option at least"
    for index, option in enumerate(group.options):
        place = f"{path}.options[{index}]"
        yield from _id_problems(f"{place}.option", option.option)
        if option.option in options:
            yield f"{place}.option", f"{option.option!r} stands twice on this item"
        options.add(option.option)
        yield from _text_problems(f"{place}.name", option.name)
        yield from _price_problems(f"{place}.price", option.price, currency)


def _hours_problems(profile: Profile) -> Iterator[Problem]:
    for index, period in enumerate(profile.opening_hours):
        path = f"opening_hours[{index}]"
        if not 0 <= period.weekday <= 6:
            yield f"{path}.weekday", "must be between 0 (Monday) and 6 (Sunday)"
        for name, clock_time in (("opens", period.opens), ("closes", period.closes)):
            if clock_time.second or clock_time.microsecond or clock_time.tzinfo is not None:
                yield f"{path}.{name}", "must be a local time in whole minutes, e.g. 17:30"


def _tax_problems(profile: Profile) -> Iterator[Problem]:
    names = [tax.name for tax in profile.tax_classes]
    for index, tax in enumerate(profile.tax_classes):
        yield from _text_problems(f"tax_classes[{index}].name", tax.name)
        if not 0 <= tax.rate_bp <= 10_000:
            yield f"tax_classes[{index}].rate_bp", "must be between 0 and 10000 hundredths of a percent"
        if names.index(tax.name) != index:
            yield f"tax_classes[{index}].name", f"{tax.name!r} stands twice"
    if profile.fee_tax_class not in names:
        yield (
            "fee_tax_class",
            f"{profile.fee_tax_class!r} is not one of tax_classes: {', '.join(names) or 'there is none'}",
        )


def _amount_problems(profile: Profile) -> Iterator[Problem]:
    amounts = {"minimum_order": profile.minimum_order, "delivery_fee": profile.delivery_fee}
    if profile.free_delivery_from is not None:
        amounts["free_delivery_from"] = profile.free_delivery_from
    if profile.service_fee is not None:
        amounts |= {"service_fee.least": profile.service_fee.least, "service_fee.most": profile.service_fee.most}
        if not 0 <= profile.service_fee.rate_bp <= 10_000:
            yield "service_fee.rate_bp", "must be between 0 and 10000 hundredths of a percent"
        if profile.service_fee.least.minor > profile.service_fee.most.minor:
            yield "service_fee.least", "must not be above service_fee.most"
    for field, amount in amounts.items():
        yield from _price_problems(field, amount, profile.currency)


def _price_problems(path: str, price: Money, currency: str) -> Iterator[Problem]:
    if price.currency != currency:
        yield path, f"is in {price.currency}, and the restaurant's currency is {currency}"
    if not 0 <= price.minor <= PRICE_MAX_MINOR:
        yield path, f"must be between zero and {Money(PRICE_MAX_MINOR, price.currency)}"


def _text_problems(path: str, text: str) -> Iterator[Problem]:
    if not text.strip() or len(text) > TEXT_MAX:
        yield path, f"must have 1 to {TEXT_MAX} characters"


def _id_problems(path: str, text: str) -> Iterator[Problem]:
    if not re.fullmatch(NAME, text):
        yield path, f"{text!r} is not an id: use 1 to 64 letters, digits, '_', '.' or '-'"
