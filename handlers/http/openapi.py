"""The OpenAPI 3.1 document of all APIs in one, made from their routes and shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import License, Server, Tag

from handlers.http import schemas
from handlers.http.api import Api

DESCRIPTION = """\
Orders for food: placed, prepared, delivered and paid for, or cancelled with every hold released and payment refunded.

**Roles.** The role in the access token decides what a caller may do. Customers place, read and cancel their own
orders. Restaurants answer the tickets sent to them. Couriers answer open offers, and report on the deliveries they
took. Support and services act on behalf of any of them. Auditors read all orders, but no personal data. An order that
a caller may not see is answered with 404, like one that does not exist.

**Repeating a request is safe.** Every write to an order takes an `Idempotency-Key`, and `POST /orders` and `POST
/retries` require one. The same key with the same body is the same request: it changes nothing, and is answered with
the order as it is now, marked `Idempotent-Replayed: true`. The same key with another body is refused (422). Without a
key, the same request by the same caller counts as a repetition.

**Versions.** Every event of an order increases its version by one. The version in quotes is the order's ETag. Send it
as `If-Match` to write only if nobody wrote in between (else 412), as `If-None-Match` to read only if the order has
changed (else 304), and as `?version=` to read the past.

**Reports are recorded even if they arrive late.** A restaurant or a courier answers the `ticket` or `offer` it was
sent, by number; without a number, the current one. A report about an older one is recorded as such.

**Money** is a decimal string in units of the currency, and an ISO 4217 currency: `{"amount": "12.50", "currency":
"EUR"}`. **Times** are RFC 3339; in requests with any offset, in responses in UTC with microseconds.

**Incidents** are orders stopped by a fault of Expediter or a provider. Support retries and resolves them, and opens
and closes circuit breakers; auditors read. Above a set amount a second person has to approve.

**Refusals** are problem documents (RFC 9457). Their `type` is `urn:expediter:problem:` and a stable name, and each
name has a schema below. 400: headers, query or body cannot be read. 409: a rule forbids it. 422: a value is not
acceptable; `errors` names the fields. 429 and 503: send the same request again later. Where API Gateway itself
refuses a request (401, 404, 413, 429, 5xx), the body is `{"message": ...}`. A path that does not take a method
answers 405 with `Allow` (404 behind API Gateway). Every `GET` also takes `HEAD`.

**What a schema cannot express** and is refused all the same, with the field's name: a field twice in one object
(400), a number of more than 15 digits (400), half of a surrogate pair (400), control characters other than line
breaks and tabs, text of spaces only, amounts with more decimals than their currency has, currencies that are not in
use, amounts of several currencies in one order, a `ready_at` that is past or more than a day away (all 422);
`version` and `at` together, and a `cursor` of another order (400).
"""

_TAGS = ("Orders", "Preparation", "Delivery", "Incidents", "Bulk retries", "Circuits")

_POWERTOOLS_ERRORS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
"""Schemas that Powertools adds for its own error formats, which these APIs never answer with."""


@cache
def document_text(apis: Callable[[], Sequence[Api]]) -> str:
    """The document as JSON text. Made once in a process."""
    return json.dumps(document(apis), ensure_ascii=False)


def document(apis: Callable[[], Sequence[Api]]) -> dict[str, Any]:
    """Make one document of several APIs."""
    merge = OpenAPIMerge(
        title="Expediter",
        version=version("expediter"),
        description=DESCRIPTION,
        license_info=License(name="Apache-2.0"),
        servers=[Server(url="/")],
        tags=[Tag(name=name) for name in _TAGS],
        security=[{"accessToken": []}],
        on_conflict="error",
    )
    for api in apis():
        merge.add_schema(_own(json.loads(api.get_openapi_json_schema())))
    scheme = {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    merge.add_schema({"components": {"schemas": schemas.components(), "securitySchemes": scheme}})
    made = merge.get_openapi_schema()
    made["components"]["schemas"] = dict(sorted(made["components"]["schemas"].items()))
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _own(part: dict[str, Any]) -> dict[str, Any]:
    """Return one API's document without Powertools' own error formats, and without null as a parameter's value."""
    defined = part["components"]["schemas"]
    part["components"]["schemas"] = {name: defined[name] for name in defined if name not in _POWERTOOLS_ERRORS}
    for item in part["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422", "")):
                del operation["responses"]["422"]
    return part


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is ``str | None`` in Python, but cannot be sent as null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **options[0]}
