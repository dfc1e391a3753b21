"""Retries of a group in bulk: paced, resumable, with results from the log, and stopped by an open circuit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from domain.identifiers import Actor, OrderId, Role, order_id_for
from domain.order.events import RunStarted
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import Document, Expected
from workflows.incidents import bulk_jobs
from workflows.incidents.bulk_actions import HOLDS_FOR, BulkAction, BulkPlan, BulkTask, parked_in, plan_all
from workflows.incidents.bulk_jobs import Progress
from workflows.incidents.bulk_steps import RESULT_AFTER
from workflows.incidents.bulk_store import Job, JobState, Outcome, all_jobs
from workflows.incidents.refusals import NoOrderPossible, NoSuchGroup, NoSuchJob, PlanOutdated
from workflows.projections.open_orders import refresh
from workflows.settings import read
from workflows.time_budgets import read_budgets
from workflows.upkeep.on_tick import keep_time
from workflows.upkeep.settings import UpkeepSettings

ALICE = Actor(Role.SUPPORT, "alice")
CAUSE = "PaymentsUnavailable@payments"
BUDGETS = read({}, read_budgets)
TASK = BulkTask(action=BulkAction.RETRY, actor=ALICE, reason="payments are back", group=CAUSE)
Choose = Callable[[datetime], list[OrderId]]


class Killed(BaseException):
    """Raised where the process ends."""


@dataclass
class Outage:
    """Orders that were parked while payments were down. Now payments are back."""

    orders: int
    shop: Shop = field(default_factory=Shop)
    ids: list[OrderId] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(self.orders):
            order_id = order_id_for("outage", str(number))
            self.ids.append(order_id)
            self.shop.play(replace(s.place(), order_id=order_id), order_id=order_id)
            self.park(order_id)
            refresh(self.shop.engine, order_id, BUDGETS)

    def park(self, order_id: OrderId, error: str = "PaymentsUnavailable") -> None:
        command = s.command_of(s.park(), self.shop.order(order_id))
        self.shop.record(replace(command, error=error), order_id)

    def begin(self, per_s: float = 1.0, key: str = "click") -> str:
        return begin(self.shop.engine, per_s=per_s, key=key).id

    def plan(self) -> BulkPlan:
        engine = self.shop.engine
        return plan_all(engine.log, TASK, parked_in(engine.documents, CAUSE), engine.clock.now())

    def begin_planned(
        self, token: str, engine: Engine | None = None, *, key: str = "click", choose: Choose | None = None
    ) -> Job:
        """Begin a plan as the API does."""

        def chosen(until: datetime) -> list[OrderId]:
            return parked_in(self.shop.engine.documents, CAUSE, until=until)

        return bulk_jobs.begin_planned(engine or self.shop.engine, TASK, token, choose or chosen, per_s=1.0, key=key)

    def advance(self, job_id: str) -> Progress:
        bulk_jobs.advance(self.shop.engine, job_id)
        return bulk_jobs.read(self.shop.engine, job_id)

    def runs(self) -> list[int]:
        return [self.shop.order(order_id).run for order_id in self.ids]

    @property
    def started(self) -> int:
        return sum(run > 1 for run in self.runs())


def begin(engine: Engine, *, per_s: float = 1.0, key: str = "click", **other: Any) -> Job:
    """Plan retries of the group and begin them."""
    task = replace(TASK, **other)
    planned = plan_all(engine.log, task, parked_in(engine.documents, CAUSE), engine.clock.now())
    return bulk_jobs.begin(engine, planned, per_s=per_s, key=key)


def outcomes(progress: Progress) -> dict[OrderId, Outcome]:
    return {order.order_id: order.outcome for order in progress.orders}


def test_beginning_starts_no_order_yet_and_the_same_request_is_the_same_job():
    """A double click makes one job; another click makes another."""
    outage = Outage(3)
    job = outage.begin()
    assert outage.begin() == job
    outage.shop.clock.advance(seconds=1)
    assert outage.begin(key="another click") != job
    assert outage.started == 0
    progress = bulk_jobs.read(outage.shop.engine, job)
    assert progress.counts[Outcome.WAITING] == 3
    assert (progress.job.task.group, progress.job.dependency) == (CAUSE, Dependency.PAYMENTS)


@pytest.mark.parametrize("other", [{"group": "KeyError"}, {"reason": "another"}, {"per_s": 2.0}, {"named": "x"}])
def test_another_job_under_the_same_key_is_refused(other):
    """A caller never gets a job with other parameters than it sent."""
    engine = Outage(1).shop.engine
    job = begin(engine)
    assert begin(engine) == job
    with pytest.raises(KeyReused):
        begin(engine, **other)


def test_a_group_without_a_parked_order_is_refused():
    """A mistyped cause must not look like a group that was retried."""
    with pytest.raises(NoSuchGroup, match="PaymentsUnavailble"):
        parked_in(Outage(1).shop.engine.documents, "PaymentsUnavailble")


def test_a_job_on_which_nothing_is_possible_does_not_begin():
    outage = Outage(1)
    outage.shop.play(s.restart(), order_id=outage.ids[0])  # the view still lists it
    with pytest.raises(NoOrderPossible):
        outage.begin()


def test_orders_are_started_at_the_requested_pace():
    """Two a second, however often the job is advanced."""
    outage = Outage(12)
    job = outage.begin(per_s=2)
    started = []
    for _ in range(10):
        outage.shop.clock.advance(seconds=0.5)
        outage.advance(job)
        outage.advance(job)
        started.append(outage.started)
    assert started == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_late_timer_makes_up_for_ten_seconds_at_most():
    """An hour without an advance does not start an hour's orders at once."""
    outage = Outage(30)
    job = outage.begin(per_s=1)
    outage.shop.clock.advance(hours=1)
    outage.advance(job)
    assert outage.started == 10


