"""Bulk jobs: one action on several orders at a limited pace, also if a process ends in between.

Several processes may advance a job: the timer does, and so does the command line while it shows the progress. Each one
first claims the starts that the pace allows. A job of retries stops when the circuit of their provider is open again.
The result of each order comes from its log.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from domain.identifiers import SYSTEM, Actor, OrderId
from domain.order.refusals import Rejected
from workflows.breakers.circuit import CircuitState
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import DocumentChanged
from workflows.incidents.bulk_actions import BulkPlan, BulkTask, check_token, plan_all, planned_at
from workflows.incidents.bulk_steps import record_results, start_order
from workflows.incidents.bulk_store import (
    STAGE,
    STARTED,
    WAITING,
    Job,
    JobChange,
    JobOrder,
    JobState,
    Outcome,
    all_jobs,
    change_job,
    changed,
    claim_plan,
    find_job,
    get_job,
    orders_in,
    orders_of,
    put_order,
    reserve,
    write_job,
)
from workflows.incidents.incidents import list_parked
from workflows.incidents.refusals import NoOrderPossible, NoSuchGroup, PlanOutdated

BURST = timedelta(seconds=10)
"""Starts that were missed are made up for at most this long, two ticks of the timer, or as long as one start takes."""

_SLOWEST_S = 86_400.0
"""A pace of less than one order a day is none."""

PER_S_MAX = 50.0
"""StartExecution refills 150/s in small regions; live orders need most of it."""


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


def begin_planned(
    engine: Engine,
    task: BulkTask,
    token: str,
    choose: Callable[[datetime], Sequence[OrderId]],
    *,
    per_s: float,
    key: str,
) -> Job:
    """Begin the job of the plan with this token, if the plan still holds.

    A request that was refused has no effect later: a copy of it that is still under way does not begin the job.

    Args:
        choose: Returns the orders that the task is about, without what was parked or has changed after a time.

    Raises:
        NoSuchGroup, PlanOutdated: The plan does not hold any more.
        NoOrderPossible, PlanBegun, KeyReused: As of ``begin``.
    """
    if (earlier := begun(engine, task, per_s=per_s, key=key)) is not None:
        return earlier
    try:
        made_at = planned_at(token, engine.clock.now())
        planned = plan_all(engine.log, task, choose(made_at), made_at)
        check_token(token, planned)
        return begin(engine, planned, per_s=per_s, key=key)
    except (Rejected, NoSuchGroup):
        if (earlier := _refused(engine, task, token, per_s, key)) is None:
            raise
        return earlier


def _refused(engine: Engine, task: BulkTask, token: str, per_s: float, key: str) -> Job | None:
    """Store that a request was refused. Return the job instead if a copy of the request has begun it meanwhile."""
    with suppress(KeyReused, PlanOutdated):  # then no copy of it begins the job
        if reserve(engine, _id_of(task.actor, key), key, token, refused=True) is None:
            return begun(engine, task, per_s=per_s, key=key)
    return None


def begin(engine: Engine, planned: BulkPlan, *, per_s: float, key: str) -> Job:
    """Store a job for the orders of a plan on which its action is possible. No order is started yet.

    Raises:
        NoOrderPossible: The action is possible on no order.
        PlanBegun: The plan was begun under another key. Two jobs of one plan would credit twice.
        PlanOutdated: A copy of the request was refused.
        ValueError: The pace is not above zero and at most ``PER_S_MAX``.
        KeyReused: The caller used the key for another job or plan. The same request again returns the same job.
    """
    if not 0 < per_s <= PER_S_MAX:
        raise ValueError(f"the pace must be above 0 and at most {PER_S_MAX:g} orders a second, not {per_s:g}")
    task, now = planned.task, engine.clock.now()
    if (earlier := begun(engine, task, per_s=per_s, key=key)) is not None:
        return earlier
    if not planned.possible:
        raise NoOrderPossible(task.action)
    job_id = _id_of(task.actor, key)
    version = reserve(engine, job_id, key, planned.token)
    if version is None:
        return _same(get_job(engine, job_id)[0], task, per_s, key)
    claim_plan(engine, planned.token, job_id)
    for each in planned.possible:
        put_order(engine, job_id, JobOrder(order_id=each.order_id))
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
        return write_job(engine, job, version)
    except DocumentChanged:
        reserve(engine, job_id, key, planned.token)  # raises PlanOutdated if a copy was refused
        return _same(get_job(engine, job_id)[0], task, per_s, key)


def begun(engine: Engine, task: BulkTask, *, per_s: float, key: str) -> Job | None:
    """Return the job that the caller began under the key; None if there is none. Raises KeyReused."""
    stored = find_job(engine, _id_of(task.actor, key))
    return None if stored is None else _same(stored[0], task, per_s, key)


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
    record_results(engine, job_id)
    job, version = get_job(engine, job_id)
    if job.state is not JobState.RUNNING:
        return job
    if (why := _why_stop(engine, job)) is not None:
        stopped = JobChange(state=JobState.STOPPED, by=SYSTEM, reason=why, at=engine.clock.now())
        return change_job(engine, changed(job, stopped, why), version)
    waiting = next(orders_in(engine, job_id, WAITING), None)
    if waiting is None:
        started = next(orders_in(engine, job_id, STARTED), None)
        return job if started else change_job(engine, replace(job, state=JobState.DONE), version)
    allowed = _allowed(engine, job)
    if allowed == 0:
        return job
    spent = max(job.spent_until, engine.clock.now() - _made_up(job)) + timedelta(seconds=allowed / job.per_s)
    try:
        job = write_job(engine, replace(job, spent_until=spent), version)
    except DocumentChanged:  # another process advances it, or it was stopped
        return get_job(engine, job_id)[0]
    for _, entry in zip(range(allowed), orders_in(engine, job_id, WAITING), strict=False):
        start_order(engine, job, entry.order_id)
    return job


def stop(engine: Engine, job_id: str, actor: Actor, reason: str, key: str | None = None) -> Job:
    """Start no more orders. Those that were started continue.

    Args:
        key: Of the request. A late copy of it does not stop a job that was resumed meanwhile.

    Raises:
        NoSuchJob: There is no such job.
    """
    change = JobChange(state=JobState.STOPPED, by=actor, reason=reason, at=engine.clock.now(), key=key)
    return _steer(engine, job_id, JobState.RUNNING, change, f"stopped by {actor.role} {actor.id}: {reason}")


def resume(engine: Engine, job_id: str, actor: Actor, reason: str, key: str | None = None) -> Job:
    """Continue a stopped job. ``key`` as for ``stop``. Raises NoSuchJob."""
    change = JobChange(state=JobState.RUNNING, by=actor, reason=reason, at=engine.clock.now(), key=key)
    return _steer(engine, job_id, JobState.STOPPED, change, "")


def _steer(engine: Engine, job_id: str, before: JobState, change: JobChange, why: str) -> Job:
    """Change the job, also while other processes advance it.

    A request with a key is stored even if the job is in that state already: it must not act later, as a late copy.
    """
    while True:
        job, version = get_job(engine, job_id)
        is_so = job.state is not before
        if job.state is JobState.DONE or _is_made(job, change) or (is_so and change.key is None):
            return job
        try:
            return write_job(engine, changed(job, change, job.why if is_so else why), version)
        except DocumentChanged:
            continue


def _is_made(job: Job, change: JobChange) -> bool:
    return change.key is not None and any((made.by, made.key) == (change.by, change.key) for made in job.changes)


def read(engine: Engine, job_id: str) -> Progress:
    """Read a job and all its orders. Raises NoSuchJob."""
    job, _ = get_job(engine, job_id)
    by_id = orders_of(engine, job_id)
    orders = tuple(sorted(by_id.values(), key=lambda entry: STAGE[entry.outcome]))
    return Progress(job, orders, _new_failures(engine, job, by_id))


def _new_failures(engine: Engine, job: Job, known: Container[OrderId]) -> int:
    if not job.task.group:
        return 0
    parked = list_parked(engine.documents, job.task.group)
    return sum(now.since > job.planned_at and row.order_id not in known for row, now in parked)


def running(engine: Engine) -> list[str]:
    """Return the ids of the running jobs."""
    return [job.id for job in all_jobs(engine) if job.state is JobState.RUNNING]


# --- the pace ---------------------------------------------------------------------------------------------------------


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
    return max(0, math.floor((now - max(job.spent_until, now - _made_up(job))).total_seconds() * job.per_s + _ROUNDING))


def _made_up(job: Job) -> timedelta:
    """Return for how long starts are made up. At a pace below one in ``BURST`` the time of one start, or none comes."""
    return max(BURST, timedelta(seconds=min(1 / job.per_s, _SLOWEST_S)))


_ROUNDING = 1e-6
"""Tolerance in starts: as floating-point numbers, ten tenths of a second are slightly less than one."""
