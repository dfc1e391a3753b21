"""Bulk jobs: one action on several orders at a limited pace, also if a process ends in between.

A job and its orders are documents. Each order passes through three partitions: waiting, started, result. It is written
into the next one before it is deleted from the last. So after a crash it may be in both, and its step is repeated under
the same key. The result comes from the order's log.

Several processes may advance a job: the timer does, and so does the command line while it shows the progress. Each one
first claims the starts that the pace allows. A job of retries stops when the circuit of their provider is open again.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from domain.identifiers import Actor, OrderId
from domain.money import Money
from domain.order.commands import StartRun
from domain.order.events import OrderParked, RunStarted
from domain.order.order import Order, RunState
from domain.order.refusals import Rejected
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.event_store.commits import History, KeyReused
from workflows.event_store.documents import ANY, Document, DocumentChanged, all_documents, body_as
from workflows.event_store.transact import PreconditionFailed
from workflows.incidents.bulk_actions import BulkAction, BulkPlan, BulkTask, command_of
from workflows.incidents.incidents import list_parked
from workflows.incidents.refusals import NoOrderPossible, NoSuchJob, PlanBegun
from workflows.orders.command_handling import Caller, handle, load

RESULT_AFTER = timedelta(minutes=10)
"""An order that is still running after this time is past its fault, or the watchdog will find it. It is longer than
all attempts of a payment and their waits."""

BURST = timedelta(seconds=10)
"""Starts that were missed are made up for at most this long: two ticks of the timer."""

PER_S_MAX = 50.0
"""StartExecution refills 150/s in small regions; live orders need most of it."""


class Outcome(StrEnum):
    """How far an order came. All but the first two are results and final. The values are stored."""

    WAITING = "waiting"
    STARTED = "started"
    ENDED = "ended"
    PARKED_AGAIN = "parked_again"
    STILL_MOVING = "still_moving"
    NOT_PARKED = "not_parked"
    REFUSED = "refused"
    DONE = "done"
    NEEDS_APPROVAL = "needs_approval"


class JobState(StrEnum):
    """The state of a bulk job. STOPPED can be resumed; DONE is final."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """One order of a job. ``detail`` is its status, the error it was parked with again, or the refusal."""

    order_id: OrderId
    outcome: Outcome = Outcome.WAITING
    run: int = 0
    started_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bulk job as it is stored.

    Attributes:
        dependency: The provider at which all its orders were parked, for retries.
        planned_at: When its plan was made.
        spent_until: The starts that the pace allowed before this time are used up.
        at_stake: The money at stake in its orders when it began, one sum per currency.
        why: Why it stopped.
    """

    id: str
    task: BulkTask
    dependency: Dependency | None
    per_s: float
    planned_at: datetime
    began_at: datetime
    spent_until: datetime
    at_stake: tuple[Money, ...]
    state: JobState = JobState.RUNNING
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Begun:
    """The job that began a plan, as it is stored under the plan's token."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A job and all its orders, those with a result last.

    Attributes:
        new_failures: The orders that were parked with the cause of its group since its plan and are not in it.
    """

    job: Job
    orders: tuple[JobOrder, ...]
    new_failures: int

    @property
    def counts(self) -> dict[Outcome, int]:
        """The number of orders with each outcome."""
        numbers = dict.fromkeys(Outcome, 0)
        for order in self.orders:
            numbers[order.outcome] += 1
        return numbers


def begin(engine: Engine, planned: BulkPlan, *, per_s: float, key: str) -> Job:
    """Store a job for the orders of a plan on which its action is possible. No order is started yet.

    Raises:
        NoOrderPossible: The action is possible on no order.
        PlanBegun: The plan was begun under another key. Two jobs of one plan would credit twice.
        ValueError: The pace is not above zero and at most ``PER_S_MAX``.
        KeyReused: The caller used the key for another job. The same request again returns the same job.
    """
    if not 0 < per_s <= PER_S_MAX:
        raise ValueError(f"the pace must be above 0 and at most {PER_S_MAX:g} orders a second, not {per_s:g}")
    task, now = planned.task, engine.clock.now()
    if (earlier := begun(engine, task, per_s=per_s, key=key)) is not None:
        return earlier
    if not planned.possible:
        raise NoOrderPossible(task.action)
    job_id = _id_of(task.actor, key)
    _claim(engine, planned.token, job_id)
    for each in planned.possible:
        _put(engine, job_id, JobOrder(order_id=each.order_id))
    job = Job(
        id=job_id,
        task=task,
        dependency=planned.dependency,
        per_s=per_s,
        planned_at=planned.made_at,
        began_at=now,
        spent_until=now,
        at_stake=planned.at_stake,
    )
    try:
        return _write(engine, job, None)
    except DocumentChanged:
        return _same(_job(engine, job_id)[0], task, per_s, key)


