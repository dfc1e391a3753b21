"""The permissions of each role, in one table. An order that a caller may not see does not exist for that caller."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import assert_never

from domain.identifiers import Actor, CourierId, CustomerId, Role
from domain.order.delivery import CARRYING, IN_DOUBT, Offer, OfferState
from domain.order.order import Order
from domain.order.refusals import InvalidOrder, OrderNotFound, Rejected


class Action(StrEnum):
    """What a caller can request. The value completes "cannot ..."."""

    PLACE = "place an order"
    READ = "read the order"
    READ_PERSONAL = "read personal data"
    READ_LEDGER = "read the ledger"
    READ_RECEIPT = "read the receipt"
    CANCEL = "cancel the order"
    ACCEPT = "accept the preparation"
    REJECT = "reject the preparation"
    ITEM_UNAVAILABLE = "report an item unavailable"
    READY = "report the meal ready"
    ASSIGN = "accept the delivery"
    DECLINE = "decline the delivery"
    PICK_UP = "report the pickup"
    DELIVER = "report the delivery"
    FAIL = "report the delivery failed"
    REPORT_POSITION = "report the courier's position"
    READ_WHY = "ask why the order waits"
    READ_RUNS = "read the runs of an order"
    READ_INCIDENTS = "read incidents and circuits"
    NOTE = "add a note"
    CREDIT = "grant a credit"
    REFUND_EXTRA = "refund a payment that was taken twice"
    BULK = "act on several orders at once"
    PASS_ON = "pass on a report of a restaurant or courier"
    RETRY = "retry an incident"
    RESOLVE = "resolve an incident"
    APPROVE = "approve a request of another person"
    REJECT_REQUEST = "reject a request for a second person"
    ASSIGN_INCIDENT = "take on or release an incident"
    SET_CIRCUIT = "open or close a circuit"
    READ_WEBHOOKS = "read webhook endpoints"
    MANAGE_WEBHOOKS = "register or change webhook endpoints"
    RESEND_WEBHOOKS = "resend webhooks"
    SEARCH_PERSONAL = "search orders by phone, e-mail or name"
    LIST_EVENTS = "list the events of all orders"
    LIST_TICKETS = "list tickets"
    LIST_OFFERS = "list offers"
    LIST_APPROVALS = "list requests for a second person"
    LIST_OWED = "list what is owed"
    READ_STATISTICS = "read statistics"
    READ_VIEWS = "read the state of the views"
    RETRY_VIEWS = "retry a parked stream of the views"
    READ_BOOKS = "read the books"
    READ_ACCESS_LOG = "read who was shown personal data"
    QUERY = "query the events of all orders with SQL"
    EXPORT = "export events"
    READ_CUSTOMER_DATA = "read what is kept about a customer"
    READ_ERASURES = "read erasures of customers"
    ERASE_CUSTOMER = "erase a customer"
    READ_CHECKPOINTS = "read checkpoints and proofs"
    VERIFY = "verify the log"


class Tie(Enum):
    """The relation between a caller and the orders that an action is allowed on."""

    ANY = "any order"
    PARTY = "the customer's or the restaurant's own order"
    CONCERNED = "an offer is open to the courier, or the courier accepted one"
    OFFERED = "the courier may accept the offer in question"
    ASSIGNED = "the courier accepted the offer in question"
    CARRYING = "the courier is to deliver the meal, or delivered it"


class NotAllowed(Rejected):
    """The caller may see the order but not do this to it. HTTP: 403."""

    def __init__(self, actor: Actor, action: Action) -> None:
        allowed = PERMISSIONS[action]
        subject = f"This {actor.role}" if actor.role in allowed else _ALL_OF[actor.role]
        roles = [role if tie is Tie.ANY else f"{role} (own orders)" for role, tie in sorted(allowed.items())]
        super().__init__(f"{subject} cannot {action}. Allowed: {', '.join(roles)}.")
        self.actor = actor
        self.action = action


_ALL_OF = {
    role: "Support" if role is Role.SUPPORT else "The system" if role is Role.SYSTEM else f"{role.capitalize()}s"
    for role in Role
}

_RESTAURANT = {Role.RESTAURANT: Tie.PARTY, Role.SUPPORT: Tie.ANY, Role.SERVICE: Tie.ANY}
_OFFERED = {Role.COURIER: Tie.OFFERED, Role.SUPPORT: Tie.ANY, Role.SERVICE: Tie.ANY}
_ASSIGNED = {Role.COURIER: Tie.ASSIGNED, Role.SUPPORT: Tie.ANY, Role.SERVICE: Tie.ANY}
_SUPPORT = {Role.SUPPORT: Tie.ANY}
_OPERATORS = {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY, Role.SERVICE: Tie.ANY}
_PARTIES = {Role.CUSTOMER: Tie.PARTY, Role.RESTAURANT: Tie.PARTY, Role.SUPPORT: Tie.ANY, Role.SERVICE: Tie.ANY}

PERMISSIONS: Mapping[Action, Mapping[Role, Tie]] = {
    Action.PLACE: {Role.CUSTOMER: Tie.PARTY, Role.SERVICE: Tie.ANY},
    Action.READ: {**_PARTIES, Role.COURIER: Tie.CONCERNED, Role.AUDITOR: Tie.ANY},
    Action.READ_PERSONAL: {**_PARTIES, Role.COURIER: Tie.CARRYING},
    Action.READ_LEDGER: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.READ_RECEIPT: {Role.CUSTOMER: Tie.PARTY, Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.CANCEL: _PARTIES,
    Action.ACCEPT: _RESTAURANT,
    Action.REJECT: _RESTAURANT,
    Action.ITEM_UNAVAILABLE: _RESTAURANT,
    Action.READY: _RESTAURANT,
    Action.ASSIGN: _OFFERED,
    Action.DECLINE: _OFFERED,
    Action.PICK_UP: _ASSIGNED,
    Action.DELIVER: _ASSIGNED,
    Action.FAIL: _ASSIGNED,
    Action.REPORT_POSITION: {Role.COURIER: Tie.ASSIGNED},
    Action.READ_WHY: _OPERATORS,
    Action.READ_RUNS: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.READ_INCIDENTS: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.NOTE: _SUPPORT,
    Action.CREDIT: _SUPPORT,
    Action.REFUND_EXTRA: _SUPPORT,
    Action.PASS_ON: _SUPPORT,
    Action.BULK: _SUPPORT,
    Action.RETRY: _SUPPORT,
    Action.RESOLVE: _SUPPORT,
    Action.APPROVE: _SUPPORT,
    Action.REJECT_REQUEST: _SUPPORT,
    Action.ASSIGN_INCIDENT: _SUPPORT,
    Action.SET_CIRCUIT: _SUPPORT,
    Action.READ_WEBHOOKS: {Role.SERVICE: Tie.ANY, Role.SUPPORT: Tie.ANY},
    Action.MANAGE_WEBHOOKS: {Role.SERVICE: Tie.ANY},
    Action.RESEND_WEBHOOKS: {Role.SERVICE: Tie.ANY, Role.SUPPORT: Tie.ANY},
    Action.SEARCH_PERSONAL: _SUPPORT,
    Action.LIST_EVENTS: _OPERATORS,
    Action.LIST_TICKETS: {**_OPERATORS, Role.RESTAURANT: Tie.PARTY},
    Action.LIST_OWED: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.LIST_APPROVALS: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.LIST_OFFERS: {**_OPERATORS, Role.COURIER: Tie.CONCERNED},
    Action.READ_STATISTICS: {**_OPERATORS, Role.RESTAURANT: Tie.PARTY},
    Action.READ_VIEWS: _OPERATORS,
    Action.RETRY_VIEWS: _SUPPORT,
    Action.READ_BOOKS: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.READ_ACCESS_LOG: {Role.AUDITOR: Tie.ANY},
    Action.QUERY: {Role.AUDITOR: Tie.ANY},
    Action.EXPORT: {Role.AUDITOR: Tie.ANY},
    Action.READ_CUSTOMER_DATA: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.READ_ERASURES: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.ERASE_CUSTOMER: _SUPPORT,
    Action.READ_CHECKPOINTS: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
    Action.VERIFY: {Role.SUPPORT: Tie.ANY, Role.AUDITOR: Tie.ANY},
}


def may(actor: Actor, action: Action, order: Order, intent_version: int | None = None) -> bool:
    """Whether the caller may do this to this order. ``intent_version``: the intent that the action answers."""
    tie = PERMISSIONS[action].get(actor.role)
    return tie is not None and _tied(tie, actor, order, intent_version)


def places_for(actor: Actor, named: str | None) -> CustomerId:
    """Return the customer of a new order: customers place their own, services name the customer.

    Raises:
        NotAllowed: The role cannot place orders.
        InvalidOrder: A customer named another one, or a service named none.
    """
    tie = PERMISSIONS[Action.PLACE].get(actor.role)
    if tie is None:
        raise NotAllowed(actor, Action.PLACE)
    if tie is Tie.PARTY and named not in (None, actor.id):
        raise InvalidOrder("customer", "customers place their own orders; omit this field")
    if tie is Tie.ANY and named is None:
        raise InvalidOrder("customer", f"is required when a {actor.role} places the order")
    return CustomerId(named or actor.id)


def assigns(actor: Actor, named: str | None) -> CourierId:
    """Return the courier who accepts an offer: couriers accept for themselves, others name the courier.

    Raises:
        InvalidOrder: A courier named another one, or another role named none.
    """
    tie = PERMISSIONS[Action.ASSIGN].get(actor.role)
    if tie is Tie.OFFERED and named not in (None, actor.id):
        raise InvalidOrder("courier_id", "couriers act for themselves; omit this field")
    if tie is Tie.ANY and named is None:
        raise InvalidOrder("courier_id", f"is required when {actor.role} accepts the offer for a courier")
    return CourierId(named or actor.id)


def declines(actor: Actor, named: str | None) -> CourierId | None:
    """Return the courier who declines: couriers decline for themselves; others name one, or None for all couriers.

    Raises:
        InvalidOrder: A courier named another one.
    """
    if actor.role is Role.COURIER:
        return assigns(actor, named)
    return None if named is None else CourierId(named)


def reads_all(actor: Actor) -> bool:
    """Whether the caller may read every order."""
    return PERMISSIONS[Action.READ].get(actor.role) is Tie.ANY


def check_role(actor: Actor, action: Action) -> None:
    """Check that the role may do this to some orders; ``may`` decides which. Raises NotAllowed."""
    if actor.role not in PERMISSIONS[action]:
        raise NotAllowed(actor, action)


def allowed(role: Role) -> dict[Action, Tie]:
    """Return what a role may do, and on which orders."""
    return {action: ties[role] for action, ties in PERMISSIONS.items() if role in ties}


def check_all(actor: Actor, action: Action) -> None:
    """Check that the caller may do this to any order, or apart from orders. Raises NotAllowed."""
    if PERMISSIONS[action].get(actor.role) is not Tie.ANY:
        raise NotAllowed(actor, action)


def check(actor: Actor, action: Action, order: Order, intent_version: int | None = None) -> None:
    """Check that the caller may do this to the order.

    Raises:
        OrderNotFound: There is no such order, or the caller may not see it.
        NotAllowed: The caller may see the order, but not do this.
    """
    if order.placed is None:
        raise OrderNotFound(order.order_id)
    if may(actor, action, order, intent_version):
        return
    if not may(actor, Action.READ, order):
        raise OrderNotFound(order.order_id)
    raise NotAllowed(actor, action)


def _tied(tie: Tie, actor: Actor, order: Order, intent_version: int | None) -> bool:
    offer = next((offer for offer in order.delivery.offers if offer.intent == intent_version), None)
    match tie:
        case Tie.ANY:
            return True
        case Tie.PARTY:
            return order.placed is not None and actor.id == _party(actor.role, order)
        case Tie.CONCERNED:
            return _concerned(actor, order)
        case Tie.OFFERED:
            return _concerned(actor, order) if offer is None else _may_take(actor, offer, order)
        case Tie.ASSIGNED:
            return _concerned(actor, order) if offer is None else offer.courier == actor.id
        case Tie.CARRYING:
            return any(offer.courier == actor.id and offer.state in _DELIVERING for offer in order.delivery.offers)
        case _:
            assert_never(tie)


_DELIVERING = CARRYING | {OfferState.ASSIGNED}


def _party(role: Role, order: Order) -> str | None:
    if order.placed is None:
        return None
    return order.placed.customer if role is Role.CUSTOMER else order.placed.restaurant


def _concerned(actor: Actor, order: Order) -> bool:
    current = order.delivery.current
    open_to_courier = (
        current is not None
        and current.state is OfferState.REQUESTED
        and order.cancellation is None
        and _is_made_to(actor, current)
    )
    return open_to_courier or any(offer.courier == actor.id for offer in order.delivery.offers)


def _may_take(actor: Actor, offer: Offer, order: Order) -> bool:
    """Whether a courier may answer an offer: they accepted it, or it is open and was made to them or to all couriers.

    An offer that timed out can still be answered, because the courier may have accepted it in time and reported late.
    A courier who accepted an offer of this order and then declined it gets no second one: the order is cancelled after
    five offers, and one courier could use up all of them.
    """
    if offer.courier is not None:
        return offer.courier == actor.id
    gave_back = any(o.courier == actor.id and o.state is OfferState.DECLINED for o in order.delivery.offers)
    return offer.state in IN_DOUBT and _is_made_to(actor, offer) and not gave_back


def _is_made_to(actor: Actor, offer: Offer) -> bool:
    return not offer.made_to or actor.id in offer.made_to
