"""Bulk retries: all incidents with one cause are retried at a limited pace, also if a process ends in between.

Its job and orders are documents. Each order passes through three partitions: waiting, started, result. It is written
into the next one before it is deleted from the last. So after a crash it may be in both, and its step is repeated under
the same key. The result comes from the order's log.

Several processes may advance a job: the timer does, and so does the command line while it shows the progress. Each one
first claims the starts that the pace allows. A job stops when the circuit of its provider is open again.
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
from domain.order.events import Fault, OrderParked, RunStarted
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
from workflows.incidents.incidents import list_parked, sums_at_stake
from workflows.incidents.refusals import NoSuchGroup, NoSuchJob
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
    """The state of a bulk retry. STOPPED can be resumed; DONE is final."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """One order of a job. ``detail`` is its status, the error it was parked with again, or the refusal."""

    order_id: OrderId
    outcome: Outcome = Outcome.WAITING
    run: int = 0
    started_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bulk retry as it is stored.

    Attributes:
        spent_until: The starts that the pace allowed before this time are used up.
        at_stake: The money at stake in its orders when it began, one sum per currency; empty in jobs of older releases.
        why: Why it stopped.
    """

    id: str
    cause: str
    dependency: Dependency | None
    actor: Actor
    reason: str
    per_s: float
    began_at: datetime
    spent_until: datetime
    at_stake: tuple[Money, ...] = ()
    action: BulkAction = BulkAction.RETRY
    amount: Money | None = None
    fault: Fault = Fault.PLATFORM
    limits: tuple[Money, ...] = ()
    state: JobState = JobState.RUNNING
    why: str = ""

    @property
    def task(self) -> BulkTask:
        """What it does with each order."""
        return BulkTask(
            action=self.action,
            actor=self.actor,
            reason=self.reason,
            amount=self.amount,
            fault=self.fault,
            limits=self.limits,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """A job and all its orders, those with a result last.

    Attributes:
        dry_run: The job would be made; nothing was stored.
        new_failures: The orders that were parked with the job's cause since it began and are not in it.
    """

    job: Job
    orders: tuple[Retried, ...]
    dry_run: bool
    new_failures: int = 0

    @property
    def counts(self) -> dict[Outcome, int]:
        """The number of orders with each outcome."""
        numbers = dict.fromkeys(Outcome, 0)
        for order in self.orders:
            numbers[order.outcome] += 1
        return numbers


def begin(engine: Engine, cause: str, caller: Caller, reason: str, *, per_s: float, key: str) -> Job:
    """Store a job for all orders that are parked with this cause now. No order is started yet.

    Raises:
        NoSuchGroup: No order is parked with this cause.
        ValueError: The pace is not above zero and at most ``PER_S_MAX``.
        KeyReused: The caller used the key for a job with another cause, reason or pace. The same request again returns
            the same job.
    """
    job_id = "retry_" + sha256(f"{caller.actor.role}/{caller.actor.id}/{key}".encode()).hexdigest()[:16]
    if (stored := _stored(engine, job_id)) is not None:
        return _same(stored[0], cause, reason, per_s, key)
    planned = preview(engine, cause, caller, reason, per_s=per_s)
    for retried in planned.orders:
        _put(engine, job_id, retried)
    try:
        return _write(engine, replace(planned.job, id=job_id), None)
    except DocumentChanged:
        return _same(_job(engine, job_id)[0], cause, reason, per_s, key)


def begin_planned(engine: Engine, planned: BulkPlan, *, per_s: float, key: str) -> Job:
    """Store a job for the orders of a plan on which its action is possible. No order is started yet.

    Raises:
        NoSuchGroup: The action is possible on no order.
        KeyReused: The caller used the key for another job. The same request again returns the same job.
    """
    task, now = planned.task, engine.clock.now()
    job_id = planned_id(task.actor, key)
    if (stored := _stored(engine, job_id)) is not None:
        return _same_task(stored[0], task, per_s, key)
    if not planned.possible:
        raise NoSuchGroup(task.action)
    for order_id in planned.possible:
        _put(engine, job_id, Retried(order_id=order_id))
    job = Job(
        id=job_id,
        cause="",
        dependency=None,
        actor=task.actor,
        reason=task.reason,
        per_s=per_s,
        began_at=now,
        spent_until=now,
        action=task.action,
        amount=task.amount,
        fault=task.fault,
        limits=task.limits,
    )
    try:
        return _write(engine, job, None)
    except DocumentChanged:
        return _same_task(_job(engine, job_id)[0], task, per_s, key)


def planned_id(actor: Actor, key: str) -> str:
    """Return the id of the job that a caller begins under this key."""
    return "bulk_" + sha256(f"{actor.role}/{actor.id}/{key}".encode()).hexdigest()[:16]


def begun(engine: Engine, task: BulkTask, *, per_s: float, key: str) -> Job | None:
    """Return the job that the caller began under the key; None if there is none. Raises KeyReused."""
    stored = _stored(engine, planned_id(task.actor, key))
    return None if stored is None else _same_task(stored[0], task, per_s, key)


def _same_task(job: Job, task: BulkTask, per_s: float, key: str) -> Job:
    if (replace(job.task, limits=()), job.per_s) != (replace(task, limits=()), per_s):
        raise KeyReused(job.id, key)
    return job


def _same(job: Job, cause: str, reason: str, per_s: float, key: str) -> Job:
    """Return the job that was stored under the key. Raises KeyReused if its parameters differ."""
    if (job.cause, job.reason, job.per_s) != (cause, reason, per_s):
        raise KeyReused(job.id, key)
    return job


def preview(engine: Engine, cause: str, caller: Caller, reason: str, *, per_s: float) -> Progress:
    """Return the job that ``begin`` would store now. Raises NoSuchGroup, ValueError as it does."""
    if not 0 < per_s <= PER_S_MAX:
        raise ValueError(f"the pace must be above 0 and at most {PER_S_MAX:g} orders a second, not {per_s:g}")
    parked, now = list_parked(engine.documents, cause), engine.clock.now()
    if not parked:
        raise NoSuchGroup(cause)
    job = Job(
        id="",
        cause=cause,
        dependency=parked[0][1].dependency,
        actor=caller.actor,
        reason=reason,
        per_s=per_s,
        began_at=now,
        spent_until=now,
        at_stake=sums_at_stake(each for _, each in parked),
    )
    return Progress(job, tuple(Retried(order_id=row.order_id) for row, _ in parked), dry_run=True)


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
    for _, retried in zip(range(allowed), _orders(engine, job_id, _WAITING), strict=False):
        _start(engine, job, retried.order_id)
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
    by_id: dict[OrderId, Retried] = {}
    for stage in (_WAITING, _STARTED, _RESULT):  # an order in two of them counts in the later one
        by_id |= {retried.order_id: retried for retried in _orders(engine, job_id, stage)}
    orders = tuple(sorted(by_id.values(), key=lambda retried: _STAGE[retried.outcome]))
    return Progress(job, orders, dry_run=False, new_failures=_new_failures(engine, job, by_id))


def _new_failures(engine: Engine, job: Job, known: Container[OrderId]) -> int:
    if not job.cause:
        return 0
    parked = list_parked(engine.documents, job.cause)
    return sum(now.since > job.began_at and row.order_id not in known for row, now in parked)


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
    """Start a run of the order under the job's own key, so that a repetition after a crash finds the run of before."""
    history, order = load(engine.log, order_id)
    key = f"BulkRetry/{job.id}"
    is_retry = job.action is BulkAction.RETRY
    if is_retry and key not in history.keys and order.run_state is not RunState.PARKED:
        return _move(engine, job.id, _result(order, Outcome.NOT_PARKED, order.status))
    run = (_run_of(history, key) or order.run + 1) if is_retry else order.run
    command = command_of(job.task, order, job.id)
    if isinstance(command, StartRun):
        command = replace(command, run=run)
    caller = Caller(job.actor, correlation=job.id, causation=f"{job.action} of {job.cause or 'a bulk job'}")
    try:
        handle(engine.log, command, order_id=order_id, key=key, caller=caller, loaded=history)
    except PreconditionFailed:
        return None  # another command came first: the order still waits, and the next advance tries it again
    except Rejected as refusal:
        return _move(engine, job.id, _result(order, Outcome.REFUSED, str(refusal)))
    started = Retried(order_id=order_id, outcome=Outcome.STARTED, run=run, started_at=engine.clock.now())
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
    for retried in list(_orders(engine, job_id, _STARTED)):
        history, order = load(engine.log, retried.order_id)
        if (result := _result_in_log(engine, job, retried, history, order)) is not None:
            _move(engine, job_id, replace(result, started_at=retried.started_at))


def _result_in_log(engine: Engine, job: Job, retried: Retried, history: History, order: Order) -> Retried | None:
    """Return the result of a started order as its log shows it; None while it has none."""
    if job.action is BulkAction.NOTE:
        return _result(order, Outcome.DONE, order.status)
    if job.action is BulkAction.CREDIT:
        credit_id = getattr(command_of(job.task, order, job.id), "credit_id", "")
        if any(request.credit_id == credit_id for request in order.approvals.values()):
            return _result(order, Outcome.NEEDS_APPROVAL, order.status)
        if order.run_state is RunState.RUNNING and not order.delivery.delivered:
            return _result(order, Outcome.DONE, order.status)  # less is captured later
    if order.run_state is RunState.ENDED:
        return _result(order, Outcome.ENDED, order.status)
    if order.run_state is RunState.PARKED and order.run >= retried.run:
        event: object = history.recorded[order.stopped_at - 1].event
        return _result(order, Outcome.PARKED_AGAIN, event.error if isinstance(event, OrderParked) else "")
    assert retried.started_at is not None  # a started order has it
    late = engine.clock.now() > retried.started_at + RESULT_AFTER
    return _result(order, Outcome.STILL_MOVING, order.status) if late else None


def _result(order: Order, outcome: Outcome, detail: str) -> Retried:
    return Retried(order_id=order.order_id, outcome=outcome, run=order.run, detail=str(detail))


# --- documents --------------------------------------------------------------------------------------------------------

_WAITING, _STARTED, _RESULT = 0, 1, 2
_STAGE = {Outcome.WAITING: _WAITING, Outcome.STARTED: _STARTED}
_STAGE |= {outcome: _RESULT for outcome in Outcome if outcome not in _STAGE}
_JOBS = "bulk-retries"


def _stage(job_id: str, stage: int) -> str:
    return f"bulk-retry#{job_id}#{stage}"


def _put(engine: Engine, job_id: str, retried: Retried) -> None:
    body: dict[str, Any] = msgspec.to_builtins(retried)
    engine.documents.put(Document(_stage(job_id, _STAGE[retried.outcome]), retried.order_id, body), ANY)


def _move(engine: Engine, job_id: str, retried: Retried) -> None:
    """Put an order into the partition of its outcome, and delete it from the earlier ones."""
    _put(engine, job_id, retried)
    for stage in range(_STAGE[retried.outcome]):
        engine.documents.delete(_stage(job_id, stage), retried.order_id, ANY)


def _orders(engine: Engine, job_id: str, stage: int) -> Iterator[Retried]:
    for document in all_documents(engine.documents, _stage(job_id, stage)):
        if (retried := body_as(document, Retried)) is not None:
            yield retried


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
