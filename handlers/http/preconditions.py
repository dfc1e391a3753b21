"""Request headers: Idempotency-Key, If-Match, If-None-Match, Prefer."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from handlers.http.parameters import InHeader
from handlers.http.values import Shape

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t]*(\*|{_TAG}(?:[ \t]*,[ \t]*{_TAG})*)[ \t]*")
_DOCUMENTED = r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'
_OURS = re.compile(r'"([1-9][0-9]{0,8})"')


def _entity_tags(value: str) -> str:
    if not _TAGS.fullmatch(value):
        raise ValueError('send ETags as they came with the order, e.g. "7" with its quotes, or *')
    return value


_Key = Annotated[str, Shape(r"[\x21-\x7e]{1,128}", "use 1 to 128 visible ASCII characters, e.g. a UUID")]

RequiredKey = Annotated[
    _Key,
    InHeader(
        "Idempotency-Key",
        "Identifies this request across retries: 1 to 128 visible ASCII characters, e.g. a UUID. The same "
        "key and body is the same request; the same key with another body is refused (422).",
    ),
]
OptionalKey = Annotated[
    _Key | None,
    InHeader(
        "Idempotency-Key",
        "Identifies this request across retries. Without it, a request with the same body is a retry.",
    ),
]
ChangeKey = Annotated[
    _Key | None,
    InHeader("Idempotency-Key", "Identifies this request across retries: a late copy of it changes nothing more."),
]
IfMatch = Annotated[
    Annotated[str, AfterValidator(_entity_tags), Field(json_schema_extra={"pattern": _DOCUMENTED, "examples": ['"7"']})]
    | None,
    InHeader(
        "If-Match",
        "Act only if the order has one of these ETags; else 412. A weak ETag (`W/`) matches none, `*` any.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    InHeader("If-None-Match", "Answer 304 without a body if what is read has one of these ETags."),
]

Prefer = Annotated[
    str | None,
    InHeader(
        "Prefer",
        "`return=minimal` (RFC 7240): answer 204 with the order's ETag, without the order. Others are ignored.",
    ),
]


def etag(version: int) -> str:
    """The ETag of an order: its version in quotes."""
    return f'"{version}"'


def expected_versions(if_match: str | None) -> frozenset[int] | None:
    """The versions in a checked If-Match; None for no header and for ``*``, which every order matches.

    Tags are compared strongly (RFC 9110, section 13.1.1): a weak tag, or one that is not ours, matches no version.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    ours = (_OURS.fullmatch(tag) for tag in re.findall(_TAG, if_match))
    return frozenset(int(tag[1]) for tag in ours if tag)


def content_tag(digest: str) -> str:
    """The weak ETag of content with this hash: the tag is the same whether the content is sent compressed or not."""
    return f'W/"{digest}"'


def is_fresh(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller already has the content of this ETag. Tags are compared weakly (RFC 9110, section 13.1.2)."""
    if not if_none_match:
        return False
    sent = {tag.removeprefix("W/") for tag in re.findall(_TAG, if_none_match)}
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in sent


def prefers_minimal(prefer: str | None) -> bool:
    """Whether the caller wants no body. Of several ``return`` preferences the first counts (RFC 7240, section 2)."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            return value.strip().strip('"').lower() == "minimal"
    return False
