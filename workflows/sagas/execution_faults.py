"""Runs whose execution of the order machine failed, ran out of time or was stopped: their orders become incidents.

A machine parks its order by itself. It fails where even that was not possible, where its definition is broken, or where
somebody stopped it; then nobody works on the order any more, and nobody would say so before the watchdog.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.identifiers import SYSTEM, OrderId
from domain.order.order import RunState
from domain.order.refusals import RunSuperseded
from workflows.engine import Engine
from workflows.orders.command_handling import Caller, handle, load
from workflows.sagas.actions import parking


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFault:
    """How the execution of a run ended. ``id`` is of the message that told so: a message that comes twice has one."""

    id: str
    order_id: OrderId
    run: int
    error: str
    cause: str


class NoSuchRun(Exception):
    """There is no such order, or it has not begun that run: the execution is none that the relay started."""

    def __init__(self, order_id: OrderId, run: int) -> None:
        super().__init__(f"order {order_id} never began run {run}")


def record_fault(engine: Engine, fault: ExecutionFault) -> bool:
    """Park the order, for a person to look. False when it moved on without this run, had ended, or is parked already.

    Raises NoSuchRun, and what the log raises.
    """
    _, order = load(engine.log, fault.order_id)
    if order.placed is None or fault.run > order.run:
        raise NoSuchRun(fault.order_id, fault.run)
    if fault.run < order.run or order.run_state is not RunState.RUNNING:
        return False
    # Whoever died while giving back is parked as such: a new run would begin by itself, and might die the same way.
    command = parking(order, fault.run, fault.error, fault.cause, compensating=order.cancellation is not None)
    caller = Caller(SYSTEM, correlation=fault.order_id, causation=f"run {fault.run}, its execution")
    key = f"ExecutionFault/{fault.run}/{fault.id}"
    try:
        handle(engine.log, command, order_id=fault.order_id, key=key, caller=caller)
    except RunSuperseded:
        return False
    return True
