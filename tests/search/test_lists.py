"""Search by personal data, events, boards, statistics, the state of the views, and what each role may have of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from domain.identifiers import SYSTEM, Role
from domain.order.commands import ParkOrder
from tests.projections.histories import BLIND_INDEX
from workflows.event_store.commits import ChainBroken
from workflows.event_store.erasure import erase
from workflows.event_store.streams import order_stream
from workflows.orders.blind_index import NAME_COLUMNS
from workflows.orders.permissions import PERMISSIONS, Action
from workflows.projections.orders import ORDERS
from workflows.projections.projector import Projector
from workflows.search import order_statement, stats

ROLES = sorted(set(Role) - {Role.SYSTEM})
ROUTES = {
    ("GET", "/orders"): Action.READ,
    ("POST", "/orders/search"): Action.SEARCH_PERSONAL,
    ("GET", "/access-log"): Action.READ_ACCESS_LOG,
    ("GET", "/events"): Action.LIST_EVENTS,
    ("GET", "/tickets"): Action.LIST_TICKETS,
    ("GET", "/offers"): Action.LIST_OFFERS,
    ("GET", "/approvals"): Action.LIST_APPROVALS,
    ("GET", "/owed"): Action.LIST_OWED,
    ("GET", "/stats"): Action.READ_STATISTICS,
    ("GET", "/books"): Action.READ_BOOKS,
    ("GET", "/views"): Action.READ_VIEWS,
    ("POST", "/views/retry"): Action.RETRY_VIEWS,
    ("GET", "/me"): None,
}
SENT = {"/views/retry": {"stream": "order#ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}
ELSEWHERE = ("/audit/", "/exports")
"""Routes with rules of their own: ``tests/queries`` and ``tests/exports``."""
PHONE = {"phone": "+49 30 1234567"}
CONTACT = {"name": "Zoë Núñez", "phone": "+48 22 5550199", "address": "Mill Lane 4", "email": "Zoe@Example.com"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_role_reads_what_the_table_allows_and_nothing_else(shop, route, role):
    """The others are refused by name. All may read orders: each role its own part."""
    (method, path), action = route, ROUTES[route]
    answer = shop.call(method, path, *((SENT.get(path, PHONE),) if method == "POST" else ()), role=role, sub="somebody")
    if action is None or role in PERMISSIONS[action]:
        assert answer.status == 200, answer
    else:
        assert (answer.status, answer.problem) == (403, "NotAllowed")


@pytest.mark.parametrize(
    ("path", "name", "role"), [("/events", "recorded", "support"), ("/access-log", "read", "auditor")]
)
def test_a_period_that_is_empty_is_refused(shop, path, name, role):
    """An empty list would read as if nothing had happened."""
    since, until = ({f"{name}_{end}": "2026-03-01T18:30:00Z"} for end in ("from", "to"))
    answer = shop.call("GET", path, role=role, sub="sue", query={**since, **until})
    assert (answer.status, answer.fields) == (400, [f"{name}_from"])
    assert shop.call("GET", path, role=role, sub="sue", query=since).status == 200


def test_every_route_of_lists_is_in_this_table(shop):
    """A new list needs a rule."""
    ours = {
        (route.method, route.path)
        for handler, route in shop.template_routes
        if handler == "handlers.search_api.handler" and not route.open and not route.path.startswith(ELSEWHERE)
    }
    assert ours == set(ROUTES)


@pytest.mark.parametrize(
    ("role", "own", "stranger"),
    [("customer", "ada", "bob"), ("restaurant", "rosa", "luigi"), ("courier", "carl", "cleo")],
)
def test_each_role_lists_its_own_part(shop, role, own, stranger):
    """Orders of others are in no list, whatever the filter says."""
    order_id = shop.assigned()
    shop.project()
    for query in (
        {},
        {"customer": "ada"},
        {"restaurant": "rosa"},
        {"courier": "carl"},
        {"id_prefix": order_id},
        {"id_suffix": order_id[-4:]},
    ):
        assert shop.ids(role=role, sub=own, **query) == [order_id]
        assert shop.ids(role=role, sub=stranger, **query) == []


@pytest.mark.parametrize(
    "known",
    [
        {"phone": "0225550199"},
        {"email": "zoe@example.com"},
        *({"name": name} for name in ("nunez zoe", "Zoë", "nunez", "Z. Núñez")),
        CONTACT,
    ],
)
def test_support_finds_the_orders_of_a_customer_by_what_the_customer_says(shop, known):
    """As people write it: without the country, in small letters, without accents, in any order, a part of the name."""
    order_id = shop.place(key="1", contact=CONTACT)
    shop.place(key="2")
    shop.project()
    known = {name: known[name] for name in ("phone", "email", "name") if name in known}
    answer = shop.call("POST", "/orders/search", known, role="support")
    assert [order["id"] for order in answer.json["orders"]] == [order_id]
    assert CONTACT["phone"] not in answer.text


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Maria", ["Maria Silva", "María José da Silva Santos", "Anna-Maria O'Neill"]),
        ("silva MARIA", ["Maria Silva", "María José da Silva Santos"]),
        ("santos, jose", ["María José da Silva Santos"]),
        ("Neill", ["Anna-Maria O'Neill"]),
        ("Mar", []),
        ("Silva Neill", []),
        ("Maria Smith", []),
        ("M. Silva", ["Maria Silva", "María José da Silva Santos"]),
        ("Q. X.", ["X Q"]),
        ("X", []),
        ("李 明", ["明 李"]),
        ("The very long name of a company and its office", ["The very long name of a company and its office"]),
    ],
)
@pytest.mark.parametrize("narrow_max", [5000, -1], ids=["looked up", "walked"])
def test_an_order_is_found_by_the_words_of_its_name(shop, monkeypatch, narrow_max, name, found):
    """One word or several in any order; every word that was sent is in the name, and a part of a word is none."""
    names = ("Maria Silva", "María José da Silva Santos", "Anna-Maria O'Neill", "X Q", "明 李")
    names = (*names, "The very long name of a company and its office")
    orders = {each: shop.place(key=f"key-{n}", contact={**CONTACT, "name": each}) for n, each in enumerate(names)}
    shop.project()
    monkeypatch.setattr(order_statement, "NARROW_MAX", narrow_max)
    answer = shop.call("POST", "/orders/search", {"name": name}, role="support")
    assert [order["id"] for order in answer.json["orders"]] == [orders[each] for each in names[::-1] if each in found]


def test_the_order_of_a_row_s_indexes_tells_nothing_of_the_words(shop):
    """In the order of the words, many rows together would put all indexes in alphabetical order."""
    shop.place(contact={**CONTACT, "name": "Anna Bert Carl Dora Emil"})
    shop.project()
    with shop.store.reading() as connection:
        row = connection.execute(select(ORDERS)).mappings().one()
    indexes = [row[column] for column in NAME_COLUMNS if row[column] is not None]
    assert indexes == sorted(indexes)
    assert set(indexes) == {
        index for word in ("anna", "bert", "carl", "dora", "emil") for index in BLIND_INDEX.name(word)
    }


@pytest.mark.parametrize("known", [PHONE, {"name": "Ada Byron"}, {"name": "Ada"}, {"name": "byron"}], ids=str)
def test_an_erased_customer_is_not_found(shop, known):
    """The blind indexes go with the customer's key."""
    shop.place()
    shop.project()
    assert shop.call("POST", "/orders/search", known, role="support").json["orders"] != []
    erase(shop.log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked")
    shop.project()
    assert shop.call("POST", "/orders/search", known, role="support").json["orders"] == []


@pytest.mark.parametrize(("sent", "field"), [({}, "phone"), ({"name": "?!"}, "name"), ({"phone": "call me"}, "phone")])
def test_a_search_for_nothing_is_refused(shop, sent, field):
    """Otherwise an empty search would list all orders."""
    answer = shop.call("POST", "/orders/search", sent, role="support")
    assert (answer.status, answer.fields) == (422, [field])


def test_events_are_found_across_orders(shop):
    """By type, actor, order, customer, restaurant, time and trace; the newest first."""
    first, second = shop.accepted(key="1"), shop.authorized(key="2", sub="bob", restaurant="luigi")
    shop.project()

    def found(**query: object) -> list[tuple[str, str]]:
        answer = shop.list("/events", **query)
        assert answer.status == 200, answer
        return [(event["order_id"], event["type"]) for event in answer.json["events"]]

    everything = found(limit=100)
    assert len(everything) == len(set(everything)) > 8
    assert found(type="OrderPlaced") == [(second, "OrderPlaced"), (first, "OrderPlaced")]
    assert found(type="PreparationAccepted,OrderPlaced", customer="ada") == [
        (first, "PreparationAccepted"),
        (first, "OrderPlaced"),
    ]
    assert found(type="PreparationAccepted,OrderPlaced") == [
        (second, "OrderPlaced"),
        (first, "PreparationAccepted"),
        (first, "OrderPlaced"),
    ]
    assert found(actor="rosa") == [(first, "PreparationAccepted"), *[(first, "CourierRequested")]][::-1]
    assert {order for order, _ in found(order=first)} == {first}
    assert {order for order, _ in found(restaurant="luigi")} == {second}
    assert {order for order, _ in found(customer="bob", actor_role="customer")} == {second}
    assert (
        "PaymentAuthorized" in {kind for _, kind in found()},
        "PaymentAuthorized" in {kind for _, kind in found(people_only=True)},
    ) == (True, False)
    placed = shop.list("/events", type="OrderPlaced", order=first).json["events"][0]
    assert found(correlation=placed["correlation"])[-1] == (first, "OrderPlaced")
    assert found(recorded_to=placed["recorded_at"]) == []
    assert (first, "OrderPlaced") in found(recorded_from=placed["recorded_at"])


def test_pages_of_events_list_each_event_once(shop):
    """Also while new ones are recorded."""
    for number in range(4):
        shop.authorized(key=f"key-{number}")
    shop.project()
    expected = [(event["order_id"], event["version"]) for event in shop.list("/events", limit=100).json["events"]]
    listed, cursor = [], None
    while True:
        page = shop.list("/events", limit=3, **({"cursor": cursor} if cursor else {})).json
        listed += [(event["order_id"], event["version"]) for event in page["events"]]
        cursor = page["next"]
        if cursor is None:
            break
        shop.place(key=f"later-{len(listed)}")
        shop.project()
    assert listed == expected


def test_events_in_lists_have_no_personal_data(shop):
    """Neither the customer's nor what people wrote; the history of the order has them, for those who may read it."""
    order_id = shop.place()
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "my knee hurts"}, key="c")
    shop.project()
    for role in ("support", "auditor", "service"):
        text = shop.list("/events", role=role).text
        assert "Ada Byron" not in text
        assert "my knee hurts" not in text
        assert "CancellationRequested" in text


