"""The facts of a receipt, computed from an order's events. Nothing about the customer is among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.catalogue.events import Profile
from domain.money import Money
from domain.order.books import is_sold
from domain.order.events import Line, OrderCompleted, OrderDelivered, OrderPlaced, PaymentRefunded
from domain.order.evolving import evolve_all
from domain.order.order import Order, initial
from domain.order.payment import Transfer
from domain.order.tax import tax_parts
from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in
from workflows.orders.command_handling import folded_order
from workflows.orders.json_values import money_json

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.books_json import TaxJson
    from workflows.client.receipt_json import ReceiptJson, ReceiptLineJson, ReceiptRefundJson

OCCASIONS = (OrderCompleted, PaymentRefunded)
"""The events that a receipt is made for."""


def receipt_versions(history: History) -> list[int]:
    """Return the versions of the order that have a receipt, oldest first: one a commit, its last occasion."""
    by_commit = {each.commit: each.version for each in history.recorded if isinstance(each.event, OCCASIONS)}
    return list(by_commit.values())


def receipt_content(history: History, version: int, profile: Profile | None) -> ReceiptJson:
    """Return the facts of the receipt for one of ``receipt_versions``.

    Args:
        profile: Of the restaurant when the order was placed; None if it was not registered.
    """
    order = _order_at(history, version)
    placed = order.placed
    assert placed is not None
    occasion = history.recorded[version - 1]
    items = sum(line.total.minor for line in order.lines)
    gross = Money(items, order.currency) + placed.delivery_fee + placed.service_fee + placed.tip
    cancelled = order.cancellation is not None
    total = Money.zero(order.currency) if cancelled else order.total
    captured, refunded = order.payment.captured, order.payment.returned(Transfer.DONE)
    return {
        "order_id": order.order_id,
        "version": version,
        "made_for": "refund" if _has_refund(history, occasion.commit) else "completion",
        "restaurant": {
            "id": placed.restaurant,
            "name": placed.restaurant if profile is None else profile.name,
            "address": "" if profile is None else profile.address,
        },
        "time_zone": "UTC" if profile is None else profile.time_zone,
        "ordered_at": timestamp(placed.placed_at),
        "delivered_at": _delivered_at(history, version),
        "issued_at": occasion.ts,
        "lines": _lines(order, placed),
        "delivery_fee": money_json(placed.delivery_fee),
        "service_fee": money_json(placed.service_fee),
        "tip": money_json(placed.tip),
        "credit": money_json(gross - order.total),
        "cancelled": money_json(order.total - total),
        "total": money_json(total),
        "captured": money_json(captured),
        "refunds": _refunds(history, version),
        "paid": money_json(captured - refunded),
        "taxes": _taxes(order) if is_sold(order) else [],
    }


def _order_at(history: History, version: int) -> Order:
    if version == history.version:
        return folded_order(history)
    order_id = order_id_in(history.stream)
    assert order_id is not None
    return evolve_all(initial(order_id), history.events[:version])


def _has_refund(history: History, commit: int) -> bool:
    """Whether a refund was recorded in this commit: the order is often completed again in the same one."""
    return any(each.commit == commit and isinstance(each.event, PaymentRefunded) for each in history.recorded)


def _delivered_at(history: History, version: int) -> str | None:
    times = [each.event.at for each in history.recorded[:version] if isinstance(each.event, OrderDelivered)]
    return timestamp(times[-1]) if times else None


def _lines(order: Order, placed: OrderPlaced) -> list[ReceiptLineJson]:
    return [_line(line, ordered) for line, ordered in zip(order.lines, placed.lines, strict=True)]


def _line(line: Line, ordered: Line) -> ReceiptLineJson:
    return {
        "name": line.name,
        "quantity": line.quantity,
        "ordered": ordered.quantity,
        "unit_price": money_json(line.unit_price),
        "options": [{"name": option.name, "price": money_json(option.price)} for option in line.options],
        "total": money_json(line.total),
        "tax_class": line.tax_class,
        "tax_rate_bp": line.tax_rate_bp,
    }


def _refunds(history: History, version: int) -> list[ReceiptRefundJson]:
    refunded: list[Any] = [each.event for each in history.recorded[:version] if isinstance(each.event, PaymentRefunded)]
    return [
        {"reference": event.refund_id, "amount": money_json(event.amount), "at": timestamp(event.at)}
        for event in refunded
    ]


def _taxes(order: Order) -> list[TaxJson]:
    return [
        {
            "tax_class": part.tax_class,
            "rate_bp": part.rate_bp,
            "gross": money_json(part.gross),
            "net": money_json(part.net),
            "tax": money_json(part.tax),
        }
        for part in tax_parts(order)
    ]
