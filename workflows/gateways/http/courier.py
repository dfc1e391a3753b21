"""Couriers over HTTP: a ``CourierGateway``."""

from __future__ import annotations

from collections.abc import Callable

from domain.identifiers import OrderId, RestaurantId
from workflows.gateways.courier import CouriersUnavailable, Released, TooLate
from workflows.gateways.http import messages
from workflows.gateways.http.provider import Operation, Provider

OFFER = Operation[None]("offer", "/offers", messages.OfferDelivery, messages.Received)
WITHDRAW = Operation[Released | TooLate](
    "withdraw", "/offers/withdraw", messages.WithdrawOffer, messages.Withdrawn, Released, TooLate
)
OPERATIONS = (OFFER, WITHDRAW)


class HttpCouriers:
    """Every call raises CouriersUnavailable, CredentialRefused and KeyMisused."""

    def __init__(self, url: str, credential: Callable[[], str]) -> None:
        """Raises ProviderUrlRefused. ``credential`` as ``Provider`` has it."""
        self._provider = Provider(url, credential, CouriersUnavailable)

    def offer(self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float) -> None:
        asked = messages.OfferDelivery(reference=reference, restaurant=restaurant, attempt=attempt)
        self._provider.ask(OFFER, asked, key=key, timeout_s=timeout_s)

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        asked = messages.WithdrawOffer(offer_key=offer_key)
        return self._provider.ask(WITHDRAW, asked, key=key, timeout_s=timeout_s)
