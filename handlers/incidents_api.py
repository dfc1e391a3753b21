"""Incidents and circuits over HTTP, for support; auditors read. What is done to an order is an event of that order."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from domain.money import Money
from domain.order.events import Fault
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import PLAIN_READS, PLAIN_WRITES, READS, WRITES, operation
from handlers.http.incident_models import (
    ApproveBody,
    BulkRetryBody,
    BulkRetryModel,
    CircuitBody,
    CircuitHistoryModel,
    CircuitsModel,
    DeedModel,
    IncidentModel,
    IncidentsModel,
    NoteBody,
    ResolveBody,
    RetryBody,
)
from handlers.http.moments import Limit
from handlers.http.preconditions import IfMatch, OptionalKey, RequiredKey
from handlers.http.values import OrderIdText
from workflows.breakers.breaker import Breaker
from workflows.breakers.dependencies import Dependency
from workflows.breakers.shared import LOOK_BACK
from workflows.breakers.transitions import transitions
from workflows.engine import KEYS, engine, environment
from workflows.incidents import bulk_retry, incidents
from workflows.incidents.approval_limits import limit_for, limits_in
from workflows.incidents.plans import Plan
from workflows.incidents.views import (
    approvals_view,
    circuit_view,
    group_view,
    incident_view,
    plan_view,
    progress_view,
    row_view,
    transition_views,
)
from workflows.orders.command_handling import Handled
from workflows.orders.permissions import Action, check_all, may
from workflows.orders.views import order_view
from workflows.time_budgets import budgets

INCIDENTS, RETRIES, CIRCUITS = "Incidents", "Bulk retries", "Circuits"

api = Api()

Cause = Annotated[
    Annotated[str, Field(max_length=200)] | None,
    Query(description="Only incidents with this cause, e.g. `PaymentsUnavailable@payments`."),
]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point. A setting that says nothing is refused by the first call, not by the first incident."""
    engine(*KEYS)  # without them it would say of everybody that they were erased
    limits_in(environment())
    budgets(environment())
    return api.resolve(event, context)


# --- one incident -----------------------------------------------------------------------------------------------------


@operation(
    api, "GET", "/incidents", tag=INCIDENTS, answers=(200, IncidentsModel), refuses=(403, *PLAIN_READS), order=False
)
def list_incidents(cause: Cause = None, limit: Limit = 50) -> Response[str]:
    """List the incidents by cause, and those that stand longest."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    parked = incidents.list_parked(engine().documents, cause)
    body = {
        "groups": [group_view(group) for group in incidents.list_groups(parked)],
        "incidents": [row_view(row, found) for row, found in parked[:limit]],
        "more": max(0, len(parked) - limit),
    }
    return json_answer(body, HTTPStatus.OK, {})


@operation(
    api,
    "GET",
    "/incidents/<order_id>",
    tag=INCIDENTS,
    answers=(200, IncidentModel),
    refuses=(403, 409, *READS),
    order=False,
)
def get_incident(order_id: OrderIdText) -> Response[str]:
    """Show an incident: what is owed, what led there, and what each verb would do now."""
    found = incidents.show(engine().log, order_id, api.caller.actor, budgets(environment()), _limit)
    return json_answer(incident_view(found), HTTPStatus.OK, {})


@operation(api, "POST", "/incidents/<order_id>/retry", tag=INCIDENTS, answers=(200, DeedModel), refuses=WRITES)
def retry_incident(
    order_id: OrderIdText, body: RetryBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Go on from the facts in a new run. What was refused is asked anew; nothing that is recorded is repeated."""
    asked = api.asked(Action.RETRY, order_id, idempotency_key, if_match)
    return _deed(incidents.retry(engine().log, asked, body.reason, dry_run=body.dry_run))


