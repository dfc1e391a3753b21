"""Bulk jobs over HTTP: one action on several orders, planned first, at a pace, with the outcome of each order."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from domain.identifiers import OrderId
from domain.order.events import Fault
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.incident_models import BulkBody
from handlers.http.preconditions import RequiredKey
from handlers.http.responses import Response
from workflows.engine import engine, settings
from workflows.incidents import bulk_retry
from workflows.incidents.approval_limits import read_limits
from workflows.incidents.bulk_actions import BulkAction, BulkTask, check_token, plan_all
from workflows.incidents.incidents import list_parked
from workflows.incidents.views import bulk_plan_view, progress_view
from workflows.orders.permissions import Action, check_all

TAG = "Bulk retries"

api = Api()
bulk_route = partial(operation, api, tag=TAG, answers="BulkRetryJson", order=False)


@operation(api, "POST", "/bulk", tag=TAG, answers="BulkJson", statuses=(201, 200), order=False, refuses=(404, 409))
def begin_bulk_job(body: BulkBody, idempotency_key: RequiredKey) -> Response:
    """Retry, cancel, credit or note several orders at once, at a limited rate.

    A dry run answers with the plan: the orders, the calls to providers, the money by currency, where the action is
    refused, and a token. The job begins with that token, for 15 minutes and while the plan holds. It continues by
    itself, also after a restart.
    """
    caller, ports = api.caller.actor, engine()
    check_all(caller, Action.BULK)
    task = BulkTask(
        action=BulkAction(body.action),
        actor=caller,
        reason=body.reason,
        amount=None if body.amount is None else body.amount.money,
        fault=Fault(body.fault),
        limits=tuple(limit for _, limit in sorted(settings(read_limits).items())),
    )
    if not body.dry_run:
        begun = bulk_retry.begun(ports, task, per_s=body.per_s, key=idempotency_key)
        if begun is not None:
            return _begun(begun.id)
    planned = plan_all(ports.log, task, _orders(body), ports.clock.now())
    if body.dry_run:
        return json_answer({"job": None, "plan": bulk_plan_view(planned)})
    check_token(body.token or "", planned, ports.clock.now())
    return _begun(bulk_retry.begin_planned(ports, planned, per_s=body.per_s, key=idempotency_key).id)


@bulk_route("GET", "/bulk/{job_id}")
def get_bulk_job(job_id: str) -> Response:
    """Read a bulk job and the outcome of each order, taken from the order's log."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/advance")
def advance_bulk_job(job_id: str) -> Response:
    """Act on as many orders as the rate allows now, and look up the outcome of those before."""
    check_all(api.caller.actor, Action.BULK)
    bulk_retry.advance(engine(), job_id)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/stop")
def stop_bulk_job(job_id: str) -> Response:
    """Act on no more orders. What was begun continues."""
    check_all(api.caller.actor, Action.BULK)
    bulk_retry.stop(engine(), job_id, api.caller.actor)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/resume")
def resume_bulk_job(job_id: str) -> Response:
    """Continue a stopped bulk job where it was stopped."""
    check_all(api.caller.actor, Action.BULK)
    bulk_retry.resume(engine(), job_id)
    return _progress(job_id)


def _orders(body: BulkBody) -> list[OrderId]:
    if body.order_ids is not None:
        return body.order_ids
    return [row.order_id for row, _ in list_parked(engine().documents, body.cause)]


def _begun(job_id: str) -> Response:
    return json_answer({"job": progress_view(bulk_retry.read(engine(), job_id)), "plan": None}, HTTPStatus.CREATED)


def _progress(job_id: str) -> Response:
    return json_answer(progress_view(bulk_retry.read(engine(), job_id)))
