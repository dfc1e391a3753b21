"""Executions of the order machine that failed, timed out or were stopped: their orders become incidents.

A machine parks its order by itself. Its execution fails only if that was not possible, if the definition is broken, or
if a person stopped it. Then the order makes no progress, and without this only the watchdog would find it, later.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.identifiers import OrderId
from domain.order.order import RunState
from domain.order.refusals import RunSuperseded
from domain.picklable import Picklable
from workflows.engine import Engine
from workflows.orders.command_handling import for_order, handle, load
from workflows.sagas.actions import parking


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFault:
    """How the execution of a run ended. ``id`` is the id of the EventBridge event, the same in every delivery."""

    id: str
    order_id: OrderId
    run: int
    error: str
    cause: str


class NoSuchRun(Picklable, Exception):
    """There is no such order, or it has not begun that run: the execution was not started by the engine."""

    def __init__(self, order_id: OrderId, run: int) -> None:
        super().__init__(f"order {order_id} never began run {run}")


def record_fault(engine: Engine, fault: ExecutionFault) -> bool:
    """Park the order of a failed execution, so that it becomes an incident.

    Returns:
        False if there was nothing to park: the order has a newer run, has ended, or is parked.

    Raises:
        NoSuchRun: The execution does not belong to a run of an order.
    """
    _, order = load(engine.log, fault.order_id)
    if order.placed is None or fault.run > order.run:
        raise NoSuchRun(fault.order_id, fault.run)
    if fault.run < order.run or order.run_state is not RunState.RUNNING:
        return False
    # A run that fails while compensating must not begin again by itself, because it might fail the same way.
    command = parking(order, fault.run, fault.error, fault.cause, compensating=order.cancellation is not None)
    caller = for_order(f"run {fault.run}, its execution")
    key = f"ExecutionFault/{fault.run}/{fault.id}"
    try:
        handle(engine.log, command, order_id=fault.order_id, key=key, caller=caller)
    except RunSuperseded:
        return False
    return True
