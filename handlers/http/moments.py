"""Query parameters that choose a moment or a page of an order's history: version, at, limit, cursor."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from domain.identifiers import OrderId
from handlers.http.invalid import invalid
from handlers.http.parameters import InHeader, InQuery
from handlers.http.values import Shape
from workflows.clock import read_timestamp

PAGE_MAX = 100
"""Events in a page. Most orders have fewer altogether."""

WAIT_MAX_S = 25
"""Shorter than API Gateway's longest integration timeout of 30 s."""

VERSION_SCHEMA = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
TIME_SCHEMA = {"type": "string", "format": "date-time"}


def read_version(value: Any) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", str(value)):
        raise ValueError("must be a whole number from 1 to 999999999")
    return int(value)


def _limit(value: Any) -> int:
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= PAGE_MAX:
        raise ValueError(f"must be a whole number from 1 to {PAGE_MAX}")
    return int(text)


def _wait(value: Any) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", str(value)) or int(value) > WAIT_MAX_S:
        raise ValueError(f"must be a whole number from 0 to {WAIT_MAX_S}")
    return int(value)


def read_time(value: Any) -> datetime:
    try:
        return read_timestamp(str(value))
    except ValueError as error:
        raise ValueError(f"{error} (in a query, write + as %2B)") from None


def _either(value: Any) -> int | datetime:
    return read_version(value) if re.fullmatch(r"[0-9]+", str(value)) else read_time(value)


def _flag(value: Any) -> bool:
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return bool(value == "true")


Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "string", "enum": ["true", "false"]})]
AtVersion = Annotated[
    Annotated[int, BeforeValidator(read_version), WithJsonSchema(VERSION_SCHEMA)] | None,
    InQuery("Read the order as it was at this version."),
]
AtTime = Annotated[
    Annotated[datetime, BeforeValidator(read_time), WithJsonSchema(TIME_SCHEMA)] | None,
    InQuery("Read the order as it was at this time. Not together with `version`."),
]
_Moment = Annotated[int | datetime, BeforeValidator(_either), WithJsonSchema({"anyOf": [VERSION_SCHEMA, TIME_SCHEMA]})]
AtEither = Annotated[_Moment, InQuery("A version or a time.")]
AtEitherOrNow = Annotated[_Moment | None, InQuery("A version or a time; now if it is left out.")]
Limit = Annotated[
    Annotated[int, BeforeValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": PAGE_MAX})],
    InQuery("The most entries to return."),
]
Cursor = Annotated[
    Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})] | None,
    InQuery("`next` of the previous page."),
]


AccessReason = Annotated[
    Annotated[str, Shape(r"[ -~]{1,200}", "must be 1 to 200 printable ASCII characters")] | None,
    InHeader(
        "Access-Reason",
        "Why personal data is read, e.g. the number of a support case. It is recorded for auditors; do not name the "
        "customer.",
    ),
]
Personal = Annotated[
    Flag,
    InQuery(
        "`false` leaves out personal data, so that no read of it is recorded: support and services are then shown what "
        "an auditor is shown. Other roles are shown their own orders in any case."
    ),
]
WaitS = Annotated[
    Annotated[int, BeforeValidator(_wait), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": WAIT_MAX_S})]
    | None,
    InQuery("With If-None-Match: wait up to this number of seconds for the order to change."),
]


def check_wait(wait_s: int | None, moment: int | datetime | None, if_none_match: str | None) -> None:
    """Check that a read that waits names the version it has. Raises InvalidRequest."""
    if wait_s is not None and (moment is not None or not if_none_match):
        raise invalid([("wait_s", "send it with If-None-Match, and without version and at")], HTTPStatus.BAD_REQUEST)


def chosen(version: int | None, at: datetime | None) -> int | datetime | None:
    """Return the one that was sent, if any.

    Raises:
        InvalidRequest: Both were sent.
    """
    if version is not None and at is not None:
        raise invalid([("at", "send version or at, not both")], HTTPStatus.BAD_REQUEST)
    return at if version is None else version


def cursor_after(order_id: OrderId, version: int) -> str:
    """Make the cursor of the page that follows this version."""
    return base64.urlsafe_b64encode(f"{order_id}:{version}".encode()).decode().rstrip("=")


def last_seen(order_id: OrderId, cursor: str | None) -> int:
    """Return the last version of the previous page; 0 without a cursor.

    Raises:
        InvalidRequest: It is not a cursor of this order.
    """
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    decoded = re.fullmatch(rf"{order_id}:([1-9][0-9]{{0,8}})", text)
    if not decoded:
        problem = "is not a cursor of this order; send `next` of a page unchanged, or leave it out for the first page"
        raise invalid([("cursor", problem)], HTTPStatus.BAD_REQUEST)
    return int(decoded[1])
