"""The timeline of an order over HTTP: its shape, its pages, its moments, and what each role sees of it."""

from __future__ import annotations

import jsonpatch
import pytest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def timeline(shop, order_id, *, role="support", sub="sue", **query):
    answer = shop.call("GET", f"/orders/{order_id}/timeline", query=query, role=role, sub=sub)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_timeline_tells_what_happened_in_words_and_where_it_is_in_the_chain(shop):
    """A person first reads the sentence, the saga, and that nothing was edited."""
    order_id = shop.assigned()
    read = timeline(shop, order_id)
    assert [(event["version"], event["saga"], event["words"]) for event in read["events"]][:3] == [
        (1, "order", "Order placed, 2 items from rosa"),
        (2, "payment", "Authorization of 27.40 EUR requested"),
        (3, "payment", "Payment authorized, 27.40 EUR held"),
    ]
    assert (read["order_id"], read["version"], read["next"]) == (order_id, 7, None)
    assert read["initial"] == {"id": order_id, "version": 0, "status": "unplaced"}
    assert read["head"] == {"version": 7, "hash": read["events"][-1]["hash"]}
    assert (read["verified"]["ok"], read["verified"]["events"], read["verified"]["findings"]) == (True, 7, [])


def test_a_compensation_names_the_event_that_it_takes_back(shop):
    """The release of an authorization names the authorization, the withdrawal of a ticket the ticket."""
    order_id = shop.assigned()
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "late"})
    undoes = {event["type"]: event["undoes"] for event in timeline(shop, order_id)["events"] if event["undoes"]}
    assert undoes == {
        "PaymentVoidRequested": 3,
        "PreparationCancellationRequested": 4,
        "CourierReleaseRequested": 6,
    }


@pytest.mark.parametrize(
    "role_and_sub", [("customer", "ada"), ("restaurant", "rosa"), ("courier", "carl"), ("auditor", "otto")]
)
def test_the_patches_end_at_the_order_that_the_reader_may_see(shop, role_and_sub):
    """The address is in the timeline of the courier who brings the meal, and in that of no auditor."""
    role, sub = role_and_sub
    order_id = shop.assigned()
    read = timeline(shop, order_id, role=role, sub=sub)
    state = read["initial"]
    for event in read["events"]:
        state = jsonpatch.apply_patch(state, event["patch"])
    order = shop.call("GET", f"/orders/{order_id}", role=role, sub=sub).json
    assert state["contact"] == order["contact"]
    assert state["lines"] == {str(line["line"]): line for line in order["lines"]}
    assert state["delivery"]["offers"][str(state["delivery"]["offer"])] == order["delivery"]["offer"]
    assert state["version"] == order["version"]


def test_a_timeline_is_read_in_pages(shop):
    """``next`` is the version that the following page begins with."""
    order_id = shop.assigned()
    first = timeline(shop, order_id, limit=3)
    second = timeline(shop, order_id, **{"from": first["next"]})
    assert [event["version"] for event in (*first["events"], *second["events"])] == list(range(1, 8))
    assert (second["initial"]["version"], second["next"]) == (3, None)


def test_a_timeline_can_end_at_a_moment(shop):
    """The head stays that of the order as it is now."""
    order_id = shop.assigned()
    read = timeline(shop, order_id, at=4)
    assert ([event["version"] for event in read["events"]], read["version"], read["head"]["version"]) == (
        [1, 2, 3, 4],
        7,
        7,
    )


def test_the_trace_of_a_request_is_in_the_timeline(shop, body):
    """It leads from an event to the lines of the request in a tracing system."""
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    order_id = shop.call("POST", "/orders", body(), key="k", headers=traced).json["id"]
    assert {event["trace"] for event in timeline(shop, order_id)["events"]} == {TRACE}
    untraced = shop.place(key="other")
    assert {event["trace"] for event in timeline(shop, untraced)["events"]} == {None}


@pytest.mark.parametrize(
    ("query", "field"), [({"from": "0"}, "from"), ({"limit": "101"}, "limit"), ({"at": "0"}, "at"), ({"to": "2"}, "to")]
)
def test_a_parameter_out_of_bounds_is_refused_by_its_name(shop, query, field):
    """400, and the field."""
    answer = shop.call("GET", f"/orders/{shop.place()}/timeline", query=query)
    assert (answer.status, answer.fields) == (400, [field])


def test_a_timeline_after_the_last_event_is_empty(shop):
    """A client that follows an order asks for the version after the last one it has."""
    order_id = shop.assigned()
    read = timeline(shop, order_id, **{"from": "8"})
    assert (read["events"], read["next"], read["initial"]["version"]) == ([], None, 7)
