"""Validation errors as a refusal that names each field and what to do about it, without repeating what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from handlers.http.refusals import InvalidRequest
from handlers.http.values import OfField

ERRORS_MAX = 20
"""Fields named in one response. Once they are corrected, the next response names the others."""

_ADVICE = {
    "missing": "is required",
    "extra_forbidden": "is not a field here; leave it out",
    "string_type": "must be a string",
    "string_unicode": "is not valid Unicode",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length} items",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""What to do about an error, by pydantic's type of error."""


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """Make the refusal for pydantic's errors: 422 if one is in the path or the body, else 400."""
    problems = [(field_name(_place(error)), _advice(error)) for error in errors]
    in_content = any(error["loc"][:1] in {("body",), ("path",)} for error in errors)
    return invalid(problems, HTTPStatus.UNPROCESSABLE_ENTITY if in_content else HTTPStatus.BAD_REQUEST)


def _place(error: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Return where the error is: at a field, also if it was found by a check of the object that has the field."""
    cause = error.get("ctx", {}).get("error")
    place: tuple[str | int, ...] = error["loc"]
    return (*place, cause.field) if isinstance(cause, OfField) else place


def unknown_parameters(unknown: Sequence[str], known: Sequence[str]) -> InvalidRequest:
    """Make the refusal for query parameters that the path does not take. It names those that may have been meant."""
    return invalid([(name[:64], _unknown(name[:64], known)) for name in unknown], HTTPStatus.BAD_REQUEST)


_PERSONAL = ("phone", "email", "name", "address")
_MEANT = {
    "page": "cursor",
    "offset": "cursor",
    "after": "cursor",
    "next": "cursor",
    "per_page": "limit",
    "size": "limit",
}
"""Query parameters that other APIs have, and those here that do the same."""


def _unknown(name: str, known: Sequence[str]) -> str:
    if name in _PERSONAL and "customer" in known:
        return "is not sent in a URL, where it would be logged; send it in the body of POST /orders/search"
    near = _near(name, known)
    if near:
        return f"is not a query parameter here; did you mean {' or '.join(near)}?"
    takes = f"this path takes {', '.join(known)}" if known else "this path takes none"
    return f"is not a query parameter here; {takes}"


def _near(name: str, known: Sequence[str]) -> list[str]:
    """Return at most three parameters that are written almost like this name, or share a word with it."""
    written = get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.75)
    words = set(name.lower().split("_"))
    related = [each for each in known if words & set(each.split("_"))]
    same = [each for each in known if each == _MEANT.get(name)]
    return (written or same or related)[:3]


def invalid(problems: Sequence[tuple[str, str]], status: HTTPStatus) -> InvalidRequest:
    """Make the refusal for these fields.

    Args:
        problems: Pairs of a field's name and what to do about it. The sentence has the first three.
    """
    return InvalidRequest(_sentence(problems), problems[:ERRORS_MAX], status=status)


def field_name(loc: Sequence[str | int]) -> str:
    """``("body", "lines", 0, "sku")`` -> ``lines[0].sku``, ``("header", "if-match")`` -> ``If-Match``."""
    if loc[:1] == ("header",):
        return str(loc[1]).title()
    name = ""
    for part in loc[1:]:
        name += f"[{part}]" if isinstance(part, int) else f".{part[:64]}" if name else part[:64]
    return name or str(loc[0] if loc else "request")


def _sentence(problems: Sequence[tuple[str, str]]) -> str:
    """``restaurant, lines and contact are required``; ``tip: must be an object; and 2 more``."""
    required = [field for field, problem in problems if problem == _ADVICE["missing"]]
    others = [f"{field}: {problem}" for field, problem in problems if problem != _ADVICE["missing"]]
    parts = [*([_required(required)] if required else []), *others]
    more = f"; and {len(parts) - 3} more" if len(parts) > 3 else ""
    return "; ".join(parts[:3]) + more


def _required(fields: Sequence[str]) -> str:
    *others, last = fields[:ERRORS_MAX]
    return f"{', '.join(others)} and {last} are required" if others else f"{last} is required"


def _advice(error: Mapping[str, Any]) -> str:
    known = _ADVICE.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
