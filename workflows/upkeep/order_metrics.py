"""Metrics of orders and circuits, read from the stores when they are scraped."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workflows.breakers.circuit import CircuitState
from workflows.engine import Engine
from workflows.projections.open_orders import open_orders

if TYPE_CHECKING:
    from prometheus_client.core import Metric

COUNTED_EVERY_S = 10.0
"""The view of open orders is counted at most this often, whatever the interval of the scrapes."""


class OrderMetrics:
    """Counts the open orders of one engine. Threads may share it."""

    def __init__(self, engine: Engine, now_s: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._now_s = now_s
        self._gate = threading.Lock()
        self._counted_s = float("-inf")
        self._by_status: Counter[str] = Counter()
        self._parked = 0

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as Prometheus's client calls it for each scrape."""
        from prometheus_client.core import GaugeMetricFamily

        with self._gate:
            if self._now_s() - self._counted_s >= COUNTED_EVERY_S:
                self._count()
            by_status, parked = dict(self._by_status), self._parked
        statuses = GaugeMetricFamily("expediter_orders_open", "Orders that have not ended.", labels=["status"])
        for status, count in by_status.items():
            statuses.add_metric([status], count)
        yield statuses
        yield GaugeMetricFamily("expediter_orders_parked", "Orders that wait for support.", value=parked)
        circuits = GaugeMetricFamily("expediter_circuit_open", "1 while calls are not admitted.", labels=["dependency"])
        for dependency, breaker in self._engine.breakers.items():
            state = breaker.read().state
            circuits.add_metric([dependency.value], 0 if state is CircuitState.CLOSED else 1)
        yield circuits

    def _count(self) -> None:
        self._by_status.clear()
        self._parked = 0
        for order in open_orders(self._engine.documents):
            self._by_status[order.status.value] += 1
            self._parked += order.parked is not None
        self._counted_s = self._now_s()