def test_each_start_is_an_event_of_the_order_with_its_author_and_reason():
    """The order's history shows which bulk job started its run."""
    outage = Outage(1)
    outage.shop.clock.advance(seconds=1)
    job = outage.begin()
    outage.shop.clock.advance(seconds=1)
    outage.advance(job)
    recorded = outage.shop.log.load(f"order#{outage.ids[0]}").recorded[-1]
    assert recorded.event == RunStarted(run=2, by=ALICE, reason="payments are back")
    assert recorded.correlation == job


def test_the_result_of_each_order_comes_from_its_log():
    """The order ended, was parked again, or is still running after its time."""
    outage = Outage(4)
    job = outage.begin(per_s=10)
    outage.shop.clock.advance(seconds=1)
    assert set(outcomes(outage.advance(job)).values()) == {Outcome.STARTED}
    ends, parks, moves, ends_later = outage.ids
    outage.shop.play(s.declined(), order_id=ends)
    outage.park(parks, "KeyError")
    outage.shop.play(s.authorized(), order_id=moves)
    assert outcomes(outage.advance(job)) == {
        ends: Outcome.ENDED,
        parks: Outcome.PARKED_AGAIN,
        moves: Outcome.STARTED,
        ends_later: Outcome.STARTED,
    }
    outage.shop.clock.at += RESULT_AFTER
    outage.shop.play(s.declined(), order_id=ends_later)
    outage.shop.clock.advance(seconds=2)
    done = outage.advance(job)
    assert outcomes(done)[moves] is Outcome.STILL_MOVING
    assert outcomes(done)[ends_later] is Outcome.ENDED
    assert {order.order_id: order.detail for order in done.orders}[parks] == "KeyError"
    assert {order.order_id: order.detail for order in done.orders}[ends] == "cancelled"
    assert outage.advance(job).job.state is JobState.DONE


def test_an_order_that_another_person_retried_is_left_alone():
    """The bulk job never starts a second run beside it."""
    outage = Outage(2)
    job = outage.begin(per_s=10)
    outage.shop.play(s.restart(), order_id=outage.ids[0])
    outage.shop.clock.advance(seconds=1)
    assert outcomes(outage.advance(job)) == {outage.ids[0]: Outcome.NOT_PARKED, outage.ids[1]: Outcome.STARTED}
    assert outage.runs() == [2, 2]


def test_it_stops_by_itself_when_the_circuit_opens_again():
    """Started orders continue and get their result; the others stay parked until a person resumes the job."""
    outage = Outage(4)
    job = outage.begin(per_s=1)
    outage.shop.clock.advance(seconds=2)
    outage.advance(job)
    breaker = outage.shop.engine.breakers[Dependency.PAYMENTS]
    breaker.hold_open(ALICE, "down again")
    outage.shop.clock.advance(seconds=1)
    stopped = outage.advance(job)
    assert stopped.job.state is JobState.STOPPED
    assert stopped.job.why == f"the circuit of payments has been held open since {timestamp(breaker.read().since)}"
    assert outage.started == 2
    outage.park(stopped.orders[-1].order_id)
    assert Outcome.PARKED_AGAIN in outcomes(outage.advance(job)).values()
    breaker.close(ALICE, "back")
    bulk_jobs.resume(outage.shop.engine, job, ALICE, "works again")
    outage.shop.clock.advance(seconds=5)
    assert outage.advance(job).job.state is JobState.RUNNING
    assert outage.started == 4


