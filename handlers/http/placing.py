"""Placing an order from the body of ``POST /orders``: at the prices of a menu, or at those of a service.

The menu alone has the prices of what a customer orders. Amounts in a customer's request are refused by field, but for
the tip and for ``expected_total``, which can only refuse the order.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from domain.identifiers import Actor, CustomerId, OrderId, RestaurantId, Role
from domain.money import Money
from domain.order.commands import PlaceOrder
from domain.order.refusals import InvalidOrder
from handlers.http.models import LineBody, PlaceBody
from handlers.http.values import MoneyBody
from workflows.event_store.event_log import EventLog
from workflows.orders import requests
from workflows.orders.command_handling import Caller, Handled
from workflows.orders.permissions import places_for

if TYPE_CHECKING:
    from workflows.catalogue.ordering import SelectedOrder


def place(log: EventLog, body: PlaceBody, caller: Caller, key: str, now: datetime) -> Handled:
    """Place the order of a body, once.

    Raises:
        InvalidOrder: The caller may not set one of the amounts, or the body has both or neither of items and lines.
        Rejected, KeyReused: As ``place_selection`` and ``requests.place``.
    """
    customer, order_id = places_for(caller.actor, body.customer), requests.placed_id(caller.actor, key)
    _refuse_amounts(body, caller.actor)
    if body.lines is not None:
        return requests.place(log, _priced(body, body.lines, order_id, customer, now), caller, key)
    from workflows.catalogue.ordering import place_selection  # late: a cold start that places nothing saves it

    return place_selection(log, _selected(body, order_id, customer), caller, key, now)


def _refuse_amounts(body: PlaceBody, actor: Actor) -> None:
    if body.lines is not None and actor.role is not Role.SERVICE:
        raise InvalidOrder("lines", f"{_FROM_MENU}; send items with their sku, quantity and options instead")
    if body.items is None and body.lines is None:
        raise InvalidOrder("items", "is required: the items of the restaurant's menu to order")
    if body.items is not None and body.lines is not None:
        raise InvalidOrder("lines", "send either items, at the menu's prices, or lines with prices of your own")
    if body.lines is not None and body.expected_total is not None:
        raise InvalidOrder("expected_total", "goes with items; lines have prices of your own, so omit this field")
    for field, fee in (("delivery_fee", body.delivery_fee), ("service_fee", body.service_fee)):
        if body.items is not None and fee is not None:
            raise InvalidOrder(field, f"{_FROM_MENU}; omit this field")


_FROM_MENU = "prices and fees come from the restaurant's menu"


def _selected(body: PlaceBody, order_id: OrderId, customer: CustomerId) -> SelectedOrder:
    from workflows.catalogue.ordering import SelectedOrder

    return SelectedOrder(
        order_id=order_id,
        customer=customer,
        restaurant=RestaurantId(body.restaurant),
        selections=tuple(item.selection() for item in body.items or ()),
        payment_method=body.payment_method,
        contact=body.contact.contact(),
        tip=None if body.tip is None else body.tip.money,
        kitchen_note=body.kitchen_note,
        expected_total=None if body.expected_total is None else body.expected_total.money,
    )


def _priced(
    body: PlaceBody, lines: list[LineBody], order_id: OrderId, customer: CustomerId, now: datetime
) -> PlaceOrder:
    currency = lines[0].unit_price.currency
    return PlaceOrder(
        order_id=order_id,
        customer=customer,
        restaurant=RestaurantId(body.restaurant),
        lines=tuple(line.line() for line in lines),
        delivery_fee=_or_zero(body.delivery_fee, currency),
        service_fee=_or_zero(body.service_fee, currency),
        tip=_or_zero(body.tip, currency),
        payment_method=body.payment_method,
        contact=body.contact.contact(),
        at=now,
        kitchen_note=body.kitchen_note,
    )


def _or_zero(fee: MoneyBody | None, currency: str) -> Money:
    return Money.zero(currency) if fee is None else fee.money
