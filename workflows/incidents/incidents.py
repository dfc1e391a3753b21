"""Incidents: orders that a fault has parked, grouped by cause, and the actions that support can take on them.

The list comes from the view of open orders. Everything about one order comes from its log, and every action is recorded
there as an event with its author and reason. ``cancel`` releases what the order holds; ``abandon`` does not, and ends
the order as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import groupby

from domain.identifiers import Actor, OrderId
from domain.money import Money, totals
from domain.order.books import uncollected
from domain.order.commands import (
    AbandonOrder,
    AddNote,
    Approve,
    AssignIncident,
    CancelOrder,
    Command,
    ConfirmReport,
    RejectApproval,
    StartRun,
    WriteOff,
)
from domain.order.events import Fault
from domain.order.intents import owed
from domain.order.order import Order, RunState
from workflows.breakers.dependencies import Dependency
from workflows.event_store.commits import History, RecordedEvent
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog
from workflows.incidents.acting import act, preview
from workflows.incidents.plans import Plan, plan
from workflows.incidents.refusals import NotAnIncident, WriteOffNeedsIntent
from workflows.incidents.remedies import with_remedies
from workflows.orders.command_handling import Handled, KeyedCommand, load
from workflows.orders.permissions import Action, check
from workflows.orders.requests import OrderRequest, request_key, transact_request
from workflows.orders.visibility import Audience, audience_of
from workflows.projections.open_orders import OpenOrder, ParkedNow, open_orders, project
from workflows.time_budgets import Budgets

TAIL = 12
"""Events shown with an incident: about the last two commits before the fault and what led to them. The order's history
has all of them."""


class How(StrEnum):
    """The ways to resolve an incident."""

    CANCEL = "cancel"
    ABANDON = "abandon"
    WRITE_OFF = "write_off"
    CONFIRM_REPORT = "confirm_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parked orders with one cause.

    ``at_stake`` has one sum per currency; ``since`` is when the first was parked. ``runs`` are those of all its orders.
    ``by_hour`` has the number of orders parked in an hour, by its start, oldest first; hours without any are left out.
    """

    cause: str
    error: str
    dependency: Dependency | None
    orders: int
    runs: int
    since: datetime
    by_hour: tuple[tuple[datetime, int], ...]
    at_stake: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A parked order as support sees it.

    ``plans`` is what each action would do now, by its name: ``retry``, ``cancel``, ``abandon``, ``write_off <intent>``,
    ``confirm_report <event>``. ``personal``: the caller may see personal data.
    """

    row: OpenOrder
    order: Order
    cause: str
    parked: ParkedNow
    timeline: tuple[RecordedEvent, ...]
    audience: Audience
    plans: dict[str, Plan]


def list_parked(
    documents: Documents, cause: str | None = None, assignee: str | None = None
) -> list[tuple[OpenOrder, ParkedNow]]:
    """Return the parked orders, or those with one cause, or of one person, those parked longest first.

    They come from the view of open orders, which may be a moment behind the log.

    Args:
        assignee: The person who took them on; empty for orders that no person has taken on.
    """
    parked_orders = [(row, row.parked) for row in open_orders(documents) if row.parked is not None]
    chosen = [
        (row, parked)
        for row, parked in parked_orders
        if cause in {None, parked.cause} and assignee in {None, row.assignee}
    ]
    return sorted(chosen, key=lambda each: (each[1].since, each[0].order_id))


def list_groups(parked: Iterable[tuple[OpenOrder, ParkedNow]]) -> list[Group]:
    """Group parked orders by cause, the largest group first."""
    by_cause = sorted(parked, key=lambda pair: pair[1].cause)
    groups = [_group(cause, list(members)) for cause, members in groupby(by_cause, key=lambda pair: pair[1].cause)]
    return sorted(groups, key=lambda group: (-group.orders, group.cause))


def show(log: EventLog, order_id: OrderId, actor: Actor, budgets: Budgets, limit: Callable[[str], Money]) -> Incident:
    """Read one incident from the order's log.

    Args:
        limit: Return the amount in a currency up to which one person decides alone.

    Raises:
        OrderNotFound, NotAllowed, NotAnIncident: The order does not exist for the caller, may not be seen, or is not
            parked.
    """
    history, order = load(log, order_id)
    check(actor, Action.READ_INCIDENTS, order)
    row = project(order, history.recorded, budgets)
    if row is None or row.parked is None:
        raise NotAnIncident(order_id)
    return Incident(
        row=row,
        order=order,
        cause=row.parked.cause,
        parked=row.parked,
        timeline=history.recorded[-TAIL:],
        audience=audience_of(actor, order),
        plans=with_remedies(action_plans(order, actor, limit(order.currency)), order, history.recorded, actor),
    )


def retry(log: EventLog, request: OrderRequest, reason: str, *, dry_run: bool = False) -> Handled | Plan:
    """Continue the order in a new run, from what is recorded.

    Raises:
        Rejected: A rule forbids it; NotAnIncident if the order is not parked.
        KeyReused, PreconditionFailed, TooManyConflicts: As for every request.
    """
    return act(log, request, lambda order: _next_run(order, request.caller.actor, reason), reason, dry_run)


def resolve(
    log: EventLog,
    request: OrderRequest,
    how: How,
    reason: str,
    *,
    limit: Callable[[str], Money],
    fault: Fault = Fault.PLATFORM,
    intent: int | None = None,
    dry_run: bool = False,
) -> Handled | Plan:
    """End the incident in one of four ways. Above the limit a second person has to approve. Raises as ``retry``.

    Args:
        intent: The event to write off, or the contested report to confirm (the latest one if None).
    """

    def resolution(order: Order) -> Command:
        actor = request.caller.actor
        match how:
            case How.CANCEL:
                return CancelOrder(by=actor, reason=reason)
            case How.ABANDON:
                return AbandonOrder(by=actor, reason=reason, fault=fault, limit=limit(order.currency))
            case How.WRITE_OFF if intent is not None:
                return WriteOff(intent=intent, by=actor, reason=reason, fault=fault, limit=limit(order.currency))
            case How.CONFIRM_REPORT:
                report = order.contest if intent is None else intent
                return ConfirmReport(report=report, by=actor, reason=reason, limit=limit(order.currency))
            case _:
                raise WriteOffNeedsIntent(_can_be_written_off(order, actor, limit(order.currency)))

    return act(log, request, resolution, (how, reason, fault, intent), dry_run, further=_unused(how, fault, intent))


def approve(
    log: EventLog, request: OrderRequest, approval: int, reason: str, *, dry_run: bool = False
) -> Handled | Plan:
    """Approve, as a second person, the request of that version. Raises as ``retry``, and SecondPersonNeeded."""
    command = Approve(approval=approval, by=request.caller.actor, reason=reason)
    return act(log, request, lambda order: command, approval, dry_run, parked_only=False)


def reject(
    log: EventLog, request: OrderRequest, approval: int, reason: str, *, dry_run: bool = False
) -> Handled | Plan:
    """Reject the request of that version, or withdraw an own one. Raises as ``retry``, and NoSuchApproval."""
    command = RejectApproval(approval=approval, by=request.caller.actor, reason=reason)
    return act(log, request, lambda order: command, (approval, reason), dry_run, parked_only=False)


def assign(
    log: EventLog, request: OrderRequest, to: str | None, reason: str, *, dry_run: bool = False
) -> Handled | Plan:
    """Let a person take on a parked order, or release it. Raises NotAnIncident, and as every request."""
    command = AssignIncident(to=to or "", by=request.caller.actor, reason=reason)

    def prepare(history: History, order: Order) -> KeyedCommand:
        check(request.caller.actor, request.action, order)
        key = request_key(request, (to, order.version))
        if key not in history.keys and order.run_state is not RunState.PARKED:
            raise NotAnIncident(request.order_id)
        return KeyedCommand(command=lambda: command, request=command, key=key)

    return preview(log, request, command, parked_only=True) if dry_run else transact_request(log, request, prepare)


def note(log: EventLog, request: OrderRequest, text: str, *, dry_run: bool = False) -> Handled | Plan:
    """Add a note to the order's own stream, whatever its status."""
    key = request_key(request, text)
    command = AddNote(note_id=sha256(key.encode()).hexdigest()[:16], by=request.caller.actor, text=text)

    def prepare(history: History, order: Order) -> KeyedCommand:
        check(request.caller.actor, request.action, order)
        return KeyedCommand(command=lambda: command, request=command, key=key)

    return preview(log, request, command) if dry_run else transact_request(log, request, prepare)


