"""Errors raised by erasures. They have a module of their own: every API maps errors to statuses."""

from __future__ import annotations

from collections.abc import Sequence

from domain.identifiers import OrderId
from domain.order.refusals import Rejected


class NothingToErase(Rejected):
    """No data key of this customer exists: nothing personal was ever stored, or it was erased. Retryable: no."""

    def __init__(self, customer: str) -> None:
        super().__init__(
            f"Nothing personal is kept about customer {customer}. Find the right id with a search by phone or name."
        )
        self.customer = customer


class CustomerHasOpenOrders(Rejected):
    """Orders of the customer have not ended, and need the address and the payment method. Retryable: once they have."""

    def __init__(self, customer: str, orders: Sequence[tuple[OrderId, str]]) -> None:
        waits = "; ".join(f"{order_id} waits for {what}" for order_id, what in orders)
        super().__init__(f"Customer {customer} has open orders. They must end first: {waits}.")
        self.customer = customer
        self.orders = tuple(orders)


class NoErasureProposed(Rejected):
    """No erasure of this customer waits for a second person. Retryable: after it was proposed. HTTP: 404."""

    def __init__(self, customer: str) -> None:
        super().__init__(f"No erasure of customer {customer} waits for approval. Propose it first.")
        self.customer = customer


class ErasureNeedsSecondPerson(Rejected):
    """The person who proposed the erasure cannot approve it. Retryable: by another person. HTTP: 403."""

    def __init__(self, customer: str, person: str) -> None:
        super().__init__(f"{person} proposed to erase customer {customer}, so a second person has to approve it.")
        self.customer = customer
        self.person = person
