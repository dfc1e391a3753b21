"""Tickets, offers and approvals over HTTP: lists of what is open. The function of ``search_api`` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import Cursor, Limit
from handlers.http.responses import Response
from handlers.http.search_parameters import ByOthers, CourierIs, OpenOnly, ReadYourWrite, RestaurantIs
from workflows.engine import engine
from workflows.orders.permissions import Action, check_role
from workflows.search.filters import BoardFilter
from workflows.search.reading import WaitFor, search

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.search_json import AsOfJson, ListedApprovalsJson, ListedOffersJson, ListedTicketsJson
    from workflows.search.boards import BoardPage

TAG = "Lists"

api = Api()


@operation(api, "GET", "/tickets", tag=TAG, answers="ListedTicketsJson", order=False)
def list_tickets(
    *,
    open: OpenOnly = True,  # noqa: A002 -- the name of the query parameter
    restaurant: RestaurantIs = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
) -> Response:
    """List a restaurant's tickets. Restaurants list their own; support, auditors and services all."""
    check_role(api.caller.actor, Action.LIST_TICKETS)
    page, as_of = _board("tickets", BoardFilter(open=open, of=restaurant), limit, cursor, wait_for)
    body: ListedTicketsJson = {"tickets": page.rows, "next": page.next, "as_of": as_of}
    return json_answer(body)


@operation(api, "GET", "/offers", tag=TAG, answers="ListedOffersJson", order=False)
def list_offers(
    *,
    open: OpenOnly = True,  # noqa: A002 -- the name of the query parameter
    courier: CourierIs = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
) -> Response:
    """List offers of deliveries.

    Couriers list the open offers that they may accept, or with `open=false` those that they accepted; support, auditors
    and services all.
    """
    check_role(api.caller.actor, Action.LIST_OFFERS)
    page, as_of = _board("offers", BoardFilter(open=open, of=courier), limit, cursor, wait_for)
    body: ListedOffersJson = {"offers": page.rows, "next": page.next, "as_of": as_of}
    return json_answer(body)


@operation(api, "GET", "/approvals", tag=TAG, answers="ListedApprovalsJson", order=False)
def list_approvals(
    *,
    open: OpenOnly = True,  # noqa: A002 -- the name of the query parameter
    by_others: ByOthers = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
) -> Response:
    """List the requests for more money than one person may decide on: those that wait for a second person first."""
    check_role(api.caller.actor, Action.LIST_APPROVALS)
    page, as_of = _board("approvals", BoardFilter(open=open, by_others=by_others), limit, cursor, wait_for)
    body: ListedApprovalsJson = {"approvals": page.rows, "next": page.next, "as_of": as_of}
    return json_answer(body)


def _board(
    view: str, wanted: BoardFilter, limit: int, cursor: str | None, wait_for: WaitFor | None
) -> tuple[BoardPage[Any], AsOfJson]:
    """Read a page of the tickets, offers or approvals."""
    caller = api.caller.actor

    def read(connection: Connection, _: str) -> BoardPage[Any]:
        from workflows.search import boards

        return boards.LISTS[view](connection, caller, wanted, limit=limit, cursor=cursor)

    return search(engine(), caller, view, read, wait_for)
