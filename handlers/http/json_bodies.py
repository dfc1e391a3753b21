"""A request's body as a JSON object, read strictly: what two readers could understand differently is refused."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from handlers.http.refusals import MalformedBody, UnsupportedContent

BODY_BYTES_MAX = 512 * 1024
"""More than the largest order (100 lines, 20 options each, all texts at their limits in ASCII) takes."""

INTEGER_DIGITS_MAX = 15
"""JSON numbers beyond 2**53 are not read alike everywhere (RFC 8259, section 6)."""

_CONTENT_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def json_object(event: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an API Gateway event; no body is an empty object. Raises MalformedBody, UnsupportedContent."""
    sent = event.get("body")
    if not sent:
        return {}
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if not _CONTENT_TYPE.fullmatch(headers.get("content-type", "").strip()):
        detail = "send JSON in UTF-8, and say so: Content-Type: application/json"
        raise UnsupportedContent(detail, (("Content-Type", detail),))
    text = _text(sent, encoded=bool(event.get("isBase64Encoded")))
    parsed = _parsed(text)
    if not isinstance(parsed, dict):
        _refuse("body", "send a JSON object", HTTPStatus.UNPROCESSABLE_ENTITY)
    return parsed


def _text(sent: str, *, encoded: bool) -> str:
    try:
        body = base64.b64decode(sent, validate=True) if encoded else sent.encode()
        text = body.decode()
    except binascii.Error:
        _refuse("body", "is not base64, which it is said to be")
    except UnicodeError:
        _refuse("body", "is not UTF-8")
    if len(body) > BODY_BYTES_MAX:
        _refuse("body", f"has more than {BODY_BYTES_MAX} bytes", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        _refuse("body", f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        _refuse("body", "is nested too deeply")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse(_shown(name), "is there twice; send it once")
        if _LONE_SURROGATE.search(name) or (isinstance(value, str) and _LONE_SURROGATE.search(value)):
            _refuse(_shown(name), "has half of a surrogate pair, which is no character")
        found[name] = value
    return found


def _constant(name: str) -> NoReturn:
    _refuse("body", f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS_MAX:
        _refuse("body", f"has a number of {len(digits)} digits; {INTEGER_DIGITS_MAX} are the most")
    return int(digits)


def _shown(name: str) -> str:
    return name[:64].encode("ascii", "backslashreplace").decode()


def _refuse(field: str, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> NoReturn:
    raise MalformedBody(f"{field}: {problem}", ((field, problem),), status=status)
