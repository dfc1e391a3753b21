"""The command handler: another command may be recorded in between, and a command may be sent again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import pytest

from domain.identifiers import Actor, Role
from domain.order.commands import AbandonOrder, Command, ConfirmReport, GrantCredit, RecordFact, RefundExtra, WriteOff
from domain.order.events import Fault
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
        self.shop.play(self.line)
        return self.shop.log.append(history, new)


def test_a_command_that_lost_a_conflict_is_decided_again_on_the_newer_state() -> None:
    """A cancellation that was possible when it was decided is refused if the meal was picked up in between."""
    shop = Shop()
    shop.play(*s.READY)
    with pytest.raises(OrderAlreadyPickedUp):
        send(Busy(shop, s.picked_up()), s.cancel())
    assert shop.order().cancellation is None


def test_a_repeated_command_is_replayed_however_the_order_went_on() -> None:
    """A caller that got no response sends the command again, and gets the result of the first attempt."""
    shop = Shop()
    shop.play(*s.READY)
    first = send(shop.log, s.cancel())
    shop.play(s.picked_up())
    again = send(shop.log, s.cancel())
    assert (first.replayed, again.replayed) == (False, True)


SUPPORT = Actor(Role.SUPPORT, "alice")
LIMITED: list[Any] = [
    GrantCredit(credit_id="c", amount=s.eur("5.00"), fault=Fault.PLATFORM, by=SUPPORT, reason="late"),
    WriteOff(intent=2, fault=Fault.PLATFORM, by=SUPPORT, reason="lost"),
    AbandonOrder(fault=Fault.PLATFORM, by=SUPPORT, reason="lost"),
    s.refund_extra(),
    s.accepted(),
]


@pytest.mark.parametrize("line", LIMITED, ids=lambda line: type(line).__name__)
def test_a_repeated_command_is_replayed_under_another_approval_limit(line: Any) -> None:
    """The limit is a setting, not part of the request: a retry after a deployment that changed it is still a retry."""
    shop = Shop()
    cancelled = (s.cancel(), s.void_refused()) if isinstance(line, WriteOff) else ()  # only then it may be written off
    order = shop.play(*s.AUTHORIZED, *cancelled, s.park(compensating=bool(cancelled)))
    command = s.command_of(line, order) if callable(line) else line
    assert send(shop.log, replace(command, limit=s.eur("1.00"))).replayed is False
    assert send(shop.log, replace(command, limit=s.eur("1000.00"))).replayed is True
    assert send(shop.log, replace(command, limit=None)).replayed is True


def test_a_repeated_confirmation_is_replayed_under_another_approval_limit() -> None:
    """As above, on an order with a report that contradicts an earlier one."""
    shop = Shop()
    order = shop.play(*s.DELIVERED, s.failed())
    command = s.confirm("1.00")(order)
    assert send(shop.log, command).replayed is False
    assert send(shop.log, replace(command, limit=s.eur("1000.00"))).replayed is True


def test_every_command_that_carries_an_approval_limit_is_repeated_under_another_one() -> None:
    """A new command with a limit has to be added to the list above."""
    carry_limit = {kind for kind in get_args(Command) if "limit" in {field.name for field in fields(kind)}}
    assert carry_limit == {GrantCredit, WriteOff, AbandonOrder, RecordFact, ConfirmReport, RefundExtra}
