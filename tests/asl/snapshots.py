"""An execution as plain JSON, to compare two executions."""

from __future__ import annotations

from typing import Any

from workflows.asl.interpreter.execution import Execution
from workflows.asl.interpreter.frames import Branch, Frame


def snapshot(execution: Execution) -> dict[str, Any]:
    """Collect all that an execution remembers. Equal executions have equal snapshots."""
    return {
        "definition": execution.definition.digest,
        "arn": execution.arn,
        "status": execution.status.value,
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "startedAt": execution.started_at.isoformat(),
        "stoppedAt": execution.stopped_at.isoformat() if execution.stopped_at is not None else None,
        "lastAt": execution.last_at.isoformat(),
        "lastEvent": execution.history.last_id,
        "calls": {str(task): _path(frame) for task, frame in execution.calls.items()},
        "tokens": {token: _path(frame) for token, frame in execution.tokens.items()},
        "timers": {
            str(number): [timer.purpose, timer.at.isoformat(), _path(timer.frame) if timer.frame else ""]
            for number, timer in execution.timers.items()
        },
        "root": _branch(execution.root),
    }


def _branch(branch: Branch) -> dict[str, Any]:
    return {
        "variables": dict(branch.variables),
        "lastEvent": branch.last_event,
        "mapItem": branch.map_item,
        "isOver": branch.is_over,
        "frame": _frame(branch.frame) if branch.frame is not None else None,
    }


def _frame(frame: Frame) -> dict[str, Any]:
    inside = frame.inside
    return {
        "state": frame.state.name,
        "input": frame.input.value,
        "enteredAt": frame.entered_at.isoformat(),
        "enteredEvent": frame.entered_event,
        "retries": {str(index): count for index, count in frame.retries.items()},
        "retryCount": frame.retry_count,
        "timers": dict(frame.timers),
        "call": repr(frame.call),
        "inside": None
        if inside is None
        else {
            "outputs": inside.outputs,
            "left": inside.left,
            "waitingFrom": inside.waiting_from,
            "branches": {str(index): _branch(branch) for index, branch in inside.branches.items()},
        },
    }


def _path(frame: Frame) -> str:
    owner = frame.branch.owner
    here = f"{frame.branch.index}/{frame.state.name}"
    return here if owner is None else f"{_path(owner)}/{here}"
