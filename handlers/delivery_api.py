"""What couriers report about an offer and its delivery, over HTTP. Each report is recorded as a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.order.events import CourierAssigned, CourierDeclined, DeliveryFailed, Fault, OrderDelivered, OrderPickedUp
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.models import AssignBody, DeclineBody, FailBody, OfferBody, PositionBody
from handlers.http.order_writes import MakeFact, report_route
from handlers.http.preconditions import etag
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine
from workflows.incidents.approval_limits import read_limits
from workflows.live.positions import report
from workflows.orders.permissions import Action, assigns, declines
from workflows.orders.requests import see
from workflows.settings import read_keys

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.order_json import PositionKeptJson

TAG = "Delivery"
PATH = "/orders/{order_id}/delivery"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_keys, read_limits)  # without the keys, personal fields would read as erased
    return api.resolve(event)


@report_route(api, f"{PATH}/assign", Action.ASSIGN, tag=TAG)
def assign_courier(body: AssignBody) -> MakeFact:
    """Take the offer. The first courier to take it has it."""
    courier = assigns(api.caller.actor, body.courier_id)
    return lambda offer, at: CourierAssigned(answers=offer, courier=courier, at=at)


@report_route(api, f"{PATH}/decline", Action.DECLINE, tag=TAG)
def decline_delivery(body: DeclineBody) -> MakeFact:
    """Decline the offer, or give it back before pickup.

    A decline counts for the courier who declines. The next offer is made when all couriers of this one have declined;
    an offer to no courier in particular stays open to the others until its time is over.
    """
    courier = declines(api.caller.actor, body.courier_id)
    return lambda offer, at: CourierDeclined(answers=offer, reason=body.reason, at=at, courier=courier)


@report_route(api, f"{PATH}/pick-up", Action.PICK_UP, tag=TAG)
def report_pickup(body: OfferBody) -> MakeFact:
    """Report that the meal left the restaurant. From here on the order can no longer be cancelled."""
    return lambda offer, at: OrderPickedUp(answers=offer, at=at)


@report_route(api, f"{PATH}/deliver", Action.DELIVER, tag=TAG)
def report_delivery(body: OfferBody) -> MakeFact:
    """Report that the customer has the meal. The payment is captured."""
    return lambda offer, at: OrderDelivered(answers=offer, at=at)


@operation(api, "POST", f"{PATH}/position", tag=TAG, answers="PositionKeptJson")
def report_position(order_id: OrderIdText, body: PositionBody) -> Response:
    """Report your position on the way, for the parties that follow the order.

    Only the order's courier can. One position in three seconds is kept (`kept` says whether this one was),
    for two minutes and until the delivery is over. It is not an event: nothing is recorded in the order's history.
    """
    ports, actor = engine(), api.caller.actor
    _, order = see(ports.log_without_keys, order_id, actor)
    now = ports.clock.now()
    kept = report(ports.documents, order, actor, latitude=body.latitude, longitude=body.longitude, now=now)
    if kept:
        ports.courier_moved(order_id)
    answer: PositionKeptJson = {"kept": kept}
    return json_answer(answer, headers={"ETag": etag(order.version)})


@report_route(api, f"{PATH}/fail", Action.FAIL, tag=TAG)
def report_failed_delivery(body: FailBody) -> MakeFact:
    """Report that the customer will not get the meal. The order is cancelled and the customer pays nothing."""
    return lambda offer, at: DeliveryFailed(answers=offer, reason=body.reason, fault=Fault(body.fault), at=at)
