"""The view ``amounts``: each amount of an order that its customer may have seen, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from domain.order.events import CreditGranted, PaymentAuthorized, PaymentCaptured, PaymentFound, PaymentRefunded
from domain.order.evolving import evolve
from domain.order.order import initial
from domain.order.payment import Transfer
from tests.domain.order.stories import ORDER_ID
from tests.domain.order.world import played, plays
from tests.projections.histories import OneOrderLog
from workflows.event_store.commits import History
from workflows.projections import amounts
from workflows.projections.amounts import AMOUNTS_VIEW

MOVED = (PaymentAuthorized, PaymentCaptured, PaymentFound, PaymentRefunded, CreditGranted)


def seen_by_the_customer(history: History) -> Iterator[int]:
    """Yield what the order showed after each event, in minor units."""
    order = initial(ORDER_ID)
    for event in history.events:
        order = evolve(order, event)
        if order.placed is None:
            continue
        yield order.total.minor
        if isinstance(event, MOVED):
            yield event.amount.minor
        done = (order.payment.captured, order.payment.returned(Transfer.DONE))
        yield from (money.minor for money in done if money.minor)
        if order.credited:
            yield order.credited


@pytest.mark.parametrize("contradictory", [False, True], ids=["sound", "contradictory"])
@settings(max_examples=60, deadline=None)
@given(play=plays())
def test_each_amount_that_the_order_ever_showed_has_one_row(contradictory: bool, play: Any):
    """Whatever a bank statement has, the order is found by it; no amount is twice, so that the index stays small."""
    for history in OneOrderLog(played(play, contradictory=contradictory)).histories:
        rows = AMOUNTS_VIEW.rows(history, 0)
        minors = [row["minor"] for row in rows]
        assert sorted(minors) == sorted(set(seen_by_the_customer(history)))
        assert {row["currency"] for row in rows} == {history.events[0].tip.currency for _ in rows[:1]}


def test_an_order_that_moves_no_money_is_not_folded_for_it(monkeypatch: pytest.MonkeyPatch):
    """Most commits of an order bring no amount, and a fold takes longer than to look at the types of the new events."""
    history = OneOrderLog(played((12, []))).newest
    last = max(version for version, event in enumerate(history.events, start=1) if isinstance(event, MOVED))
    assert last < history.version
    monkeypatch.setattr(amounts, "evolve_all", None)
    assert AMOUNTS_VIEW.rows(history, last) == []
