"""The providers that orders depend on, and which of them performs an intent."""

from __future__ import annotations

from enum import StrEnum

from domain.order.events import (
    CourierReleaseRequested,
    CourierRequested,
    Intent,
    PreparationCancellationRequested,
    PreparationRequested,
)


class Dependency(StrEnum):
    """A provider that orders depend on. Each has one circuit breaker."""

    PAYMENTS = "payments"
    KITCHEN = "kitchen"
    COURIERS = "couriers"


def dependency_of(intent: Intent) -> Dependency:
    """Return the provider that performs the intent."""
    match intent:
        case PreparationRequested() | PreparationCancellationRequested():
            return Dependency.KITCHEN
        case CourierRequested() | CourierReleaseRequested():
            return Dependency.COURIERS
        case _:
            return Dependency.PAYMENTS
