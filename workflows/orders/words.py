"""Words that sentences for people share: amounts, actors, names in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Data: TypeAlias = Mapping[str, Any]

WITHHELD: Final = "(withheld)"
"""Stands in place of a field that the reader may not see."""


def money(value: Data) -> str:
    """Return ``12.50 EUR``."""
    return f"{value['amount']} {value['currency']}"


def is_zero(amount: Data) -> bool:
    """Tell whether an amount of money is zero."""
    return set(amount["amount"]) <= set("0.")


def actor(value: Data) -> str:
    """Return ``courier cou_7``; Expediter itself is ``system``."""
    return "system" if value["role"] == "system" else f"{value['role']} {value['id']}"


def plain(name: str) -> str:
    """Return the words of a name: ``timed_out`` -> ``timed out``; ``write_off`` is spelled ``write-off`` for people."""
    return name.replace("write_off", "write-off").replace("_", " ")


def spaced(name: str) -> str:
    """Return the words of a class name: ``DeliveryOverdue`` -> ``delivery overdue``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def quoted(reason: str | None) -> str:
    """Return ``: "reason"`` to append to a sentence; empty if there is none, or it is withheld."""
    return "" if reason in (None, "", WITHHELD) else f': "{reason}"'


def why_cancelled(data: Data) -> str:
    """Return by whom or why an order was cancelled, e.g. ``because the payment was declined``."""
    if data["cause"] == "asked":
        return f"by {actor(data['by'])}{quoted(data.get('reason'))}"
    return because(data["cause"])


def because(cause: str) -> str:
    """Return the cause of a cancellation that no person requested, e.g. ``because the payment was declined``."""
    return f"because {_CAUSES.get(cause, plain(cause))}"


_CAUSES = {
    "payment_declined": "the payment was declined",
    "preparation_rejected": "the restaurant rejected the order",
    "preparation_timed_out": "the restaurant did not answer in time",
    "preparation_overdue": "the meal was not ready in time",
    "nothing_left": "no item is available",
    "no_courier": "no courier took the delivery",
    "delivery_failed": "the delivery failed",
    "abandoned": "the order was abandoned",
}
