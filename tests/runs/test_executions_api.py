"""Runs, executions and machines over HTTP, on a simulated order, as support and auditors read them."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from domain.order.events import Intent, PaymentLookupRequested
from handlers.executions_api import api, handler
from tests.handlers.conftest import Answer
from tests.handlers.documented import assert_documented
from tests.runs.conftest import ENVIRONMENT, ReadWorld
from workflows.embedded.http import payload_format
from workflows.engine import serving
from workflows.runs.layout import TAKES


def call(calm: ReadWorld, path: str, route: str, *, role: str = "support", **query: str) -> Answer:
    """Send a request as API Gateway does, and check the answer against the document."""
    names = [part.strip("{}") for part in route.split("/")]
    parameters = {
        name: value for name, value, raw in zip(names, path.split("/"), route.split("/"), strict=True) if "{" in raw
    }
    event = {
        "routeKey": f"GET {route}",
        "rawPath": path,
        "headers": {},
        "pathParameters": parameters,
        "queryStringParameters": query,
        "requestContext": {
            "requestId": "request-1",
            "authorizer": {"jwt": {"claims": {"sub": "sue", "cognito:groups": f"[{role}]", "exp": "9999999999"}}},
        },
    }
    with serving(calm.ports, ENVIRONMENT):
        response = payload_format.response(json.loads(json.dumps(handler(event, None))))
    answer = Answer(response.status, dict(response.headers), response.body)
    assert_documented("GET", route, answer)
    return answer


def read(calm: ReadWorld, path: str, route: str, **how: str) -> Any:
    answer = call(calm, path, route, **how)
    assert answer.status == 200, answer
    return answer.json


RUNS, HISTORY, MACHINE = (
    "/orders/{order_id}/runs",
    "/executions/{execution_id}/history",
    "/machines/{machine}/definition",
)


def test_the_runs_of_an_order_are_shown_with_what_the_engine_did(calm, completed):
    """What began each run, its executions, the states they entered, and that log and engine agree."""
    order_id = completed.order.order_id
    shown = read(calm, f"/orders/{order_id}/runs", RUNS)
    [run] = shown["runs"]
    assert (run["run"], run["version"], run["why"][:12]) == (1, 1, "Order placed")
    [order] = run["executions"]
    assert (order["id"], order["machine"], order["status"]) == (f"{order_id}-1", "order", "SUCCEEDED")
    assert order["states"][0]["state"] == "AuthorizePayment"
    assert shown["differences"] == []


def test_the_history_of_an_execution_is_read_in_pages_without_tokens(calm, completed):
    """The events of GetExecutionHistory, by their own names."""
    name = f"{completed.order.order_id}-1"
    shown = read(calm, f"/executions/{name}/history", HISTORY, limit="100")
    assert (shown["execution"], shown["machine"], shown["next"]) == (name, "order", None)
    assert shown["events"][0]["type"] == "ExecutionStarted"
    scheduled = [each["taskScheduledEventDetails"] for each in shown["events"] if each["type"] == "TaskScheduled"]
    tokens = [json.loads(each["parameters"])["Payload"].get("token") for each in scheduled]
    assert {*tokens} == {None, "(withheld)"}


def test_an_execution_that_the_engine_does_not_have_is_not_found(calm):
    """An id that was never used, and a text that is no name of an execution."""
    unknown = f"ord_{'a' * 26}-1"
    assert call(calm, f"/executions/{unknown}/history", HISTORY).status == 404
    assert call(calm, "/executions/MyExecution/history", HISTORY).status == 422


@pytest.mark.parametrize("machine", ["order", "payment", "preparation", "delivery"])
def test_every_edge_of_a_machine_s_graph_joins_two_of_its_states(calm, machine):
    """The graph has every state of the definition, and every state can be reached."""
    shown = read(calm, f"/machines/{machine}/definition", MACHINE)
    layout, nodes = shown["layout"], {node["id"]: node for node in shown["layout"]["nodes"]}
    assert set(shown["definition"]["States"]) <= set(nodes)
    assert {end for edge in layout["edges"] for end in (edge["from"], edge["to"])} <= set(nodes)
    assert {layout["start"], *(edge["to"] for edge in layout["edges"])} == set(nodes)
    assert {name for group in layout["groups"] for name in group["nodes"]} == {
        name for name, node in nodes.items() if node["group"]
    }


def test_the_graph_of_the_order_machine_marks_the_way_back(calm):
    """Compensation begins where the reason of an error is looked up, and says what it takes back."""
    layout = read(calm, "/machines/order/definition", MACHINE)["layout"]
    paths = {node["id"]: node["path"] for node in layout["nodes"]}
    assert {name for name, path in paths.items() if path == "compensation"} == {
        *("FindReason", "HasReason", "Compensate", "AwaitCircuitToUndo", "ParkOrder", "Superseded", "Completed")
    }
    assert {name for name, path in paths.items() if path == "exception"} == {
        *(
            "AwaitPayments",
            "AwaitKitchen",
            "AwaitCouriers",
            "AwaitPaymentsToSettle",
            "CookingStopped",
            "DeliveryStopped",
        ),
        *("RecordAcceptanceTimeout", "RecordReadinessTimeout", "RecordDeliveryTimeout"),
    }
    nodes = {node["id"]: node for node in layout["nodes"]}
    assert (nodes["AuthorizePayment"]["takes"], nodes["AuthorizePayment"]["undone_by"]) == (
        "PaymentAuthorizationRequested",
        "PaymentVoidRequested",
    )
    assert nodes["Compensate"]["undoes"] == [taken.__name__ for taken, _ in TAKES.values()]
    assert nodes["RequestCourier"]["group"] == "Fulfil/1"


OF_NO_STATE = {PaymentLookupRequested}
"""Support adds a look-up to an order. Whichever state comes next performs it, on the way forward or back."""


def test_every_intent_is_taken_by_a_state_or_takes_one_back():
    """A new intent needs its place in the graph."""
    assert {intent for pair in TAKES.values() for intent in pair} == set(get_args(Intent)) - OF_NO_STATE


def test_the_definition_of_an_execution_is_of_its_own_machine(calm, completed):
    """An execution of another machine is refused, not shown as this one's."""
    name = f"{completed.order.order_id}-1"
    deployed = read(calm, "/machines/order/definition", MACHINE)
    assert read(calm, "/machines/order/definition", MACHINE, execution=name)["digest"] == deployed["digest"]
    assert call(calm, "/machines/delivery/definition", MACHINE, execution=name).status == 404


@pytest.mark.parametrize("role", ["customer", "restaurant", "courier", "service", "auditor", "support"])
def test_only_support_and_auditors_read_what_the_engine_did(calm, completed, role):
    """Other roles see the order, if they may, and its timeline."""
    order_id = completed.order.order_id
    paths = {
        f"/orders/{order_id}/runs": RUNS,
        f"/executions/{order_id}-1/history": HISTORY,
        "/machines/order/definition": MACHINE,
    }
    statuses = {call(calm, path, route, role=role).status for path, route in paths.items()}
    assert statuses <= ({200} if role in {"support", "auditor"} else {403, 404})


def test_every_route_of_the_function_has_its_rule_here():
    """Why an order waits has tests of its own."""
    assert {route.path for route in api.routes.values()} == {RUNS, HISTORY, MACHINE, "/orders/{order_id}/why"}
