"""Permissions over HTTP: every route, every role, own and foreign orders."""

from __future__ import annotations

import pytest

from domain.identifiers import Role
from workflows.orders.permissions import PERMISSIONS, Action

READY_AT = {"ready_at": "2026-05-04T12:30:00Z"}

# Each action, the state it is for, where it is, and what is sent.
ROUTES = {
    Action.PLACE: ("nothing", "POST", "/orders", None),
    Action.READ: ("assigned", "GET", "/orders/{id}", None),
    Action.READ_LEDGER: ("assigned", "GET", "/orders/{id}/ledger", None),
    Action.READ_WHY: ("assigned", "GET", "/orders/{id}/why", None),
    Action.READ_WEBHOOKS: ("assigned", "GET", "/orders/{id}/webhook-deliveries", None),
    Action.READ_RECEIPT: ("completed", "GET", "/orders/{id}/receipt", None),
    Action.PASS_ON: (
        "picked_up", "POST", "/orders/{id}/facts", {"fact": "delivered", "said_by": "carl", "reason": "no phone"},
    ),
    Action.CREDIT: (
        "completed", "POST", "/orders/{id}/credits",
        {"amount": {"amount": "5.00", "currency": "EUR"}, "fault": "platform", "reason": "cold"},
    ),
    Action.REFUND_EXTRA: (
        "completed", "POST", "/orders/{id}/extra-captures",
        {"capture_id": "cap_1", "amount": {"amount": "5.00", "currency": "EUR"}, "reason": "charged twice"},
    ),
    Action.CANCEL: ("accepted", "POST", "/orders/{id}/cancel", {"reason": "no"}),
    Action.ACCEPT: ("authorized", "POST", "/orders/{id}/preparation/accept", READY_AT),
    Action.REJECT: ("authorized", "POST", "/orders/{id}/preparation/reject", {"reason": "closed"}),
    Action.ITEM_UNAVAILABLE: (
        "accepted", "POST", "/orders/{id}/preparation/item-unavailable", {"line": 1, "available": 1},
    ),
    Action.READY: ("assigned", "POST", "/orders/{id}/preparation/ready", {}),
    Action.ASSIGN: ("accepted", "POST", "/orders/{id}/delivery/assign", {}),
    Action.DECLINE: ("assigned", "POST", "/orders/{id}/delivery/decline", {"reason": "flat tyre"}),
    Action.PICK_UP: ("assigned", "POST", "/orders/{id}/delivery/pick-up", {}),
    Action.DELIVER: ("picked_up", "POST", "/orders/{id}/delivery/deliver", {}),
    Action.REPORT_POSITION: (
        "picked_up", "POST", "/orders/{id}/delivery/position", {"latitude": 48.86, "longitude": 2.34},
    ),
    Action.FAIL: ("picked_up", "POST", "/orders/{id}/delivery/fail", {"reason": "rain", "fault": "platform"}),
}  # fmt: skip
OWN = {"customer": "ada", "restaurant": "rosa", "courier": "carl"}
ROLES = sorted(set(Role) - {Role.SYSTEM})


def _ask(shop, body, action, role, sub):
    state, method, path, sent = ROUTES[action]
    order_id = "" if state == "nothing" else getattr(shop, state)()
    if action is Action.PLACE:
        sent = body(**({"customer": "ada"} if role == "service" else {}))
    if action is Action.ASSIGN and role != "courier":
        sent = {"courier_id": "carl"}
    before = shop.stored()
    how = {"key": "a-key"} if method == "POST" else {}
    args = () if sent is None else (sent,)
    answer = shop.call(method, path.format(id=order_id), *args, role=role, sub=sub, **how)
    return answer, before


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ROUTES)
def test_a_role_does_what_the_table_allows_and_nothing_else(shop, body, action, role):
    """On an order of the caller's own. A refusal is 403 if the caller sees the order, and records nothing."""
    answer, before = _ask(shop, body, action, role, OWN.get(role, "somebody"))
    if role in PERMISSIONS[action]:
        assert answer.status in {200, 201}, answer
    else:
        # a courier does not see an order before it is offered
        hidden = role == "courier" and ROUTES[action][0] == "authorized"
        assert answer.status == (404 if hidden else 403), answer
        assert answer.problem == ("OrderNotFound" if hidden else "NotAllowed")
        assert shop.stored() == before


OTHERS = [
    (action, role)
    for action, (state, *_) in ROUTES.items()
    for role in ("customer", "restaurant", "courier")
    if action is not Action.PLACE
    and (role, state) != ("courier", "accepted")  # an open offer is visible to every courier
]


