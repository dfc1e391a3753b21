"""The permissions of each role. The table is repeated here, so that a change of it has to be made twice."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM, Actor, CustomerId, OrderId, RestaurantId, Role
from domain.money import Money
from domain.order.delivery import Delivery, Offer, OfferState
from domain.order.events import CancellationCause, CancellationRequested, Fault, OrderPlaced
from domain.order.order import Order
from domain.order.refusals import InvalidOrder, OrderNotFound
from domain.personal import Erased
from workflows.orders.permissions import (
    PERMISSIONS,
    Action,
    NotAllowed,
    Tie,
    assigns,
    check,
    check_all,
    may,
    places_for,
    reads_all,
)

ZERO = Money.zero("EUR")
CARL, CLEO = Actor(Role.COURIER, "carl"), Actor(Role.COURIER, "cleo")

#                     customer      restaurant    courier         support   service   auditor
TABLE = """
PLACE                 PARTY         -             -               -         ANY       -
READ                  PARTY         PARTY         CONCERNED       ANY       ANY       ANY
READ_PERSONAL         PARTY         PARTY         CARRYING        ANY       ANY       -
CANCEL                PARTY         PARTY         -               ANY       ANY       -
ACCEPT                -             PARTY         -               ANY       ANY       -
REJECT                -             PARTY         -               ANY       ANY       -
ITEM_UNAVAILABLE      -             PARTY         -               ANY       ANY       -
READY                 -             PARTY         -               ANY       ANY       -
ASSIGN                -             -             OFFERED         ANY       ANY       -
DECLINE               -             -             OFFERED         ANY       ANY       -
PICK_UP               -             -             ASSIGNED        ANY       ANY       -
DELIVER               -             -             ASSIGNED        ANY       ANY       -
FAIL                  -             -             ASSIGNED        ANY       ANY       -
REPORT_POSITION       -             -             ASSIGNED        -         -         -
READ_LEDGER           -             -             -               ANY       -         ANY
READ_WHY              -             -             -               ANY       ANY       ANY
READ_RUNS             -             -             -               ANY       -         ANY
READ_RECEIPT          PARTY         -             -               ANY       -         ANY
READ_INCIDENTS        -             -             -               ANY       -         ANY
LIST_OWED             -             -             -               ANY       -         ANY
NOTE                  -             -             -               ANY       -         -
CREDIT                -             -             -               ANY       -         -
REFUND_EXTRA          -             -             -               ANY       -         -
BULK                  -             -             -               ANY       -         -
PASS_ON               -             -             -               ANY       -         -
REJECT_REQUEST        -             -             -               ANY       -         -
ASSIGN_INCIDENT       -             -             -               ANY       -         -
RETRY                 -             -             -               ANY       -         -
RESOLVE               -             -             -               ANY       -         -
APPROVE               -             -             -               ANY       -         -
SET_CIRCUIT           -             -             -               ANY       -         -
READ_WEBHOOKS         -             -             -               ANY       ANY       -
MANAGE_WEBHOOKS       -             -             -               -         ANY       -
RESEND_WEBHOOKS       -             -             -               ANY       ANY       -
SEARCH_PERSONAL       -             -             -               ANY       -         -
LIST_EVENTS           -             -             -               ANY       ANY       ANY
LIST_TICKETS          -             PARTY         -               ANY       ANY       ANY
LIST_OFFERS           -             -             CONCERNED       ANY       ANY       ANY
LIST_APPROVALS        -             -             -               ANY       -         ANY
READ_STATISTICS       -             PARTY         -               ANY       ANY       ANY
READ_VIEWS            -             -             -               ANY       ANY       ANY
RETRY_VIEWS           -             -             -               ANY       -         -
READ_BOOKS            -             -             -               ANY       -         ANY
READ_ACCESS_LOG       -             -             -               -         -         ANY
QUERY                 -             -             -               -         -         ANY
EXPORT                -             -             -               -         -         ANY
READ_CUSTOMER_DATA    -             -             -               ANY       -         ANY
READ_ERASURES         -             -             -               ANY       -         ANY
ERASE_CUSTOMER        -             -             -               ANY       -         -
READ_CHECKPOINTS      -             -             -               ANY       -         ANY
VERIFY                -             -             -               ANY       -         ANY
"""
ROLES = (Role.CUSTOMER, Role.RESTAURANT, Role.COURIER, Role.SUPPORT, Role.SERVICE, Role.AUDITOR)


def _order(*offers, cancelling=False):
    placed = OrderPlaced(
        order_id=OrderId("ord_x"),
        customer=CustomerId("ada"),
        restaurant=RestaurantId("rosa"),
        lines=(),
        delivery_fee=ZERO,
        service_fee=ZERO,
        tip=ZERO,
        payment_method="pm",
        contact=Erased(),
        placed_at=None,
    )
    cancellation = CancellationRequested(cause=CancellationCause.ASKED, fault=Fault.CUSTOMER, by=SYSTEM, reason="")
    return Order(
        order_id=OrderId("ord_x"),
        placed=placed,
        delivery=Delivery(offers=offers),
        cancellation=cancellation if cancelling else None,
    )


def _offer(state=OfferState.REQUESTED, courier=None, intent=6, made_to=()):
    return Offer(intent=intent, attempt=1, state=state, courier=courier, made_to=frozenset(made_to))


def test_the_permissions_are_those_of_the_table():
    """Every action has a row, and every role a column."""
    rows = [line.split() for line in TABLE.strip().splitlines()]
    expected = {
        Action[name]: {role: Tie[tie] for role, tie in zip(ROLES, ties, strict=True) if tie != "-"}
        for name, *ties in rows
    }
    assert expected == {action: dict(allowed) for action, allowed in PERMISSIONS.items()}
    assert set(PERMISSIONS) == set(Action)


def test_auditors_never_write_and_never_read_personal_data():
    """They read orders, their money and incidents, and that is all."""
    allowed = {action for action, allowed in PERMISSIONS.items() if Role.AUDITOR in allowed}
    assert all(action.name.startswith(("READ", "LIST", "QUERY", "EXPORT", "VERIFY")) for action in allowed)
    assert Action.READ_PERSONAL not in allowed


def test_no_action_is_allowed_to_the_system():
    """Expediter itself uses no API, so no caller may act as the system."""
    assert not any(Role.SYSTEM in allowed for allowed in PERMISSIONS.values())


@pytest.mark.parametrize(
    ("actor", "sees"), [(Actor(Role.CUSTOMER, "ada"), True), (Actor(Role.CUSTOMER, "rosa"), False)]
)
def test_a_customer_sees_what_it_placed(actor, sees):
    """The id alone is not enough: Rosa the customer is not Rosa the restaurant."""
    assert may(actor, Action.READ, _order()) is sees


@pytest.mark.parametrize(
    ("offers", "carl", "cleo"),
    [
        ((), False, False),
        ((_offer(),), True, True),
        ((_offer(OfferState.ASSIGNED, "carl"),), True, False),
        ((_offer(OfferState.TIMED_OUT),), False, False),
        ((_offer(OfferState.DECLINED, "carl"), _offer(intent=9)), True, True),
        ((_offer(OfferState.DECLINED, "carl"), _offer(OfferState.ASSIGNED, "cleo", 9)), True, True),
        ((_offer(OfferState.DELIVERED, "carl"),), True, False),
    ],
)
def test_a_courier_sees_open_offers_and_those_it_took(offers, carl, cleo):
    """Other orders do not exist for a courier."""
    assert (may(CARL, Action.READ, _order(*offers)), may(CLEO, Action.READ, _order(*offers))) == (carl, cleo)


@pytest.mark.parametrize(
    ("offers", "action", "carl"),
    [
        ((_offer(made_to=("carl",)),), Action.ASSIGN, True),
        ((_offer(made_to=("cleo",)),), Action.ASSIGN, False),
        ((_offer(made_to=("cleo",)),), Action.DECLINE, False),
        ((_offer(made_to=("cleo",)),), Action.READ, False),
        ((_offer(OfferState.ASSIGNED, "carl", made_to=("carl",)),), Action.DECLINE, True),
    ],
)
def test_an_offer_to_named_couriers_is_seen_and_answered_by_them_alone(offers, action, carl):
    """An offer that names no courier is open to all."""
    assert may(CARL, action, _order(*offers), offers[0].intent) is carl


def test_a_courier_who_gave_the_delivery_back_gets_no_second_offer_of_the_order():
    """One courier who accepts and gives back five times would cancel the order for all."""
    order = _order(_offer(OfferState.DECLINED, "carl"), _offer(intent=9))
    for action in (Action.ASSIGN, Action.DECLINE):
        assert not may(CARL, action, order, 9)
        assert may(CLEO, action, order, 9)
        assert may(CARL, action, order, 6)


def test_an_offer_of_an_order_that_is_being_cancelled_is_closed():
    """It is about to be withdrawn."""
    assert not may(CARL, Action.READ, _order(_offer(), cancelling=True))


@pytest.mark.parametrize(
    ("offer", "carl", "cleo"),
    [
        (_offer(), True, True),
        (_offer(OfferState.TIMED_OUT), True, True),
        (_offer(OfferState.ASSIGNED, "carl"), True, False),
        (_offer(OfferState.DECLINED), False, False),
        (_offer(OfferState.RELEASED), False, False),
        (_offer(OfferState.RELEASED, "carl"), True, False),
    ],
)
@pytest.mark.parametrize("action", [Action.ASSIGN, Action.DECLINE])
def test_an_offer_is_answered_by_couriers_who_may_accept_it_or_accepted_it(offer, carl, cleo, action):
    """A late answer counts; a closed offer admits no courier."""
    order = _order(offer)
    assert (may(CARL, action, order, 6), may(CLEO, action, order, 6)) == (carl, cleo)


@pytest.mark.parametrize("action", [Action.PICK_UP, Action.DELIVER, Action.FAIL])
def test_a_delivery_is_reported_on_by_the_courier_who_accepted_the_offer(action):
    """An open offer belongs to no courier yet."""
    assert may(CARL, action, _order(_offer(OfferState.ASSIGNED, "carl")), 6)
    assert not may(CLEO, action, _order(_offer(OfferState.ASSIGNED, "carl")), 6)
    assert not may(CARL, action, _order(_offer()), 6)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (OfferState.ASSIGNED, True),
        (OfferState.PICKED_UP, True),
        (OfferState.DELIVERED, True),
        (OfferState.DECLINED, False),
        (OfferState.RELEASED, False),
        (OfferState.TIMED_OUT, False),
    ],
)
def test_the_address_is_shown_to_the_courier_who_delivers_the_meal(state, shown):
    """Couriers who declined, were released or answered too late do not see it."""
    assert may(CARL, Action.READ_PERSONAL, _order(_offer(state, "carl"))) is shown


def test_a_refusal_reveals_an_order_only_to_callers_who_may_see_it():
    """404 for the others, as for an order that does not exist."""
    order = _order(_offer(OfferState.ASSIGNED, "carl"))
    with pytest.raises(NotAllowed, match="Couriers cannot cancel the order"):
        check(CARL, Action.CANCEL, order)
    with pytest.raises(OrderNotFound):
        check(CLEO, Action.CANCEL, order)
    with pytest.raises(OrderNotFound):
        check(Actor(Role.SUPPORT, "sue"), Action.READ, Order(order_id=OrderId("ord_x")))


@pytest.mark.parametrize(
    ("actor", "action", "message"),
    [
        (Actor(Role.AUDITOR, "otto"), Action.NOTE, "Auditors cannot add a note. Allowed: support."),
        (
            CARL,
            Action.ACCEPT,
            "Couriers cannot accept the preparation. Allowed: restaurant (own orders), service, support.",
        ),
        (
            CLEO,
            Action.PICK_UP,
            "This courier cannot report the pickup. Allowed: courier (own orders), service, support.",
        ),
    ],
)
def test_a_refusal_names_the_roles_that_are_allowed(actor, action, message):
    """The caller learns which colleague to ask."""
    assert str(NotAllowed(actor, action)) == message


def test_customers_and_couriers_act_for_themselves_and_other_roles_name_them():
    """A service without a customer's name, or a courier with another courier's, is refused."""
    assert places_for(Actor(Role.CUSTOMER, "ada"), None) == places_for(Actor(Role.CUSTOMER, "ada"), "ada") == "ada"
    assert places_for(Actor(Role.SERVICE, "shop"), "bob") == "bob"
    assert assigns(CARL, None) == "carl"
    assert assigns(Actor(Role.SUPPORT, "sue"), "cleo") == "cleo"
    for refused in (lambda: places_for(Actor(Role.SERVICE, "shop"), None), lambda: assigns(CARL, "cleo")):
        with pytest.raises(InvalidOrder):
            refused()
    with pytest.raises(NotAllowed):
        places_for(Actor(Role.AUDITOR, "otto"), "ada")


def test_support_services_and_auditors_read_all_orders():
    """The other roles read their own."""
    assert {role for role in Role if reads_all(Actor(role, "x"))} == {Role.SUPPORT, Role.SERVICE, Role.AUDITOR}


@pytest.mark.parametrize("role", list(Role))
def test_incidents_and_circuits_are_for_roles_that_may_read_any_order(role):
    """They belong to no order, so a tie to one order does not suffice."""
    allowed = {Role.SUPPORT, Role.AUDITOR}
    if role in allowed:
        check_all(Actor(role, "x"), Action.READ_INCIDENTS)
    else:
        with pytest.raises(NotAllowed):
            check_all(Actor(role, "x"), Action.READ_INCIDENTS)
