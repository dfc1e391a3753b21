"""Couriers over HTTP: a ``CourierGateway``."""

from __future__ import annotations

from collections.abc import Callable

from domain.identifiers import OrderId, RestaurantId
from workflows.clock import Clock
from workflows.gateways.courier import CouriersUnavailable, Offered, Released
from workflows.gateways.http import messages
from workflows.gateways.http.provider import Operation, Provider
from workflows.gateways.receipts import TooLate

OFFER = Operation[Offered | None](
    "offer", "/offers", messages.OfferDeliveryMessage, messages.OfferDeliveryAnswer, Offered
)
WITHDRAW = Operation[Released | TooLate](
    "withdraw", "/offers/withdraw", messages.WithdrawOfferMessage, messages.WithdrawOfferAnswer, Released, TooLate
)
OPERATIONS = (OFFER, WITHDRAW)


class HttpCouriers:
    """Every call may raise CouriersUnavailable, CredentialRefused and KeyMisused."""

    def __init__(self, url: str, credential: Callable[[], str], clock: Clock | None = None) -> None:
        """Raises ProviderUrlRefused. ``credential`` and ``clock`` as in ``Provider``."""
        self._provider = Provider(url, credential, CouriersUnavailable, clock=clock)

    def offer(
        self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float
    ) -> Offered | None:
        request = messages.OfferDeliveryMessage(reference=reference, restaurant=restaurant, attempt=attempt)
        return self._provider.ask(OFFER, request, key=key, timeout_s=timeout_s)

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        request = messages.WithdrawOfferMessage(offer_key=offer_key)
        return self._provider.ask(WITHDRAW, request, key=key, timeout_s=timeout_s)
