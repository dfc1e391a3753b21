"""The parties of one order. Each calls the HTTP API with a token of its own role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from workflows.client import ExpediterClient
from workflows.client.order_json import OrderJson

SignIn: TypeAlias = Callable[[str, str], ExpediterClient]
"""Returns a client with a token for a role and an id."""


class Parties:
    """The customer, the restaurant, and another courier for each offer."""

    def __init__(self, sign_in: SignIn, customer: str, restaurant: str, couriers: str) -> None:
        """Sign the parties in. ``couriers`` is the prefix of the couriers' ids."""
        self.customer = sign_in("customer", customer)
        self._restaurant = sign_in("restaurant", restaurant)
        self._sign_in = sign_in
        self._couriers = couriers

    def accept(self, order: OrderJson, ready_at: datetime) -> OrderJson:
        return self._restaurant.accept(order["id"], ready_at, ticket=_ticket(order))

    def reject(self, order: OrderJson, reason: str) -> OrderJson:
        return self._restaurant.reject(order["id"], reason, ticket=_ticket(order))

    def item_unavailable(self, order: OrderJson, line: int) -> OrderJson:
        return self._restaurant.item_unavailable(order["id"], line, 0, ticket=_ticket(order))

    def ready(self, order: OrderJson) -> OrderJson:
        return self._restaurant.ready(order["id"], ticket=_ticket(order))

    def assign(self, order: OrderJson) -> OrderJson:
        return self._courier(order).assign(order["id"], offer=_offer(order))

    def decline(self, order: OrderJson, reason: str) -> OrderJson:
        return self._courier(order).decline(order["id"], reason, offer=_offer(order))

    def pick_up(self, order: OrderJson) -> OrderJson:
        return self._courier(order).pick_up(order["id"], offer=_offer(order))

    def deliver(self, order: OrderJson) -> OrderJson:
        return self._courier(order).deliver(order["id"], offer=_offer(order))

    def fail(self, order: OrderJson, reason: str, fault: str) -> OrderJson:
        return self._courier(order).fail(order["id"], reason, fault, offer=_offer(order))

    def cancel_as_customer(self, order: OrderJson, reason: str) -> OrderJson:
        return self.customer.cancel(order["id"], reason)["order"] or order

    def cancel_as_restaurant(self, order: OrderJson, reason: str) -> OrderJson:
        return self._restaurant.cancel(order["id"], reason)["order"] or order

    def _courier(self, order: OrderJson) -> ExpediterClient:
        """Return the client of the courier for the current offer."""
        offer = order["delivery"]["offer"]
        return self._sign_in("courier", f"{self._couriers}-{offer['attempt'] if offer else 0}")


def _ticket(order: OrderJson) -> int | None:
    return order["preparation"]["ticket"] if order["preparation"] else None


def _offer(order: OrderJson) -> int | None:
    return order["delivery"]["offer"]["offer"] if order["delivery"]["offer"] else None