@operation(api, "POST", "/incidents/<order_id>/resolve", tag=INCIDENTS, answers=(200, DeedModel), refuses=WRITES)
def resolve_incident(
    order_id: OrderIdText, body: ResolveBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Cancel the order (and give back), abandon it (and do not), or write one debt off.

    Above a set amount the wish is recorded and a second person has to approve it.
    """
    asked = api.asked(Action.RESOLVE, order_id, idempotency_key, if_match)
    done = incidents.resolve(
        engine().log,
        asked,
        incidents.How(body.how),
        body.reason,
        limit=_limit,
        fault=Fault(body.fault),
        intent=body.intent,
        dry_run=body.dry_run,
    )
    return _deed(done)


@operation(api, "POST", "/incidents/<order_id>/approve", tag=INCIDENTS, answers=(200, DeedModel), refuses=WRITES)
def approve_wish(
    order_id: OrderIdText, body: ApproveBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Agree, as a second person, to what somebody else wished. It is done at once."""
    asked = api.asked(Action.APPROVE, order_id, idempotency_key, if_match)
    return _deed(incidents.approve(engine().log, asked, body.approval, dry_run=body.dry_run))


@operation(api, "POST", "/incidents/<order_id>/note", tag=INCIDENTS, answers=(200, DeedModel), refuses=WRITES)
def add_note(
    order_id: OrderIdText, body: NoteBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Leave a note in the order's history, whatever state it is in."""
    return _deed(incidents.note(engine().log, api.asked(Action.NOTE, order_id, idempotency_key, if_match), body.text))


# --- many -------------------------------------------------------------------------------------------------------------


@operation(api, "POST", "/retries", tag=RETRIES, answers=(201, BulkRetryModel), refuses=PLAIN_WRITES, order=False)
def begin_bulk_retry(body: BulkRetryBody, idempotency_key: RequiredKey) -> Response[str]:
    """Retry all incidents with one cause, at a pace.

    It goes on by itself, and faster while somebody asks it to advance; it stops when the circuit of what it depends on
    opens again. A dry run begins nothing and says which orders there are.
    """
    caller = api.caller
    check_all(caller.actor, Action.RETRY)
    if body.dry_run:
        found = bulk_retry.preview(engine(), body.cause, caller, body.reason, per_s=body.per_s)
        return json_answer(progress_view(found), HTTPStatus.OK, {})
    job = bulk_retry.begin(engine(), body.cause, caller, body.reason, per_s=body.per_s, key=idempotency_key)
    return _progress(job.id, HTTPStatus.CREATED)


@operation(
    api, "GET", "/retries/<retry_id>", tag=RETRIES, answers=(200, BulkRetryModel), refuses=(403, *READS), order=False
)
def get_bulk_retry(retry_id: str) -> Response[str]:
    """Show a bulk retry and what came of each order, as its log says."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return _progress(retry_id)


@operation(
    api,
    "POST",
    "/retries/<retry_id>/advance",
    tag=RETRIES,
    answers=(200, BulkRetryModel),
    refuses=(404, *PLAIN_WRITES),
    order=False,
)
def advance_bulk_retry(retry_id: str) -> Response[str]:
    """Start what the pace allows now, and look what came of those that were started."""
    check_all(api.caller.actor, Action.RETRY)
    bulk_retry.advance(engine(), retry_id)
    return _progress(retry_id)


@operation(
    api,
    "POST",
    "/retries/<retry_id>/stop",
    tag=RETRIES,
    answers=(200, BulkRetryModel),
    refuses=(404, *PLAIN_WRITES),
    order=False,
)
def stop_bulk_retry(retry_id: str) -> Response[str]:
    """Start no more. What was started goes on."""
    check_all(api.caller.actor, Action.RETRY)
    bulk_retry.stop(engine(), retry_id, api.caller.actor)
    return _progress(retry_id)


@operation(
    api,
    "POST",
    "/retries/<retry_id>/resume",
    tag=RETRIES,
    answers=(200, BulkRetryModel),
    refuses=(404, *PLAIN_WRITES),
    order=False,
)
def resume_bulk_retry(retry_id: str) -> Response[str]:
    """Go on where it was stopped."""
    check_all(api.caller.actor, Action.RETRY)
    bulk_retry.resume(engine(), retry_id)
    return _progress(retry_id)


# --- circuits ---------------------------------------------------------------------------------------------------------


@operation(
    api, "GET", "/circuits", tag=CIRCUITS, answers=(200, CircuitsModel), refuses=(403, *PLAIN_READS), order=False
)
def list_circuits() -> Response[str]:
    """Show the circuit of everything that orders depend on."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    found = [circuit_view(breaker, engine().clock) for breaker in engine().breakers.values()]
    return json_answer({"circuits": found}, HTTPStatus.OK, {})


@operation(
    api,
    "GET",
    "/circuits/<dependency>",
    tag=CIRCUITS,
    answers=(200, CircuitHistoryModel),
    refuses=(403, *PLAIN_READS),
    order=False,
)
def get_circuit(dependency: Dependency) -> Response[str]:
    """Show a circuit and what happened to it in the last week."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return _circuit(engine().breakers[dependency])


@operation(
    api,
    "POST",
    "/circuits/<dependency>/open",
    tag=CIRCUITS,
    answers=(200, CircuitHistoryModel),
    refuses=PLAIN_WRITES,
    order=False,
)
def open_circuit(dependency: Dependency, body: CircuitBody) -> Response[str]:
    """Hold it open: no calls and no probes until somebody closes it. Orders wait, and lose nothing."""
    check_all(api.caller.actor, Action.SET_CIRCUIT)
    breaker = engine().breakers[dependency]
    breaker.hold_open(api.caller.actor, body.reason)
    return _circuit(breaker)


@operation(
    api,
    "POST",
    "/circuits/<dependency>/close",
    tag=CIRCUITS,
    answers=(200, CircuitHistoryModel),
    refuses=PLAIN_WRITES,
    order=False,
)
def close_circuit(dependency: Dependency, body: CircuitBody) -> Response[str]:
    """Close it: everybody may call, and those who wait are let go at a pace."""
    check_all(api.caller.actor, Action.SET_CIRCUIT)
    breaker = engine().breakers[dependency]
    breaker.close(api.caller.actor, body.reason)
    return _circuit(breaker)


# --- answers ----------------------------------------------------------------------------------------------------------


def _limit(currency: str) -> Money:
    return limit_for(currency, environment())


def _deed(done: Handled | Plan) -> Response[str]:
    if isinstance(done, Plan):
        return json_answer({"order": None, "plan": plan_view(done), "approvals": []}, HTTPStatus.OK, {})
    personal = may(api.caller.actor, Action.READ_PERSONAL, done.order)
    headers = {"ETag": f'"{done.order.version}"', **({"Idempotent-Replayed": "true"} if done.echo else {})}
    body = {
        "order": order_view(done.order, personal=personal),
        "plan": None,
        "approvals": approvals_view(done.order, personal=personal),
    }
    return json_answer(body, HTTPStatus.OK, headers)


def _progress(job_id: str, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    return json_answer(progress_view(bulk_retry.read(engine(), job_id)), status, {})


def _circuit(breaker: Breaker) -> Response[str]:
    now = engine().clock.now()
    found = transitions(engine().log, breaker.dependency, now - LOOK_BACK, now + timedelta(minutes=5))
    body = {"circuit": circuit_view(breaker, engine().clock), "transitions": transition_views(found)}
    return json_answer(body, HTTPStatus.OK, {})