def test_auditors_see_why_support_changed_an_order_and_the_read_is_recorded(shop):
    """A reason is written for the audit. A customer's own text stays hidden."""
    ours, theirs = shop.authorized(key="1"), shop.authorized(key="2")
    shop.call("POST", f"/orders/{ours}/cancel", {"reason": "fraud suspected"}, role="support", sub="sue", key="c")
    shop.call("POST", f"/orders/{theirs}/cancel", {"reason": "my knee hurts"}, key="c")
    shop.project()
    for role in ("support", "service"):
        assert "fraud" not in shop.list("/events", role=role).text
    answer = shop.list("/events", role="auditor", sub="ann", type="CancellationRequested")
    reasons = {event["order_id"]: event["data"].get("reason") for event in answer.json["events"]}
    assert reasons == {ours: "fraud suspected", theirs: None}
    shop.project()
    [read] = shop.list("/access-log", role="auditor", actor="ann").json["reads"]
    assert (read["route"], read["order_id"], read["fields"]) == ("GET /events", ours, ["reason"])
    erase(shop.log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked")
    assert "fraud suspected" not in shop.list("/events", role="auditor", sub="ann").text


def test_a_restaurants_board_has_its_open_tickets_with_the_oldest_first(shop):
    """With the lines to cook, and the number to answer."""
    first, second = shop.authorized(key="1"), shop.accepted(key="2")
    shop.authorized(key="3", restaurant="luigi")
    done = shop.picked_up(key="4")
    shop.project()
    board = shop.list("/tickets", role="restaurant", sub="rosa").json["tickets"]
    assert [(ticket["order_id"], ticket["state"]) for ticket in board] == [(first, "requested"), (second, "accepted")]
    assert board[0]["lines"][0] == {
        "line": 1, "sku": "pizza-margherita", "name": "Pizza Margherita", "quantity": 2, "ordered": 2,
        "options": ["Burrata"],
    }  # fmt: skip
    closed = shop.list("/tickets", role="restaurant", sub="rosa", open=False).json["tickets"]
    assert [ticket["order_id"] for ticket in closed] == [done]
    assert len(shop.list("/tickets", restaurant="luigi").json["tickets"]) == 1


def test_a_couriers_board_has_open_offers_and_the_couriers_own_deliveries(shop):
    """A courier who accepted an offer has it under ``open=false``; other couriers no longer see it."""
    offered, mine = shop.accepted(key="1"), shop.assigned(key="2")
    shop.project()
    for sub, accepted in (("carl", [mine]), ("cleo", [])):
        board = shop.list("/offers", role="courier", sub=sub).json["offers"]
        assert [offer["order_id"] for offer in board] == [offered]
        own = shop.list("/offers", role="courier", sub=sub, open=False).json["offers"]
        assert [offer["order_id"] for offer in own] == accepted


def test_statistics_count_orders_money_and_stages(shop):
    """Each number equals what the listed orders add up to."""
    for number in range(3):
        shop.picked_up(key=f"picked-{number}")
    shop.place(key="bob", sub="bob", restaurant="luigi")
    shop.project()
    [group] = shop.list("/stats").json["groups"]
    assert (group["orders"], group["parked"], group["by_status"]) == (4, 0, {"picked_up": 3, "placed": 1})
    assert [money["total"] for money in group["money"]] == [{"amount": "109.60", "currency": "EUR"}]
    assert group["stages"]["acceptance"]["orders"] == 3
    assert 0 < group["stages"]["acceptance"]["p50_ms"] <= group["stages"]["acceptance"]["p95_ms"]
    assert "delivery" not in group["stages"]
    by_place = shop.list("/stats", by_restaurant=True, bucket="day").json["groups"]
    assert [(each["bucket"], each["restaurant"], each["orders"]) for each in by_place] == [
        ("2026-05-04", "luigi", 1),
        ("2026-05-04", "rosa", 3),
    ]
    assert shop.list("/stats", role="restaurant", sub="luigi").json["groups"][0]["orders"] == 1
    assert shop.list("/stats", placed_to="2026-01-01T00:00:00Z").json["groups"] == []
    refused = shop.list("/stats", placed_from="2020-01-01T00:00:00Z")
    assert (refused.status, refused.fields) == (400, ["placed_from"])


def test_statistics_of_too_many_orders_are_refused(shop, monkeypatch):
    """They are computed from rows, so a long time would take long and hold up others."""
    monkeypatch.setattr(stats, "ORDERS_MAX", 2)
    for number in range(3):
        shop.place(key=f"placed-{number}", restaurant="luigi" if number else "rosa")
    shop.project()
    refused = shop.list("/stats")
    assert (refused.status, refused.problem) == (400, "TooManyOrders")
    assert shop.list("/stats", restaurant="luigi").json["groups"][0]["orders"] == 2


def test_the_state_of_the_views_has_their_version_and_lag(shop):
    shop.place()
    state = shop.list("/views").json
    assert {view["name"]: view["outdated"] for view in state["views"]} == dict.fromkeys(shop.store.views, False)
    assert (state["lag_commits"], state["parked"]) == (1, [])


def test_a_parked_stream_is_tried_again_on_request(shop):
    """After a repair the rows are there at once. A dry run stores nothing, and a repeat finds nothing left to do."""
    order_id = shop.place()
    stream = order_stream(order_id)
    broken = dict.fromkeys([stream], ChainBroken(stream, 1, "was changed"))
    Projector(shop.store, lambda streams: {each: broken[each] for each in streams}).project([stream])
    parked = {each["view"] for each in shop.list("/views").json["parked"]}
    assert {"orders", "events"} <= parked

    def retried(**sent: object) -> dict[str, object]:
        answer = shop.call("POST", "/views/retry", {"stream": stream, **sent}, role="support")
        assert answer.status == 200, answer
        return {each["view"]: each["error"] for each in answer.json["views"]}

    assert retried(dry_run=True) == dict.fromkeys(parked)
    assert (shop.ids(role="support", sub="sam"), len(shop.list("/views").json["parked"])) == ([], len(parked))
    assert retried() == dict.fromkeys(parked)
    assert (shop.ids(role="support", sub="sam"), shop.list("/views").json["parked"]) == ([order_id], [])
    assert retried() == {}


def test_a_stream_that_still_cannot_be_projected_stays_parked_and_its_error_is_answered(shop, monkeypatch):
    """So that support sees at once that the cause is not mended."""
    stream = order_stream(shop.place())
    shop.project()

    def fails(history, since=0):
        raise ArithmeticError

    views = {**shop.store.views, "taxes": replace(shop.store.views["taxes"], rows=fails)}
    monkeypatch.setattr("workflows.projections.views.all_views", lambda _: list(views.values()))
    with shop.store.writing() as connection:
        shop.store.park(connection, "taxes", stream, "KeyError")
    for dry_run in (True, False):
        answer = shop.call("POST", "/views/retry", {"stream": stream, "dry_run": dry_run}, role="support")
        assert answer.json["views"] == [{"view": "taxes", "error": "ArithmeticError"}]
    assert [(each["view"], each["error"]) for each in shop.list("/views").json["parked"]] == [
        ("taxes", "ArithmeticError")
    ]


def test_the_caller_reads_what_it_may_do(shop):
    """So that a console shows the buttons that work."""
    me = shop.list("/me", role="customer", sub="ada").json
    assert (me["role"], me["id"]) == ("customer", "ada")
    assert {"action": "cancel", "on": "own"} in me["may"]
    assert {"action": "place", "on": "own"} in me["may"]
    assert "retry" not in {each["action"] for each in me["may"]}
    assert {"amount": "100.00", "currency": "EUR"} in me["second_person_above"]


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"type": "CreditGrante"}, "type", "use CreditGranted"),
        ({"type": "OrderPlaced,Nope"}, "type", "no event is called Nope"),
        ({"actor_role": "supporter"}, "actor_role", "support"),
        ({"cursor": "abc"}, "cursor", "send `next` of a page"),
    ],
)
def test_a_filter_of_a_mistyped_name_is_refused(shop, query, field, words):
    """An empty list would say that nothing of the kind happened."""
    answer = shop.list("/events", **query)
    assert (answer.status, answer.fields) == (400, [field]), answer
    assert answer.json["detail"].startswith(f"{field}: ")
    assert words in answer.json["detail"]