# --- actions ----------------------------------------------------------------------------------------------------------


def _unused(how: How, fault: Fault, intent: int | None) -> tuple[object, ...]:
    """Return the parameters of the request that the command of this resolution does not carry."""
    unused_fault = how in {How.CANCEL, How.CONFIRM_REPORT} and fault is not Fault.PLATFORM
    unused_intent = how in {How.CANCEL, How.ABANDON} and intent is not None
    return (*([f"fault={fault}"] if unused_fault else []), *([f"intent={intent}"] if unused_intent else []))


def _can_be_written_off(order: Order, actor: Actor, limit: Money) -> list[int]:
    """Return the events whose write-off is not refused, so that the advice to name one of them leads on."""
    plans = action_plans(order, actor, limit)
    return [int(name.split()[1]) for name, made in plans.items() if name.startswith("write_off") and not made.refused]


def _next_run(order: Order, actor: Actor, reason: str) -> StartRun:
    return StartRun(run=order.run + 1, by=actor, reason=reason)


# --- reading ----------------------------------------------------------------------------------------------------------


def _group(cause: str, members: list[tuple[OpenOrder, ParkedNow]]) -> Group:
    parked = [one for _, one in members]
    hours = Counter(one.since.replace(minute=0, second=0, microsecond=0) for one in parked)
    return Group(
        cause=cause,
        error=parked[0].error,
        dependency=parked[0].dependency,
        orders=len(parked),
        runs=sum(row.run for row, _ in members),
        since=min(one.since for one in parked),
        by_hour=tuple(sorted(hours.items())),
        at_stake=totals(one.at_stake for one in parked),
    )


def action_plans(order: Order, actor: Actor, limit: Money) -> dict[str, Plan]:
    """Return what each action of support on a parked order would do now, by its name."""
    commands: dict[str, Command] = {
        "retry": _next_run(order, actor, ""),
        "cancel": CancelOrder(by=actor, reason=""),
        "abandon": AbandonOrder(by=actor, reason="", fault=Fault.PLATFORM, limit=limit),
    }
    claim = uncollected(order)
    for intent in (*(item.intent for item in owed(order)), *([] if claim is None else [claim])):
        write_off = WriteOff(intent=intent, by=actor, reason="", fault=Fault.PLATFORM, limit=limit)
        commands[f"write_off {intent}"] = write_off
    if order.contest:
        confirm = ConfirmReport(report=order.contest, by=actor, reason="", limit=limit)
        commands[f"confirm_report {order.contest}"] = confirm
    return {name: plan(command, order) for name, command in commands.items()}
