"""Runs, executions and machines as JSON, in the shapes of ``workflows.client.run_json``."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.clock import timestamp
from workflows.executions import ExecutionEvents, MachineDefinition, NoSuchExecution
from workflows.orders.event_words import event_sentence
from workflows.orders.json_values import plain
from workflows.orders.views import event_view
from workflows.orders.visibility import Audience
from workflows.runs.differences import RunDifference
from workflows.runs.layout import layout
from workflows.runs.machines import MachineName, Machines, machine_of
from workflows.runs.reading import OrderRun, OrderRuns, ReadExecution
from workflows.runs.visits import Visit, without_tokens

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.run_json import (
        DifferenceJson,
        ExecutionEventsJson,
        ExecutionJson,
        MachineDefinitionJson,
        RunJson,
        RunsJson,
        VisitedStateJson,
    )


def runs_view(read: OrderRuns, found: list[RunDifference], audience: Audience) -> RunsJson:
    """Return the runs of an order."""
    return {
        "order_id": read.order.order_id,
        "version": read.after.version,
        "runs": [_run(run, audience) for run in read.runs],
        "differences": [_difference(each) for each in found],
        "checked_at": timestamp(read.read_at),
    }


def events_view(execution: str, page: ExecutionEvents) -> ExecutionEventsJson:
    """Return a page of the events of an execution, without its task tokens."""
    return {
        "execution": execution,
        "machine": machine_of(execution).value,
        "events": [_plain_event(without_tokens(event)) for event in page.events],
        "next": None if page.next is None else urlsafe_b64encode(page.next.encode()).decode().rstrip("="),
    }


def engine_cursor(cursor: str | None) -> str | None:
    """Return the engine's own cursor of a page from that of ``events_view``.

    Raises:
        NoSuchExecution: It is none.
    """
    try:
        return None if cursor is None else b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise NoSuchExecution("The cursor is not from a page of this execution.") from None


def definition_view(machine: MachineName, definition: MachineDefinition, machines: Machines) -> MachineDefinitionJson:
    """Return a machine, and its graph."""
    return {
        "machine": machine.value,
        "arn": machines[machine],
        "digest": definition.digest,
        "definition": dict(definition.raw),
        "layout": layout(definition.raw, machines),
    }


def _run(run: OrderRun, audience: Audience) -> RunJson:
    began = event_view(run.began, audience)
    by: Any = {"role": run.began.actor.role.value, "id": run.began.actor.id}
    return {
        "run": run.run,
        "version": run.began.version,
        "started_at": run.began.ts,
        "by": by,
        "why": "" if began is None else event_sentence(began, {}),
        "executions": None if run.executions is None else [_execution(each) for each in run.executions],
    }


def _execution(execution: ReadExecution) -> ExecutionJson:
    described = execution.described
    return {
        "id": execution.name,
        "arn": described.arn,
        "machine": execution.machine.value,
        "status": described.status,
        "started_at": timestamp(described.started_at),
        "stopped_at": plain(described.stopped_at),
        "error": described.error,
        "definition": described.definition,
        "states": [_state(visit) for visit in execution.visits],
        "whole": execution.whole,
    }


def _state(visit: Visit) -> VisitedStateJson:
    return {
        "state": visit.state,
        "action": visit.action,
        "entered_at": timestamp(visit.entered_at),
        "exited_at": plain(visit.exited_at),
        "attempts": visit.attempts,
        "failures": visit.failures,
        "error": visit.error,
        "message": visit.message,
    }


def _difference(difference: RunDifference) -> DifferenceJson:
    fields: DifferenceJson = plain(difference)
    return fields


def _plain_event(event: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = plain(event)
    return shown
