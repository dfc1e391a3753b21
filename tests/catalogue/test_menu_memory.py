"""Published menus in memory: the log is read for those that are not kept, and the memory has a bound."""

from __future__ import annotations

import pytest

from domain.identifiers import RestaurantId
from tests.handlers.conftest import Shop, open_restaurant
from workflows.catalogue.menu_memory import MenuMemory
from workflows.catalogue.refusals import MenuNotFound

NAMES = [RestaurantId(f"r{number}") for number in range(4)]


class CountedLog:
    """Counts the loads of a log."""

    def __init__(self, shop: Shop) -> None:
        self._log = shop.log
        self.loads = 0

    def load(self, stream: str):
        self.loads += 1
        return self._log.load(stream)


@pytest.fixture
def log() -> CountedLog:
    shop = Shop()
    for name in NAMES:
        open_restaurant(shop.log, name)
    return CountedLog(shop)


def test_the_menus_that_were_read_last_are_kept(log) -> None:
    """Beyond its bound the memory drops those that were not read for the longest time."""
    size = MenuMemory().read(log, NAMES[0], 1).characters
    memory, log.loads = MenuMemory(characters_max=3 * size + size // 2), 0
    for name in (*NAMES[:3], NAMES[0], NAMES[3]):  # the last one drops r1
        memory.read(log, name, 1)
    assert log.loads == 4
    for name in (NAMES[0], NAMES[2], NAMES[3]):
        memory.read(log, name, 1)
    assert log.loads == 4
    memory.read(log, NAMES[1], 1)
    assert log.loads == 5


def test_a_menu_that_is_larger_than_the_memory_is_read_and_not_kept(log) -> None:
    """It must not push out all others for ever, nor be refused."""
    memory = MenuMemory(characters_max=10)
    assert memory.read(log, NAMES[0], 1).text == memory.read(log, NAMES[0], 1).text
    assert log.loads == 2


def test_a_version_that_may_still_come_is_not_remembered_as_missing(log) -> None:
    """A menu that is published a moment later is found."""
    memory = MenuMemory()
    for _ in range(2):
        with pytest.raises(MenuNotFound):
            memory.read(log, NAMES[0], 2)
    assert log.loads == 2
