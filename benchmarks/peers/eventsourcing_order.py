"""An order in ``eventsourcing``, as its tutorial writes aggregates."""

# mypy: ignore-errors
# It runs in a venv of its own, whose packages mypy does not see here.

from __future__ import annotations

from datetime import datetime

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Order(Aggregate):
    """Remembers what is held and which intents were answered."""

    def __init__(self) -> None:
        self.held = 0
        self.answers: dict[int, str] = {}

    @event("Authorized")
    def record(self, answers: int, authorization_id: str, amount: int, currency: str, at: datetime) -> None:
        self.held = amount
        self.answers[answers] = authorization_id


class Orders(Application):
    """Its repository caches nothing unless it is told to."""
