"""Topics: their names, the roles that may subscribe to each, and the orders that belong to each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from domain.identifiers import Actor, InvalidIdentifier, Role, parse_name
from domain.order.order import Order, RunState
from domain.order.refusals import Rejected
from workflows.orders.permissions import PERMISSIONS, Action, may, reads_all


class TopicKind(StrEnum):
    """The first part of a topic's name."""

    ORDER = "order"
    CUSTOMER = "customer"
    RESTAURANT = "restaurant"
    COURIER = "courier"
    ORDERS = "orders"
    INCIDENTS = "incidents"


_NAMED = frozenset({TopicKind.ORDER, TopicKind.CUSTOMER, TopicKind.RESTAURANT, TopicKind.COURIER})
_WITH_LISTS = frozenset({Role.CUSTOMER, Role.RESTAURANT, Role.COURIER})
FORMS = "order/ID, customer/ID, restaurant/ID, courier/ID, orders, incidents"


class TopicUnknown(Rejected):
    """The name is not that of a topic. Retryable: no."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:100]!r} is not a topic; the topics are: {FORMS}")


class TopicNotAllowed(Rejected):
    """The caller may not subscribe to this topic. Retryable: no."""

    def __init__(self, actor: Actor, topic: Topic) -> None:
        own = Topic(TopicKind(actor.role.value), actor.id) if actor.role in _WITH_LISTS else None
        super().__init__(f"this {actor.role} may not subscribe to {topic}" + (f"; try {own}" if own else ""))


@dataclass(frozen=True, slots=True)
class Topic:
    """One order (``order/ord_1``), or a list of orders that changes; ``id`` is empty if the kind has one topic."""

    kind: TopicKind
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}" if self.id else str(self.kind)

    @property
    def is_one_order(self) -> bool:
        return self.kind is TopicKind.ORDER


def order_topic(order_id: str) -> Topic:
    return Topic(TopicKind.ORDER, order_id)


def parse_topic(name: str) -> Topic:
    """Read a topic's name. Raises TopicUnknown."""
    kind, slash, identifier = name.partition("/")
    try:
        topic = Topic(TopicKind(kind), parse_name(identifier, "topic") if slash else "")
    except (ValueError, InvalidIdentifier):
        raise TopicUnknown(name) from None
    if (topic.kind in _NAMED) != bool(topic.id):
        raise TopicUnknown(name)
    return topic


def check_topic(actor: Actor, topic: Topic) -> None:
    """Check that a caller may subscribe; for one order the permission to read it decides. Raises TopicNotAllowed."""
    match topic.kind:
        case TopicKind.ORDER:
            return
        case TopicKind.CUSTOMER | TopicKind.RESTAURANT | TopicKind.COURIER:
            allowed = reads_all(actor) or (actor.role.value == topic.kind.value and actor.id == topic.id)
        case TopicKind.ORDERS:
            allowed = reads_all(actor)
        case TopicKind.INCIDENTS:
            allowed = actor.role in PERMISSIONS[Action.READ_INCIDENTS]
        case _:
            assert_never(topic.kind)
    if not allowed:
        raise TopicNotAllowed(actor, topic)


def belongs(order: Order, topic: Topic) -> bool:
    """Return whether an order in this state belongs to a topic."""
    if order.placed is None:
        return False
    match topic.kind:
        case TopicKind.ORDER:
            return order.order_id == topic.id
        case TopicKind.CUSTOMER:
            return order.placed.customer == topic.id
        case TopicKind.RESTAURANT:
            return order.placed.restaurant == topic.id and order.ticket is not None
        case TopicKind.COURIER:
            return may(Actor(Role.COURIER, topic.id), Action.READ, order)
        case TopicKind.ORDERS:
            return True
        case TopicKind.INCIDENTS:
            return order.run_state is RunState.PARKED
        case _:
            assert_never(topic.kind)
