"""How old the newest checkpoint of an embedded engine is, and how often none could be published, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from workflows.audit.checkpoint_store import CheckpointsUnavailable
from workflows.audit.checkpoints import CheckpointsBroken
from workflows.audit.head_tree import HeadTree

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class CheckpointMetrics:
    """Reads the newest checkpoint."""

    def __init__(self, heads: HeadTree) -> None:
        self._heads = heads

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield CounterMetricFamily(
            "expediter_checkpoints_failed", "Rounds that could publish no checkpoint.", value=self._heads.failures
        )
        try:
            newest = self._heads.newest()
        except (CheckpointsUnavailable, CheckpointsBroken):
            return
        if newest is not None:
            made_at = datetime.fromisoformat(newest.header.checkpoint.made_at).timestamp()
            yield GaugeMetricFamily(
                "expediter_checkpoint_made_seconds", "When the newest checkpoint was made, in Unix time.", value=made_at
            )
            yield GaugeMetricFamily(
                "expediter_checkpoint_leaves", "Heads in the tree.", value=newest.header.checkpoint.size
            )
