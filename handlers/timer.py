"""The function behind the schedule: the watchdog, circuits, bulk jobs and failed batches, once a minute."""

from __future__ import annotations

import logging
from typing import Any

from workflows.engine import engine, settings
from workflows.settings import read_failed_batches_bucket, read_keys
from workflows.upkeep.on_tick import keep_time
from workflows.upkeep.settings import read_upkeep

_log = logging.getLogger(__name__)

DONE = "the timer made its round"
"""The message of the log line whose numbers become metrics: ``overdue``, ``parked``, ``missing`` and so on."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` may set for how many seconds circuits are ticked: ``{"for_s": 50}``."""
    # Bulk jobs record reasons and notes, which are sealed.
    ports = engine(read_upkeep, read_keys, read_failed_batches_bucket)
    done = keep_time(ports, settings(read_upkeep), for_s=float(event.get("for_s", 0)), pause=ports.pause)
    _log.info(DONE, extra={name: _count(value) for name, value in done.items()})
    return done


def _count(value: Any) -> int:
    """Return a number for the log line: the length of a list, and 0 for None."""
    return len(value) if isinstance(value, list) else int(value or 0)
