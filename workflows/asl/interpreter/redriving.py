"""RedriveExecution: an execution that did not succeed goes on at the state in which it stopped.

Inside a Parallel or Map, only the branches and iterations that failed or were stopped go on.
"""

from __future__ import annotations

from typing import Any

from workflows.asl.interpreter.containers import begin_again
from workflows.asl.interpreter.execution import Execution, iso
from workflows.asl.interpreter.history import EVENTS_MAX
from workflows.asl.interpreter.turn import Turn
from workflows.asl.signals import ExecutionStatus


def problem_of(execution: Execution) -> str | None:
    """Say why the execution cannot be redriven; None if it can."""
    if execution.status in (ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED):
        return f"Execution is {execution.status.value} and cannot be redriven"
    if execution.history.last_id >= EVENTS_MAX - 1:
        return "Execution history event limit exceeded"
    if execution.root.frame is None:
        return "Execution stopped before its first state and cannot be redriven"
    return None


def redrive(turn: Turn) -> bool:
    """Begin the state again in which the execution stopped."""
    execution = turn.execution
    frame = execution.root.frame
    if problem_of(execution) is not None or frame is None:
        return False
    execution.status, execution.stopped_at = ExecutionStatus.RUNNING, None
    execution.error = execution.cause = None
    of_context: Any = execution.context["Execution"]
    redrives = int(of_context["RedriveCount"]) + 1
    execution.context["Execution"] = {**of_context, "RedriveCount": redrives, "RedriveTime": iso(turn.at)}
    execution.root.last_event = execution.history.last_id
    turn.record(execution.root, "ExecutionRedriven", {"redriveCount": redrives})
    if execution.definition.timeout_s is not None:
        turn.arm("execution", None, delay_s=execution.definition.timeout_s)
    begin_again(turn, frame)
    return True
