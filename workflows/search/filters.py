"""What can be asked of the views. An empty filter admits every row that the caller may see; all parts must hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money
from domain.order.order import Status
from workflows.time_budgets import Awaiting


class OrderSort(StrEnum):
    """The order of a list of orders.

    ``PLACED`` and ``NEWEST`` go by a time that never changes: an order is in one page, once. The others go by a time
    that only grows, oldest first: an order that changes between two pages is in a later page again, and none is left
    out.
    """

    NEWEST = "-placed_at"
    PLACED = "placed_at"
    CHANGED = "changed_at"
    WAITING = "waiting_since"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders. Times are texts as in the log; ``..._from`` includes its time, ``..._to`` does not.

    ``amount_min`` and ``amount_max`` bound one of the order's amounts: see ``workflows.projections.amounts``.
    ``phone_index``, ``email_index`` and ``name_words`` are blind indexes; only ``POST /orders/search`` sets them. Each
    of ``name_words`` is in the name.
    """

    status: tuple[Status, ...] = ()
    customer: str | None = None
    restaurant: str | None = None
    courier: str | None = None
    waiting_for: Awaiting | None = None
    overdue: bool | None = None
    parked: bool | None = None
    cause: str | None = None
    dependency: str | None = None
    amount_min: Money | None = None
    amount_max: Money | None = None
    currency: str | None = None
    placed_from: str | None = None
    placed_to: str | None = None
    changed_from: str | None = None
    payment_reference: str | None = None
    id_prefix: str | None = None
    id_suffix: str | None = None
    phone_index: str | None = None
    email_index: str | None = None
    name_words: tuple[str, ...] = ()

    @property
    def further_views(self) -> tuple[str, ...]:
        """The views besides ``orders`` that are read."""
        return ("amounts",) if self.amount_min is not None or self.amount_max is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events. ``people_only`` leaves out those that Expediter itself recorded."""

    types: tuple[str, ...] = ()
    actor: str | None = None
    actor_role: str | None = None
    order: str | None = None
    customer: str | None = None
    restaurant: str | None = None
    recorded_from: str | None = None
    recorded_to: str | None = None
    correlation: str | None = None
    people_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFilter:
    """Which reads of personal data."""

    actor: str | None = None
    order: str | None = None
    customer: str | None = None
    read_from: str | None = None
    read_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """Which tickets, offers or approvals: the open ones or the others.

    ``of``: only the restaurant's or the courier's. ``by_others``: only requests that the caller did not make.
    """

    open: bool = True
    of: str | None = None
    by_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedFilter:
    """Which of what is owed. ``older_than_s``: owed for longer than these seconds."""

    holding: str | None = None
    dependency: str | None = None
    currency: str | None = None
    in_doubt: bool | None = None
    refused: bool | None = None
    needed: bool | None = None
    older_than_s: int | None = None
    amount_min: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestaurantFilter:
    """Which restaurants. Texts are compared without case and accents.

    Args:
        name: Each of its words is in the restaurant's name.
        cuisine: One of the restaurant's.
        dish: Each of its words is in the name of one item that is on the menu and not sold out.
        open_now: Only those that take orders now.
    """

    name: str | None = None
    cuisine: str | None = None
    dish: str | None = None
    open_now: bool = False


class BucketSize(StrEnum):
    """The time that a group of orders was placed in."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsFilter:
    """Which orders are counted, by when they were placed, and in groups of which time."""

    placed_from: str
    placed_to: str
    restaurant: str | None = None
    bucket: BucketSize | None = None
    by_restaurant: bool = False
