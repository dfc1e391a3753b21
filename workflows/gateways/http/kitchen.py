"""Kitchens over HTTP: a ``KitchenGateway``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.identifiers import OrderId, RestaurantId
from domain.order.events import Line
from workflows.clock import Clock
from workflows.gateways.http import messages
from workflows.gateways.http.provider import Operation, Provider
from workflows.gateways.kitchen import Cancelled, KitchenUnavailable
from workflows.gateways.receipts import TooLate

SEND_TICKET = Operation[None]("send_ticket", "/tickets", messages.SendTicketMessage, messages.ReceivedMessage)
CANCEL_TICKET = Operation[Cancelled | TooLate](
    "cancel_ticket", "/tickets/cancel", messages.CancelTicketMessage, messages.CancelTicketAnswer, Cancelled, TooLate
)
OPERATIONS = (SEND_TICKET, CANCEL_TICKET)


class HttpKitchen:
    """Every call may raise KitchenUnavailable, CredentialRefused and KeyMisused."""

    def __init__(self, url: str, credential: Callable[[], str], clock: Clock | None = None) -> None:
        """Raises ProviderUrlRefused. ``credential`` and ``clock`` as in ``Provider``."""
        self._provider = Provider(url, credential, KitchenUnavailable, clock=clock)

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
        request = messages.SendTicketMessage.of(reference, restaurant, lines, note)
        self._provider.ask(SEND_TICKET, request, key=key, timeout_s=timeout_s)

    def cancel_ticket(self, *, ticket_key: str, key: str, timeout_s: float) -> Cancelled | TooLate:
        request = messages.CancelTicketMessage(ticket_key=ticket_key)
        return self._provider.ask(CANCEL_TICKET, request, key=key, timeout_s=timeout_s)
