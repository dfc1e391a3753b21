"""Lists of orders over HTTP, and the search for those of a customer. The function of ``search_api`` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import OrderId
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import AccessReason, Cursor, Limit
from handlers.http.order_filters import OrderFilterQuery
from handlers.http.responses import Response
from handlers.http.search_parameters import ReadYourWrite, SearchBody, Sort, personal_filter
from workflows.clock import timestamp
from workflows.engine import engine, settings
from workflows.orders.access import record_read
from workflows.orders.access_events import OrderShown
from workflows.orders.permissions import Action, check_role
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.order_query import OrderQuery
from workflows.search.reading import WaitFor, search, views_of
from workflows.time_budgets import read_budgets

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.search_json import AsOfJson, ListedOrdersJson
    from workflows.search.order_list import OrderPage

TAG = "Lists"

api = Api()


@operation(api, "GET", "/orders", tag=TAG, answers="ListedOrdersJson", order=False)
def list_orders(
    *,
    filters: OrderFilterQuery,
    sort: Sort = OrderSort.NEWEST,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
) -> Response:
    """List orders in pages.

    Customers and restaurants list their own orders; couriers those that they accepted or may accept; support, auditors
    and services all. All filters that are sent must hold.
    """
    return _listed(*_found(filters.filter, sort, limit, cursor, wait_for))


def _found(
    wanted: OrderFilter, sort: OrderSort, limit: int, cursor: str | None, wait_for: WaitFor | None
) -> tuple[OrderPage, AsOfJson]:
    query = OrderQuery(
        actor=api.caller.actor,
        filter=wanted,
        sort=sort,
        limit=limit,
        cursor=cursor,
        now=timestamp(engine().clock.now()),
        budgets=settings(read_budgets),
    )

    def read(connection: Connection, views_to: str) -> OrderPage:
        from workflows.search import order_list

        return order_list.list_orders(connection, query, views_to)

    return search(engine(), query.actor, "orders", read, wait_for, also=wanted.further_views)


def _listed(page: OrderPage, as_of: AsOfJson) -> Response:
    body: ListedOrdersJson = {"orders": page.orders, "next": page.next, "as_of": as_of}
    return json_answer(body)


@operation(api, "POST", "/orders/search", tag=TAG, answers="ListedOrdersJson", order=False)
def search_orders(
    body: SearchBody, limit: Limit = 50, cursor: Cursor = None, access_reason: AccessReason = None
) -> Response:
    """Find the orders of a customer by phone, e-mail address, or words of the name. For support.

    They are in the body so that they are in no log of addresses. Orders of an erased customer are not found. The search
    is recorded for auditors, with the orders that were found.
    """
    check_role(api.caller.actor, Action.SEARCH_PERSONAL)
    wanted = personal_filter(body, views_of(engine()).blind_index)
    ports = engine()
    page, as_of = _found(wanted, OrderSort.NEWEST, limit, cursor, None)
    record_read(
        ports.log,
        api.caller,
        route="POST /orders/search",
        orders=[OrderShown(order_id=OrderId(each["id"]), customer=each["customer"]) for each in page.orders],
        fields=sorted(body.sent),
        reason=access_reason or "",
        at=ports.clock.now(),
    )
    return _listed(page, as_of)
