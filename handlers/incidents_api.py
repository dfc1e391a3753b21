"""Incidents and circuit breakers over HTTP, for support; auditors may read.

Every action on an order is recorded as an event of that order.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from domain.order.events import Fault
from handlers import credits_api, extra_captures_api, passing_on_api
from handlers.http.action_outcomes import action_outcome
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.incident_models import (
    ApproveBody,
    AssignIncidentBody,
    CircuitBody,
    NoteBody,
    RejectRequestBody,
    ResolveBody,
    RetryBody,
)
from handlers.http.moments import Limit
from handlers.http.order_writes import approval_limit, order_write
from handlers.http.parameters import InQuery
from handlers.http.preconditions import ChangeKey
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.breakers.shared import LOOK_BACK
from workflows.breakers.transitions import transitions
from workflows.engine import engine, settings
from workflows.incidents import incidents
from workflows.incidents.approval_limits import read_limits
from workflows.incidents.circuit_plans import CircuitPlan, plan_circuit
from workflows.incidents.views import (
    circuit_view,
    circuit_wait_view,
    group_view,
    incident_view,
    row_view,
    transition_views,
)
from workflows.orders.json_values import plain
from workflows.orders.permissions import Action, check_all
from workflows.orders.requests import OrderRequest
from workflows.orders.visibility import audience_of
from workflows.sagas.circuit_waits import oldest_waits
from workflows.settings import read_keys
from workflows.time_budgets import read_budgets

INCIDENTS, CIRCUITS = "Incidents", "Circuits"

api = Api()
api.include(credits_api.api)
api.include(extra_captures_api.api)
api.include(passing_on_api.api)

Cause = Annotated[
    Annotated[str, Field(max_length=200)] | None,
    InQuery("Only incidents with this cause, e.g. `PaymentsUnavailable@payments`."),
]

Assignee = Annotated[
    Annotated[str, Field(min_length=1, max_length=64)] | None, InQuery("Only incidents that this person took on.")
]
Unassigned = Annotated[bool, InQuery("Only incidents that no person took on, instead of those of `assignee`.")]


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point. Reads all settings, so that a bad one fails the first request and not the first incident."""
    engine(read_keys, read_limits, read_budgets)  # without the keys, personal fields would read as erased
    return api.resolve(event)


# --- one incident -----------------------------------------------------------------------------------------------------

incident_write = partial(order_write, api, tag=INCIDENTS, answers="ActionOutcomeJson")


@operation(api, "GET", "/incidents", tag=INCIDENTS, answers="IncidentsJson", order=False)
def list_incidents(
    cause: Cause = None, assignee: Assignee = None, unassigned: Unassigned = False, limit: Limit = 50
) -> Response:
    """List the parked orders: grouped by cause, and one by one, those parked longest first."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    parked = incidents.list_parked(engine().documents, cause, "" if unassigned else assignee)
    return json_answer(
        {
            "groups": [group_view(group) for group in incidents.list_groups(parked)],
            "incidents": [row_view(row, now) for row, now in parked[:limit]],
            "more": max(0, len(parked) - limit),
        }
    )


@operation(api, "GET", "/incidents/{order_id}", tag=INCIDENTS, answers="IncidentJson", order=False, refuses=(409,))
def get_incident(order_id: OrderIdText) -> Response:
    """Read an incident: what is held or owed, the last events, and what each action would do now."""
    incident = incidents.show(engine().log, order_id, api.caller.actor, settings(read_budgets), approval_limit)
    return json_answer(incident_view(incident))


@incident_write("/incidents/{order_id}/retry", Action.RETRY)
def retry_incident(request: OrderRequest, body: RetryBody) -> Response:
    """Continue the order in a new run.

    Calls that were refused are made again; calls whose outcome is recorded are not repeated.
    """
    return action_outcome(
        incidents.retry(engine().log, request, body.reason, dry_run=body.dry_run), request.caller.actor
    )


@incident_write("/incidents/{order_id}/resolve", Action.RESOLVE)
def resolve_incident(request: OrderRequest, body: ResolveBody) -> Response:
    """Cancel the order, abandon it without compensation, or write off what one intent holds or owes.

    Above a set amount the request is only recorded, and a second person has to approve it.
    """
    return action_outcome(
        incidents.resolve(
            engine().log,
            request,
            incidents.How(body.how),
            body.reason,
            limit=approval_limit,
            fault=Fault(body.fault),
            intent=body.intent,
            dry_run=body.dry_run,
        ),
        request.caller.actor,
    )


@incident_write("/incidents/{order_id}/approve", Action.APPROVE)
def approve_request(request: OrderRequest, body: ApproveBody) -> Response:
    """Approve, as a second person, a request of another person. It is carried out at once."""
    return action_outcome(
        incidents.approve(engine().log, request, body.approval, body.reason, dry_run=body.dry_run),
        request.caller.actor,
    )


@incident_write("/incidents/{order_id}/reject", Action.REJECT_REQUEST)
def reject_request(request: OrderRequest, body: RejectRequestBody) -> Response:
    """Reject a request that waits for a second person, or withdraw your own. It has no effect then."""
    done = incidents.reject(engine().log, request, body.approval, body.reason, dry_run=body.dry_run)
    return action_outcome(done, request.caller.actor)


@incident_write("/incidents/{order_id}/assign", Action.ASSIGN_INCIDENT)
def assign_incident(request: OrderRequest, body: AssignIncidentBody) -> Response:
    """Take an incident on, for yourself or a colleague, or release it (`to`: null). It forbids nothing to others."""
    done = incidents.assign(engine().log, request, body.to, body.reason, dry_run=body.dry_run)
    return action_outcome(done, request.caller.actor)


@incident_write("/incidents/{order_id}/note", Action.NOTE)
def add_note(request: OrderRequest, body: NoteBody) -> Response:
    """Add a note to the order's history, whatever its status."""
    return action_outcome(incidents.note(engine().log, request, body.text, dry_run=body.dry_run), request.caller.actor)


