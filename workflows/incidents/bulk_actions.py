"""The actions that a bulk job takes on each of its orders, and the plan of all of them before it begins.

The plan has a token: a digest of what would happen to each order, and a time. A job begins only with the token of a
plan that still holds, so what a person saw is what happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import assert_never

from domain.identifiers import Actor, OrderId
from domain.money import Money, totals
from domain.order.commands import AddNote, CancelOrder, Command, GrantCredit, StartRun
from domain.order.events import Fault
from domain.order.intents import at_stake
from domain.order.order import Order
from workflows.breakers.dependencies import Dependency
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog
from workflows.incidents.incidents import list_parked
from workflows.incidents.plans import Plan, plan
from workflows.incidents.refusals import NoSuchGroup, NotAnIncident, PlanOutdated
from workflows.orders.command_handling import load
from workflows.projections.open_orders import parked_now
from workflows.search.finding import MATCHES_MAX

ORDERS_MAX = MATCHES_MAX
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
    """What a job does to which orders.

    Attributes:
        amount: Of a credit, as ``fault`` is.
        limits: The amounts up to which one person decides alone, as they were when the job began.
        filter: The filters that its orders matched when it was planned, by name; empty if it has none.
        group: The cause with which its orders are parked, if it is about a group of incidents; else empty.
        named: A digest of the orders' ids, if they were named; else empty.
    """

    action: BulkAction
    actor: Actor
    reason: str
    amount: Money | None = None
    fault: Fault = Fault.PLATFORM
    limits: tuple[Money, ...] = ()
    filter: tuple[tuple[str, str], ...] = ()
    group: str = ""
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """What would happen to one order; ``dependency`` is the provider at which it is parked."""

    order_id: OrderId
    plan: Plan
    at_stake: Money
    dependency: Dependency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPlan:
    """What would happen to each order now. ``more`` orders are left for another job, because one has a limit."""

    task: BulkTask
    orders: tuple[PlannedOrder, ...]
    more: int
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        """Until when it can be begun."""
        return self.made_at + HOLDS_FOR

    @property
    def token(self) -> str:
        """Identifies what was planned: the same orders with the same effects, until the plan expires.

        The reason is not part of it, because a person writes it after reading the plan.
        """
        effects = [(each.order_id, _effect(each.plan)) for each in self.orders]
        content = repr((replace(self.task, reason=""), effects)).encode()
        return f"{(self.made_at - _EPOCH) // _TICK}.{sha256(content).hexdigest()[:32]}"

    @property
    def possible(self) -> list[PlannedOrder]:
        """The orders on which the action is possible."""
        return [each for each in self.orders if each.plan.refused is None]

    @property
    def at_stake(self) -> tuple[Money, ...]:
        """The money at stake in the orders on which the action is possible, one sum per currency."""
        return totals(each.at_stake for each in self.possible)

    @property
    def dependency(self) -> Dependency | None:
        """The provider at which all orders are parked that would be retried. None for other actions."""
        providers = {each.dependency for each in self.possible}
        return providers.pop() if self.task.action is BulkAction.RETRY and len(providers) == 1 else None


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


def parked_in(documents: Documents, group: str, *, until: datetime | None = None) -> list[OrderId]:
    """Return the orders that are parked with this cause, those parked longest first.

    Args:
        until: Leave out those parked later.

    Raises:
        NoSuchGroup: There is none.
    """
    parked = list_parked(documents, group)
    if not parked:
        raise NoSuchGroup(group)
    return [row.order_id for row, now in parked if until is None or now.since <= until]


def plan_all(log: EventLog, task: BulkTask, order_ids: Sequence[OrderId], made_at: datetime) -> BulkPlan:
    """Plan the action on the first ``ORDERS_MAX`` orders, each as it is now.

    Args:
        made_at: Now; to check a token, when its plan was made.
    """
    planned = tuple(_plan(log, task, order_id) for order_id in sorted(set(order_ids[:ORDERS_MAX])))
    return BulkPlan(task=task, orders=planned, more=len(order_ids[ORDERS_MAX:]), made_at=made_at)


def planned_at(token: str, now: datetime) -> datetime:
    """Return when the plan with this token, which has the form of ``TOKEN``, was made. Raises PlanOutdated."""
    made_at = _EPOCH + int(token.partition(".")[0]) * _TICK
    if made_at + HOLDS_FOR < now:
        raise PlanOutdated("The plan has expired. Make it again, with dry_run or without --token.")
    return made_at


def check_token(token: str, planned: BulkPlan) -> None:
    """Check that a plan still holds. Raises PlanOutdated."""
    if token != planned.token:
        raise PlanOutdated(
            "The orders have changed since the plan was made, or the plan is of other orders, of another action or by "
            "another person. Make it again, with dry_run or without --token."
        )


def digest_of(order_ids: Iterable[OrderId]) -> str:
    """Return what identifies a set of named orders."""
    return sha256("/".join(sorted(set(order_ids))).encode()).hexdigest()[:32]


_EPOCH = datetime.fromtimestamp(0, UTC)
_TICK = timedelta(microseconds=1)
"""The time of a plan is exact, so that orders parked after it are told apart."""

_DIGITS = 17
"""Of a time in microseconds until the year 5138. A longer number is no time."""

TOKEN = rf"[0-9]{{1,{_DIGITS}}}\.[0-9a-f]{{32}}"
"""The form of the token of a plan, as a regular expression."""


def _effect(made: Plan) -> tuple[object, ...]:
    return made.events, made.money, made.approval, made.refused


def _plan(log: EventLog, task: BulkTask, order_id: OrderId) -> PlannedOrder:
    history, order = load(log, order_id)
    parked = parked_now(order, history.recorded)
    if task.action is BulkAction.RETRY and parked is None:
        refusal = NotAnIncident(order_id)
        made = Plan(status=order.status, refused=(type(refusal).__name__, str(refusal)))
    else:
        made = plan(command_of(task, order, "plan"), order)
    dependency = None if parked is None else parked.dependency
    return PlannedOrder(order_id=order_id, plan=made, at_stake=at_stake(order), dependency=dependency)


def _id(job_id: str, order: Order) -> str:
    return sha256(f"{job_id}/{order.order_id}".encode()).hexdigest()[:16]
