"""Pages of lists: a page begins after an item and not at a number, so items that come or go move no others.

A token holds the key of the last item of its page, and a checksum over the request. A token of another operation, of
other parameters or of no page at all is refused, as at AWS.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from workflows.embedded.step_functions.api_requests import Parameters, Result, StepFunctionsRefusal, invalid

PAGE_MAX: Final = 1000
"""The most items in one response, as at AWS."""

_PAGE_DEFAULT: Final = 100
_CHECK: Final = 12  # bytes of checksum

_Item = TypeVar("_Item")


def limit_of(parameters: Parameters, default: int = _PAGE_DEFAULT) -> int:
    """Return ``maxResults``. 0 is the default, as at AWS. Raises StepFunctionsRefusal."""
    limit: int = parameters.get("maxResults") or default
    if not 0 <= limit <= PAGE_MAX:
        raise invalid(f"'maxResults' must be from 0 to {PAGE_MAX}")
    return limit


def page_of(
    operation: str,
    parameters: Parameters,
    items: Sequence[_Item],
    key: Callable[[_Item], Any],
    *,
    descending: bool = False,
    default: int = _PAGE_DEFAULT,
) -> tuple[Sequence[_Item], Result]:
    """Return the items of a page, and ``nextToken`` if there are more.

    Args:
        items: All of them, in the order of their keys.
        key: Returns JSON that can be compared; no two items have the same.
        descending: Whether the highest key is the first.
        default: The number of items if the request names none.

    Raises:
        StepFunctionsRefusal: ``nextToken`` is not a token of this list.
    """
    after, limit = position_of(operation, parameters), limit_of(parameters, default)
    if after is not None:
        items = [item for item in items if (key(item) < after if descending else key(item) > after)]
    page = items[:limit]
    return page, token_of(operation, parameters, key(page[-1])) if len(items) > limit else {}


def token_of(operation: str, parameters: Parameters, position: Any) -> Result:
    """Return ``nextToken`` for the page after ``position``, the key of an item, which is JSON."""
    text = json.dumps(position).encode()
    return {"nextToken": base64.urlsafe_b64encode(_check(operation, parameters, text) + text).decode()}


def position_of(operation: str, parameters: Parameters) -> Any:
    """Return the position in ``nextToken``; None for the first page. Raises StepFunctionsRefusal."""
    token = parameters.get("nextToken")
    if not token:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:  # also of another alphabet or length
        raw = b""
    check, text = raw[:_CHECK], raw[_CHECK:]
    if check != _check(operation, parameters, text):
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'")
    return json.loads(text)


def _check(operation: str, parameters: Parameters, text: bytes) -> bytes:
    asked = {name: value for name, value in parameters.items() if name not in ("nextToken", "maxResults")}
    of = json.dumps([operation, asked], sort_keys=True).encode()
    return hashlib.sha256(of + b"\x00" + text).digest()[:_CHECK]
