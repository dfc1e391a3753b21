"""RedriveExecution: an execution that did not succeed goes on at the state in which it stopped.

Not supported is an execution that stopped inside a Parallel or Map: AWS runs only the branches again that did not end,
and here their results are gone by then.
"""

from __future__ import annotations

from typing import Any

from workflows.asl.interpreter.execution import Execution, iso
from workflows.asl.interpreter.history import EVENTS_MAX
from workflows.asl.interpreter.turn import Again, Turn
from workflows.asl.reading.states import Map, Parallel
from workflows.asl.signals import ExecutionStatus


def problem_of(execution: Execution) -> str | None:
    """Say why the execution cannot be redriven; None if it can."""
    if execution.status in (ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED):
        return f"Execution is {execution.status.value} and cannot be redriven"
    if execution.history.last_id >= EVENTS_MAX - 1:
        return "Execution history event limit exceeded"
    if execution.root.frame is None:
        return "Execution stopped before its first state and cannot be redriven"
    if isinstance(execution.root.frame.state, Parallel | Map):
        return "Execution stopped inside a Parallel or Map state; redriving its branches is not supported here"
    return None


def redrive(turn: Turn) -> bool:
    """Begin the state again in which the execution stopped. Its retries are counted from zero."""
    execution = turn.execution
    frame = execution.root.frame
    if problem_of(execution) is not None or frame is None:
        return False
    execution.status, execution.stopped_at = ExecutionStatus.RUNNING, None
    execution.error = execution.cause = None
    of_context: Any = execution.context["Execution"]
    redrives = int(of_context["RedriveCount"]) + 1
    execution.context["Execution"] = {**of_context, "RedriveCount": redrives, "RedriveTime": iso(turn.at)}
    frame.retries.clear()
    frame.retry_count = 0
    frame.timers.clear()
    frame.call = None
    execution.root.last_event = execution.history.last_id
    turn.record(execution.root, "ExecutionRedriven", {"redriveCount": redrives})
    if execution.definition.timeout_s is not None:
        turn.arm("execution", None, delay_s=execution.definition.timeout_s)
    turn.work.append(Again(execution.root, frame))
    return True
