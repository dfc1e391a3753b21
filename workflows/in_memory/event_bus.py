"""An event bus in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

from workflows.publishing.cloud_events import CloudEvent


class InMemoryEventBus:
    """Keeps what was published, as JSON said it."""

    def __init__(self) -> None:
        self._taken: list[dict[str, Any]] = []
        self._gate = threading.Lock()

    def publish(self, events: Sequence[CloudEvent]) -> None:
        taken = [json.loads(json.dumps(event.as_json(), allow_nan=False)) for event in events]
        with self._gate:
            self._taken += taken

    @property
    def taken(self) -> list[dict[str, Any]]:
        with self._gate:
            return list(self._taken)
