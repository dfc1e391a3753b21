"""An order in ``eventsourcing``, as its tutorial writes aggregates."""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

from datetime import datetime

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Order(Aggregate):
    """An order that remembers the amount held and the intents that were answered."""

    def __init__(self) -> None:
        self.held = 0
        self.answers: dict[int, str] = {}

    @event("Authorized")
    def record(self, answers: int, authorization_id: str, amount: int, currency: str, at: datetime) -> None:
        self.held = amount
        self.answers[answers] = authorization_id


class Orders(Application):
    """The application of orders. By default its repository has no cache."""
