"""The peer's side of the pipe: reads questions, answers each. Standard library alone, as every peer imports it."""

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
    """Until the input ends. ``do`` names the answer, the rest are its arguments."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        question = json.loads(line)
        out.write(json.dumps(answers[question.pop("do")](**question)) + "\n")


def timed(calls: list[Callable[[], object]]) -> dict[str, float]:
    """Their median and their CPU, but for the first tenth."""
    warm = len(calls) // 10
    for call in calls[:warm]:
        call()
    return measured(calls[warm:])


def measured(calls: list[Callable[[], object]]) -> dict[str, float]:
    """Microseconds a call. The collector runs before, not within."""
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
