"""The command handler: another command may be recorded in between, and a command may be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from domain.order.commands import Command
from domain.order.refusals import OrderAlreadyPickedUp
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.orders.command_handling import Caller, Handled, handle


def send(log: Any, command: Command) -> Handled:
    return handle(log, command, order_id=s.ORDER_ID, key="the key", caller=Caller(s.CUSTOMER, "", ""))


@dataclass
class Busy:
    """A log in which another command is recorded just before each append."""

    shop: Shop
    line: s.StoryLine

    def load(self, stream: str) -> Any:
        return self.shop.log.load(stream)

    def append(self, history: Any, new: Any) -> Any:
        self.shop.tell(self.line)
        return self.shop.log.append(history, new)


def test_a_command_that_lost_a_conflict_is_decided_again_on_the_newer_state() -> None:
    """A cancellation that was possible when it was decided is refused if the meal was picked up in between."""
    shop = Shop()
    shop.tell(*s.READY)
    with pytest.raises(OrderAlreadyPickedUp):
        send(Busy(shop, s.picked_up()), s.cancel())
    assert shop.order().cancellation is None


def test_a_repeated_command_is_replayed_however_the_order_went_on() -> None:
    """A caller that got no response sends the command again, and gets the result of the first attempt."""
    shop = Shop()
    shop.tell(*s.READY)
    first = send(shop.log, s.cancel())
    shop.tell(s.picked_up())
    again = send(shop.log, s.cancel())
    assert (first.replayed, again.replayed) == (False, True)
