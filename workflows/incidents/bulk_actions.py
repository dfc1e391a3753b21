"""The actions that a bulk job takes on each of its orders, and the plan of all of them before it begins.

The plan has a token: a digest of what would happen to each order, and a time. A job begins only with the token of a
plan that still holds, so what a person saw is what happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import assert_never

from domain.identifiers import Actor, OrderId
from domain.money import Money
from domain.order.commands import AddNote, CancelOrder, Command, GrantCredit, StartRun
from domain.order.events import Fault
from domain.order.order import Order, RunState
from workflows.event_store.event_log import EventLog
from workflows.incidents.plans import Plan, plan
from workflows.incidents.refusals import NotAnIncident, PlanOutdated
from workflows.orders.command_handling import load

ORDERS_MAX = 1000
"""Orders of one job: a plan reads each of them, and an answer lists them."""

HOLDS_FOR = timedelta(minutes=15)
"""How long a plan can be begun: long enough to read it."""


class BulkAction(StrEnum):
    """What is done with each order. The values are stored."""

    RETRY = "retry"
    CANCEL = "cancel"
    CREDIT = "credit"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTask:
    """What a job does: the action, its author, and for a credit the amount and the party at fault.

    ``limits`` are the amounts up to which one person decides alone, as they were when the job began.
    """

    action: BulkAction
    actor: Actor
    reason: str
    amount: Money | None = None
    fault: Fault = Fault.PLATFORM
    limits: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPlan:
    """What would happen to each order now."""

    task: BulkTask
    plans: tuple[tuple[OrderId, Plan], ...]
    expires_at: datetime

    @property
    def token(self) -> str:
        """Identifies what was planned: the same orders with the same effects, until the plan expires."""
        effects = [(order_id, each.events, each.money, each.approval, each.refused) for order_id, each in self.plans]
        content = repr((self.task, effects)).encode()
        return f"{self.expires_at.timestamp():.0f}.{sha256(content).hexdigest()[:32]}"

    @property
    def possible(self) -> list[OrderId]:
        """The orders on which the action is possible."""
        return [order_id for order_id, each in self.plans if each.refused is None]


def command_of(task: BulkTask, order: Order, job_id: str) -> Command:
    """Make the command for one order. The job's id and the order make it repeatable."""
    match task.action:
        case BulkAction.RETRY:
            return StartRun(run=order.run + 1, by=task.actor, reason=task.reason)
        case BulkAction.CANCEL:
            return CancelOrder(by=task.actor, reason=task.reason)
        case BulkAction.CREDIT:
            assert task.amount is not None  # checked with the request
            limit = next((each for each in task.limits if each.currency == order.currency), Money.zero(order.currency))
            return GrantCredit(
                credit_id=_id(job_id, order),
                amount=task.amount,
                fault=task.fault,
                by=task.actor,
                reason=task.reason,
                limit=limit,
            )
        case BulkAction.NOTE:
            return AddNote(note_id=_id(job_id, order), by=task.actor, text=task.reason)
        case _:
            assert_never(task.action)


def plan_all(log: EventLog, task: BulkTask, order_ids: Iterable[OrderId], now: datetime) -> BulkPlan:
    """Plan the action on each order as it is now. Raises OrderNotFound."""
    plans = tuple((order_id, _plan(log, task, order_id)) for order_id in sorted(set(order_ids)))
    return BulkPlan(task=task, plans=plans, expires_at=now.replace(microsecond=0) + HOLDS_FOR)


def check_token(token: str, planned: BulkPlan, now: datetime) -> None:
    """Check that a plan still holds. Raises PlanOutdated."""
    expires, _, digest = token.partition(".")
    if not expires.isdecimal() or int(expires) < now.timestamp():
        raise PlanOutdated("The plan has expired. Make it again with dry_run.")
    if digest != planned.token.partition(".")[2]:
        raise PlanOutdated("The orders have changed since the plan was made. Make it again with dry_run.")


def _plan(log: EventLog, task: BulkTask, order_id: OrderId) -> Plan:
    _, order = load(log, order_id)
    if task.action is BulkAction.RETRY and order.run_state is not RunState.PARKED:
        refusal = NotAnIncident(order_id)
        return Plan(status=order.status, refused=(type(refusal).__name__, str(refusal)))
    return plan(command_of(task, order, "plan"), order)


def _id(job_id: str, order: Order) -> str:
    return sha256(f"{job_id}/{order.order_id}".encode()).hexdigest()[:16]
