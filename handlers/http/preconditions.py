"""The headers of HTTP that requests here can carry: Idempotency-Key, If-Match, If-None-Match."""

from __future__ import annotations

import re
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import AfterValidator

from handlers.http.values import Shape

_ETAG = re.compile(r'"([1-9][0-9]{0,8})"')


def _one_etag(value: str) -> str:
    if value.strip() != "*" and not _ETAG.fullmatch(value.strip()):
        raise ValueError('send one ETag as it came with the order, e.g. "7" with its quotes, or *')
    return value


_Key = Annotated[str, Shape(r"[\x21-\x7e]{1,128}", "use 1 to 128 visible ASCII characters, e.g. a UUID")]

RequiredKey = Annotated[
    _Key,
    Header(
        alias="Idempotency-Key",
        description="Names this wish across attempts: 1 to 128 visible ASCII characters, e.g. a UUID. The same key and "
        "body is the same order; the same key with another body is refused (422).",
    ),
]
OptionalKey = Annotated[
    _Key | None,
    Header(
        alias="Idempotency-Key",
        description="Names this request across attempts. Without it, a request that says the same again is a retry.",
    ),
]
IfMatch = Annotated[
    Annotated[str, AfterValidator(_one_etag)] | None,
    Header(alias="If-Match", description="Only if the order still has this ETag; else 412. `*` always matches."),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="Answer 304 without a body if the order still has one of these ETags."),
]


def etag(version: int) -> str:
    """The ETag of an order: its version in quotes."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that a checked If-Match names; ``*`` names none, for the order must exist anyway."""
    found = _ETAG.fullmatch((if_match or "").strip())
    return int(found[1]) if found else None


def is_fresh(if_none_match: str | None, version: int) -> bool:
    """Whether the caller has this version already. Compared weakly, as RFC 9110 says for If-None-Match."""
    if not if_none_match:
        return False
    sent = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in sent or etag(version) in sent
