"""Validation errors of pydantic as a refusal that names each field and says how to mend it, without what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from handlers.http.refusals import InvalidRequest

ERRORS_MAX = 20
"""Named in one answer; who mends these sees the others."""

_ADVICE = {
    "missing": "is missing; send it",
    "extra_forbidden": "is not known here; leave it out",
    "string_type": "send a text",
    "string_unicode": "is not valid Unicode",
    "int_type": "send a whole number",
    "int_from_float": "send a whole number",
    "bool_type": "send true or false",
    "list_type": "send a list",
    "dict_type": "send an object",
    "model_type": "send an object",
    "model_attributes_type": "send an object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "is empty; write something",
    "string_too_long": "has more than {max_length} characters",
    "too_short": "is empty; send at least {min_length}",
    "too_long": "has more than {max_length} items",
    "literal_error": "must be {expected}",
}


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """422 for what is wrong in the path or the body, 400 for headers and query."""
    found = [(field_name(error["loc"]), _advice(error)) for error in errors]
    in_body = any(error["loc"][:1] in {("body",), ("path",)} for error in errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if in_body else HTTPStatus.BAD_REQUEST
    return refused(found, status)


def refused(errors: Sequence[tuple[str, str]], status: HTTPStatus) -> InvalidRequest:
    """A refusal for these fields; its sentence has the first three."""
    named = "; ".join(f"{field}: {problem}" for field, problem in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return InvalidRequest(named + more, errors[:ERRORS_MAX], status=status)


def field_name(loc: Sequence[str | int]) -> str:
    """``("body", "lines", 0, "sku")`` -> ``lines[0].sku``, ``("header", "if-match")`` -> ``If-Match``."""
    if loc[:1] == ("header",):
        return str(loc[1]).title()
    name = ""
    for part in loc[1:]:
        name += f"[{part}]" if isinstance(part, int) else f".{part[:64]}" if name else part[:64]
    return name or str(loc[0] if loc else "request")


def _advice(error: Mapping[str, Any]) -> str:
    known = _ADVICE.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
