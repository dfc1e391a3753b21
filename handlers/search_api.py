"""Lists, searches and statistics over HTTP, read from the views. Each role sees its own part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import Cursor, Limit
from handlers.http.responses import Response
from handlers.http.search_parameters import (
    AmountMax,
    AmountMin,
    CauseIs,
    ChangedFrom,
    CourierIs,
    CurrencyIs,
    CustomerIs,
    DependencyIs,
    IdPrefix,
    Overdue,
    Parked,
    PaymentReference,
    PlacedFrom,
    PlacedTo,
    ReadYourWrite,
    RestaurantIs,
    Sort,
    Statuses,
    WaitingFor,
    money_range,
    time_text,
    whole_prefix,
)
from workflows.clock import timestamp
from workflows.engine import engine, settings
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.reading import WaitFor, search
from workflows.time_budgets import read_budgets

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.search_json import ListedOrdersJson
    from workflows.search.order_list import OrderPage

TAG = "Lists"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_budgets)  # fail now if a setting is missing
    return api.resolve(event)


@operation(api, "GET", "/orders", tag=TAG, answers="ListedOrdersJson", order=False)
def list_orders(
    *,
    status: Statuses = None,
    customer: CustomerIs = None,
    restaurant: RestaurantIs = None,
    courier: CourierIs = None,
    waiting_for: WaitingFor = None,
    overdue: Overdue = None,
    parked: Parked = None,
    cause: CauseIs = None,
    dependency: DependencyIs = None,
    amount_min: AmountMin = None,
    amount_max: AmountMax = None,
    currency: CurrencyIs = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    changed_from: ChangedFrom = None,
    payment_reference: PaymentReference = None,
    id_prefix: IdPrefix = None,
    sort: Sort = OrderSort.NEWEST,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
) -> Response:
    """List orders in pages.

    Customers and restaurants list their own orders; couriers those that they accepted or may accept; support, auditors
    and services all. All filters that are sent must hold.
    """
    least, most = money_range(amount_min, amount_max, currency)
    wanted = OrderFilter(
        status=() if status is None else status,
        customer=customer,
        restaurant=restaurant,
        courier=courier,
        waiting_for=waiting_for,
        overdue=overdue,
        parked=parked,
        cause=cause,
        dependency=dependency,
        amount_min=least,
        amount_max=most,
        currency=currency,
        placed_from=time_text(placed_from),
        placed_to=time_text(placed_to),
        changed_from=time_text(changed_from),
        payment_reference=payment_reference,
        id_prefix=whole_prefix(id_prefix),
    )
    return _orders(wanted, sort, limit, cursor, wait_for)


def _orders(wanted: OrderFilter, sort: OrderSort, limit: int, cursor: str | None, wait_for: WaitFor | None) -> Response:
    actor, now, budgets = api.caller.actor, timestamp(engine().clock.now()), settings(read_budgets)

    def read(connection: Connection, views_to: str) -> OrderPage:
        from workflows.search import order_list

        query = order_list.OrderQuery(
            actor=actor, filter=wanted, sort=sort, limit=limit, cursor=cursor, now=now, budgets=budgets
        )
        return order_list.list_orders(connection, query, views_to)

    page, as_of = search(engine(), actor, "orders", read, wait_for)
    body: ListedOrdersJson = {"orders": page.orders, "next": page.next, "as_of": as_of}
    return json_answer(body)
