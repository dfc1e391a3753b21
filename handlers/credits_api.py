"""Credits over HTTP: support lowers what a customer pays, and what was captured already is refunded."""

from __future__ import annotations

from domain.order.events import Fault
from handlers.http.action_outcomes import action_outcome
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.order_writes import approval_limit
from handlers.http.preconditions import IfMatch, RequiredKey
from handlers.http.repair_models import CreditBody
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine
from workflows.incidents.credits import grant_credit
from workflows.orders.permissions import Action

TAG = "Incidents"

api = Api()


@operation(api, "POST", "/orders/{order_id}/credits", tag=TAG, answers="ActionOutcomeJson")
def credit_order(
    order_id: OrderIdText, body: CreditBody, idempotency_key: RequiredKey, if_match: IfMatch = None
) -> Response:
    """Lower what the customer pays, also after the meal was picked up or the order is completed.

    What was captured already is refunded: a completed order gets a new run, and completes again when the provider has
    refunded. Until then the refund is in `pending` of the order. A credit is at most what the customer still pays.
    Above a set amount it is only recorded as a request, and a second person has to approve it.
    """
    request = api.order_request(Action.CREDIT, order_id, idempotency_key, if_match)
    done = grant_credit(
        engine().log,
        request,
        body.amount.money,
        fault=Fault(body.fault),
        reason=body.reason,
        limit=approval_limit,
        dry_run=body.dry_run,
    )
    return action_outcome(done, request.caller.actor)