# --- circuits ---------------------------------------------------------------------------------------------------------

circuit_route = partial(operation, api, tag=CIRCUITS, answers="CircuitHistoryJson", order=False)


@operation(api, "GET", "/circuits", tag=CIRCUITS, answers="CircuitsJson", order=False)
def list_circuits() -> Response:
    """List the circuit breakers of all providers."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return json_answer({"circuits": [circuit_view(breaker, engine().clock) for breaker in engine().breakers.values()]})


@circuit_route("GET", "/circuits/{dependency}")
def get_circuit(dependency: Dependency) -> Response:
    """Read a circuit breaker, its transitions of the last week, and the orders that wait for it to close."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return _circuit(dependency)


@circuit_route("POST", "/circuits/{dependency}/open")
def open_circuit(dependency: Dependency, body: CircuitBody, idempotency_key: ChangeKey = None) -> Response:
    """Hold a circuit open: no calls and no probes until a person closes it. Orders wait meanwhile."""
    check_all(api.caller.actor, Action.SET_CIRCUIT)
    if body.dry_run:
        return _circuit(dependency, plan_circuit(engine(), dependency, CircuitState.HELD_OPEN))
    engine().breakers[dependency].hold_open(api.caller.actor, body.reason, idempotency_key)
    return _circuit(dependency)


@circuit_route("POST", "/circuits/{dependency}/close")
def close_circuit(dependency: Dependency, body: CircuitBody, idempotency_key: ChangeKey = None) -> Response:
    """Close a circuit: calls are allowed again, and waiting orders are released at a limited rate."""
    check_all(api.caller.actor, Action.SET_CIRCUIT)
    if body.dry_run:
        return _circuit(dependency, plan_circuit(engine(), dependency, CircuitState.CLOSED))
    engine().breakers[dependency].close(api.caller.actor, body.reason, idempotency_key)
    return _circuit(dependency)


# --- responses --------------------------------------------------------------------------------------------------------


_LISTED_MAX = 50
"""Waits of a circuit in one answer; the dry run of closing it counts further."""


def _circuit(dependency: Dependency, planned: CircuitPlan | None = None) -> Response:
    breaker, now = engine().breakers[dependency], engine().clock.now()
    waits = oldest_waits(engine().documents, dependency, _LISTED_MAX + 1)
    recorded = transitions(engine().log, breaker.dependency, now - LOOK_BACK, now + timedelta(minutes=5))
    return json_answer(
        {
            "circuit": circuit_view(breaker, engine().clock),
            "transitions": transition_views(recorded, audience_of(api.caller.actor)),
            "waiting": [circuit_wait_view(wait) for wait in waits[:_LISTED_MAX]],
            "waiting_more": len(waits) > _LISTED_MAX,
            "plan": None if planned is None else plain(planned),
        }
    )
