"""Incidents, plans and circuits as JSON, in the shapes of ``workflows.client.incident_json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.order.events import ApprovalRequested
from domain.order.intents import Owed
from domain.order.order import Order
from workflows.breakers.breaker import Breaker
from workflows.breakers.transitions import Transition
from workflows.clock import Clock, timestamp
from workflows.incidents.incidents import Group, Incident
from workflows.incidents.plans import Plan
from workflows.incidents.possible_reports import PossibleReport
from workflows.incidents.why import Explained, Why
from workflows.orders.json_values import money_json, plain
from workflows.orders.views import event_views
from workflows.orders.visibility import Audience, sees, visible
from workflows.orders.words import WITHHELD
from workflows.projections.open_orders import OpenOrder, ParkedNow
from workflows.sagas.circuit_waits import CircuitWait
from workflows.time_budgets import CIRCUIT_WAIT

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.incident_json import (
        ApprovalJson,
        CircuitJson,
        CircuitWaitJson,
        ExplainedWaitJson,
        GroupJson,
        IncidentJson,
        IncidentLineJson,
        OwedJson,
        PlanJson,
        PossibleReportJson,
        TransitionJson,
        WhyJson,
    )


def group_view(group: Group) -> GroupJson:
    """Return one group of the list."""
    return {
        "cause": group.cause,
        "error": group.error,
        "dependency": plain(group.dependency),
        "orders": group.orders,
        "runs": group.runs,
        "since": plain(group.since),
        "by_hour": [{"hour": plain(hour), "orders": orders} for hour, orders in group.by_hour],
        "at_stake": plain(group.at_stake),
    }


def row_view(row: OpenOrder, parked: ParkedNow) -> IncidentLineJson:
    """Return one order of the list."""
    return {
        "order_id": row.order_id,
        "cause": parked.cause,
        "status": row.status.value,
        "run": row.run,
        "version": row.version,
        "since": plain(parked.since),
        "at_stake": plain(parked.at_stake),
        "assignee": row.assignee or None,
    }


def incident_view(incident: Incident) -> IncidentJson:
    """Return an incident with everything that support needs to decide: debts, timeline, and a plan for each action."""
    parked, order = incident.parked, incident.order
    assert order.placed is not None  # only an order that was placed can be parked
    return {
        **row_view(incident.row, parked),
        "placed_at": timestamp(order.placed.placed_at),
        "error": parked.error,
        "detail": parked.detail,
        "dependency": plain(parked.dependency),
        "owed": [_owed(item) for item in parked.owed],
        "approvals": approvals_view(order, incident.audience),
        "timeline": event_views(incident.timeline, incident.audience),
        "plans": {name: plan_view(plan) for name, plan in incident.plans.items()},
    }


def why_view(explained: Why) -> WhyJson:
    """Return the explanation of an order."""
    order, parked = explained.order, explained.parked
    return {
        "order_id": order.order_id,
        "version": order.version,
        "status": order.status.value,
        "run": order.run,
        "sentence": explained.sentence,
        "next": explained.next,
        "waits": [_wait(wait) for wait in explained.waits],
        "parked": None
        if parked is None
        else {
            "cause": parked.cause,
            "error": parked.error,
            "detail": parked.detail,
            "since": plain(parked.since),
            "dependency": plain(parked.dependency),
            "tried": plain(explained.tried),
        },
        "owed": [_owed(item) for item in explained.owed],
        "at_stake": money_json(explained.at_stake),
        "approvals": approvals_view(order, explained.audience),
        "plans": {name: plan_view(plan) for name, plan in explained.plans.items()},
        "reports": [_report(report) for report in explained.reports],
    }


def _wait(wait: Explained) -> ExplainedWaitJson:
    fields: ExplainedWaitJson = plain(wait)
    return fields


def _report(report: PossibleReport) -> PossibleReportJson:
    fields: PossibleReportJson = plain(report)
    return fields


def approvals_view(order: Order, audience: Audience) -> list[ApprovalJson]:
    """Return the requests that wait for a second person."""
    return [
        {
            "approval": version,
            "action": request.wish.value,
            "amount": money_json(request.amount),
            "by": plain(request.by),
            "reason": plain(request.reason) if sees(audience, ApprovalRequested, "reason") else WITHHELD,
        }
        for version, request in order.approvals.items()
    ]


def plan_view(plan: Plan) -> PlanJson:
    """Return what an action would do."""
    return {
        "events": list(plan.events),
        "status": plan.status.value,
        "runs": [{"version": run.version, "intent": type(run.intent).__name__} for run in plan.runs],
        "money": [
            {"what": move.what.value, "amount": plain(move.amount), "intent": move.intent} for move in plan.money
        ],
        "pay": [{"party": pay.party, "id": pay.id, "amount": plain(pay.amount)} for pay in plan.pay],
        "second_person_for": plain(plan.approval),
        "once_approved": None if plan.once_approved is None else plan_view(plan.once_approved),
        "refused": None if plan.refused is None else {"rule": plan.refused[0], "detail": plan.refused[1]},
        "instead": list(plan.instead),
    }


def circuit_view(breaker: Breaker, clock: Clock) -> CircuitJson:
    """Return the circuit as it is now."""
    circuit = breaker.read()
    return {
        "dependency": breaker.dependency.value,
        "state": circuit.state_at(clock.now()).value,
        "since": plain(circuit.since) if circuit.last.version else None,
        "probes": circuit.probes,
        "probe_error": circuit.probe_error,
        "failures": circuit.tally.failures,
        "calls": circuit.tally.calls,
    }


def circuit_wait_view(wait: CircuitWait) -> CircuitWaitJson:
    """Return an order that waits for a circuit, and until when."""
    return {
        "order_id": wait.order_id,
        "run": wait.run,
        "undoing": wait.undoing,
        "since": timestamp(wait.since),
        "until": timestamp(wait.since + CIRCUIT_WAIT),
    }


def transition_views(transitions: Iterable[Transition], audience: Audience) -> list[TransitionJson]:
    """Return the transitions that the audience may know of."""
    return [
        {
            "type": type(transition.event).__name__,
            "at": plain(transition.at),
            "actor": plain(transition.actor),
            "data": data,
        }
        for transition in transitions
        if (data := visible(transition.event, audience)) is not None
    ]


def _owed(item: Owed) -> OwedJson:
    return {
        "holding": item.holding.value,
        "intent": item.intent,
        "amount": plain(item.amount),
        "in_doubt": item.in_doubt,
        "refused": item.refused,
    }
