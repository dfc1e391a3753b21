"""What a restaurant says about a ticket, over HTTP. Each is recorded as a fact, in whatever order it arrives."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from domain.order.events import ItemUnavailable, PreparationAccepted, PreparationReady, PreparationRejected
from handlers.http.answers import done
from handlers.http.api import Api
from handlers.http.documented import WRITES, operation
from handlers.http.models import CURRENT_TICKET, AcceptBody, ItemUnavailableBody, RejectBody, TicketBody
from handlers.http.order_models import OrderModel
from handlers.http.preconditions import IfMatch, OptionalKey
from handlers.http.values import OrderIdText
from workflows.engine import KEYS, engine
from workflows.orders.permissions import Action
from workflows.orders.requests import report

TAG = "Preparation"
PATH = "/orders/<order_id>/preparation"

api = Api()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(*KEYS)  # without them it would say of everybody that they were erased
    return api.resolve(event, context)


@operation(api, "POST", f"{PATH}/accept", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def accept_preparation(
    order_id: OrderIdText, body: AcceptBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """The restaurant cooks it, and says when it will be ready."""
    handled = report(
        engine().log,
        api.asked(Action.ACCEPT, order_id, idempotency_key, if_match),
        lambda ticket, at: PreparationAccepted(answers=ticket, ready_at=body.ready_at, at=at),
        now=engine().clock.now(),
        answers=body.ticket,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/reject", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def reject_preparation(
    order_id: OrderIdText, body: RejectBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """The restaurant does not cook it. The order is cancelled."""
    handled = report(
        engine().log,
        api.asked(Action.REJECT, order_id, idempotency_key, if_match),
        lambda ticket, at: PreparationRejected(answers=ticket, reason=body.reason, at=at),
        now=engine().clock.now(),
        answers=body.ticket,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/item-unavailable", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def report_item_unavailable(
    order_id: OrderIdText, body: ItemUnavailableBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Of a line fewer can be had than were ordered. What is not had is not paid for."""
    handled = report(
        engine().log,
        api.asked(Action.ITEM_UNAVAILABLE, order_id, idempotency_key, if_match),
        lambda ticket, at: ItemUnavailable(answers=ticket, line=body.line, available=body.available, at=at),
        now=engine().clock.now(),
        answers=body.ticket,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/ready", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def report_ready(
    order_id: OrderIdText,
    body: TicketBody = CURRENT_TICKET,
    idempotency_key: OptionalKey = None,
    if_match: IfMatch = None,
) -> Response[str]:
    """The meal stands at the pass."""
    handled = report(
        engine().log,
        api.asked(Action.READY, order_id, idempotency_key, if_match),
        lambda ticket, at: PreparationReady(answers=ticket, at=at),
        now=engine().clock.now(),
        answers=body.ticket,
    )
    return done(handled, api.caller.actor)
