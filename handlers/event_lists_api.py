"""The events of all orders over HTTP, and the reads of personal data. The function of ``search_api`` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.moments import AccessReason, Cursor, Limit
from handlers.http.responses import Response
from handlers.http.search_parameters import (
    ActorIs,
    ActorRoleIs,
    CorrelationIs,
    CustomerIs,
    EventTypes,
    OrderIs,
    PeopleOnly,
    ReadCustomerIs,
    ReaderIs,
    ReadFrom,
    ReadOrderIs,
    ReadTo,
    ReadYourWrite,
    RecordedFrom,
    RecordedTo,
    RestaurantIs,
    check_period,
    time_text,
)
from workflows.engine import engine
from workflows.orders.access import record_read
from workflows.orders.permissions import Action, check_role
from workflows.orders.visibility import Audience, audience_of
from workflows.search import event_reasons
from workflows.search.filters import AccessFilter, EventFilter
from workflows.search.reading import search

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.search_json import ListedEventJson, ListedEventsJson, ListedReadsJson
    from workflows.search.access_list import AccessPage
    from workflows.search.event_list import EventPage

TAG = "Lists"

api = Api()


@operation(api, "GET", "/access-log", tag=TAG, answers="ListedReadsJson", order=False)
def list_reads(
    *,
    actor: ReaderIs = None,
    order: ReadOrderIs = None,
    customer: ReadCustomerIs = None,
    read_from: ReadFrom = None,
    read_to: ReadTo = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List who was shown whose personal data, when and why, the newest first. For auditors.

    A read that is repeated within ten minutes is listed once. Reads of customers are not recorded: they read their own
    orders.
    """
    caller = api.caller.actor
    check_role(caller, Action.READ_ACCESS_LOG)
    check_period("read", read_from, read_to)
    wanted = AccessFilter(
        actor=actor, order=order, customer=customer, read_from=time_text(read_from), read_to=time_text(read_to)
    )

    def read(connection: Connection, _: str) -> AccessPage:
        from workflows.search import access_list

        return access_list.list_reads(connection, wanted, limit=limit, cursor=cursor)

    page, as_of = search(engine(), caller, "access", read)
    body: ListedReadsJson = {"reads": page.reads, "next": page.next, "as_of": as_of}
    return json_answer(body)


@operation(api, "GET", "/events", tag=TAG, answers="ListedEventsJson", order=False)
def list_events(
    *,
    type: EventTypes = None,  # noqa: A002 -- the name of the query parameter
    actor: ActorIs = None,
    actor_role: ActorRoleIs = None,
    order: OrderIs = None,
    customer: CustomerIs = None,
    restaurant: RestaurantIs = None,
    recorded_from: RecordedFrom = None,
    recorded_to: RecordedTo = None,
    correlation: CorrelationIs = None,
    people_only: PeopleOnly = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    wait_for: ReadYourWrite = None,
    access_reason: AccessReason = None,
) -> Response:
    """List the events of all orders, the newest first. For support, auditors and services.

    Personal fields are not in lists; the history of the order has them. Auditors see the reasons of support's changes,
    and that is recorded.
    """
    caller = api.caller.actor
    check_role(caller, Action.LIST_EVENTS)
    check_period("recorded", recorded_from, recorded_to)
    wanted = EventFilter(
        types=() if type is None else type,
        actor=actor,
        actor_role=actor_role,
        order=order,
        customer=customer,
        restaurant=restaurant,
        recorded_from=time_text(recorded_from),
        recorded_to=time_text(recorded_to),
        correlation=correlation,
        people_only=people_only,
    )

    def read(connection: Connection, _: str) -> EventPage:
        from workflows.search import event_list

        return event_list.list_events(connection, wanted, audience_of(caller), limit=limit, cursor=cursor)

    page, as_of = search(engine(), caller, "events", read, wait_for)
    if audience_of(caller) is Audience.AUDITOR:
        _add_reasons(page.events, access_reason)
    body: ListedEventsJson = {"events": page.events, "next": page.next, "as_of": as_of}
    return json_answer(body)


def _add_reasons(events: list[ListedEventJson], access_reason: str | None) -> None:
    """Add the reasons of support's changes, and record that the caller is shown them. Raises StreamUnavailable."""
    ports = engine()
    shown = event_reasons.add_reasons(ports.log, events)
    if shown:
        record_read(
            ports.log,
            api.caller,
            route="GET /events",
            orders=shown,
            fields=(event_reasons.FIELD,),
            reason=access_reason or "",
            at=ports.clock.now(),
        )
