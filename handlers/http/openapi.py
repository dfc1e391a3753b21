"""The OpenAPI 3.1 document of all APIs in one, made from their routes and models."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from handlers.http.api import Api

DESCRIPTION = """\
Orders for food, from placed to delivered, or cancelled with everything given back.

**Who may do what.** The role in the access token decides: customers place, read and cancel orders of their own;
restaurants answer the tickets sent to them; couriers answer open offers, and report on those they took; support and
services act for any of them; auditors read all orders and see no personal data. An order that a caller may not see is
answered with 404, like one that does not exist.

**Asking twice is safe.** Every write takes an `Idempotency-Key`, and `POST /orders` requires one. The same key and body
is the same request: it is answered again, marked `Idempotent-Replayed: true`, and does nothing. The same key with
another body is refused (422). Without a key, saying the same again counts as the same request.

**Versions.** Every event of an order adds one to its version, which is its ETag. Send it as `If-Match` to write only if
nobody else wrote (else 412), as `If-None-Match` to read only news (else 304), and as `?version=` to see the past.

**Facts are recorded even when they come late.** A restaurant or a courier answers the `ticket` or `offer` it was
sent, by its number; without the number, the current one is meant. An answer to an older one is recorded as being about
that one.

**Incidents** are orders that stand still because of a fault that is ours. Support retries and resolves them, and opens
and closes circuits; auditors read. Above a set amount of money a second person has to approve.

**Refusals** are problem documents (RFC 9457). `type` is `urn:expediter:problem:` and a stable name. 409 is a rule that
says no; 422 a value that cannot be accepted, with `errors` naming each field; 400 a request that cannot be read; 503 is
worth sending again.
"""

_TAGS = ("Orders", "Preparation", "Delivery", "Incidents", "Bulk retries", "Circuits")

_UNUSED = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
"""Schemas of Powertools' own errors, which these APIs never answer with."""


@cache
def document_text(apis: Callable[[], Sequence[Api]]) -> str:
    """The document as JSON text. Made once in a process."""
    return json.dumps(document(apis), ensure_ascii=False)


def document(apis: Callable[[], Sequence[Api]]) -> dict[str, Any]:
    """Make one document of several APIs."""
    parts = [json.loads(api.get_openapi_json_schema()) for api in apis()]
    for part in parts:
        _drop_foreign_errors(part)
    schemas = {name: schema for part in parts for name, schema in part["components"]["schemas"].items()}
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
        "paths": {path: item for part in parts for path, item in part["paths"].items()},
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas) if name not in _UNUSED},
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _drop_foreign_errors(part: dict[str, Any]) -> None:
    """Remove the 422 that Powertools adds to routes where we document none: its format is never answered with."""
    for item in part["paths"].values():
        for operation in item.values():
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422", "")):
                del operation["responses"]["422"]
