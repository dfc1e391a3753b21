"""The states of an order that its messages show."""

from __future__ import annotations

from itertools import permutations

from tests.handlers.conftest import Shop
from workflows.event_store.streams import order_stream
from workflows.live.order_now import OrderNow
from workflows.orders.command_handling import fold
from workflows.settings import Reader
from workflows.time_budgets import read_budgets


def test_an_order_at_a_version_is_the_fold_of_its_events_until_then_whichever_is_read_first():
    """Each state is folded on from an earlier one that was read before: a message must not show a later state."""
    shop = Shop()
    order_id = shop.place()
    shop.call("POST", f"/incidents/{order_id}/note", {"text": "called"}, role="support", sub="bea", key="n")
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "late"}, key="c")
    events = shop.log.load(order_stream(order_id)).events
    states = [fold(order_id, events[:version]) for version in range(len(events) + 1)]
    assert len(events) >= 3
    for versions in permutations(range(len(events)), 3):
        now = OrderNow(shop.log, order_id, read_budgets(Reader({})))
        assert [now.at(version) for version in versions] == [states[version] for version in versions]
        assert now.at(now.version) == states[-1]
