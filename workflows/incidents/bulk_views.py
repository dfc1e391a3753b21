"""Bulk jobs and their plans as JSON, in the shapes of ``workflows.client.incident_json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.money import Money, totals
from workflows.incidents.bulk_actions import BulkPlan
from workflows.incidents.bulk_jobs import Progress
from workflows.incidents.bulk_store import JobChange, JobOrder, JobState, Outcome
from workflows.incidents.views import plan_view
from workflows.orders.json_values import money_json, plain

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.incident_json import BulkJobJson, BulkPlanJson, JobChangeJson, JobChangePlanJson, JobOrderJson


def progress_view(progress: Progress, planned: JobState | None = None) -> BulkJobJson:
    """Return a bulk job and its orders.

    Args:
        planned: The state that a dry run is about.
    """
    job, task = progress.job, progress.job.task
    return {
        "id": job.id,
        "action": task.action.value,
        "filter": dict(task.filter) or None,
        "group": task.group or None,
        "dependency": plain(job.dependency),
        "at_stake": plain(job.at_stake),
        "state": job.state.value,
        "why": job.why,
        "actor": plain(task.actor),
        "reason": task.reason,
        "per_s": job.per_s,
        "began_at": plain(job.began_at),
        "new_failures": progress.new_failures,
        "counts": {outcome.value: number for outcome, number in progress.counts.items()},
        "orders": [_job_order(order) for order in progress.orders],
        "changes": [_job_change(change) for change in job.changes],
        "plan": None if planned is None else _change_plan(progress, planned),
    }


def _job_change(change: JobChange) -> JobChangeJson:
    return {
        "state": plain(change.state),
        "by": plain(change.by),
        "reason": change.reason,
        "at": plain(change.at),
    }


def _change_plan(progress: Progress, planned: JobState) -> JobChangePlanJson:
    """Say what stopping or resuming a job would do. A job that is done, or in this state already, stays as it is."""
    counts, state = progress.counts, progress.job.state
    return {
        "state": (state if state is JobState.DONE else planned).value,
        "changes": state not in {JobState.DONE, planned},
        "waiting": counts[Outcome.WAITING],
        "started": counts[Outcome.STARTED],
    }


def bulk_plan_view(planned: BulkPlan) -> BulkPlanJson:
    """Return the plan of a bulk job: its orders, calls and money, and where it is refused."""
    sums: dict[str, list[Money]] = {}
    for each in planned.possible:
        for move in each.plan.money:
            sums.setdefault(move.what.value, []).append(move.amount)
    return {
        "action": planned.task.action.value,
        "orders": [
            {"order_id": each.order_id, "at_stake": money_json(each.at_stake), "plan": plan_view(each.plan)}
            for each in planned.possible
        ],
        "at_stake": plain(planned.at_stake),
        "calls": sum(len(each.plan.runs) for each in planned.possible),
        "money": [
            {"what": what, "amount": money_json(amount)}  # type: ignore[typeddict-item]  # the values of Movement
            for what, amounts in sorted(sums.items())
            for amount in totals(amounts)
        ],
        "refused": [
            {"order_id": each.order_id, "rule": each.plan.refused[0], "detail": each.plan.refused[1]}
            for each in planned.orders
            if each.plan.refused is not None
        ],
        "more": planned.more,
        "token": planned.token,
        "expires_at": plain(planned.expires_at),
    }


def _job_order(order: JobOrder) -> JobOrderJson:
    return {
        "order_id": order.order_id,
        "outcome": order.outcome.value,
        "run": order.run,
        "started_at": plain(order.started_at),
        "detail": order.detail,
    }
