"""Gateways behind circuit breakers: the same protocols, which raise ``CircuitOpen`` instead of calling.

A failure is a call without an answer (``Unavailable``), or with an answer that took longer than ``slow_s``. A refusal
is an answer, and so is ``KeyMisused``. Any other exception is a bug of Expediter and does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.identifiers import OrderId, RestaurantId
from domain.money import Money
from domain.order.events import Line
from workflows.breakers.breaker import Breaker
from workflows.clock import Clock
from workflows.gateways.courier import CourierGateway, Offered, Released
from workflows.gateways.errors import KeyMisused, Unavailable
from workflows.gateways.kitchen import Cancelled, KitchenGateway
from workflows.gateways.payment import Authorized, Captured, Declined, PaymentGateway, Refunded, Refused, Voided
from workflows.gateways.receipts import TooLate

T = TypeVar("T")


class Guard:
    """Calls through one breaker. A call belongs to the order in its key, ``order id / version of the intent``."""

    def __init__(self, breaker: Breaker, clock: Clock) -> None:
        self._breaker = breaker
        self._clock = clock

    def call(self, key: str, call: Callable[[], T]) -> T:
        """Make the call if the circuit admits it, and report the outcome.

        Raises CircuitOpen, and what the call raises.
        """
        permit = self._breaker.admit(OrderId(key.partition("/")[0]), key)
        began = self._clock.now()
        try:
            answer = call()
        except Unavailable as failure:
            self._breaker.failed(permit, f"{type(failure).__name__}: {failure.reason}")
            raise
        except KeyMisused:
            self._breaker.succeeded(permit)
            raise
        took_s = (self._clock.now() - began).total_seconds()
        if took_s > self._breaker.settings.slow_s:
            self._breaker.failed(permit, f"the answer took {took_s:.1f} s")
        else:
            self._breaker.succeeded(permit)
        return answer


class GuardedPayments:
    """Implements ``PaymentGateway``."""

    def __init__(self, payments: PaymentGateway, guard: Guard) -> None:
        self._payments = payments
        self._guard = guard

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        return self._guard.call(
            key,
            lambda: self._payments.authorize(
                reference=reference, payment_method=payment_method, amount=amount, key=key, timeout_s=timeout_s
            ),
        )

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        return self._guard.call(
            key,
            lambda: self._payments.capture(
                authorization_id=authorization_id, amount=amount, key=key, timeout_s=timeout_s
            ),
        )

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        return self._guard.call(
            key, lambda: self._payments.void(authorization_id=authorization_id, key=key, timeout_s=timeout_s)
        )

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        return self._guard.call(
            key,
            lambda: self._payments.refund(capture_id=capture_id, amount=amount, key=key, timeout_s=timeout_s),
        )

    def find_capture(self, *, reference: OrderId, capture_id: str, key: str, timeout_s: float) -> Captured | Refused:
        return self._guard.call(
            key,
            lambda: self._payments.find_capture(
                reference=reference, capture_id=capture_id, key=key, timeout_s=timeout_s
            ),
        )


class GuardedKitchen:
    """Implements ``KitchenGateway``."""

    def __init__(self, kitchen: KitchenGateway, guard: Guard) -> None:
        self._kitchen = kitchen
        self._guard = guard

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
        self._guard.call(
            key,
            lambda: self._kitchen.send_ticket(
                reference=reference, restaurant=restaurant, lines=lines, key=key, timeout_s=timeout_s, note=note
            ),
        )

    def cancel_ticket(self, *, ticket_key: str, key: str, timeout_s: float) -> Cancelled | TooLate:
        return self._guard.call(
            key, lambda: self._kitchen.cancel_ticket(ticket_key=ticket_key, key=key, timeout_s=timeout_s)
        )


class GuardedCouriers:
    """Implements ``CourierGateway``."""

    def __init__(self, couriers: CourierGateway, guard: Guard) -> None:
        self._couriers = couriers
        self._guard = guard

    def offer(
        self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float
    ) -> Offered | None:
        return self._guard.call(
            key,
            lambda: self._couriers.offer(
                reference=reference, restaurant=restaurant, attempt=attempt, key=key, timeout_s=timeout_s
            ),
        )

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        return self._guard.call(key, lambda: self._couriers.withdraw(offer_key=offer_key, key=key, timeout_s=timeout_s))
