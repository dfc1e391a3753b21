"""A person of support who acts on several orders at once, and stops and resumes the job; and its laws.

The orders are in any state when the job is planned and when it acts on them, and its processes are killed as all others
are. At the end the job is done, has acted on each order at most once, and names the right outcome of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from domain.identifiers import SYSTEM
from domain.order.events import NoteAdded
from workflows.event_store.streams import order_id_in
from workflows.incidents.bulk_actions import BulkAction
from workflows.incidents.bulk_jobs import read
from workflows.incidents.bulk_store import Job, JobOrder, JobState, Outcome
from workflows.orders.command_handling import load
from workflows.simulation.person_requests import PersonRequests
from workflows.simulation.world import World

ACTIONS = ("note", "note", "retry", "cancel")
BEGUN_AFTER_S = 900.0
"""Mean time from the first order to the plan."""

PAUSE_S = 120.0
PACES = (0.02, 0.1, 1.0)
"""Orders a second, mostly so slow that a stop comes between two orders."""

ORDERS_MAX = 10
"""Orders of the job. A request about more would make so many calls that a fault strikes almost each of its attempts."""

LOOKS_MAX = 60
"""How often the person looks whether the job is done, a minute apart."""


class BulkPerson:
    """Plans and begins one job of a world, stops it and resumes it."""

    def __init__(self, world: World, seed: int, requests: PersonRequests) -> None:
        self._world = world
        self._random = Random(f"bulk jobs of {seed}")  # its own, so that other draws of the world stay the same
        self._requests = requests
        self._job: str | None = None

    def act(self) -> None:
        """Plan, begin, stop and resume a job. A plan that no longer holds is made again, a few times."""
        self._world.pause(BEGUN_AFTER_S)
        action = self._random.choice(ACTIONS)
        for attempt in range(5):
            if (job := self._begun(action, attempt)) is not None:
                self._job = job["id"]
                self._steer("stop")
                self._steer("resume")
                self._watch()
                return
            self._world.pause(PAUSE_S)

    def _begun(self, action: str, attempt: int) -> Any:
        orders = [order_id for stream in self._world.newest if (order_id := order_id_in(stream))]
        if not orders:
            return None
        if len(orders) > ORDERS_MAX:
            orders = self._random.sample(orders, ORDERS_MAX)
        body = {
            "action": action,
            "reason": "the app was down",
            "per_s": self._random.choice(PACES),
            "order_ids": orders,
        }
        key = f"bulk/{attempt}"
        planned = self._requests.send("POST", "/bulk", "support", {**body, "dry_run": True}, key=key)
        if planned is None:
            return None
        answer = self._requests.send("POST", "/bulk", "support", {**body, "token": planned["plan"]["token"]}, key=key)
        return None if answer is None else answer["job"]

    def _steer(self, how: str) -> None:
        self._world.pause(PAUSE_S)
        self._requests.send("POST", f"/bulk/{self._job}/{how}", "support", {"reason": "wait for the bank"}, key=how)

    def _watch(self) -> None:
        """Advance the job until it is done or stopped, beside the timer, as the command line does."""
        for look in range(LOOKS_MAX):
            self._world.pause(PAUSE_S / 2)
            job = self._requests.send("POST", f"/bulk/{self._job}/advance", "support", {}, key=f"advance/{look}")
            if job is None or job["state"] != "running":
                return

    def violations(self) -> Iterator[str]:
        """Describe in sentences what the job did wrong."""
        if self._job is None:
            return
        progress = read(self._world.beside(), self._job)
        job = progress.job
        stopped_itself = bool(job.changes) and job.changes[-1].by == SYSTEM  # a job done within minutes has no change
        if job.state is not (JobState.STOPPED if stopped_itself else JobState.DONE):
            yield f"bulk job {job.id} is {job.state} at the end: {job.why}"
        for entry in progress.orders:
            yield from self._of_order(job, entry)

    def _of_order(self, job: Job, entry: JobOrder) -> Iterator[str]:
        history, _ = load(self._world.log, entry.order_id)
        by_job = [recorded for recorded in history.recorded if recorded.key == f"BulkJob/{job.id}"]
        acted = {recorded.key for recorded in by_job}
        notes = [recorded for recorded in by_job if isinstance(recorded.event, NoteAdded)]
        never = entry.outcome in {Outcome.REFUSED, Outcome.NOT_PARKED, Outcome.WAITING}
        repeats = job.task.action is BulkAction.CANCEL  # on an order that is cancelled already it records nothing
        if (never and acted) or not (never or acted or repeats):
            yield f"bulk job {job.id} has the outcome {entry.outcome} of {entry.order_id}, with {len(acted)} commits"
        if job.state is JobState.DONE and entry.outcome in {Outcome.WAITING, Outcome.STARTED}:
            yield f"bulk job {job.id} is done, and {entry.order_id} is {entry.outcome}"
        if entry.outcome is Outcome.DONE and len(notes) != 1:
            yield f"bulk job {job.id} left {len(notes)} notes on {entry.order_id}"
