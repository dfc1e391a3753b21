"""The steps of a bulk job on one order: act on it once, and find the result of that in its log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.identifiers import OrderId
from domain.order.commands import StartRun
from domain.order.events import OrderParked, RunStarted
from domain.order.order import Order, RunState
from domain.order.refusals import Rejected
from workflows.engine import Engine
from workflows.event_store.commits import History
from workflows.event_store.transact import PreconditionFailed
from workflows.incidents.bulk_actions import BulkAction, command_of
from workflows.incidents.bulk_store import STARTED, Job, JobOrder, Outcome, get_job, orders_in, put_order
from workflows.orders.command_handling import Caller, handle, load

RESULT_AFTER = timedelta(minutes=10)
"""An order that is still running after this time is past its fault, or the watchdog will find it. It is longer than
all attempts of a payment and their waits."""


def start_order(engine: Engine, job: Job, order_id: OrderId) -> None:
    """Act on the order under the job's own key, so that a repetition after a crash finds what was done before."""
    history, order = load(engine.log, order_id)
    key = f"BulkJob/{job.id}"
    is_retry = job.task.action is BulkAction.RETRY
    if is_retry and key not in history.keys and order.run_state is not RunState.PARKED:
        return put_order(engine, job.id, _result(order, Outcome.NOT_PARKED, order.status))
    run = (_run_of(history, key) or order.run + 1) if is_retry else order.run
    command = command_of(job.task, order, job.id)
    if isinstance(command, StartRun):
        command = replace(command, run=run)
    caller = Caller(job.task.actor, correlation=job.id, causation=f"{job.task.action} of a bulk job")
    try:
        handle(engine.log, command, order_id=order_id, key=key, caller=caller, loaded=history)
    except PreconditionFailed:
        return None  # another command came first: the order still waits, and the next advance tries it again
    except Rejected as refusal:
        return put_order(engine, job.id, _result(order, Outcome.REFUSED, str(refusal)))
    started = JobOrder(order_id=order_id, outcome=Outcome.STARTED, run=run, started_at=engine.clock.now())
    return put_order(engine, job.id, started)


def _run_of(history: History, key: str) -> int | None:
    """Return the number of the run that was started under this key."""
    written = history.keys.get(key)
    if written is None:
        return None
    events: list[object] = [recorded.event for recorded in history.recorded[written.first - 1 : written.last]]
    return next(event.run for event in events if isinstance(event, RunStarted))


def record_results(engine: Engine, job_id: str) -> None:
    """Store the result of each started order whose log has one. Raises NoSuchJob."""
    job, _ = get_job(engine, job_id)
    for entry in list(orders_in(engine, job_id, STARTED)):
        history, order = load(engine.log, entry.order_id)
        if (result := _result_in_log(engine, job, entry, history, order)) is not None:
            put_order(engine, job_id, replace(result, started_at=entry.started_at))


def _result_in_log(engine: Engine, job: Job, entry: JobOrder, history: History, order: Order) -> JobOrder | None:
    """Return the result of a started order as its log shows it; None while it has none."""
    if job.task.action is BulkAction.NOTE:
        return _result(order, Outcome.DONE, order.status)
    if job.task.action is BulkAction.CREDIT:
        credit_id = getattr(command_of(job.task, order, job.id), "credit_id", "")
        if any(request.credit_id == credit_id for request in order.approvals.values()):
            return _result(order, Outcome.NEEDS_APPROVAL, order.status)
        if order.run_state is RunState.RUNNING and not order.delivery.delivered:
            return _result(order, Outcome.DONE, order.status)  # less is captured later
    if order.run_state is RunState.ENDED:
        return _result(order, Outcome.ENDED, order.status)
    if order.run_state is RunState.PARKED and order.run >= entry.run:
        event: object = history.recorded[order.stopped_at - 1].event
        return _result(order, Outcome.PARKED_AGAIN, event.error if isinstance(event, OrderParked) else "")
    assert entry.started_at is not None  # a started order has it
    late = engine.clock.now() > entry.started_at + RESULT_AFTER
    return _result(order, Outcome.STILL_MOVING, order.status) if late else None


def _result(order: Order, outcome: Outcome, detail: str) -> JobOrder:
    return JobOrder(order_id=order.order_id, outcome=outcome, run=order.run, detail=str(detail))
