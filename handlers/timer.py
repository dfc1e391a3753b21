"""The function behind the schedule: what happens by the clock."""

from __future__ import annotations

import time
from typing import Any

from workflows.bootstrap import engine, environment
from workflows.timekeeping import keep_time


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` may say for how many seconds circuits are looked after: ``{"for_s": 50}``; without it, once."""
    return keep_time(engine(), environment(), for_s=float(event.get("for_s", 0)), pause=time.sleep)
