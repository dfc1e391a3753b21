"""Bulk jobs over HTTP: one action on several orders, planned first, at a pace, with the outcome of each order.

It has a function of its own on AWS, because it finds orders in the database of the views.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from domain.identifiers import OrderId
from domain.order.events import Fault
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.bulk_models import BulkBody, BulkChangeBody
from handlers.http.documented import operation
from handlers.http.preconditions import ChangeKey, RequiredKey
from handlers.http.responses import Response
from workflows.engine import engine, settings
from workflows.incidents import bulk_jobs
from workflows.incidents.approval_limits import read_limits
from workflows.incidents.bulk_actions import BulkAction, BulkTask, digest_of, parked_in, plan_all
from workflows.incidents.bulk_store import JobState
from workflows.incidents.bulk_views import bulk_plan_view, progress_view
from workflows.orders.permissions import Action, check_all
from workflows.search.finding import find_orders
from workflows.settings import read_keys
from workflows.time_budgets import read_budgets

TAG = "Bulk jobs"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point. Reads all settings, so that a bad one fails the first request."""
    engine(read_keys, read_limits, read_budgets)  # without the keys, personal fields would read as erased
    return api.resolve(event)


bulk_route = partial(operation, api, tag=TAG, answers="BulkJobJson", order=False)


@operation(api, "POST", "/bulk", tag=TAG, answers="BulkJson", statuses=(201, 200), order=False, refuses=(404, 409))
def begin_bulk_job(body: BulkBody, idempotency_key: RequiredKey) -> Response:
    """Retry, cancel, credit or note several orders at once, at a limited rate.

    A dry run answers with the plan: the orders, the calls to providers, the money by currency, where the action is
    refused, and a token. The job begins with that token, for 15 minutes and while the plan holds. Orders that came into
    the group, or changed to match the filter, meanwhile are left out. A request that was refused does not begin a job
    later, whatever becomes of its copies; a new plan needs a new key. The job continues by itself, also after a
    restart, and faster while a caller advances it. Retries stop when the circuit breaker of their provider opens again.
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
        filter=() if body.filter is None else body.filter.texts,
        group=body.group or "",
        named="" if body.order_ids is None else digest_of(body.order_ids),
    )
    if body.dry_run:
        now = ports.clock.now()
        return json_answer({"job": None, "plan": bulk_plan_view(plan_all(ports.log, task, _chosen(body, now), now))})
    begun = bulk_jobs.begin_planned(
        ports, task, body.token or "", partial(_chosen, body), per_s=body.per_s, key=idempotency_key
    )
    return json_answer({"job": progress_view(bulk_jobs.read(ports, begun.id)), "plan": None}, HTTPStatus.CREATED)


@bulk_route("GET", "/bulk/{job_id}")
def get_bulk_job(job_id: str) -> Response:
    """Read a bulk job and the outcome of each order, taken from the order's log."""
    check_all(api.caller.actor, Action.READ_INCIDENTS)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/advance")
def advance_bulk_job(job_id: str) -> Response:
    """Act on as many orders as the rate allows now, and look up the outcome of those before."""
    check_all(api.caller.actor, Action.BULK)
    bulk_jobs.advance(engine(), job_id)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/stop")
def stop_bulk_job(job_id: str, body: BulkChangeBody, idempotency_key: ChangeKey = None) -> Response:
    """Act on no more orders. What was begun continues."""
    check_all(api.caller.actor, Action.BULK)
    if body.dry_run:
        return _progress(job_id, JobState.STOPPED)
    bulk_jobs.stop(engine(), job_id, api.caller.actor, body.reason, idempotency_key)
    return _progress(job_id)


@bulk_route("POST", "/bulk/{job_id}/resume")
def resume_bulk_job(job_id: str, body: BulkChangeBody, idempotency_key: ChangeKey = None) -> Response:
    """Continue a stopped bulk job where it was stopped."""
    check_all(api.caller.actor, Action.BULK)
    if body.dry_run:
        return _progress(job_id, JobState.RUNNING)
    bulk_jobs.resume(engine(), job_id, api.caller.actor, body.reason, idempotency_key)
    return _progress(job_id)


def _chosen(body: BulkBody, until: datetime) -> list[OrderId]:
    """Return the orders that the body chooses, without what was parked or has changed after ``until``."""
    ports = engine()
    if body.group is not None:
        return parked_in(ports.documents, body.group, until=until)
    if body.filter is not None:
        return find_orders(ports, api.caller.actor, body.filter.filter, settings(read_budgets), until)
    return body.order_ids or []


def _progress(job_id: str, planned: JobState | None = None) -> Response:
    return json_answer(progress_view(bulk_jobs.read(engine(), job_id), planned))
