"""The people of one order, each with a token of their own role: they act through the HTTP API like anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from workflows.cli.connection import Session

View: TypeAlias = Mapping[str, Any]
SignIn: TypeAlias = Callable[[str, str], Session]
"""Role and id -> a session with a token of theirs."""


class Parties:
    """The customer, the restaurant, and a courier for each offer. Each act returns the order as it is after it."""

    def __init__(self, sign_in: SignIn, customer: str, restaurant: str, couriers: str) -> None:
        """``couriers`` is what their ids begin with."""
        self.customer = sign_in("customer", customer)
        self._restaurant = sign_in("restaurant", restaurant)
        self._sign_in = sign_in
        self._couriers = couriers

    def accept(self, view: View, ready_at: str) -> View:
        return self._cook(view, "accept", ready_at=ready_at)

    def reject(self, view: View, reason: str) -> View:
        return self._cook(view, "reject", reason=reason)

    def item_unavailable(self, view: View, line: int) -> View:
        return self._cook(view, "item-unavailable", line=line, available=0)

    def ready(self, view: View) -> View:
        return self._cook(view, "ready")

    def assign(self, view: View) -> View:
        return self._deliver(view, "assign")

    def decline(self, view: View, reason: str) -> View:
        return self._deliver(view, "decline", reason=reason)

    def pick_up(self, view: View) -> View:
        return self._deliver(view, "pick-up")

    def deliver(self, view: View) -> View:
        return self._deliver(view, "deliver")

    def fail(self, view: View, reason: str, fault: str) -> View:
        return self._deliver(view, "fail", reason=reason, fault=fault)

    def cancel_as_customer(self, view: View, reason: str) -> View:
        return self.customer.act(view["id"], "cancel", {"reason": reason})

    def cancel_as_restaurant(self, view: View, reason: str) -> View:
        return self._restaurant.act(view["id"], "cancel", {"reason": reason})

    def _cook(self, view: View, action: str, **body: Any) -> View:
        ticket = view["preparation"]["ticket"]
        return self._restaurant.act(view["id"], f"preparation/{action}", {"ticket": ticket, **body})

    def _deliver(self, view: View, action: str, **body: Any) -> View:
        """By the courier of the offer in question: another one for each."""
        offer = view["delivery"]["offer"]
        courier = self._sign_in("courier", f"{self._couriers}-{offer['attempt']}")
        return courier.act(view["id"], f"delivery/{action}", {"offer": offer["offer"], **body})