def begun(engine: Engine, task: BulkTask, *, per_s: float, key: str) -> Job | None:
    """Return the job that the caller began under the key; None if there is none. Raises KeyReused."""
    stored = _stored(engine, _id_of(task.actor, key))
    return None if stored is None else _same(stored[0], task, per_s, key)


def _claim(engine: Engine, token: str, job_id: str) -> None:
    """Store which job begins the plan. Raises PlanBegun if it is another one."""
    try:
        engine.documents.put(Document(_PLANS, token, {"job_id": job_id}), None)
    except DocumentChanged:
        claimed = body_as(engine.documents.get(_PLANS, token), _Begun)
        if claimed is None or claimed.job_id != job_id:
            raise PlanBegun("a job" if claimed is None else claimed.job_id) from None


def _id_of(actor: Actor, key: str) -> str:
    """Return the id of the job that a caller begins under this key."""
    return "bulk_" + sha256(f"{actor.role}/{actor.id}/{key}".encode()).hexdigest()[:16]


def _same(job: Job, task: BulkTask, per_s: float, key: str) -> Job:
    """Return the job that was stored under the key. Raises KeyReused if another one was requested."""
    if (replace(job.task, limits=()), job.per_s) != (replace(task, limits=()), per_s):
        raise KeyReused(job.id, key)
    return job


def advance(engine: Engine, job_id: str) -> Job:
    """Record the results of the started orders, and start as many more as the pace allows. Raises NoSuchJob."""
    _record_results(engine, job_id)
    job, version = _job(engine, job_id)
    if job.state is not JobState.RUNNING:
        return job
    if (why := _why_stop(engine, job)) is not None:
        return _changed(engine, replace(job, state=JobState.STOPPED, why=why), version)
    waiting = next(_orders(engine, job_id, _WAITING), None)
    if waiting is None:
        started = next(_orders(engine, job_id, _STARTED), None)
        return job if started else _changed(engine, replace(job, state=JobState.DONE), version)
    allowed = _allowed(engine, job)
    if allowed == 0:
        return job
    spent = max(job.spent_until, engine.clock.now() - BURST) + timedelta(seconds=allowed / job.per_s)
    try:
        job = _write(engine, replace(job, spent_until=spent), version)
    except DocumentChanged:  # another process advances it, or it was stopped
        return _job(engine, job_id)[0]
    for _, entry in zip(range(allowed), _orders(engine, job_id, _WAITING), strict=False):
        _start(engine, job, entry.order_id)
    return job


def stop(engine: Engine, job_id: str, actor: Actor) -> Job:
    """Start no more orders. Those that were started continue. Raises NoSuchJob."""
    return _set(engine, job_id, JobState.RUNNING, JobState.STOPPED, f"stopped by {actor.role} {actor.id}")


def resume(engine: Engine, job_id: str) -> Job:
    """Continue a stopped job. Raises NoSuchJob."""
    return _set(engine, job_id, JobState.STOPPED, JobState.RUNNING, "")


def read(engine: Engine, job_id: str) -> Progress:
    """Read a job and all its orders. Raises NoSuchJob."""
    job, _ = _job(engine, job_id)
    by_id: dict[OrderId, JobOrder] = {}
    for stage in (_WAITING, _STARTED, _RESULT):  # an order in two of them counts in the later one
        by_id |= {entry.order_id: entry for entry in _orders(engine, job_id, stage)}
    orders = tuple(sorted(by_id.values(), key=lambda entry: _STAGE[entry.outcome]))
    return Progress(job, orders, _new_failures(engine, job, by_id))


def _new_failures(engine: Engine, job: Job, known: Container[OrderId]) -> int:
    if not job.task.group:
        return 0
    parked = list_parked(engine.documents, job.task.group)
    return sum(now.since > job.planned_at and row.order_id not in known for row, now in parked)


def running(engine: Engine) -> list[str]:
    """Return the ids of the running jobs."""
    return [job.id for job in _jobs(engine) if job.state is JobState.RUNNING]


# --- starting ---------------------------------------------------------------------------------------------------------


def _why_stop(engine: Engine, job: Job) -> str | None:
    if job.dependency is None or job.dependency not in engine.breakers:
        return None
    circuit = engine.breakers[job.dependency].read()
    if circuit.state is CircuitState.CLOSED:
        return None
    state = circuit.state.replace("_", " ")
    return f"the circuit of {job.dependency} has been {state} since {timestamp(circuit.since)}"


