"""Bulk jobs as they are stored: a job and each of its orders is a document.

Each order passes through three partitions: waiting, started, result. It is written into the next one before it is
deleted from the last. So after a crash it may be in both, and its step is repeated under the same key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from domain.identifiers import Actor, OrderId
from domain.money import Money
from workflows.breakers.dependencies import Dependency
from workflows.engine import Engine
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import ANY, Document, DocumentChanged, all_documents, body_as
from workflows.incidents.bulk_actions import BulkTask
from workflows.incidents.refusals import NoSuchJob, PlanBegun, PlanOutdated

CHANGES_MAX: Final = 50
"""Changes of a job that are kept. More than a person makes; a document has a limit of 400 KB."""


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
class JobChange:
    """A job was stopped or resumed: by a person, or by the system when a circuit opened. ``key``: of the request."""

    state: JobState
    by: Actor
    reason: str
    at: datetime
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bulk job as it is stored.

    Attributes:
        dependency: The provider at which all its orders were parked, for retries.
        planned_at: When its plan was made.
        spent_until: The starts that the pace allowed before this time are used up.
        at_stake: The money at stake in its orders when it began, one sum per currency.
        why: Why it stopped.
        changes: The requests to stop and resume it, and why: the newest ``CHANGES_MAX``, the oldest first. Those with a
            key are kept also if they found it so: a late copy of one has no effect.
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
    changes: tuple[JobChange, ...] = ()


# --- jobs -------------------------------------------------------------------------------------------------------------

_JOBS: Final = "bulk-jobs"
_PLANS: Final = "bulk-plans"


def all_jobs(engine: Engine) -> Iterator[Job]:
    """Yield the jobs whose shape is known."""
    for document in all_documents(engine.documents, _JOBS):
        if (job := _job_in(document)) is not None:
            yield job


def find_job(engine: Engine, job_id: str) -> tuple[Job, int] | None:
    """Return a job and the version of its document. None if there is none, or its shape is unknown."""
    document = engine.documents.get(_JOBS, job_id)
    job = _job_in(document)
    return None if document is None or job is None else (job, document.version)


def _job_in(document: Document | None) -> Job | None:
    return None if document is None or _is_reservation(document) else body_as(document, Job)


def get_job(engine: Engine, job_id: str) -> tuple[Job, int]:
    """Return a job and the version of its document. Raises NoSuchJob."""
    stored = find_job(engine, job_id)
    if stored is None:
        raise NoSuchJob(job_id)
    return stored


def write_job(engine: Engine, job: Job, expected: int | None) -> Job:
    """Store a job whose document has this version; None if it has none yet. Raises DocumentChanged."""
    body: dict[str, Any] = msgspec.to_builtins(job)
    engine.documents.put(Document(_JOBS, job.id, body), expected)
    return job


def change_job(engine: Engine, job: Job, version: int) -> Job:
    """Store a changed job. Return the job as it is stored now, also if another process changed it first."""
    try:
        return write_job(engine, job, version)
    except DocumentChanged:
        return get_job(engine, job.id)[0]


def changed(job: Job, change: JobChange, why: str) -> Job:
    """Return the job in its new state, with the change among those that it keeps."""
    return replace(job, state=change.state, why=why, changes=(*job.changes, change)[-CHANGES_MAX:])


# --- requests that begin a job ----------------------------------------------------------------------------------------

RESERVED_FOR: Final = timedelta(days=1)
"""How long a request without a job is remembered: longer than any function runs that may still begin the job."""


@dataclass(frozen=True, slots=True)
class _Reservation:
    """The request that begins a job, or was refused, by the token of its plan. It is stored where the job will be.

    So of two copies of a request, one that is refused and one that is about to store the job, the first write decides.
    """

    token: str
    refused: bool


def _is_reservation(document: Document) -> bool:
    return "token" in document.body


def reserve(engine: Engine, job_id: str, key: str, token: str, *, refused: bool = False) -> int | None:
    """Store that the request with this key and plan begins the job, or that it was refused.

    Returns:
        The version that the job replaces. None if there is a job already, by a copy of the request.

    Raises:
        KeyReused: The key was used with another plan, of which there is no job.
        PlanOutdated: A copy of the request was refused.
    """
    while True:
        stored = engine.documents.get(_JOBS, job_id)
        if stored is not None and not _is_reservation(stored):
            return None
        before = body_as(stored, _Reservation)
        if before is not None and before.token != token:
            raise KeyReused(job_id, key)
        if before is not None and before.refused:
            raise PlanOutdated("This request was refused before. Make the plan again, and begin it with a new key.")
        if stored is not None and before is not None and before.refused == refused:
            return stored.version
        body = {"token": token, "refused": refused}
        expires_s = int((engine.clock.now() + RESERVED_FOR).timestamp())
        try:
            reservation = Document(_JOBS, job_id, body, expires_s=expires_s)
            return engine.documents.put(reservation, None if stored is None else stored.version).version
        except DocumentChanged:
            continue


@dataclass(frozen=True, slots=True)
class _Begun:
    """The job that began a plan, as it is stored under the plan's token."""

    job_id: str


def claim_plan(engine: Engine, token: str, job_id: str) -> None:
    """Store which job begins the plan. Raises PlanBegun if it is another one."""
    try:
        engine.documents.put(Document(_PLANS, token, {"job_id": job_id}), None)
    except DocumentChanged:
        claimed = body_as(engine.documents.get(_PLANS, token), _Begun)
        if claimed is None or claimed.job_id != job_id:
            raise PlanBegun("a job" if claimed is None else claimed.job_id) from None


# --- orders of a job --------------------------------------------------------------------------------------------------

WAITING, STARTED, RESULT = STAGES = (0, 1, 2)
STAGE: Final = dict.fromkeys(Outcome, RESULT) | {Outcome.WAITING: WAITING, Outcome.STARTED: STARTED}


def orders_in(engine: Engine, job_id: str, stage: int) -> Iterator[JobOrder]:
    """Yield the orders of a job in one partition."""
    for document in all_documents(engine.documents, _partition(job_id, stage)):
        if (entry := body_as(document, JobOrder)) is not None:
            yield entry


def orders_of(engine: Engine, job_id: str) -> dict[OrderId, JobOrder]:
    """Return all orders of a job. One in two partitions counts in the later one."""
    return {entry.order_id: entry for stage in STAGES for entry in orders_in(engine, job_id, stage)}


def put_order(engine: Engine, job_id: str, entry: JobOrder) -> None:
    """Put an order into the partition of its outcome, and delete it from the earlier ones."""
    body: dict[str, Any] = msgspec.to_builtins(entry)
    stage = STAGE[entry.outcome]
    engine.documents.put(Document(_partition(job_id, stage), entry.order_id, body), ANY)
    for earlier in range(stage):
        engine.documents.delete(_partition(job_id, earlier), entry.order_id, ANY)


def _partition(job_id: str, stage: int) -> str:
    return f"bulk-job#{job_id}#{stage}"
