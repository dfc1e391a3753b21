"""Actions after a commit: start the run that it begins, and log an order that it parks."""

from __future__ import annotations

import logging

import pytest

from domain.order.commands import ParkOrder
from domain.order.events import OrderParked
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.projections.open_orders import open_order
from workflows.settings import read
from workflows.upkeep.on_commit import PARKED, follow_commit
from workflows.upkeep.settings import read_upkeep

UPKEEP = read({"ORDER_MACHINE": "OrderMachine"}, read_upkeep)


def test_a_run_is_started_although_the_commit_that_began_it_was_never_delivered() -> None:
    """A later commit makes up for it, because the order's row does not include the run's event yet."""
    shop = Shop()
    shop.play(*s.ACCEPTED, s.restart(), s.note())
    *_, newest = shop.log.read(f"order#{s.ORDER_ID}")
    follow_commit(shop.engine, newest, UPKEEP)
    assert shop.executions.started == [f"{s.ORDER_ID}-1", f"{s.ORDER_ID}-2"]


def test_no_event_is_in_the_row_before_its_run_is_started() -> None:
    """If the process dies while it starts the run, the next commit starts it."""
    shop = Shop()
    shop.play(*s.PLACED)
    (placed, *_) = shop.log.read(f"order#{s.ORDER_ID}")

    def die(machine: str, name: str, input: object) -> None:  # noqa: A002 - the API's own word
        raise ConnectionError

    shop.executions.start = die  # type: ignore[method-assign]  # the process dies at its call
    with pytest.raises(ConnectionError):
        follow_commit(shop.engine, placed, UPKEEP)
    assert open_order(shop.documents, s.ORDER_ID) is None


def test_a_parked_order_is_logged_once_a_commit_and_without_the_detail(caplog: pytest.LogCaptureFixture) -> None:
    """The detail of a fault may quote personal data; id, run and error name are enough to find the incident."""
    shop = Shop()
    shop.play(*s.AUTHORIZED)
    shop.record(ParkOrder(run=1, error="Bug", detail="Ada Byron, Lindenstrasse 9", compensating=False))
    with caplog.at_level(logging.WARNING):
        for commit in shop.log.read(f"order#{s.ORDER_ID}"):
            follow_commit(shop.engine, commit, UPKEEP)
    (line,) = [record for record in caplog.records if record.message == PARKED]
    parked = shop.log.load(f"order#{s.ORDER_ID}").events[-1]
    assert isinstance(parked, OrderParked)
    assert (vars(line)["order"], vars(line)["run"], vars(line)["error"]) == (s.ORDER_ID, 1, parked.error)
    assert "Ada Byron" not in str(vars(line))