def _allowed(engine: Engine, job: Job) -> int:
    """Return how many orders the pace allows to start now."""
    now = engine.clock.now()
    return max(0, math.floor((now - max(job.spent_until, now - BURST)).total_seconds() * job.per_s + _ROUNDING))


_ROUNDING = 1e-6
"""Tolerance in starts: as floating-point numbers, ten tenths of a second are slightly less than one."""


def _start(engine: Engine, job: Job, order_id: OrderId) -> None:
    """Act on the order under the job's own key, so that a repetition after a crash finds what was done before."""
    history, order = load(engine.log, order_id)
    key = f"BulkJob/{job.id}"
    is_retry = job.task.action is BulkAction.RETRY
    if is_retry and key not in history.keys and order.run_state is not RunState.PARKED:
        return _move(engine, job.id, _result(order, Outcome.NOT_PARKED, order.status))
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
        return _move(engine, job.id, _result(order, Outcome.REFUSED, str(refusal)))
    started = JobOrder(order_id=order_id, outcome=Outcome.STARTED, run=run, started_at=engine.clock.now())
    return _move(engine, job.id, started)


def _run_of(history: History, key: str) -> int | None:
    """Return the number of the run that was started under this key."""
    written = history.keys.get(key)
    if written is None:
        return None
    events: list[object] = [recorded.event for recorded in history.recorded[written.first - 1 : written.last]]
    return next(event.run for event in events if isinstance(event, RunStarted))


def _record_results(engine: Engine, job_id: str) -> None:
    job, _ = _job(engine, job_id)
    for entry in list(_orders(engine, job_id, _STARTED)):
        history, order = load(engine.log, entry.order_id)
        if (result := _result_in_log(engine, job, entry, history, order)) is not None:
            _move(engine, job_id, replace(result, started_at=entry.started_at))


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


# --- documents --------------------------------------------------------------------------------------------------------

_WAITING, _STARTED, _RESULT = 0, 1, 2
_STAGE = {Outcome.WAITING: _WAITING, Outcome.STARTED: _STARTED}
_STAGE |= {outcome: _RESULT for outcome in Outcome if outcome not in _STAGE}
_JOBS = "bulk-jobs"
_PLANS = "bulk-plans"


def _stage(job_id: str, stage: int) -> str:
    return f"bulk-job#{job_id}#{stage}"


def _put(engine: Engine, job_id: str, entry: JobOrder) -> None:
    body: dict[str, Any] = msgspec.to_builtins(entry)
    engine.documents.put(Document(_stage(job_id, _STAGE[entry.outcome]), entry.order_id, body), ANY)


def _move(engine: Engine, job_id: str, entry: JobOrder) -> None:
    """Put an order into the partition of its outcome, and delete it from the earlier ones."""
    _put(engine, job_id, entry)
    for stage in range(_STAGE[entry.outcome]):
        engine.documents.delete(_stage(job_id, stage), entry.order_id, ANY)


def _orders(engine: Engine, job_id: str, stage: int) -> Iterator[JobOrder]:
    for document in all_documents(engine.documents, _stage(job_id, stage)):
        if (entry := body_as(document, JobOrder)) is not None:
            yield entry


def _jobs(engine: Engine) -> Iterator[Job]:
    for document in all_documents(engine.documents, _JOBS):
        if (job := body_as(document, Job)) is not None:
            yield job


def _stored(engine: Engine, job_id: str) -> tuple[Job, int] | None:
    """Return a job and the version of its document. None if there is none, or its shape is unknown."""
    document = engine.documents.get(_JOBS, job_id)
    job = body_as(document, Job)
    return None if document is None or job is None else (job, document.version)


def _job(engine: Engine, job_id: str) -> tuple[Job, int]:
    stored = _stored(engine, job_id)
    if stored is None:
        raise NoSuchJob(job_id)
    return stored


def _write(engine: Engine, job: Job, expected: int | None) -> Job:
    body: dict[str, Any] = msgspec.to_builtins(job)
    engine.documents.put(Document(_JOBS, job.id, body), expected)
    return job


def _changed(engine: Engine, job: Job, version: int) -> Job:
    """Store a changed job. Return the job as it is stored now, also if another process changed it first."""
    try:
        return _write(engine, job, version)
    except DocumentChanged:
        return _job(engine, job.id)[0]


def _set(engine: Engine, job_id: str, before: JobState, after: JobState, why: str) -> Job:
    job, version = _job(engine, job_id)
    return _changed(engine, replace(job, state=after, why=why), version) if job.state is before else job
