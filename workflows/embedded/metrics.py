"""The metrics of an embedded engine: what AWS services report to Amazon CloudWatch by themselves.

Counters count since the start of the process, but for the commits, which are counted in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import apsw

from workflows.embedded.lambda_.feed import EventSourceMapping
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.hub.hub import TURN_BOUNDS_S, Hub
from workflows.sqlite.database import Database

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class EngineMetrics:
    """Reads the numbers of one engine's parts."""

    def __init__(
        self,
        *,
        hub: Hub,
        database: Database,
        journal: Journal,
        driver: Driver,
        feed: EventSourceMapping,
        functions: Functions,
    ) -> None:
        self._hub = hub
        self._database = database
        self._journal = journal
        self._driver = driver
        self._feed = feed
        self._functions = functions

    def collect(self) -> Iterator[Metric]:
        yield from self._of_executions()
        yield from self._of_the_log()
        yield from self._of_functions()
        yield from self._of_the_hub()

    def _of_executions(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        running = GaugeMetricFamily("expediter_executions_running", "Executions under way.", labels=["machine"])
        for machine, count in self._journal.running_by_machine().items():
            running.add_metric([machine], count)
        yield running
        started = CounterMetricFamily("expediter_executions_started", "Executions started.", labels=["machine"])
        for machine, count in list(self._driver.started.items()):
            started.add_metric([machine], count)
        yield started
        ended = CounterMetricFamily("expediter_executions_ended", "Executions ended.", labels=["machine", "status"])
        for (machine, status), count in list(self._driver.ended_by_status.items()):
            ended.add_metric([machine, status], count)
        yield ended

    def _of_the_log(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        newest = self._database.read(_newest_position)
        yield CounterMetricFamily("expediter_commits", "Commits in the event log.", value=newest)
        progress = self._feed.progress()
        yield CounterMetricFamily("expediter_orders_started", "Orders placed.", value=progress.orders)
        behind = newest - progress.read_to + progress.unfinished
        yield GaugeMetricFamily("expediter_feed_lag_commits", "Commits that the feed has not processed.", value=behind)
        yield GaugeMetricFamily(
            "expediter_feed_lag_seconds",
            "Age of the oldest commit that the feed has not processed.",
            value=progress.lag_s,
        )

    def _of_functions(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        yield GaugeMetricFamily(
            "expediter_function_calls_waiting", "Calls that no thread has taken yet.", value=self._functions.waiting
        )

    def _of_the_hub(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

        times = self._hub.turn_times()
        bounds = [*(str(bound) for bound in TURN_BOUNDS_S), "+Inf"]
        buckets = list(zip(bounds, accumulate(times.by_bound), strict=True))
        described = "Turns of the hub: no task goes on and no request is answered while one lasts."
        yield HistogramMetricFamily("expediter_hub_turn_seconds", described, buckets=buckets, sum_value=times.busy_s)
        yield GaugeMetricFamily(
            "expediter_hub_longest_turn_seconds", "The longest turn since the start.", value=times.longest_s
        )


def _newest_position(connection: apsw.Connection) -> int:
    rows: list[Any] = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchall()
    return int(rows[0][0])
