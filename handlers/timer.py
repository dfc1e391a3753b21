"""The function behind the schedule: what happens by the clock."""

from __future__ import annotations

import logging
from typing import Any

from workflows.engine import engine, environment
from workflows.upkeep.on_tick import keep_time

_log = logging.getLogger(__name__)

DONE = "the clock was looked after"
"""The message of the log line whose numbers are counted: ``overdue``, ``parked``, ``missing`` and so on."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` may say for how many seconds circuits are looked after: ``{"for_s": 50}``; without it, once."""
    ports = engine("ORDER_MACHINE")
    done = keep_time(ports, environment(), for_s=float(event.get("for_s", 0)), pause=ports.pause)
    _log.info(DONE, extra={name: _number(value) for name, value in done.items()})
    return done


def _number(value: Any) -> int:
    """A list of orders as how many they are; None, where nothing was looked at, as none."""
    return len(value) if isinstance(value, list) else int(value or 0)
