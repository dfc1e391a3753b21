"""The equal order on Restate: ``python -m benchmarks.peers.restate_order FOLDER SERVER``.

As Restate's documents write it: each call or record is a ``ctx.run_typed``, answers resolve awakeables whose ids went
out with the ticket and the offer, the two branches are calls of two handlers that are gathered, and the customer
cancels the invocation, which runs the compensations of a saga in reverse order.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import restate
from restate.exceptions import TerminalError

from benchmarks.peers.order_people import CANCEL, AnsweringPeople
from benchmarks.peers.order_rounds import answer_orders
from benchmarks.peers.order_steps import OrderSteps
from benchmarks.peers.restate_server import Requests, restate_services


def main(folder: Path, server: str) -> None:
    people = AnsweringPeople()
    steps = OrderSteps(folder, people.observe)
    awakeables: dict[tuple[str, str], str] = {}
    invocations: dict[str, str] = {}

    def send_ticket(order: str, ids: dict[str, str]) -> str:
        awakeables.update({(order, act): awakeable for act, awakeable in ids.items()})
        return steps.send_ticket(order)

    def make_offer(order: str, ids: dict[str, str]) -> str:
        awakeables.update({(order, act): awakeable for act, awakeable in ids.items()})
        return steps.make_offer(order)

    branches = restate.Service("Branches")

    async def await_answers(ctx: restate.Context, order: str, answers: dict[str, tuple]) -> None:
        for answer, (_, answered) in answers.items():
            await answered
            await ctx.run_typed(answer, steps.record, order=order, event=answer)

    @branches.handler()
    async def kitchen(ctx: restate.Context, order: str) -> None:
        answers = {act: ctx.awakeable() for act in ("accepted", "ready")}
        ids = {act: awakeable for act, (awakeable, _) in answers.items()}
        await ctx.run_typed("send ticket", send_ticket, order=order, ids=ids)
        await await_answers(ctx, order, answers)

    @branches.handler()
    async def courier(ctx: restate.Context, order: str) -> None:
        answers = {act: ctx.awakeable() for act in ("assigned", "picked_up", "delivered")}
        ids = {act: awakeable for act, (awakeable, _) in answers.items()}
        await ctx.run_typed("make offer", make_offer, order=order, ids=ids)
        await await_answers(ctx, order, answers)

    orders = restate.Service("Orders")

    @orders.handler()
    async def process_order(ctx: restate.Context, order: str) -> str:
        invocations[order] = ctx.request().id
        compensations = []
        calls = []
        try:
            await ctx.run_typed("place", steps.place, order=order)
            compensations.append(("void", steps.void))
            await ctx.run_typed("authorize", steps.authorize, order=order)
            compensations.append(("cancel ticket", steps.cancel_ticket))
            compensations.append(("withdraw offer", steps.withdraw_offer))
            calls = [ctx.service_call(kitchen, order), ctx.service_call(courier, order)]
            for call in await restate.gather(*calls):
                await call
        except TerminalError:
            for call in calls:
                await _end_of(call)
            for name, compensate in reversed(compensations):
                await ctx.run_typed(name, compensate, order=order)
            return "cancelled"
        await ctx.run_typed("capture", steps.capture, order=order)
        return "completed"

    with restate_services(folder, server, [orders, branches]) as running:
        ingress, admin = Requests(running.ingress), Requests(running.admin)

        def answer(order: str, act: str) -> None:
            if act == CANCEL:
                admin.send("PATCH", f"/invocations/{invocations[order]}/cancel", None)
            else:
                ingress.send("POST", f"/restate/awakeables/{awakeables[order, act]}/resolve", None)

        people.answer = answer
        answer_orders(lambda order: ingress.send("POST", "/Orders/process_order", order), steps, people)


async def _end_of(call: restate.RestateDurableFuture) -> None:
    """Wait for a branch that may have been cancelled, so that no branch acts during the compensations."""
    with suppress(TerminalError):
        await call


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
