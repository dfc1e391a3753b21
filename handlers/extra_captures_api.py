"""Extra captures over HTTP: support has a payment refunded that the provider took without the order."""

from __future__ import annotations

from handlers.http.action_outcomes import action_outcome
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.order_writes import approval_limit
from handlers.http.preconditions import IfMatch, OptionalKey
from handlers.http.repair_models import ExtraCaptureBody
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine
from workflows.incidents.extra_captures import refund_extra
from workflows.orders.permissions import Action

TAG = "Incidents"

api = Api()


@operation(api, "POST", "/orders/{order_id}/extra-captures", tag=TAG, answers="ActionOutcomeJson")
def refund_extra_capture(
    order_id: OrderIdText, body: ExtraCaptureBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response:
    """Refund a payment that the provider took without the order, e.g. because it took the money twice.

    The order's log does not hold such a payment: name it by the provider's id, from the provider's books or
    `expediter books reconcile`. The provider is asked first. It is refunded if the provider took that amount for
    this order and has refunded nothing of it; else the order records that it was not found. An order that has ended
    gets a new run for that; one that still goes on does it when it ends. Above a set amount it is only recorded as a
    request, and a second person has to approve it.
    """
    request = api.order_request(Action.REFUND_EXTRA, order_id, idempotency_key, if_match)
    done = refund_extra(
        engine().log,
        request,
        body.capture_id,
        body.amount.money,
        reason=body.reason,
        limit=approval_limit,
        dry_run=body.dry_run,
    )
    return action_outcome(done, request.caller.actor)
