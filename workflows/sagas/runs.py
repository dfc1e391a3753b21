"""Runs: which events begin one, and how its execution is started."""

from __future__ import annotations

from domain.identifiers import OrderId
from domain.order.events import OrderPlaced, RunStarted
from workflows.engine import Engine
from workflows.event_store.commits import History
from workflows.tracing import follow, tracing


def run_begun(event: object) -> int | None:
    """Return the number of the run that begins with this event, if one does."""
    match event:
        case OrderPlaced():
            return 1
        case RunStarted():
            return event.run
        case _:
            return None


def start_run(engine: Engine, history: History, order_id: OrderId, run: int, order_machine: str) -> None:
    """Start the execution of a run in the order's trace. Its name is order and run, so repeating this has no effect.

    Args:
        history: The order's, from its first commit on: that has the trace.

    Raises:
        ExecutionsUnavailable: It may have been started. Retryable.
    """
    with tracing():
        follow(history.recorded[0].correlation)
        engine.executions.start(order_machine, f"{order_id}-{run}", {"order_id": order_id, "run": run})
