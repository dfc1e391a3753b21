"""A peer's side of the pipe: read JSON requests, answer each. Standard library only, because every peer imports it."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any


def answer_all(answers: dict[str, Callable[..., dict[str, Any]]]) -> None:
    """Answer requests until the input ends. ``do`` names the function; all other fields are its arguments."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output that a library prints must not mix with answers
    for line in sys.stdin:
        question = json.loads(line)
        out.write(json.dumps(answers[question.pop("do")](**question)) + "\n")


def timed(calls: list[Callable[[], object]]) -> dict[str, float]:
    """Measure calls, without the first tenth."""
    warm = len(calls) // 10
    for call in calls[:warm]:
        call()
    return measured(calls[warm:])


def measured(calls: list[Callable[[], object]]) -> dict[str, float]:
    """Measure the median wall time and mean CPU time of a call, in microseconds.

    Garbage is collected before the measurement and not during it.
    """
    walls = []
    gc.collect()
    gc.disable()
    try:
        cpu = time.process_time()
        for call in calls:
            began = time.perf_counter()
            call()
            walls.append(time.perf_counter() - began)
        cpu = time.process_time() - cpu
    finally:
        gc.enable()
    return {"wall_us": median(walls) * 1e6, "cpu_us": cpu / len(calls) * 1e6}
