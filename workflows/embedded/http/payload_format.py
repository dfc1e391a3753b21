"""Translates HTTP requests to the events that API Gateway sends to Lambda, and function results to HTTP responses.

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
from typing import Any
from urllib.parse import parse_qsl

from workflows.asl.signals import JSON
from workflows.embedded import arns
from workflows.embedded.template import ApiRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it arrived. Header names are lower-case, header values and the query as sent, the path decoded."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    protocol: str
    source_ip: str
    request_id: str
    at: datetime

    def joined_headers(self) -> dict[str, str]:
        """Return the headers, several values of one name joined with commas as RFC 9110 allows."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response to send. Several headers may have one name (``set-cookie``)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class ResultMalformed(ValueError):
    """A function returned something that is not an HTTP response. API Gateway answers 500."""


def event(
    request: HttpRequest, route: ApiRoute, path_parameters: Mapping[str, str], claims: Mapping[str, Any] | None
) -> dict[str, JSON]:
    """Return the Lambda event for a request that ``route`` matched.

    Args:
        claims: The token's claims; None on a route that needs no token.
    """
    key, headers = route.key, request.joined_headers()
    built: dict[str, JSON] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {name: value for name, value in headers.items() if name != "cookie"},
        "requestContext": _context(request, key, headers, claims),
        "isBase64Encoded": False,
    }
    cookies = [cookie.strip() for name, value in request.headers if name == "cookie" for cookie in value.split(";")]
    if cookies:
        built["cookies"] = cookies
    if request.query:
        built["queryStringParameters"] = _query(request.query)
    if path_parameters:
        built["pathParameters"] = dict(path_parameters)
    if request.body:
        built["body"], built["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return built


def response(result: JSON) -> HttpResponse:
    """Return the HTTP response for a function's result.

    Args:
        result: An object with ``statusCode``; any other JSON is a 200 with that body.

    Raises:
        ResultMalformed: The object has a field of the wrong type, or an impossible status or header.
    """
    if not isinstance(result, Mapping) or "statusCode" not in result:
        return HttpResponse(200, (("content-type", "application/json"),), json.dumps(result).encode())
    status, body, headers, cookies = (result.get(key) for key in ("statusCode", "body", "headers", "cookies"))
    if not (isinstance(status, int | str) and str(status).isdecimal() and 100 <= int(status) <= 599):
        raise ResultMalformed("statusCode is not an HTTP status")
    if (
        not isinstance(body, str | None)
        or not isinstance(headers, Mapping | None)
        or not isinstance(cookies, list | None)
    ):
        raise ResultMalformed("body, headers or cookies are of the wrong type")
    sent = {str(name).lower(): _value(value) for name, value in (headers or {}).items()}
    sent.setdefault("content-type", "text/plain;charset=utf-8")
    return HttpResponse(
        int(status),
        (*sent.items(), *(("set-cookie", _value(cookie)) for cookie in cookies or ())),
        _decoded(body or "", bool(result.get("isBase64Encoded"))),
    )


def _context(
    request: HttpRequest, key: str, headers: Mapping[str, str], claims: Mapping[str, Any] | None
) -> dict[str, JSON]:
    host = headers.get("host", "")
    context: dict[str, JSON] = {
        "accountId": arns.ACCOUNT,
        "apiId": "expediter",
        "domainName": host,
        "domainPrefix": host.split(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request.request_id,
        "routeKey": key,
        "stage": "$default",
        "time": request.at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(request.at.timestamp() * 1000),
    }
    if claims is not None:
        texts = {name: _claim(value) for name, value in claims.items()}
        context["authorizer"] = {"jwt": {"claims": texts, "scopes": None}}  # our routes require no scopes
    return context


def _claim(value: object) -> str:
    """Return a claim as API Gateway passes it on: always text, a list as ``[a b]``."""
    if isinstance(value, list):
        return f"[{' '.join(_claim(item) for item in value)}]"
    return value if isinstance(value, str) else json.dumps(value)


def _query(query: str) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return {name: ",".join(repeated) for name, repeated in values.items()}


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    """Return the body as text if its content type is a text type, else in base64; and whether it is base64."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "" or kind.startswith("text/") or kind.endswith(("json", "xml", "javascript")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # the content type is wrong
    return base64.b64encode(body).decode(), True


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if not text.isprintable():
        raise ResultMalformed("a header has characters that are not allowed in headers")
    return text


def _decoded(body: str, base64_encoded: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if base64_encoded else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ResultMalformed(f"body: {error}") from error
