"""Which rows of each view a caller may see: the table of ``workflows.orders.permissions`` as conditions of SQL.

A test compares every condition with that table on random orders.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from domain.identifiers import Actor, Role
from workflows.orders.permissions import reads_all
from workflows.projections.offers import OFFERS, listed
from workflows.projections.orders import ORDERS
from workflows.projections.tickets import TICKETS


def orders_of(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``orders`` for the orders that a caller may read."""
    if reads_all(actor):
        return true()
    match actor.role:
        case Role.CUSTOMER:
            return ORDERS.c.customer == actor.id
        case Role.RESTAURANT:
            return ORDERS.c.restaurant == actor.id
        case Role.COURIER:
            return ORDERS.c.order_id.in_(select(OFFERS.c.order_id).where(offers_of(actor)))
        case _:
            return false()


def tickets_of(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``tickets`` for a caller's board."""
    if reads_all(actor):
        return true()
    return TICKETS.c.restaurant == actor.id if actor.role is Role.RESTAURANT else false()


def offers_of(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``offers``: those that a courier accepted, and the open ones made to them or to all."""
    if reads_all(actor):
        return true()
    if actor.role is not Role.COURIER:
        return false()
    return or_(OFFERS.c.courier == actor.id, open_offers_to(actor))


def open_offers_to(courier: Actor) -> ColumnElement[bool]:
    """Return the condition on ``offers`` for the open ones that were made to a courier or to all."""
    return and_(OFFERS.c.open == 1, or_(OFFERS.c.made_to == "", contains(OFFERS.c.made_to, listed([courier.id]))))


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return whether a text contains another, in the same case: LIKE of SQLite ignores the case."""
    return func.replace(column, text, "") != column
