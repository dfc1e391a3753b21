"""Command in, commit out: others may write in between, and a command may come again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from domain.order.commands import Command
from domain.order.refusals import OrderAlreadyPickedUp
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.orders.command_handling import Caller, Handled, handle


def said(log: Any, command: Command) -> Handled:
    return handle(log, command, order_id=s.ORDER_ID, key="the key", caller=Caller(s.CUSTOMER, "", ""))


@dataclass
class Busy:
    """A log to which somebody else writes just before an append."""

    shop: Shop
    line: s.StoryLine

    def load(self, stream: str) -> Any:
        return self.shop.log.load(stream)

    def append(self, history: Any, new: Any) -> Any:
        self.shop.tell(self.line)
        return self.shop.log.append(history, new)


def test_who_was_slower_is_decided_again_on_what_is_there_now() -> None:
    """A cancellation that was right when it was decided is refused once the meal was picked up in between."""
    shop = Shop()
    shop.tell(*s.READY)
    with pytest.raises(OrderAlreadyPickedUp):
        said(Busy(shop, s.picked_up()), s.cancel())
    assert shop.order().cancellation is None


def test_the_same_command_again_is_an_echo_however_the_order_went_on() -> None:
    """Who never heard the answer asks again, and is told what came of the first attempt."""
    shop = Shop()
    shop.tell(*s.READY)
    first = said(shop.log, s.cancel())
    shop.tell(s.picked_up())
    again = said(shop.log, s.cancel())
    assert (first.echo, again.echo) == (False, True)
