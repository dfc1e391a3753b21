"""Simulates couriers. A courier is on the way some time after an offer arrived."""

from __future__ import annotations

from datetime import datetime

from domain.identifiers import OrderId, RestaurantId
from workflows.gateways.courier import CouriersUnavailable, Released
from workflows.gateways.receipts import TooLate
from workflows.sandbox import requests
from workflows.sandbox.counterparty import Counterparty, Surroundings
from workflows.sandbox.ledger import Ledger, Lines, ProviderCall
from workflows.sandbox.settings import CourierSettings
from workflows.sqlite.database import Database


class SandboxCouriers(Counterparty):
    """A ``CourierGateway``."""

    def __init__(self, database: Database, settings: CourierSettings, surroundings: Surroundings) -> None:
        ledger = Ledger(database, "courier", (Released, TooLate))
        super().__init__(ledger, settings.network, surroundings, CouriersUnavailable)
        self._under_way_after = settings.under_way_after

    def offer(self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float) -> None:
        def perform(lines: Lines, at: datetime) -> None:
            requests.arrive(lines, at, reference=reference, detail=restaurant, key=key)

        parameters = {"reference": reference, "restaurant": restaurant, "attempt": attempt}
        self._call(ProviderCall(key, "offer", parameters), timeout_s, perform)

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        def perform(lines: Lines, at: datetime) -> Released | TooLate:
            ended = requests.take_back(lines, at, request_key=offer_key, acted_on_after=self._under_way_after, key=key)
            if ended.kind == "too_late":
                return TooLate(reason="courier_under_way", at=ended.at)
            return Released(at=ended.at)

        return self._call(ProviderCall(key, "withdraw", {"offer_key": offer_key}), timeout_s, perform)
