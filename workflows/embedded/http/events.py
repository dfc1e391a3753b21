"""An HTTP request as the event API Gateway sends to Lambda, and a function's result as an HTTP response.

The event is payload format 2.0 of HTTP APIs:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from workflows.asl.signals import JSON
from workflows.embedded import arns
from workflows.embedded.template import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in. Header names are lower-case, header values and the query as sent, the path decoded."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    protocol: str
    source_ip: str
    request_id: str
    at: datetime

    def header(self, name: str) -> str:
        """All values of a header, combined with commas as RFC 9110 allows; empty when it was not sent."""
        return ",".join(value for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out. Several headers may have one name (``set-cookie``)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class ResultMalformed(ValueError):
    """A function answered what is no HTTP response. API Gateway makes it a 500."""


def event(
    request: Request, route: Route, path_parameters: Mapping[str, str], claims: Mapping[str, Any] | None
) -> dict[str, JSON]:
    """The event for a request that ``route`` matched. ``claims`` are the token's, None on an open route."""
    key = f"{route.method} {route.path}"
    made: dict[str, JSON] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {name: request.header(name) for name, _ in request.headers if name != "cookie"},
        "requestContext": _context(request, key, claims),
        "isBase64Encoded": False,
    }
    cookies = [cookie.strip() for name, value in request.headers if name == "cookie" for cookie in value.split(";")]
    if cookies:
        made["cookies"] = cookies
    if request.query:
        made["queryStringParameters"] = _query(request.query)
    if path_parameters:
        made["pathParameters"] = dict(path_parameters)
    if request.body:
        made["body"], made["isBase64Encoded"] = _body(request)
    return made


def response(result: JSON) -> Response:
    """The response a function asked for: an object with ``statusCode``, or any JSON, which is a 200 with that body.

    Raises ResultMalformed.
    """
    if not isinstance(result, Mapping) or "statusCode" not in result:
        return Response(200, (("content-type", "application/json"),), json.dumps(result).encode())
    status, body, headers, cookies = (result.get(key) for key in ("statusCode", "body", "headers", "cookies"))
    if not (isinstance(status, int | str) and str(status).isdecimal() and 100 <= int(status) <= 599):
        raise ResultMalformed("statusCode is no HTTP status")
    if (
        not isinstance(body, str | None)
        or not isinstance(headers, Mapping | None)
        or not isinstance(cookies, list | None)
    ):
        raise ResultMalformed("body, headers or cookies are of the wrong type")
    sent = {str(name).lower(): _value(value) for name, value in (headers or {}).items()}
    sent.setdefault("content-type", "text/plain;charset=utf-8")
    return Response(
        int(status),
        (*sent.items(), *(("set-cookie", _value(cookie)) for cookie in cookies or ())),
        _decoded(body or "", bool(result.get("isBase64Encoded"))),
    )


def problem(status: HTTPStatus, detail: str, **headers: str) -> Response:
    """A problem document (RFC 9457) from the engine itself. Header names are written with underscores."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status.value, (("content-type", "application/problem+json"), *sent), json.dumps(body).encode())


def _context(request: Request, key: str, claims: Mapping[str, Any] | None) -> dict[str, JSON]:
    context: dict[str, JSON] = {
        "accountId": arns.ACCOUNT,
        "apiId": "expediter",
        "domainName": request.header("host"),
        "domainPrefix": request.header("host").split(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": request.request_id,
        "routeKey": key,
        "stage": "$default",
        "time": request.at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.at.timestamp() * 1000),
    }
    if claims is not None:
        said = {name: _claim(value) for name, value in claims.items()}
        context["authorizer"] = {"jwt": {"claims": said, "scopes": None}}  # our routes ask for no scopes
    return context


def _claim(value: object) -> str:
    """API Gateway makes a text of every claim, and ``[a b]`` of a list."""
    if isinstance(value, list):
        return f"[{' '.join(_claim(item) for item in value)}]"
    return value if isinstance(value, str) else json.dumps(value)


def _query(query: str) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return {name: ",".join(given) for name, given in values.items()}


def _body(request: Request) -> tuple[str, bool]:
    """As text where the content type says text, else in base64."""
    kind = request.header("content-type").split(";")[0].strip().lower()
    if kind == "" or kind.startswith("text/") or kind.endswith(("json", "xml", "javascript")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # it is not what it says
    return base64.b64encode(request.body).decode(), True


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if not text.isprintable():
        raise ResultMalformed("a header has characters that no header may have")
    return text


def _decoded(body: str, base64_encoded: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if base64_encoded else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ResultMalformed(f"body: {error}") from error
