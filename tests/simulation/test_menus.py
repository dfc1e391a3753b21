"""Worlds in which the menu, the stock and the opening of the restaurant change while customers order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.catalogue.commands import MarkSoldOut
from domain.identifiers import OrderId
from domain.money import Money
from domain.order.evolving import evolve
from domain.order.order import Order, initial
from workflows.catalogue.restaurants import change_restaurant, load_restaurant
from workflows.orders.command_handling import Caller
from workflows.simulation.faults import Faults
from workflows.simulation.menus import RESTAURANT, SimulatedRestaurant, placing_violations, price_violations
from workflows.simulation.people import SUPPORT, SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.simulate import quiet, run_to_rest, simulate
from workflows.simulation.world import World

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
    line = replace(placed.placed.lines[0], unit_price=Money(1, placed.currency))
    cheap = replace(placed.placed, lines=(line, *placed.placed.lines[1:]))
    forged = evolve(initial(placed.order_id), cheap)
    assert [text for text in price_violations(world.log, forged) if "do not cost" in text]


def test_an_order_with_an_item_that_was_sold_out_all_the_time_is_found(template) -> None:
    """The check can fail; and an order whose item sold out while its request was under way is right either way."""
    with quiet():
        world = World(1, template, Faults(1, {}, {}))
        SimulatedRestaurant(world, 1)
        order = SimulatedOrder(world, 0, from_menu=True)
        run_to_rest(world, [order])
    placed = order.order
    assert placed is not None
    assert placed.placed is not None
    assert _of_placing(world, placed, order.asked_at) == []
    sold_out = MarkSoldOut(sku=placed.placed.lines[0].sku)
    change_restaurant(world.log, RESTAURANT, sold_out, Caller(SUPPORT, "test", "test"))
    sold_out_at = world.log.newest()
    newest = load_restaurant(world.log, RESTAURANT).menu_version
    forged = replace(placed, order_id=OrderId("ord_later"), placed=replace(placed.placed, menu_version=newest))
    assert _of_placing(world, forged, sold_out_at - 1) == []
    assert [text for text in _of_placing(world, forged, sold_out_at) if "no moment" in text]


def _of_placing(world: World, order: Order, asked_at: int) -> list[str]:
    return list(placing_violations(world.log, world.log.changes(0, world.log.newest()), order, asked_at))
