"""Identifiers: their formats, and how the id of an order is derived."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

OrderId = NewType("OrderId", str)
CustomerId = NewType("CustomerId", str)
RestaurantId = NewType("RestaurantId", str)
CourierId = NewType("CourierId", str)
Sku = NewType("Sku", str)

ORDER_ID = r"ord_[a-z2-7]{26}"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class InvalidIdentifier(ValueError):
    """The text is not an identifier of that kind. Retryable: no. HTTP: 422."""


class Role(StrEnum):
    """The part that an actor plays in an order. ``SYSTEM`` is Expediter itself; all others are read from a token."""

    CUSTOMER = "customer"
    RESTAURANT = "restaurant"
    COURIER = "courier"
    SUPPORT = "support"
    AUDITOR = "auditor"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a program that acts on an order, in one role."""

    role: Role
    id: str


SYSTEM = Actor(Role.SYSTEM, "expediter")


def order_id_for(caller: str, key: str) -> OrderId:
    """Derive the id of the order that ``caller`` places under an idempotency key, so that a retry finds its own order.

    128 bits of SHA-256 over the length-prefixed pair, in lower-case base 32.
    """
    digest = hashlib.sha256(f"{len(caller)}:{caller}{key}".encode()).digest()[:16]
    return OrderId("ord_" + base64.b32encode(digest).decode().rstrip("=").lower())


def parse_order_id(text: str) -> OrderId:
    """Check that the text is an order id. Raises InvalidIdentifier."""
    if not re.fullmatch(ORDER_ID, text):
        raise InvalidIdentifier(
            f"{text!r} is not an order id: it starts with ord_ and has 26 letters and digits after it"
        )
    return OrderId(text)


def parse_name(text: str, kind: str) -> str:
    """Check an id that another system gave.

    Args:
        text: 1 to 64 letters, digits, ``_``, ``.`` or ``-``.
        kind: What it identifies, for the message: customer, restaurant, courier or item.

    Raises:
        InvalidIdentifier: The text has another format.
    """
    if not re.fullmatch(NAME, text):
        raise InvalidIdentifier(f"{text!r} is not a {kind} id: use 1 to 64 letters, digits, '_', '.' or '-'")
    return text
