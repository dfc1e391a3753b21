"""Incidents: orders that are parked because of a fault that is ours, grouped by cause; and what a person can do.

The list comes from the view of open orders; everything about one order comes from its log, and every deed is an event
of that order with who and why. ``cancel`` gives back what is held; ``abandon`` does not, and ends the order as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import groupby

import msgspec

from domain.identifiers import Actor, OrderId
from domain.money import Money, total
from domain.order.commands import AbandonOrder, AddNote, Approve, CancelOrder, StartRun, WriteOff
from domain.order.events import Fault
from domain.order.intents import owed
from domain.order.order import Order, RunState
from domain.order.refusals import Rejected
from workflows.breakers.dependencies import Dependency
from workflows.event_store.commits import RecordedEvent
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog, TooManyConflicts
from workflows.incidents.plans import Plan, Verb, plan
from workflows.incidents.refusals import WriteOffNeedsIntent
from workflows.orders.command_handling import CONFLICTS_MAX, Handled, PreconditionFailed, fold, handle, load
from workflows.orders.permissions import Action, check, may
from workflows.orders.requests import OrderRequest
from workflows.projections.open_orders import OpenOrder, ParkedNow, open_orders, project
from workflows.time_budgets import Budgets

TAIL = 12
"""Events of the timeline that are shown with an incident: about the last two commits before the fault, and what led
there. The whole is the order's history."""


class NotAnIncident(Rejected):
    """The order is not parked: it moves, or it has ended."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} is not parked; there is nothing to retry or resolve")
        self.order_id = order_id


class How(StrEnum):
    """The ways to resolve an incident."""

    CANCEL = "cancel"
    ABANDON = "abandon"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parked orders with one cause. ``at_stake`` is a sum a currency."""

    cause: str
    error: str
    dependency: Dependency | None
    orders: int
    since: datetime
    at_stake: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``plans`` is what each verb would do now; write-offs are by the intent they name."""

    row: OpenOrder
    order: Order
    cause: str
    parked: ParkedNow
    timeline: tuple[RecordedEvent, ...]
    personal: bool
    plans: dict[str, Plan]


def cause_of(parked: ParkedNow) -> str:
    """``PaymentsUnavailable@payments``; a fault that is about nobody outside is its name alone."""
    return parked.error if parked.dependency is None else f"{parked.error}@{parked.dependency}"


def list_parked(documents: Documents, cause: str | None = None) -> list[tuple[OpenOrder, ParkedNow]]:
    """The parked orders, or those with one cause, longest first. From the view: a moment late."""
    found = [(row, row.parked) for row in open_orders(documents) if row.parked is not None]
    wanted = [(row, parked) for row, parked in found if cause is None or cause_of(parked) == cause]
    return sorted(wanted, key=lambda each: (each[1].since, each[0].order_id))


def list_groups(parked: Iterable[tuple[OpenOrder, ParkedNow]]) -> list[Group]:
    """By cause, the largest first."""
    by_cause = sorted((one for _, one in parked), key=cause_of)
    groups = [_group(cause, list(members)) for cause, members in groupby(by_cause, key=cause_of)]
    return sorted(groups, key=lambda group: (-group.orders, group.cause))


def show(log: EventLog, order_id: OrderId, actor: Actor, budgets: Budgets, limit: Callable[[str], Money]) -> Incident:
    """One incident, from the log. Raises OrderNotFound, NotAllowed, NotAnIncident."""
    history, order = load(log, order_id)
    check(actor, Action.READ_INCIDENTS, order)
    row = project(order, history.recorded, budgets)
    if row is None or row.parked is None:
        raise NotAnIncident(order_id)
    return Incident(
        row=row,
        order=order,
        cause=cause_of(row.parked),
        parked=row.parked,
        timeline=history.recorded[-TAIL:],
        personal=may(actor, Action.READ_PERSONAL, order),
        plans=_plans(order, actor, limit(order.currency)),
    )


def retry(log: EventLog, request: OrderRequest, reason: str, *, dry_run: bool = False) -> Handled | Plan:
    """Go on from the facts in a new run. Raises Rejected, KeyReused, PreconditionFailed."""
    return _act(log, request, lambda order: _again(order, request.caller.actor, reason), reason, dry_run)


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
    """End the incident in one of three ways. Above the limit a second person has to approve. Raises as ``retry``."""

    def wish(order: Order) -> Verb:
        actor = request.caller.actor
        match how:
            case How.CANCEL:
                return CancelOrder(by=actor, reason=reason)
            case How.ABANDON:
                return AbandonOrder(by=actor, reason=reason, fault=fault, limit=limit(order.currency))
            case How.WRITE_OFF if intent is not None:
                return WriteOff(intent=intent, by=actor, reason=reason, fault=fault, limit=limit(order.currency))
            case _:
                raise WriteOffNeedsIntent([item.intent for item in owed(order)])

    return _act(log, request, wish, (how, reason, fault, intent), dry_run)


def approve(log: EventLog, request: OrderRequest, approval: int, *, dry_run: bool = False) -> Handled | Plan:
    """Agree, as a second person, to the wish of that version. Raises as ``retry``, and SecondPersonNeeded."""
    return _act(
        log,
        request,
        lambda order: Approve(approval=approval, by=request.caller.actor),
        approval,
        dry_run,
        parked_only=False,
    )


def note(log: EventLog, request: OrderRequest, text: str) -> Handled:
    """Leave a note in the order's own stream, whatever state it is in."""
    _, order = load(log, request.order_id)
    check(request.caller.actor, request.action, order)
    key = _key(request, text)
    command = AddNote(note_id=sha256(key.encode()).hexdigest()[:16], by=request.caller.actor, text=text)
    return handle(log, command, order_id=request.order_id, key=key, caller=request.caller, if_match=request.if_match)


