"""A peer's side of the equal order: run orders in a closed loop, then check that none was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from benchmarks.peers.answering import answer_all
from benchmarks.peers.closed_loop import closed_loop
from benchmarks.peers.order_people import AnsweringPeople, is_cancelled
from benchmarks.peers.order_steps import OrderSteps


def answer_orders(place: Callable[[str], str], steps: OrderSteps, people: AnsweringPeople) -> None:
    """Answer requests until the input ends.

    Args:
        place: Places an order, waits for its end, and returns it: "completed" or "cancelled".
    """
    runs = count()
    ends: dict[str, str] = {}

    def run(orders: int, in_flight: int, cancelled: float = 0.0) -> dict[str, Any]:
        name = f"order-{time.time_ns()}-{next(runs)}"
        expected: dict[str, str] = {}
        for number in range(orders):
            cancels = is_cancelled(number, cancelled)
            people.expect(f"{name}-{number}", cancels=cancels)
            expected[f"{name}-{number}"] = "cancelled" if cancels else "completed"
        ends.update(expected)

        def one(number: int) -> None:
            end = place(f"{name}-{number}")
            assert end == expected[f"{name}-{number}"], (end, expected[f"{name}-{number}"])

        return closed_loop(one, orders, in_flight)

    def check() -> dict[str, Any]:
        steps.check(ends)
        return {"orders": len(ends)}

    answer_all({"run": run, "check": check})
