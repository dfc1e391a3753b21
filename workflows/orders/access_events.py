"""The events of reads: personal data was shown to a caller, or an auditor read the data of all orders.

The actor and the trace are recorded in the commit.

Each read has a stream of its own, ``access#<id>``, so that two reads never wait for each other, and an auditor can
prove each one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.identifiers import OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShown:
    """An order whose personal data was shown, and its customer."""

    order_id: OrderId
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataRead:
    """Personal data was shown, or orders were found by it.

    Attributes:
        route: What was requested, e.g. ``GET /orders/{order_id}``.
        orders: The orders that were shown or found; none if the request names no order.
        fields: The personal fields that were shown, or by which was searched.
        reason: What the caller gave as the reason; may be empty.
        at: When.
    """

    route: str
    orders: tuple[OrderShown, ...]
    fields: tuple[str, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDataRead:
    """An auditor read data of all orders: by a query, or as an export. Nothing personal is in it.

    Attributes:
        route: What was requested, e.g. ``POST /audit/query``.
        request: The SQL of a query, or the filter of an export as JSON.
        at: When.
    """

    route: str
    request: str
    at: datetime


AccessEvent = PersonalDataRead | AuditDataRead
