"""What helps an order on: reports that would end its waits, and what to do instead of an action that leads nowhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from domain.identifiers import Actor
from domain.money import Money
from domain.order.commands import GrantCredit
from domain.order.events import Fault
from domain.order.order import Order, RunState
from workflows.event_store.commits import RecordedEvent
from workflows.incidents.plans import Plan, plan
from workflows.orders.waiting import waits_since
from workflows.time_budgets import Awaiting

REPORTS: Mapping[Awaiting, tuple[str, ...]] = {
    Awaiting.ACCEPTANCE: ("preparation/accept", "preparation/reject"),
    Awaiting.READINESS: ("preparation/ready",),
    Awaiting.ASSIGNMENT: ("delivery/assign",),
    Awaiting.PICKUP: ("delivery/pick-up",),
    Awaiting.DELIVERY: ("delivery/deliver", "delivery/fail"),
}
"""By what is awaited: the reports that end the wait, by the names of their routes."""


def with_remedies(
    plans: Mapping[str, Plan], order: Order, recorded: Sequence[RecordedEvent], actor: Actor
) -> dict[str, Plan]:
    """Return the plans; each that leads nowhere names what would help instead, and is left out if nothing would.

    Args:
        plans: By the name of the action.
        recorded: The events of the order.
    """
    reports = awaited_reports(order, recorded)
    helping = [name for name, each in plans.items() if _leads_on(name, each, reports)]
    approvals = [f"approve {version}" for version in order.approvals]
    instead = (*approvals, *reports, *helping, *(["credit"] if _can_be_credited(order, actor) else []))
    remedied = {
        name: each if name in helping else dataclasses.replace(each, instead=instead) for name, each in plans.items()
    }
    return {name: each for name, each in remedied.items() if name in helping or instead}


def _leads_on(name: str, made: Plan, reports: Sequence[str]) -> bool:
    """Whether an action changes something. A run without calls only waits again, for a report that may be known."""
    if made.refused is not None or not made.events:
        return False
    return not (name == "retry" and not made.runs and reports)


def awaited_reports(order: Order, recorded: Sequence[RecordedEvent]) -> tuple[str, ...]:
    """Return the reports that an order waits for, or would wait for if its run went on, by their routes."""
    delivery = dataclasses.replace(order.delivery, overdue=False)
    going_on = dataclasses.replace(order, run_state=RunState.RUNNING, delivery=delivery)
    return tuple(report for what, _, _ in waits_since(going_on, recorded) for report in REPORTS.get(what, ()))


def _can_be_credited(order: Order, actor: Actor) -> bool:
    least = GrantCredit(
        credit_id="", amount=Money(1, order.currency), fault=Fault.PLATFORM, by=actor, reason="", limit=None
    )
    made = plan(least, order)
    return made.refused is None and bool(made.events)
