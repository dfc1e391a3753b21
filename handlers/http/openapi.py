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
    return made


def _own(part: dict[str, Any]) -> dict[str, Any]:
    """One API's document without what Powertools adds for its own error formats."""
    defined = part["components"]["schemas"]
    part["components"]["schemas"] = {name: defined[name] for name in defined if name not in _POWERTOOLS_ERRORS}
    for item in part["paths"].values():
        for operation in item.values():
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422", "")):
                del operation["responses"]["422"]
    return part