def test_requests_for_a_second_person_are_listed_until_they_are_approved(shop):
    """The oldest first, on request without the caller's own. Afterwards each shows the person who approved it."""
    shop.environment |= {"SECOND_PERSON_ABOVE": "10.00 EUR"}
    asked: dict[str, str] = {}
    for person in ("sam", "sue"):
        order_id = shop.place(key=person)
        shop.command(order_id, ParkOrder(run=1, error="PaymentsUnavailable", detail="", compensating=False))
        resolve = {"how": "abandon", "reason": "a name that must not be in a view"}
        assert shop.call("POST", f"/incidents/{order_id}/resolve", resolve, role="support", sub=person).status == 200
        asked[person] = order_id
    shop.project()

    def listed(sub: str, **query: object) -> list[str]:
        return [each["order_id"] for each in shop.list("/approvals", sub=sub, **query).json["approvals"]]

    assert listed("ida", role="auditor") == [asked["sam"], asked["sue"]]
    assert listed("sam", by_others=True) == [asked["sue"]]
    (request,) = shop.list("/approvals", sub="sam", by_others=True).json["approvals"]
    assert (request["amount"]["amount"], request["by"]["id"], request["open"]) == ("27.40", "sue", True)
    assert "must not be" not in shop.list("/approvals").text
    body = {"approval": request["approval"], "reason": "checked"}
    assert shop.call("POST", f"/incidents/{asked['sue']}/approve", body, role="support", sub="sam").status == 200
    shop.project()
    assert listed("sam") == [asked["sam"]]
    (given,) = shop.list("/approvals", open=False).json["approvals"]
    assert (given["order_id"], given["given_by"], given["order_status"]) == (asked["sue"], "sam", "abandoned")
