"""The API's documentation: one OpenAPI 3.1 document for all APIs, and a page to read and try it."""

from __future__ import annotations

import dataclasses
import gzip
import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import get_args, get_type_hints

import jsonschema_rs
import pytest

import domain
import handlers
import workflows.event_store
import workflows.incidents
import workflows.orders
from domain.identifiers import Role
from domain.order.delivery import OfferState
from domain.order.events import Adjustment, CancellationCause, Event, Fault
from domain.order.intents import Holding
from domain.order.order import Status
from domain.order.payment import Hold
from domain.order.preparation import TicketState
from domain.order.refusals import Rejected
from handlers.http import (
    bulk_models,
    catalogue_models,
    customer_models,
    export_models,
    incident_models,
    models,
    order_filters,
    passing_on,
    query_models,
    repair_models,
    search_parameters,
    webhook_models,
)
from handlers.http.problems import STATUS
from handlers.http.refusals import RequestRefused
from tests.domain.order import stories
from tests.handlers.conftest import open_restaurant
from tests.recorded import Shop
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitEvent
from workflows.client import incident_json, order_json
from workflows.incidents.bulk_store import JobState, Outcome
from workflows.incidents.plans import Movement
from workflows.publishing.cloud_events import PUBLISHED, cloud_events
from workflows.time_budgets import Awaiting

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(shop):
    answer = shop.call_as(None, "GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def _operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_the_document_is_openapi_3_1(document):
    """It has the fields that the specification requires, with the right types."""
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= document["info"].keys()
    assert set(document) <= {"openapi", "info", "servers", "security", "tags", "paths", "components"}
    for path, _, operation in _operations(document):
        assert operation["summary"]
        for parameter in operation.get("parameters", ()):
            assert {"name", "in", "schema"} <= parameter.keys()
            assert parameter["in"] in {"path", "query", "header"}
            assert parameter["in"] != "path" or parameter["required"] is True
        in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch("[1-5][0-9][0-9]", status)
            assert response["description"]


def test_every_reference_resolves_and_every_schema_is_used(document):
    """Also, no schema of Powertools' own error formats is left."""
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert referred <= set(schemas)
    assert set(schemas) - referred == {"Problem405"}  # answered only to methods that no operation describes


def test_every_route_of_the_template_is_documented(shop, document):
    """And nothing else, apart from the documentation's own routes."""
    documented = {(method.upper(), path) for path, method, _ in _operations(document)}
    routes = {(route.method, route.path) for _, route in shop.template_routes}
    assert documented == {route for route in routes if not route[1].startswith(("/docs", "/openapi", "/asyncapi"))}


def test_operation_ids_are_unique(document):
    """Generated clients name their functions after them."""
    ids = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(ids) == len(set(ids))


def test_every_refusal_is_documented_as_a_problem(document):
    """Each operation lists its refusals, all as problem documents."""
    for _, _, operation in _operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert set(response["content"]) - {"application/json"} == {"application/problem+json"}
                problem = response["content"]["application/problem+json"]["schema"]["$ref"]
                assert problem == f"#/components/schemas/Problem{status}"
        expected = {"400", "503"} if operation.get("security") == [] else {"400", "401", "403", "503"}
        assert expected <= operation["responses"].keys()


def test_every_status_in_the_table_of_refusals_is_documented(document):
    """An operation that writes to an order lists them all."""
    documented = set(document["paths"]["/orders/{order_id}/cancel"]["post"]["responses"])
    assert {str(status.value) for status in STATUS.values()} <= documented


_REPEATABLE = {"/orders/{order_id}/credits"}
"""Writes to an order whose body may come twice on purpose: two credits of five euros are ten euros."""


_STEERED = {
    *("/bulk/{job_id}/stop", "/bulk/{job_id}/resume"),
    *("/circuits/{dependency}/open", "/circuits/{dependency}/close"),
}
"""Writes that set a state which the next one sets back."""


def test_writes_document_their_headers(document):
    """Idempotency-Key is required for what is new under an id, and optional, with If-Match, for writes to orders."""
    for path, method, operation in _operations(document):
        headers = {
            p["name"].lower(): p.get("required", False) for p in operation.get("parameters", ()) if p["in"] == "header"
        }
        if path in {"/orders/search", "/live-tickets"}:
            assert headers.pop("access-reason") is False  # they read personal data
        if path in {"/orders", "/bulk", "/webhooks", "/exports", "/customers/{customer_id}/erase"}:
            assert headers == ({"idempotency-key": True} if method == "post" else {})
        elif path.endswith("/position"):
            assert headers == {}  # a position is no event: the newest replaces the one before
        elif method == "post" and path in _STEERED:
            assert headers == {"idempotency-key": False}  # a late copy must not undo the next change
        elif method == "post" and not path.startswith(("/orders/{order_id}", "/incidents/{order_id}")):
            assert headers == {}  # repeating these does no harm
        elif method == "post":
            if "204" in operation["responses"]:
                assert headers.pop("prefer") is False  # a report: it may be answered without the order
            assert headers == {"idempotency-key": path in _REPEATABLE, "if-match": False}


def test_the_examples_are_accepted(document):
    """The examples can be sent unchanged."""
    shown = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            modules = (
                *(
                    models,
                    incident_models,
                    bulk_models,
                    order_filters,
                    repair_models,
                    catalogue_models,
                    search_parameters,
                ),
                *(webhook_models, query_models, passing_on, export_models, customer_models),
            )
            module = next(module for module in modules if hasattr(module, name))
            getattr(module, name).model_validate(example)
            shown += 1
    assert shown >= 10


def test_the_example_of_an_order_can_be_placed(shop, document):
    """Sent through the API itself."""
    example = document["components"]["schemas"]["PlaceBody"]["examples"][0]
    open_restaurant(shop.log, example["restaurant"])
    assert shop.call("POST", "/orders", example, key="key-1").status == 201


def test_limits_stand_in_the_document(document):
    """A client can check a request before sending it."""
    schemas = document["components"]["schemas"]
    assert schemas["PlaceBody"]["properties"]["lines"]["anyOf"][0]["maxItems"] == 100
    assert schemas["PlaceBody"]["properties"]["items"]["anyOf"][0]["maxItems"] == 100
    assert schemas["PlaceBody"]["additionalProperties"] is False
    assert schemas["LineBody"]["properties"]["quantity"]["maximum"] == 999
    assert schemas["MoneyBody"]["properties"]["amount"]["pattern"]
    assert schemas["AcceptBody"]["properties"]["ready_at"]["format"] == "date-time"


_SELECTING = {"BulkBody.group", "ExportFilter.correlation", "QueryBody.sql"}
"""Texts that choose what is read or acted on: they match what is stored, or nothing."""


def test_every_text_of_a_body_says_which_characters_it_takes(document):
    """What a person writes is read by others, in a line with other words."""
    bodies = {
        media["schema"]["$ref"].rpartition("/")[2]
        for path in document["paths"].values()
        for method, route in path.items()
        if method in METHODS
        for media in route.get("requestBody", {}).get("content", {}).values()
        if "$ref" in media["schema"]
    }
    unchecked = set()
    pending = [(name, document["components"]["schemas"][name]) for name in sorted(bodies)]
    seen = set()
    while pending:
        name, schema = pending.pop()
        if isinstance(schema, list):
            pending += [(name, each) for each in schema]
        if not isinstance(schema, dict):
            continue
        if (target := str(schema.get("$ref", "")).rpartition("/")[2]) and target not in seen:
            seen.add(target)
            pending.append((target, document["components"]["schemas"][target]))
        if schema.get("type") == "string" and not {"pattern", "enum", "const", "format"} & set(schema):
            unchecked.add(name)
        pending += [(name, each) for key, each in schema.items() if key not in ("properties", "examples")]
        pending += [(f"{name}.{field}", each) for field, each in schema.get("properties", {}).items()]
    assert unchecked == _SELECTING


def test_the_page_loads_nothing_from_another_host(shop):
    """Its scripts and styles are routes of this API, and the policy forbids the browser everything else."""
    page = shop.call_as(None, "GET", "/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "https:" not in page.text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(loaded) == {
        "docs/swagger-ui.css",
        "docs/swagger-ui.js",
        "docs/start.js",
        "openapi.json",
        "asyncapi.json",
    }
    for path in loaded:
        asset = shop.call_as(None, "GET", f"/{path}")
        assert (asset.status, asset.text != "") == (200, True)
    assert shop.call_as(None, "GET", "/docs/html.py").status == 404


@pytest.mark.parametrize("path", ["/openapi.json", "/docs/swagger-ui.js"])
def test_large_documents_are_compressed_if_the_browser_takes_that(shop, path):
    """They are most of what an evaluation of the API transfers."""
    plain = shop.call_as(None, "GET", path)
    packed = shop.call_as(None, "GET", path, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.content).decode() == plain.text


@pytest.mark.parametrize(
    ("documented", "enum"),
    [
        (order_json.OrderStatus, Status),
        (order_json.Role, Role),
        (order_json.Fault, Fault),
        (order_json.CancellationCause, CancellationCause),
        (incident_json.Provider, Dependency),
        (get_type_hints(order_json.AuthorizationJson)["state"], Hold),
        (get_type_hints(order_json.PreparationJson)["state"], TicketState),
        (get_type_hints(order_json.OfferJson)["state"], OfferState),
        (get_type_hints(incident_json.OwedJson)["holding"], Holding),
        (get_type_hints(incident_json.JobOrderJson)["outcome"], Outcome),
        (get_type_hints(incident_json.BulkJobJson)["state"], JobState),
        (get_type_hints(incident_json.CircuitJson)["state"], CircuitState),
        (get_type_hints(incident_json.ApprovalJson)["action"], Adjustment),
        (get_type_hints(incident_json.MoveJson)["what"], Movement),
        (order_json.AwaitingText, Awaiting),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_documented_values_are_those_of_the_enumerations(documented, enum):
    """A state that is added to the domain must be documented."""
    assert set(get_args(documented)) == {member.value for member in enum}


def test_every_event_type_is_described_with_its_fields(document):
    """Those of orders and those of circuits, each as one of the events that a history or a circuit can hold."""
    schemas = document["components"]["schemas"]
    for union, events in (("EventJson", get_args(Event)), ("TransitionJson", get_args(CircuitEvent))):
        options = {option["$ref"].rpartition("/")[2] for option in schemas[union]["oneOf"]}
        for event in events:
            assert event.__name__ in options
            data = schemas[event.__name__]["properties"]["data"]
            assert set(data["properties"]) == {field.name for field in dataclasses.fields(event)}
            assert schemas[event.__name__]["description"]


def test_every_refusal_is_described_with_its_status(document):
    """Every class of exception that the handlers turn into a problem, wherever it is defined."""
    schemas = document["components"]["schemas"]
    for package in (domain, workflows.event_store, workflows.orders, workflows.incidents, handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for cls in vars(importlib.import_module(module.name)).values():
                if not isinstance(cls, type) or cls in {Rejected, RequestRefused} or cls.__module__ != module.name:
                    continue
                if issubclass(cls, (RequestRefused, *STATUS)):
                    schema = schemas[cls.__name__]
                    assert schema["properties"]["type"]["const"] == f"urn:expediter:problem:{cls.__name__}"
                    for status in schema["properties"]["status"]["enum"]:
                        listed = schemas[f"Problem{status}"]["oneOf"]
                        assert {"$ref": f"#/components/schemas/{cls.__name__}"} in listed


def test_the_published_events_are_described_by_asyncapi_3(shop):
    """The document is checked against the schema of the specification.

    ``asyncapi_3_0_0.json`` is ``schemas/3.0.0-without-$id.json`` of npm's @asyncapi/specs 6.11.1 (Apache-2.0), without
    white space.
    """
    answer = shop.call_as(None, "GET", "/asyncapi.json")
    assert answer.status == 200
    document = json.loads(answer.text)
    specification = json.loads((Path(__file__).parent / "asyncapi_3_0_0.json").read_text())
    assert not [error.message for error in jsonschema_rs.validator_for(specification).iter_errors(document)]


def test_every_published_event_is_as_its_message_says(shop):
    """The events of a whole story, with the fields that subscribers see and no others."""
    document = json.loads(shop.call_as(None, "GET", "/asyncapi.json").text)
    recorded = Shop()
    recorded.play(*stories.ACCEPTED)
    events = cloud_events(str(stories.ORDER_ID), recorded.log.load(f"order#{stories.ORDER_ID}").recorded)
    messages = {message["name"]: message for message in document["components"]["messages"].values()}
    assert len(messages) == len(PUBLISHED) + 1
    for event in events:
        payload = {**messages[event.type]["payload"], "components": document["components"]}
        jsonschema_rs.validator_for(payload).validate(event.as_json())
        assert set(event.data) == set(payload["properties"]["data"]["properties"])
