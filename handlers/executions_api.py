"""Why an order waits, and what the engine did for it: runs, executions, machines. Nothing here writes."""

from __future__ import annotations

from typing import Annotated, Any

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import Cursor, Flag, Limit
from handlers.http.order_writes import approval_limit
from handlers.http.parameters import InQuery
from handlers.http.preconditions import etag
from handlers.http.responses import Response
from handlers.http.values import OrderIdText, Shape
from workflows.engine import engine, settings
from workflows.executions import NoSuchExecution
from workflows.incidents.approval_limits import read_limits
from workflows.incidents.views import why_view
from workflows.incidents.why import why
from workflows.orders.permissions import Action, check_all
from workflows.orders.visibility import audience_of
from workflows.runs.differences import differences
from workflows.runs.machines import EXECUTION_NAME, MachineName, machine_of, read_machines
from workflows.runs.reading import read_runs, reads_of
from workflows.runs.views import definition_view, engine_cursor, events_view, runs_view
from workflows.settings import read_keys
from workflows.time_budgets import read_budgets

TAG = "Executions"

api = Api()

ExecutionId = Annotated[str, Shape(EXECUTION_NAME, "must be the id of an execution, as GET /orders/{id}/runs has it")]
OfExecution = Annotated[ExecutionId | None, InQuery("The definition that this execution runs; else the deployed one.")]
Reverse = Annotated[Flag, InQuery("The newest events first.")]


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_keys, read_limits, read_machines, read_budgets)  # fail now if a setting is missing or wrong
    return api.resolve(event)


@operation(api, "GET", "/orders/{order_id}/why", tag="Incidents", answers="WhyJson")
def explain_order(order_id: OrderIdText) -> Response:
    """Ask why the order is where it is: what it waits for, since and until when, what it holds, and what happens next.

    `plans` says what each action of support would do now.
    """
    explained = why(
        engine(), order_id, api.caller.actor, settings(read_budgets), approval_limit, machines=settings(read_machines)
    )
    return json_answer(why_view(explained), headers={"ETag": etag(explained.order.version)})


@operation(api, "GET", "/orders/{order_id}/runs", tag=TAG, answers="RunsJson")
def get_runs(order_id: OrderIdText, limit: Limit = 10) -> Response:
    """Read the runs of the order: what began each, its executions, the states that they entered, and their errors.

    The executions of the newest runs are read, `limit` of them. `differences` names what the log and the engine do not
    agree on.
    """
    actor = api.caller.actor
    read = read_runs(engine(), order_id, actor, settings(read_machines), newest=limit)
    found = differences(read, settings(read_budgets))
    body = runs_view(read, found, audience_of(actor, read.order))
    return json_answer(body, headers={"ETag": etag(read.after.version)})


@operation(api, "GET", "/executions/{execution_id}/history", tag=TAG, answers="ExecutionEventsJson", order=False)
def get_execution_history(
    execution_id: ExecutionId, limit: Limit = 100, cursor: Cursor = None, reverse: Reverse = False
) -> Response:
    """Read the events of an execution, as GetExecutionHistory of Step Functions returns them, in pages.

    Task tokens are withheld: a program that has one can end the task.
    """
    check_all(api.caller.actor, Action.READ_RUNS)
    machine = settings(read_machines)[machine_of(execution_id)]
    page = reads_of(engine()).history(
        machine=machine, name=execution_id, limit=limit, reverse=reverse, cursor=engine_cursor(cursor)
    )
    return json_answer(events_view(execution_id, page))


@operation(api, "GET", "/machines/{machine}/definition", tag=TAG, answers="MachineDefinitionJson", order=False)
def get_machine_definition(machine: MachineName, execution: OfExecution = None) -> Response:
    """Read a machine's definition in the Amazon States Language, and a graph made from it.

    With `execution` it is the definition that this execution began with: the machine may have changed since.
    """
    check_all(api.caller.actor, Action.READ_RUNS)
    machines, reads = settings(read_machines), reads_of(engine())
    if execution is None:
        return json_answer(definition_view(machine, reads.definition(machine=machines[machine]), machines))
    if machine_of(execution) is not machine:
        raise NoSuchExecution(f"{execution} is not an execution of the machine {machine}")
    definition = reads.definition_of(machine=machines[machine], name=execution)
    return json_answer(definition_view(machine, definition, machines))
