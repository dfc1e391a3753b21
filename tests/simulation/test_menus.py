"""Worlds in which the menu, the stock and the opening of the restaurant change while customers order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.money import Money
from domain.order.order import evolve, initial
from workflows.simulation.faults import Faults
from workflows.simulation.menus import SimulatedRestaurant, price_violations
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.simulate import quiet, run_to_rest, simulate
from workflows.simulation.world import World, read_deployed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def template():
    return read_deployed(ROOT)


@pytest.mark.parametrize("seed", range(4))
def test_an_order_costs_what_its_menu_says_whatever_changes_meanwhile(template, seed) -> None:
    """Prices change, items sell out and the restaurant pauses, under faults of every kind."""
    with quiet():
        result = simulate(seed, template, menus=True)
    assert result.violations == ()
    assert "never placed" not in result.outcomes


def test_a_price_that_the_menu_does_not_have_is_found(template) -> None:
    """The check can fail."""
    with quiet():
        world = World(1, template, Faults(1, {}, {}))
        SimulatedRestaurant(world, 1)
        order = SimulatedOrder(world, 0, from_menu=True)
        run_to_rest(world, [order])
    placed = order.order
    assert placed is not None
    assert placed.placed is not None
    assert placed.placed.menu_version is not None
    assert list(price_violations(world.log, placed)) == []
    line = replace(placed.placed.lines[0], unit_price=Money(1, "EUR"))
    cheap = replace(placed.placed, lines=(line, *placed.placed.lines[1:]))
    forged = evolve(initial(placed.order_id), cheap)
    assert [text for text in price_violations(world.log, forged) if "do not cost" in text]
