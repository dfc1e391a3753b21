"""How far the views of an embedded engine are behind its log, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workflows.projections.projector_thread import ProjectorThread

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class ViewMetrics:
    """Reads the progress of a projector."""

    def __init__(self, projector: ProjectorThread) -> None:
        self._projector = projector

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        progress = self._projector.progress()
        yield GaugeMetricFamily(
            "expediter_views_lag_commits", "Commits that are not in the views.", value=progress.lag_commits
        )
        yield GaugeMetricFamily(
            "expediter_views_lag_seconds", "Age of the oldest commit that is not in the views.", value=progress.lag_s
        )
        yield GaugeMetricFamily(
            "expediter_views_parked", "Streams whose rows in a view could not be computed.", value=progress.parked
        )
        yield CounterMetricFamily(
            "expediter_views_mended",
            "Streams whose rows differed from the log and were mended by the daily comparison.",
            value=progress.mended,
        )
        yield GaugeMetricFamily(
            "expediter_views_failing", "1 while the views cannot be written.", value=int(bool(progress.failure))
        )
