"""The workflow of the equal order on Temporal. A module of its own, because Temporal's sandbox imports it again.

As Temporal's documents write it: each call or record is an activity, answers are signals awaited with
``workflow.wait_condition``, the branches are coroutines that are gathered, and the customer cancels the workflow, which
runs the compensations of a saga in reverse order.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

RUN_WITHIN = timedelta(seconds=30)


async def _step(activity: str, *arguments: str) -> None:
    await workflow.execute_activity(activity, args=arguments, start_to_close_timeout=RUN_WITHIN)


@workflow.defn
class OrderWorkflow:
    """Takes an order from its payment to its delivery, or undoes it."""

    def __init__(self) -> None:
        self._answers: set[str] = set()

    @workflow.signal
    def answer(self, answer: str) -> None:
        self._answers.add(answer)

    @workflow.run
    async def run(self, order: str) -> str:
        compensations = []
        try:
            await _step("place", order)
            compensations.append("void")
            await _step("authorize", order)
            compensations += ["cancel_ticket", "withdraw_offer"]
            await asyncio.gather(
                self._branch(order, "send_ticket", "accepted", "ready"),
                self._branch(order, "make_offer", "assigned", "picked_up", "delivered"),
            )
        except asyncio.CancelledError:
            for compensation in reversed(compensations):
                await _step(compensation, order)
            return "cancelled"
        await _step("capture", order)
        return "completed"

    async def _branch(self, order: str, request: str, *answers: str) -> None:
        await _step(request, order)
        for answer in answers:
            await workflow.wait_condition(lambda answer=answer: answer in self._answers)
            await _step("record", order, answer)
