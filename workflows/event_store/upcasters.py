"""Upcasters: functions that convert the data of an event from one schema to the next.

Each takes a dict and returns a dict. Personal fields are decrypted beforehand and are ``Erased()`` if the key was
destroyed, so an upcaster must accept both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.personal import Erased
from workflows.event_store.streams import ORDER

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]
Upcasters = Mapping[tuple[str, str, int], Upcaster]


def _erased_with_contact(data: Data) -> Data:
    """Show a payment method that was stored unencrypted as erased once the customer's key was destroyed."""
    return {**data, "payment_method": Erased()} if isinstance(data["contact"], Erased) else data


def _unchanged(data: Data) -> Data:
    """Keep the data: the next schema stores a field encrypted that this one stored as it is."""
    return data


UPCASTERS: Upcasters = {
    (ORDER, "OrderPlaced", 1): _erased_with_contact,
    (ORDER, "PaymentAuthorizationRequested", 1): _unchanged,
}
"""By category, event type and the schema that the upcaster reads; it returns data of the next schema."""


class UpcastersIncomplete(Exception):
    """An old schema has no upcaster, or an upcaster reads no old schema. Detected when the code is loaded."""


def check_upcasters(upcasters: Upcasters, current: Mapping[tuple[str, str], int]) -> None:
    """Check that every schema below an event's current one has its upcaster, and that there are no others.

    Args:
        current: The newest schema by category and event type.

    Raises:
        UpcastersIncomplete: It names the missing or surplus upcasters.
    """
    needed = {(*kind, schema) for kind, newest in current.items() for schema in range(1, newest)}
    missing = sorted(needed - upcasters.keys())
    surplus = sorted(upcasters.keys() - needed)
    if missing:
        raise UpcastersIncomplete(f"no upcaster reads {_listed(missing)}")
    if surplus:
        raise UpcastersIncomplete(f"an upcaster reads {_listed(surplus)}, which is current, or no event at all")


def upcast(data: Data, kind: tuple[str, str], schema: int, newest: int, upcasters: Upcasters) -> Data:
    """Convert data of ``schema`` to data of ``newest``; ``kind`` is the category and the event type."""
    for step in range(schema, newest):
        data = upcasters[(*kind, step)](data)
    return data


def _listed(keys: list[tuple[str, str, int]]) -> str:
    return ", ".join(f"{category}/{name} schema {schema}" for category, name, schema in keys)
