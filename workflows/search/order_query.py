"""One page of orders to read, and what its sort and its caller make of it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.identifiers import Actor, Role
from workflows.search.filters import OrderFilter, OrderSort
from workflows.time_budgets import Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """One page to read. ``now``, a text as in the log, and ``budgets`` decide what is overdue."""

    actor: Actor
    filter: OrderFilter
    sort: OrderSort
    limit: int
    cursor: str | None
    now: str
    budgets: Budgets

    @property
    def by_placing(self) -> bool:
        """Whether the orders go by the time at which they were placed."""
        return self.sort in (OrderSort.NEWEST, OrderSort.PLACED)

    @property
    def of_one_party(self) -> bool:
        """Whether only orders of one customer, restaurant or courier are listed."""
        named = self.filter.customer or self.filter.restaurant or self.filter.courier
        return named is not None or self.actor.role in (Role.CUSTOMER, Role.RESTAURANT)

    @property
    def of_one_person(self) -> bool:
        """Whether only orders of one customer or courier are listed, who has few in each state."""
        named = self.filter.customer or self.filter.courier
        return named is not None or self.actor.role in (Role.CUSTOMER, Role.COURIER)