def test_a_pace_slower_than_one_in_ten_seconds_starts_one_order_after_the_other():
    """Of starts that were missed, one is made up for."""
    outage = Outage(3)
    job = outage.begin(per_s=0.05)
    started = []
    for seconds in (19, 1, 10, 10, 60):
        outage.shop.clock.advance(seconds=seconds)
        outage.advance(job)
        started.append(outage.started)
    assert started == [0, 1, 1, 2, 3]


def test_a_person_stops_and_resumes_it():
    """A stopped job starts no order, however long it is advanced."""
    outage = Outage(2)
    job = outage.begin()
    stopped = bulk_jobs.stop(outage.shop.engine, job, ALICE, "wrong cause")
    assert stopped.why == "stopped by support alice: wrong cause"
    outage.shop.clock.advance(seconds=5)
    outage.advance(job)
    assert outage.started == 0
    bulk_jobs.resume(outage.shop.engine, job, ALICE, "works again")
    outage.advance(job)
    assert outage.started == 2


class Paused:
    """Documents of a process that pauses before its ``n``-th write, while something else happens."""

    def __init__(self, documents: Any, n: int, meanwhile: Callable[[], object]) -> None:
        self._documents = documents
        self._left = n
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    def put(self, document: Document, expected: Expected) -> Document:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        put: Document = self._documents.put(document, expected)
        return put


@pytest.mark.parametrize("refusal", ["changed", "expired", "gone"])
@pytest.mark.parametrize("n", range(1, 6))
def test_a_request_that_was_refused_does_not_begin_its_job_when_its_first_copy_goes_on(n: int, refusal: str):
    """The caller was told that nothing happens, and may have begun another plan since."""
    outage = Outage(2)
    token = outage.plan().token

    def refused() -> None:
        if refusal == "expired":
            outage.shop.clock.at += HOLDS_FOR * 2
        for order_id in {"changed": outage.ids[:1], "gone": outage.ids}.get(refusal, []):
            outage.shop.play(s.restart(), order_id=order_id)
            refresh(outage.shop.engine, order_id, BUDGETS)
        with pytest.raises(NoSuchGroup if refusal == "gone" else PlanOutdated):
            outage.begin_planned(token)

    first = replace(outage.shop.engine, documents=Paused(outage.shop.engine.documents, n, refused))
    with pytest.raises(PlanOutdated):
        outage.begin_planned(token, first)
    assert list(all_jobs(outage.shop.engine)) == []


def test_a_request_whose_copy_began_the_job_meanwhile_is_answered_with_the_job():
    """One of both decides. The other one is answered with the same."""
    outage = Outage(2)
    token = outage.plan().token
    begun: list[Job] = []

    def choose_late(until: datetime) -> list[OrderId]:
        begun.append(outage.begin_planned(token))
        return outage.ids[:1]

    assert outage.begin_planned(token, choose=choose_late) == begun[0]
    assert [job.id for job in all_jobs(outage.shop.engine)] == [begun[0].id]


def test_a_new_plan_under_the_key_of_a_request_that_ended_halfway_is_refused():
    """The orders of the earlier plan may be stored under that key already, and would be acted on with the new ones."""
    outage = Outage(2)
    dying = replace(outage.shop.engine, documents=Dying(outage.shop.engine.documents, 3, after=True))
    with pytest.raises(Killed):
        outage.begin_planned(outage.plan().token, dying)
    outage.shop.play(s.restart(), order_id=outage.ids[0])
    refresh(outage.shop.engine, outage.ids[0], BUDGETS)
    outage.shop.clock.advance(seconds=1)
    with pytest.raises(KeyReused):
        outage.begin_planned(outage.plan().token)
    job = outage.begin_planned(outage.plan().token, key="new")
    assert [order.order_id for order in bulk_jobs.read(outage.shop.engine, job.id).orders] == outage.ids[1:]


@pytest.mark.parametrize("key", ["copied", None])
@pytest.mark.parametrize("how", ["stop", "resume"])
def test_a_late_copy_of_a_request_that_found_the_job_so_does_not_change_it_later(how: str, key: str | None):
    """The request was answered: it is stopped already. Its copy must not stop the job after a person resumed it."""
    outage = Outage(2)
    job = outage.begin()
    engine = outage.shop.engine
    steps = [bulk_jobs.stop, bulk_jobs.resume]
    there, back = steps if how == "stop" else steps[::-1]
    there(engine, job, ALICE, "by another request", "first")
    found = there(engine, job, ALICE, "as well", key)
    assert found.why == ("stopped by support alice: by another request" if how == "stop" else "")
    turned = back(engine, job, ALICE, "the other way", "third")
    assert (there(engine, job, ALICE, "as well", key).state is turned.state) is (key is not None)


