"""Simulates kitchens. A meal is cooked some time after its ticket arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.identifiers import OrderId, RestaurantId
from domain.order.events import Line
from workflows.gateways.kitchen import Cancelled, KitchenUnavailable
from workflows.gateways.receipts import TooLate
from workflows.sandbox import requests
from workflows.sandbox.counterparty import Counterparty, Surroundings
from workflows.sandbox.ledger import Ledger, Lines, ProviderCall
from workflows.sandbox.settings import KitchenSettings
from workflows.sqlite.database import Database


class SandboxKitchen(Counterparty):
    """A ``KitchenGateway``."""

    def __init__(self, database: Database, settings: KitchenSettings, surroundings: Surroundings) -> None:
        ledger = Ledger(database, "kitchen", (Cancelled, TooLate))
        super().__init__(ledger, settings.network, surroundings, KitchenUnavailable)
        self._cooked_after = settings.cooked_after

    def send_ticket(
        self,
        *,
        reference: OrderId,
        restaurant: RestaurantId,
        lines: Sequence[Line],
        key: str,
        timeout_s: float,
        note: str = "",
    ) -> None:
        """Accept a ticket. The note is not kept, as it is personal and identifies no call."""

        def perform(ledger: Lines, at: datetime) -> None:
            requests.arrive(ledger, at, reference=reference, detail=restaurant, key=key)

        parameters = {"reference": reference, "restaurant": restaurant, "lines": tuple(lines)}
        self._call(ProviderCall(key, "send_ticket", parameters), timeout_s, perform)

    def cancel_ticket(self, *, ticket_key: str, key: str, timeout_s: float) -> Cancelled | TooLate:
        def perform(ledger: Lines, at: datetime) -> Cancelled | TooLate:
            ended = requests.take_back(ledger, at, request_key=ticket_key, acted_on_after=self._cooked_after, key=key)
            if ended.kind == "too_late":
                return TooLate(reason="already_cooked", at=ended.at)
            return Cancelled(at=ended.at)

        return self._call(ProviderCall(key, "cancel_ticket", {"ticket_key": ticket_key}), timeout_s, perform)
