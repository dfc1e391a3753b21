"""Callers of sagas: each starts another saga when its last one has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def closed_loop(saga: Callable[[int], object], sagas: int, in_flight: int) -> dict[str, Any]:
    """Run sagas with ``in_flight`` callers, and measure the run, each saga, and the CPU time of this process."""

    def timed(number: int) -> float:
        began = time.perf_counter()
        saga(number)
        return time.perf_counter() - began

    with ThreadPoolExecutor(in_flight) as callers:
        began, cpu = time.perf_counter(), time.process_time()
        took = list(callers.map(timed, range(sagas)))
        return {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
            "latencies_s": took,
        }
