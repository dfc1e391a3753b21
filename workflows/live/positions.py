"""The positions of couriers on their way. A position is not an event but a document that expires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.identifiers import Actor, OrderId
from domain.order.delivery import Offer, OfferState
from domain.order.order import Order
from domain.order.refusals import Rejected
from workflows.clock import read_timestamp, timestamp
from workflows.event_store.documents import ANY, Document, Documents, body_as
from workflows.orders.permissions import Action, check
from workflows.orders.visibility import INVOLVED, Audience

PARTITION = "positions"
EVERY_S = 3
"""A position that arrives within this time after the last one is not kept; subscribers need none more often."""

VALID_S = 120
"""An older position is useless, because the courier has moved on."""

_ON_THE_WAY = frozenset({OfferState.ASSIGNED, OfferState.PICKED_UP})


class NotOnTheWay(Rejected):
    """The order has no courier on the way: the delivery is over, or was not taken. HTTP: 409."""

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"no courier is on the way with order {order.order_id}; positions are kept only during a delivery"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a courier was. Degrees of WGS 84, north and east positive."""

    courier: str
    latitude: float
    longitude: float
    at: str


def report(
    documents: Documents, order: Order, actor: Actor, *, latitude: float, longitude: float, now: datetime
) -> bool:
    """Keep where the courier of an order is.

    Returns:
        False if the last position is less than ``EVERY_S`` old, and was left as it is.

    Raises:
        OrderNotFound, NotAllowed: The courier does not have this order.
        NotOnTheWay: The delivery is over.
    """
    offer = order.delivery.current
    check(actor, Action.REPORT_POSITION, order, None if offer is None else offer.intent)
    if _courier(order) is None:
        raise NotOnTheWay(order)
    last = body_as(documents.get(PARTITION, order.order_id), Position)
    if last is not None and last.courier == actor.id and now < _taken(last) + timedelta(seconds=EVERY_S):
        return False
    body = {"courier": actor.id, "latitude": latitude, "longitude": longitude, "at": timestamp(now)}
    documents.put(Document(PARTITION, order.order_id, body, expires_s=int(now.timestamp()) + VALID_S), ANY)
    return True


def position_of(documents: Documents, order: Order, *, now: datetime) -> Position | None:
    """Return where the courier of an order is; None if that is not known, or the delivery is over."""
    courier = _courier(order)
    if courier is None:
        return None
    position = body_as(documents.get(PARTITION, order.order_id), Position)
    if position is None or position.courier != courier or now >= _taken(position) + timedelta(seconds=VALID_S):
        return None
    return position


def has_position(documents: Documents, order_id: OrderId) -> bool:
    """Whether a position of the order's courier is kept, current or not."""
    return documents.get(PARTITION, order_id) is not None


def forget_position(documents: Documents, order_id: OrderId) -> None:
    """Delete the last position of an order's courier, which is where its customer lives."""
    documents.delete(PARTITION, order_id, ANY)


def sees_position(audience: Audience) -> bool:
    """Return whether an audience sees the courier's position: the parties of this delivery do."""
    return audience in INVOLVED


def _courier(order: Order) -> str | None:
    """Return the courier who is on the way with the order, or to it."""
    offer: Offer | None = order.delivery.current
    return offer.courier if offer is not None and offer.state in _ON_THE_WAY else None


def _taken(position: Position) -> datetime:
    return read_timestamp(position.at)
