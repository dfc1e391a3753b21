"""A request's body as a JSON object. What two JSON parsers could read differently is refused."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from handlers.http.refusals import MalformedBody, UnsupportedContent
from workflows.boundary.strict_json import JsonRefused, read_json

BODY_BYTES_MAX = 512 * 1024
"""More than the largest order needs: 100 lines with 20 options each, all texts as long as they may be, in ASCII."""

INTEGER_DIGITS_MAX = 15
"""Parsers differ on JSON numbers beyond 2**53 (RFC 8259, section 6)."""

_CONTENT_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


def json_object(
    event: Mapping[str, Any], headers: Mapping[str, str], bytes_max: int = BODY_BYTES_MAX
) -> dict[str, Any]:
    """Return the body of an API Gateway event, whose header names are in small letters. No body is an empty object.

    Raises:
        UnsupportedContent: The content type is not JSON in UTF-8.
        MalformedBody: The body is too large, or not a JSON object.
    """
    sent = event.get("body")
    if not sent:
        return {}
    if not _CONTENT_TYPE.fullmatch(headers.get("content-type", "").strip()):
        detail = "must be application/json, in UTF-8"
        raise UnsupportedContent(f"Content-Type {detail}.", (("Content-Type", detail),))
    text = _text(sent, encoded=bool(event.get("isBase64Encoded")), bytes_max=bytes_max)
    parsed = _parsed(text)
    if not isinstance(parsed, dict):
        _refuse("body", "must be a JSON object", HTTPStatus.UNPROCESSABLE_ENTITY)
    return parsed


def _text(sent: str, *, encoded: bool, bytes_max: int) -> str:
    try:
        body = base64.b64decode(sent, validate=True) if encoded else sent.encode()
        text = body.decode()
    except binascii.Error:
        _refuse("body", "is not valid base64")
    except UnicodeError:
        _refuse("body", "is not UTF-8")
    if len(body) > bytes_max:
        _refuse("body", f"has more than {bytes_max} bytes", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return text


def _parsed(text: str) -> Any:
    try:
        return read_json(text, integer_digits_max=INTEGER_DIGITS_MAX)
    except JsonRefused as refused:
        _refuse(refused.name or "body", refused.problem)


def _refuse(field: str, problem: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> NoReturn:
    raise MalformedBody(f"{field}: {problem}", ((field, problem),), status=status)
