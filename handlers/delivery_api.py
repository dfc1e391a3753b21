"""What couriers say about an offer and its delivery, over HTTP. Each is recorded as a fact."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from domain.order.events import CourierAssigned, CourierDeclined, DeliveryFailed, Fault, OrderDelivered, OrderPickedUp
from handlers.http.answers import done
from handlers.http.api import Api
from handlers.http.documented import WRITES, operation
from handlers.http.models import CURRENT_OFFER, TAKE_CURRENT_OFFER, AssignBody, DeclineBody, FailBody, OfferBody
from handlers.http.order_models import OrderModel
from handlers.http.preconditions import IfMatch, OptionalKey
from handlers.http.values import OrderIdText
from workflows.engine import KEYS, engine
from workflows.orders.permissions import Action, assigns
from workflows.orders.requests import report

TAG = "Delivery"
PATH = "/orders/<order_id>/delivery"

api = Api()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(*KEYS)  # without them it would say of everybody that they were erased
    return api.resolve(event, context)


@operation(api, "POST", f"{PATH}/assign", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def assign_courier(
    order_id: OrderIdText,
    body: AssignBody = TAKE_CURRENT_OFFER,
    idempotency_key: OptionalKey = None,
    if_match: IfMatch = None,
) -> Response[str]:
    """A courier takes the offer. The first one has it."""
    courier = assigns(api.caller.actor, body.courier_id)
    handled = report(
        engine().log,
        api.asked(Action.ASSIGN, order_id, idempotency_key, if_match),
        lambda offer, at: CourierAssigned(answers=offer, courier=courier, at=at),
        now=engine().clock.now(),
        answers=body.offer,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/decline", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def decline_delivery(
    order_id: OrderIdText, body: DeclineBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """Nobody takes the offer, or who took it gives it back. Another offer is made."""
    handled = report(
        engine().log,
        api.asked(Action.DECLINE, order_id, idempotency_key, if_match),
        lambda offer, at: CourierDeclined(answers=offer, reason=body.reason, at=at),
        now=engine().clock.now(),
        answers=body.offer,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/pick-up", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def report_pickup(
    order_id: OrderIdText,
    body: OfferBody = CURRENT_OFFER,
    idempotency_key: OptionalKey = None,
    if_match: IfMatch = None,
) -> Response[str]:
    """The meal left the restaurant. From here the order only goes forward."""
    handled = report(
        engine().log,
        api.asked(Action.PICK_UP, order_id, idempotency_key, if_match),
        lambda offer, at: OrderPickedUp(answers=offer, at=at),
        now=engine().clock.now(),
        answers=body.offer,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/deliver", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def report_delivery(
    order_id: OrderIdText,
    body: OfferBody = CURRENT_OFFER,
    idempotency_key: OptionalKey = None,
    if_match: IfMatch = None,
) -> Response[str]:
    """The customer has the meal. The payment is captured."""
    handled = report(
        engine().log,
        api.asked(Action.DELIVER, order_id, idempotency_key, if_match),
        lambda offer, at: OrderDelivered(answers=offer, at=at),
        now=engine().clock.now(),
        answers=body.offer,
    )
    return done(handled, api.caller.actor)


@operation(api, "POST", f"{PATH}/fail", tag=TAG, answers=(200, OrderModel), refuses=WRITES)
def report_failed_delivery(
    order_id: OrderIdText, body: FailBody, idempotency_key: OptionalKey = None, if_match: IfMatch = None
) -> Response[str]:
    """The customer will not get the meal. What was taken is given back."""
    handled = report(
        engine().log,
        api.asked(Action.FAIL, order_id, idempotency_key, if_match),
        lambda offer, at: DeliveryFailed(answers=offer, reason=body.reason, fault=Fault(body.fault), at=at),
        now=engine().clock.now(),
        answers=body.offer,
    )
    return done(handled, api.caller.actor)
