"""Ordering from a menu: what a selection would cost, and placing it.

A customer sends items, options and quantities; amounts come from the restaurant's menu alone. ``expected_total`` is
the price that the customer saw: another price is then refused, and it never sets one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.catalogue.pricing import Quote, Selection, quote
from domain.identifiers import CustomerId, OrderId, RestaurantId
from domain.money import Money
from domain.order.commands import PlaceOrder
from domain.order.order import Order
from domain.personal import Contact
from workflows.catalogue.restaurants import load_restaurant
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog
from workflows.orders.command_handling import Caller, Handled, KeyedCommand, transact_order
from workflows.orders.requests import place_key


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedOrder:
    """An order as a customer sends it: a selection, and no price."""

    order_id: OrderId
    customer: CustomerId
    restaurant: RestaurantId
    selections: tuple[Selection, ...]
    payment_method: str
    contact: Contact
    tip: Money | None = None
    kitchen_note: str | None = None
    expected_total: Money | None = None


def quote_selection(
    log: EventLog, restaurant_id: RestaurantId, selections: tuple[Selection, ...], *, tip: Money | None, now: datetime
) -> Quote:
    """Price a selection as the restaurant's menu is now. Raises as ``domain.catalogue.pricing.quote``."""
    return quote(load_restaurant(log, restaurant_id), selections, at=now, tip=tip)


def place_selection(log: EventLog, selected: SelectedOrder, caller: Caller, key: str, now: datetime) -> Handled:
    """Price the selection and place the order, once. A retry finds its order at the price of the first attempt.

    Raises:
        Rejected: The selection cannot be ordered now, or a rule of orders forbids it; nothing was recorded.
        KeyReused: The key was used with another selection.
    """

    def prepare(_: History, order: Order) -> KeyedCommand:
        return KeyedCommand(
            command=lambda: _priced(log, selected, now), request=selected, key=place_key(caller.actor, key)
        )

    return transact_order(log, selected.order_id, prepare, caller=caller)


def _priced(log: EventLog, selected: SelectedOrder, now: datetime) -> PlaceOrder:
    quoted = quote(
        load_restaurant(log, selected.restaurant),
        selected.selections,
        at=now,
        tip=selected.tip,
        expected_total=selected.expected_total,
    )
    return PlaceOrder(
        order_id=selected.order_id,
        customer=selected.customer,
        restaurant=selected.restaurant,
        lines=quoted.lines,
        delivery_fee=quoted.delivery_fee,
        service_fee=quoted.service_fee,
        tip=quoted.tip,
        payment_method=selected.payment_method,
        contact=selected.contact,
        at=now,
        menu_version=quoted.menu_version,
        fee_tax_class=quoted.fee_tax_class,
        fee_tax_rate_bp=quoted.fee_tax_rate_bp,
        kitchen_note=selected.kitchen_note,
    )
