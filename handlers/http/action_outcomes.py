"""The response to an action of support on an order: what it did, or would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import Actor
from handlers.http.answers import json_answer, written_headers
from handlers.http.responses import Response
from workflows.incidents.plans import Plan
from workflows.incidents.views import approvals_view, plan_view
from workflows.orders.command_handling import Handled
from workflows.orders.views import order_view
from workflows.orders.visibility import audience_of

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.incident_json import ActionOutcomeJson


def action_outcome(done: Handled | Plan, actor: Actor) -> Response:
    """Respond with the order after an action, or with the plan of a dry run."""
    if isinstance(done, Plan):
        return json_answer({"order": None, "plan": plan_view(done), "approvals": []})
    audience = audience_of(actor, done.order)
    body: ActionOutcomeJson = {
        "order": order_view(done.order, audience),
        "plan": None,
        "approvals": approvals_view(done.order, audience),
    }
    return json_answer(body, headers=written_headers(done))
