"""The values in paths of restaurants and menus, and how long caches may keep what is read of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from domain.identifiers import NAME, RestaurantId, parse_name

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
PICTURE = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""A picture is shown as what its content is, on any page, and is never run as a page of its own."""
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
PictureName = Annotated[
    str, Field(max_length=100), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}\\.(png|jpg|webp)$"})
]
MenuVersion = Annotated[int, BeforeValidator(_menu_version), Field(ge=1, le=999_999)]