# --- deeds ------------------------------------------------------------------------------------------------------------


def _act(
    log: EventLog,
    request: OrderRequest,
    wish: Callable[[Order], Verb],
    body: object,
    dry_run: bool,
    *,
    parked_only: bool = True,
) -> Handled | Plan:
    """Look, check, and do it to exactly what was looked at; look again when somebody wrote meanwhile."""
    for _ in range(CONFLICTS_MAX):
        history, order = load(log, request.order_id)
        check(request.caller.actor, request.action, order)
        key = _key(request, (order.run, body))
        before = history.keys.get(key)
        if before is not None:  # an earlier attempt was about the order as it was then
            order = fold(request.order_id, history.events[: before.first - 1])
        elif parked_only and order.run_state is not RunState.PARKED:
            raise NotAnIncident(request.order_id)
        command = wish(order)
        if dry_run:
            return plan(command, order)
        try:
            return handle(
                log,
                command,
                order_id=request.order_id,
                key=key,
                caller=request.caller,
                if_match=request.if_match,
                loaded=history,
            )
        except PreconditionFailed:
            if request.if_match is not None:
                raise
    raise TooManyConflicts(f"order {request.order_id} is written to by too many at once; try again")


def _again(order: Order, actor: Actor, reason: str) -> StartRun:
    return StartRun(run=order.run + 1, by=actor, reason=reason)


def _key(request: OrderRequest, body: object) -> str:
    """Names the request across attempts. Without a key of the caller's, saying the same again is the same request; of
    what is said to an incident, as long as it is the same incident."""
    actor = request.caller.actor
    who = f"{request.action.name}/{actor.role}/{actor.id}"
    if request.key is not None:
        return f"{who}/key/{request.key}"
    return f"{who}/body/{sha256(msgspec.json.encode(body, order='sorted')).hexdigest()[:32]}"


# --- looking ----------------------------------------------------------------------------------------------------------


def _group(cause: str, members: list[ParkedNow]) -> Group:
    currencies = sorted({one.at_stake.currency for one in members})
    return Group(
        cause=cause,
        error=members[0].error,
        dependency=members[0].dependency,
        orders=len(members),
        since=min(one.since for one in members),
        at_stake=tuple(
            total((one.at_stake for one in members if one.at_stake.currency == currency), currency)
            for currency in currencies
        ),
    )


def _plans(order: Order, actor: Actor, limit: Money) -> dict[str, Plan]:
    verbs: dict[str, Verb] = {
        "retry": _again(order, actor, ""),
        "cancel": CancelOrder(by=actor, reason=""),
        "abandon": AbandonOrder(by=actor, reason="", fault=Fault.PLATFORM, limit=limit),
    }
    for item in owed(order):
        write_off = WriteOff(intent=item.intent, by=actor, reason="", fault=Fault.PLATFORM, limit=limit)
        verbs[f"write_off {item.intent}"] = write_off
    return {name: plan(verb, order) for name, verb in verbs.items()}
