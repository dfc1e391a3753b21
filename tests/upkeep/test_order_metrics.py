"""The metrics of orders: counted from the view of open orders, at most every ten seconds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from workflows.upkeep import order_metrics
from workflows.upkeep.order_metrics import COUNTED_EVERY_S, OrderMetrics


def test_orders_are_counted_by_status_and_parked_ones_apart_at_most_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A scrape must not read a view of thousands of orders each second."""
    rows = [SimpleNamespace(status=SimpleNamespace(value=status), parked=parked) for status, parked in ROWS]
    reads: list[object] = []

    def counted(documents: object) -> Any:
        reads.append(documents)
        return iter(rows)

    monkeypatch.setattr(order_metrics, "open_orders", counted)
    time = [0.0]
    metrics = OrderMetrics(SimpleNamespace(documents="view", breakers={}), now_s=lambda: time[0])  # type: ignore[arg-type]  # the metrics read these two
    assert values(metrics) == {("placed",): 2, ("delivered",): 1, (): 1}
    rows.clear()
    time[0] += COUNTED_EVERY_S - 1
    assert values(metrics) == {("placed",): 2, ("delivered",): 1, (): 1}
    time[0] += 1
    assert values(metrics) == {(): 0}
    assert reads == ["view"] * 2


ROWS = [("placed", None), ("placed", None), ("delivered", "parked")]


def values(metrics: OrderMetrics) -> dict[tuple[str, ...], float]:
    """The samples by their labels; those of parked orders have none."""
    return {tuple(s.labels.values()): s.value for family in metrics.collect() for s in family.samples}