def test_a_request_about_a_job_that_is_done_is_not_stored():
    """Nothing changes such a job, so no copy can."""
    outage = Outage(1)
    job = outage.begin()
    done = replace(bulk_jobs.get_job(outage.shop.engine, job)[0], state=JobState.DONE)
    bulk_jobs.write_job(outage.shop.engine, done, bulk_jobs.get_job(outage.shop.engine, job)[1])
    assert bulk_jobs.stop(outage.shop.engine, job, ALICE, "too late", "key") == done


@pytest.mark.parametrize("key", ["first", None])
def test_a_late_copy_of_a_request_does_not_stop_a_resumed_job(key: str | None):
    """A copy has the key of its request; without a key each request counts."""
    outage = Outage(2)
    job = outage.begin()
    bulk_jobs.stop(outage.shop.engine, job, ALICE, "wait for the bank", key)
    bulk_jobs.resume(outage.shop.engine, job, ALICE, "works again", key and "second")
    again = bulk_jobs.stop(outage.shop.engine, job, ALICE, "wait for the bank", key)
    assert again.state is (JobState.RUNNING if key else JobState.STOPPED)


@pytest.mark.parametrize("how", [bulk_jobs.stop, bulk_jobs.resume])
def test_a_job_is_stopped_and_resumed_while_another_process_changes_it(how, monkeypatch):
    """What was answered happened: a change between reading and writing makes it try again."""
    outage = Outage(2)
    job = outage.begin()
    if how is bulk_jobs.resume:
        bulk_jobs.stop(outage.shop.engine, job, ALICE, "wait for the bank")
    write, interfered = bulk_jobs.write_job, []

    def write_after_another(engine, changed, version):
        if not interfered:
            interfered.append(write(engine, *bulk_jobs.get_job(engine, job)))
        return write(engine, changed, version)

    monkeypatch.setattr(bulk_jobs, "write_job", write_after_another)
    after = how(outage.shop.engine, job, ALICE, "the other way")
    assert after.state is (JobState.STOPPED if how is bulk_jobs.stop else JobState.RUNNING)
    assert bulk_jobs.read(outage.shop.engine, job).job == after


class Dying:
    """Documents of a process that is killed at its ``n``-th write: before it, or right after it."""

    def __init__(self, documents, n: int, after: bool) -> None:
        self._documents = documents
        self._left = n
        self._after = after

    def __getattr__(self, name):
        method = getattr(self._documents, name)

        def call(*args, **kwargs):
            if name not in {"put", "delete"}:
                return method(*args, **kwargs)
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = method(*args, **kwargs)
            if self._left == 0:
                raise Killed
            return result

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, 15))
def test_after_a_kill_at_any_write_the_job_continues_and_starts_no_order_twice(n, after):
    """The job is in documents, the starts are in the log, and each start has a key."""
    outage = Outage(4)
    engine = outage.shop.engine
    dying = replace(engine, documents=Dying(engine.documents, n, after))
    died = False
    try:
        job = begin(dying, per_s=10).id
        outage.shop.clock.advance(seconds=1)
        bulk_jobs.advance(dying, job)
    except Killed:
        died = True
    assert died or n > 12
    job = outage.begin(per_s=10)
    for _ in range(3):
        outage.shop.clock.advance(seconds=1)
        outage.advance(job)
    assert outage.runs() == [2, 2, 2, 2]
    assert set(outcomes(outage.advance(job)).values()) == {Outcome.STARTED}


def test_the_timer_advances_it_without_the_command_line():
    """A bulk job continues when the person who began it has closed the terminal."""
    outage = Outage(3)
    outage.begin(per_s=1)

    def pause(seconds: float) -> None:
        outage.shop.clock.advance(seconds=seconds)

    upkeep = UpkeepSettings(order_machine="OrderMachine", budgets=BUDGETS)
    keep_time(outage.shop.engine, upkeep, for_s=20, pause=pause)
    assert outage.started == 3


def test_a_pace_out_of_bounds_and_an_unknown_job_are_refused():
    """The pace has a limit, because live orders need most of the account's quota of starts."""
    outage = Outage(1)
    for per_s in (0, -1, 51):
        with pytest.raises(ValueError, match="orders a second"):
            outage.begin(per_s=per_s)
    with pytest.raises(NoSuchJob):
        bulk_jobs.advance(outage.shop.engine, "bulk_nothing")
