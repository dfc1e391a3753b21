"""Mutants of ``domain/catalogue/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

MUTANTS = (
    Mutant(
        name="price of a choice forgotten",
        breaks="An order costs what the menu says, with its options.",
        file="domain/catalogue/pricing.py",
        old="Option(name=option.name, price=option.price) for option in chosen",
        new="Option(name=option.name, price=Money.zero(option.price.currency)) for option in chosen",
        caught_by=tests("domain/catalogue/test_pricing.py"),
    ),
    Mutant(
        name="minimum not checked",
        breaks="An order below the restaurant's minimum is refused.",
        file="domain/catalogue/pricing.py",
        old="    if items < profile.minimum_order:\n",
        new="    if items.minor < 0:\n",
        caught_by=tests("domain/catalogue/test_pricing.py"),
    ),
    Mutant(
        name="price that changed accepted",
        breaks="expected_total refuses every other price.",
        file="domain/catalogue/pricing.py",
        old="expected_total != quoted.total:",
        new="expected_total < quoted.total:",
        caught_by=tests("domain/catalogue/test_pricing.py", "handlers/test_prices.py"),
    ),
    Mutant(
        name="sold-out items taken",
        breaks="What was sold out during all of a request is not in its order.",
        file="domain/catalogue/pricing.py",
        old="    for selection in selections:\n        _refuse_sold_out(selection, restaurant.sold_out)\n",
        new="",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="sold-out options taken",
        breaks="An option that is sold out is refused as an item is.",
        file="domain/catalogue/pricing.py",
        old='    for option in ("", *selection.options):\n',
        new='    for option in ("",):\n',
        caught_by=tests("domain/catalogue/test_pricing.py::test_what_is_sold_out_is_refused_by_name"),
    ),
    Mutant(
        name="paused restaurant takes orders",
        breaks="A restaurant that was paused during all of a request takes no order.",
        file="domain/catalogue/restaurant.py",
        old="        return self.has_menu and not self.is_paused(at) and is_open(",
        new="        return self.has_menu and is_open(",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="order priced from another menu than it names",
        breaks="An order costs what the version of the menu that it names says.",
        file="domain/catalogue/pricing.py",
        old="        menu_version=restaurant.menu_version,\n",
        new="        menu_version=max(1, restaurant.menu_version - 1),\n",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="open at the closing minute",
        breaks="A restaurant is closed from its closing time on.",
        file="domain/catalogue/opening_hours.py",
        old="any(i.start <= at < i.end for i in",
        new="any(i.start <= at <= i.end for i in",
        caught_by=tests("domain/catalogue/test_opening_hours.py"),
    ),
)
