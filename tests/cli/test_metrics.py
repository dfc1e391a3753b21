"""``/metrics`` of ``expediter up`` has the metrics that alarms need: orders and circuits."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families


def test_orders_and_circuits_are_in_the_metrics_without_a_token(running: Any, expediter: Any, ends_as: Any) -> None:
    """A placed order is open, no order is parked, and every circuit is closed."""
    placed = expediter("order", "place", "--example", "--data", running.data)
    assert placed.code == 0, placed
    families = {
        family.name: family for family in text_string_to_metric_families(httpx.get(f"{running.url}/metrics").text)
    }
    assert [sample.value for sample in families["expediter_orders_started"].samples] == [1]
    assert sum(sample.value for sample in families["expediter_orders_open"].samples) == 1
    assert [sample.value for sample in families["expediter_orders_parked"].samples] == [0]
    circuits = {sample.labels["dependency"]: sample.value for sample in families["expediter_circuit_open"].samples}
    assert circuits == {"payments": 0, "kitchen": 0, "couriers": 0}
    assert families["expediter_commits"].samples[0].value >= 1
    assert families["expediter_executions_started"].samples[0].labels["machine"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_served_engine_is_healthy(running: Any, path: str) -> None:
    assert httpx.get(running.url + path).status_code == 200
