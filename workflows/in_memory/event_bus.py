"""An event bus in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

from workflows.publishing.cloud_events import CloudEvent


class InMemoryEventBus:
    """Keeps the published events as JSON."""

    def __init__(self) -> None:
        self._published: list[dict[str, Any]] = []
        self._gate = threading.Lock()

    def publish(self, events: Sequence[CloudEvent]) -> None:
        published = [json.loads(json.dumps(event.as_json(), allow_nan=False)) for event in events]
        with self._gate:
            self._published += published

    @property
    def published(self) -> list[dict[str, Any]]:
        with self._gate:
            return list(self._published)
