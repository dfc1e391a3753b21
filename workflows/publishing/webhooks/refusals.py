"""Errors raised by operations on webhooks.

They have a module of their own, because every API maps them to a status and only one of them has webhooks.
"""

from __future__ import annotations

from domain.order.refusals import Rejected
from domain.picklable import Picklable


class NoSuchEndpoint(Picklable, LookupError):
    """No webhook endpoint that the caller may see has this id. HTTP: 404."""

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"There is no webhook endpoint {endpoint_id}.")


class NoSuchDelivery(Picklable, LookupError):
    """No webhook delivery that the caller may see has this id. HTTP: 404."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"There is no webhook delivery {delivery_id}. Deliveries are kept for a few days.")


class TooManyEndpoints(Rejected):
    """The limit of webhook endpoints is reached. HTTP: 409."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are {limit} webhook endpoints already. Remove one that is not used.")
