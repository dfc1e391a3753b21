"""The OpenAPI 3.1 document of all APIs in one, made from their routes and shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from handlers.http import schemas
from handlers.http.api import Api, Route
from handlers.http.documented import REF, Json, ref
from handlers.http.parameters import Parameter

DESCRIPTION = """\
Orders for food: placed, prepared, delivered and paid for, or cancelled with every hold released and payment refunded.

**Roles.** The role in the access token decides what a caller may do. Customers place, read and cancel their own
orders. Restaurants answer the tickets sent to them. Couriers answer open offers, and report on the deliveries they
took. Support and services act on behalf of any of them. Auditors read all orders, but no personal data. An order that
a caller may not see is answered with 404, like one that does not exist.

**Repeating a request is safe.** Every write to an order takes an `Idempotency-Key`, and `POST /orders`,
`POST /bulk` and `POST /webhooks` require one. The same key with the same body is the same request: it changes
nothing, and is answered with what is there now, marked `Idempotent-Replayed: true`. The same key with another body is
refused (422). Without a key, the same request by the same caller counts as a repetition. A change of a circuit or a
bulk job takes a key too: a late copy of the request changes nothing, even if the circuit or the job changed meanwhile.

**Versions.** Every event of an order increases its version by one. The version in quotes is the order's ETag. Send it
as `If-Match` to write only if the order is unchanged (else 412), as `If-None-Match` to read only if the order has
changed (else 304), and as `?version=` to read the past.

**Reports are recorded even if they arrive late.** A restaurant or a courier answers the `ticket` or `offer` it was
sent, by number; without a number, the current one. A report about an older one is recorded as such.

**Short answers.** A report of a restaurant or a courier with `Prefer: return=minimal` is answered 204, with the
order's ETag and without the order. No personal field is decrypted for it.

**Money** is a decimal string in units of the currency, and an ISO 4217 currency: `{"amount": "12.50", "currency":
"EUR"}`. **Times** are RFC 3339; in requests with any offset, in responses in UTC with microseconds.

**Incidents** are orders stopped by a fault of Expediter or a provider. Support retries and resolves them, and opens
and closes circuit breakers; auditors read. Above a set amount a second person has to approve.

**Lists** read views that follow the log within a second: `as_of` has their age, and `wait_for` names a write that a
list should include. A deployment without a database for views answers 503 `NoViewsDatabase`.

**Audit**: auditors query the views with SQL (`POST /audit/query`). They export events as files
with a signed manifest. Who queried and exported what is in the access log.

**Webhooks** send the published events to URLs that services register, signed as Standard Webhooks does. The events are
described by `/asyncapi.json`.

**Refusals** are problem documents (RFC 9457). Their `type` is `urn:expediter:problem:` and a stable name, and each
name has a schema below. 400: headers, query or body cannot be read. 409: a rule forbids it. 422: a value is not
acceptable; `errors` names the fields. 429 and 503: send the same request again later. Where API Gateway itself
refuses a request (401, 404, 413, 429, 5xx), the body is `{"message": ...}`. A path that does not take a method
answers 405 with `Allow` (404 behind API Gateway). Every `GET` also takes `HEAD`.

**What a schema cannot express** and is refused all the same, with the field's name: a field twice in one object
(400), a number of more than 15 digits (400), half of a surrogate pair (400), control characters other than line
breaks and tabs, text of spaces only, amounts with more decimals than their currency has, currencies that are not in
use, amounts of several currencies in one order, a `ready_at` that is past or more than a day away (all 422);
`version` and `at` together, `wait_s` with one of them or without If-None-Match, a `cursor` of another order, list or
sort, an amount without a currency, an `amount_min` above its `amount_max`, a `day_from` after its `day_to`, and any
other `..._from` that is not before its `..._to` (400).
"""

_TAGS = (
    "Orders",
    "Lists",
    "Catalogue",
    "Preparation",
    "Delivery",
    "Incidents",
    "Executions",
    "Bulk jobs",
    "Circuits",
    "Customers",
    "Webhooks",
    "Audit",
)


@cache
def document_text(apis: Callable[[], Sequence[Api]]) -> str:
    """The document as JSON text. Made once in a process."""
    return json.dumps(document(apis), ensure_ascii=False)


def document(apis: Callable[[], Sequence[Api]]) -> Json:
    """Make one document of several APIs."""
    routes = [route for api in apis() for route in api.routes.values() if route.documentation is not None]
    paths: dict[str, Json] = {}
    for route in sorted(routes, key=lambda route: route.path):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    components = schemas.components() | dict(_bodies(routes))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Expediter",
            "version": version("expediter"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"accessToken": []}],
        "tags": [{"name": name} for name in _TAGS],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route) -> Json:
    made = dict(route.documentation or {})
    if route.parameters.listed:
        made["parameters"] = [_parameter(parameter) for parameter in route.parameters.listed]
    body = route.parameters.body
    if body is not None:
        required = any(field.is_required() for field in body.model_fields.values())
        made["requestBody"] = {"content": {"application/json": {"schema": ref(body.__name__)}}, "required": required}
    return made


def _parameter(parameter: Parameter) -> Json:
    made: Json = {"name": parameter.name, "in": parameter.location, "required": parameter.required}
    if parameter.description:
        made["description"] = parameter.description
    made["schema"] = _without_null(parameter.adapter.json_schema())
    if not parameter.required and parameter.default is not None:
        made["schema"]["default"] = parameter.default
    return made


def _without_null(schema: Json) -> Json:
    """A parameter that may be left out is ``str | None`` in Python, but cannot be sent as null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def _bodies(routes: Sequence[Route]) -> Iterator[tuple[str, Any]]:
    """The schemas of all bodies and of the models in them, by name."""
    for route in routes:
        body = route.parameters.body
        if body is not None:
            yield from _models(body)


def _models(body: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    schema = body.model_json_schema(ref_template=REF.replace("{name}", "{model}"))
    yield from schema.pop("$defs", {}).items()
    yield body.__name__, schema
