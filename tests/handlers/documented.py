"""Check responses against the API's own documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import jsonschema_rs

from handlers import orders_api
from handlers.http.openapi import document_text


class Answered(Protocol):
    """A response."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...


@cache
def documentation() -> dict[str, Any]:
    """Return the OpenAPI document of all APIs."""
    document: dict[str, Any] = json.loads(document_text(orders_api.documented_apis))
    return document


def assert_documented(method: str, path: str, answer: Answered) -> None:
    """Check status, content type, body and headers of a response against the document.

    Args:
        path: As in the document, e.g. ``/orders/{order_id}``. Others, and methods the path does not take, pass.
    """
    operation = documentation()["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return
    assert str(answer.status) in operation["responses"], f"{method} {path} answers with an undocumented {answer}"
    response = operation["responses"][str(answer.status)]
    for name, header in response.get("headers", {}).items():
        if name.lower() in answer.headers:
            _validator(json.dumps(header["schema"])).validate(answer.headers[name.lower()])
    if "content" not in response:
        assert answer.text == ""
        return
    schema = response["content"][answer.headers["content-type"]]["schema"]
    if schema.get("format") == "binary":
        return
    _validator(json.dumps(schema)).validate(json.loads(answer.text))


@cache
def _validator(schema: str) -> Any:
    root = {**json.loads(schema), "components": documentation()["components"]}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True)
