"""How far the views of an embedded engine are behind its log, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workflows.projections.progress import RunningProjector

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class ViewMetrics:
    """Reads the progress of a projector."""

    def __init__(self, projector: RunningProjector) -> None:
        self._projector = projector

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        progress = self._projector.progress()
        state = progress.state
        yield GaugeMetricFamily(
            "expediter_views_lag_commits", "Commits that are not in the views.", value=progress.lag_commits
        )
        yield GaugeMetricFamily(
            "expediter_views_lag_seconds", "Age of the oldest commit that is not in the views.", value=progress.lag_s
        )
        yield GaugeMetricFamily(
            "expediter_views_parked", "Streams whose rows in a view could not be computed.", value=state.parked
        )
        yield CounterMetricFamily(
            "expediter_views_mended",
            "Streams whose rows, and days whose sums, differed and were mended by the daily comparison.",
            value=state.mended,
        )
        yield GaugeMetricFamily(
            "expediter_views_failing", "1 while the views cannot be written.", value=int(bool(state.failure))
        )
        yield CounterMetricFamily(
            "expediter_views_projector_restarts",
            "How often the projector's process ended and was started again.",
            value=progress.restarts,
        )
        yield GaugeMetricFamily(
            "expediter_views_projector_memory_bytes",
            "The most memory that the projector's process used.",
            value=progress.memory_bytes,
        )