@pytest.mark.parametrize(("action", "role"), OTHERS)
def test_an_order_of_others_does_not_exist(shop, body, action, role):
    """404 as for an unknown id, even if the role may do this with orders of its own."""
    answer, before = _ask(shop, body, action, role, "stranger")
    assert (answer.status, answer.problem) == (404, "OrderNotFound")
    assert shop.stored() == before


@pytest.mark.parametrize("path", ["", "/history", "/replay", "/timeline"])
@pytest.mark.parametrize(("role", "sub"), [("customer", "bob"), ("restaurant", "luigi"), ("courier", "cleo")])
def test_no_read_shows_an_order_of_others(shop, path, role, sub):
    """Neither its state, nor its events, nor its past."""
    order_id = shop.assigned()
    query = {"at": 1} if path == "/replay" else {}
    assert shop.call("GET", f"/orders/{order_id}{path}", query=query, role=role, sub=sub).status == 404


def test_a_mistake_in_the_request_does_not_reveal_an_order(shop):
    """A caller who may not see the order gets 404, even if the request is invalid too."""
    order_id = shop.authorized()
    for body in ({"ready_at": "2020-01-01T00:00:00Z"}, {"ready_at": "2026-05-04T12:30:00Z", "ticket": 999}):
        assert shop.act(order_id, "preparation/accept", body, sub="luigi").status == 404
    assert shop.act(order_id, "preparation/ready", sub="luigi", headers={"if-match": '"1"'}).status == 404


def test_every_route_of_the_template_is_in_this_table(shop):
    """A new route needs a rule. Incidents, circuits, lists and runs have tables of their own."""
    routes = {
        (route.method, route.path.replace("{order_id}", "{id}"))
        for _, route in shop.template_routes
        if not route.open and route.path.startswith("/orders")
    }
    lists = {("GET", "/orders"), ("POST", "/orders/search")}
    parts = ("history", "replay", "timeline", "runs", "proof")
    reads = {*lists, *(("GET", f"/orders/{{id}}/{part}") for part in parts)}
    assert routes - reads == {(method, path) for _, method, path, _ in ROUTES.values()}


def test_an_open_offer_is_shown_to_every_courier_without_the_customers_data(shop):
    """It is enough to decide on, and does not show the address."""
    order_id = shop.accepted()
    answer = shop.call("GET", f"/orders/{order_id}", role="courier", sub="cleo")
    assert (answer.status, answer.json["contact"]) == (200, "(withheld)")


def test_the_courier_who_took_the_offer_sees_the_address(shop):
    """Other couriers do not see the order any more."""
    order_id = shop.assigned()
    assert shop.call("GET", f"/orders/{order_id}", role="courier", sub="carl").json["contact"]["name"] == "Ada Byron"
    assert shop.call("GET", f"/orders/{order_id}", role="courier", sub="cleo").status == 404


def test_a_courier_who_gave_the_offer_back_no_longer_sees_personal_data(shop):
    """The courier still sees the order's state."""
    order_id = shop.assigned()
    shop.act(order_id, "delivery/decline", {"reason": "flat tyre"})
    shop.act(order_id, "delivery/assign", sub="cleo")
    assert shop.call("GET", f"/orders/{order_id}", role="courier", sub="carl").json["contact"] == "(withheld)"


def test_a_courier_cannot_report_on_a_delivery_of_another(shop):
    """Only the courier who took the offer may report its pickup."""
    order_id = shop.assigned()
    shop.act(order_id, "delivery/decline", {"reason": "flat tyre"})
    shop.act(order_id, "delivery/assign", sub="cleo")
    answer = shop.act(order_id, "delivery/pick-up", sub="carl")
    assert (answer.status, answer.problem) == (403, "NotAllowed")


def test_support_and_services_act_for_others_and_are_recorded_as_the_actor(shop):
    """The log names the actor beside the courier."""
    order_id = shop.accepted()
    shop.act(order_id, "delivery/assign", {"courier_id": "carl"}, role="support", sub="sue")
    last = shop.call("GET", f"/orders/{order_id}/history").json["events"][-1]
    assert (last["actor"], last["data"]["courier"]) == ({"role": "support", "id": "sue"}, "carl")


def test_support_must_name_the_courier_who_takes_the_offer(shop):
    """Support is not a courier itself."""
    order_id = shop.accepted()
    answer = shop.act(order_id, "delivery/assign", {}, role="support", sub="sue")
    assert (answer.status, answer.fields) == (422, ["courier_id"])
