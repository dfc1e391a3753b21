"""The values in paths of restaurants and menus, and how long caches may keep what is read of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from domain.identifiers import NAME, RestaurantId, parse_name

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
SHORTLY = {"Cache-Control": "public, max-age=5", "Vary": "Accept-Encoding"}
"""A restaurant that pauses, or an item that sells out, is seen within five seconds; an order is checked in any case."""


def _menu_version(value: Any) -> int:
    if not str(value).isdecimal() or not 1 <= int(value) <= 999_999:
        raise ValueError("must be a whole number from 1 to 999999")
    return int(value)


RestaurantIdText = Annotated[
    RestaurantId,
    AfterValidator(lambda text: parse_name(text, "restaurant")),
    WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"}),
]
MenuVersion = Annotated[int, BeforeValidator(_menu_version), Field(ge=1, le=999_999)]
