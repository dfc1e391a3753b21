"""Lists, searches and statistics over HTTP, read from the views. Each role sees its own part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.identifiers import OrderId
from handlers import exports_api, owed_api, queries_api
from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.catalogue_values import SHORTLY, RestaurantIdText
from handlers.http.documented import operation
from handlers.http.moments import AccessReason, Cursor, Limit
from handlers.http.order_filters import order_filter
from handlers.http.responses import Response
from handlers.http.search_parameters import (
    ActorIs,
    ActorRoleIs,
    AmountMax,
    AmountMin,
    Bucket,
    ByOthers,
    ByRestaurant,
    CauseIs,
    ChangedFrom,
    CorrelationIs,
    CourierIs,
    CuisineIs,
    CurrencyIs,
    CustomerIs,
    DayFrom,
    DayTo,
    DependencyIs,
    DishIs,
    EventTypes,
    IdPrefix,
    OpenNow,
    OpenOnly,
    OrderIs,
    Overdue,
    Parked,
    PaymentReference,
    PeopleOnly,
    PlacedFrom,
    PlacedTo,
    ReadCustomerIs,
    ReaderIs,
    ReadFrom,
    ReadOrderIs,
    ReadTo,
    ReadYourWrite,
    RecordedFrom,
    RecordedTo,
    RestaurantIs,
    RestaurantNameHas,
    SearchBody,
    Sort,
    StatsFrom,
    StatsTo,
    Statuses,
    WaitingFor,
    blind_indexes,
    check_days,
    stats_period,
    time_text,
)
from workflows.books.filters import BooksFilter
from workflows.clock import timestamp
from workflows.engine import engine, settings
from workflows.incidents.approval_limits import read_limits
from workflows.orders.access import record_read
from workflows.orders.access_events import OrderShown
from workflows.orders.json_values import money_json
from workflows.orders.permissions import Action, Tie, allowed, check_role
from workflows.orders.visibility import Audience, audience_of
from workflows.search import event_reasons
from workflows.search.filters import (
    AccessFilter,
    BoardFilter,
    EventFilter,
    OrderFilter,
    OrderSort,
    RestaurantFilter,
    StatsFilter,
)
from workflows.search.reading import WaitFor, search, views_of
from workflows.search.view_state import views_state
from workflows.settings import read_keys
from workflows.time_budgets import read_budgets

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.books_json import BooksJson, CurrencyBooksJson, PayableJson
    from workflows.client.search_json import (
        AsOfJson,
        ListedApprovalsJson,
        ListedEventJson,
        ListedEventsJson,
        ListedOffersJson,
        ListedOrdersJson,
        ListedReadsJson,
        ListedRestaurantsJson,
        ListedTicketsJson,
        MeJson,
        PopularItemJson,
        PopularItemsJson,
        StatsGroupJson,
        StatsJson,
    )
    from workflows.search.access_list import AccessPage
    from workflows.search.boards import BoardPage
    from workflows.search.event_list import EventPage
    from workflows.search.order_list import OrderPage
    from workflows.search.restaurant_list import RestaurantPage

TAG = "Lists"
CATALOGUE = "Catalogue"

POPULAR = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}
"""What is popular changes slowly."""

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_keys, read_budgets, read_limits)  # fail now if a setting is missing or wrong
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
    wanted = order_filter(
        status=status,
        customer=customer,
        restaurant=restaurant,
        courier=courier,
        waiting_for=waiting_for,
        overdue=overdue,
        parked=parked,
        cause=cause,
        dependency=dependency,
        amount_min=amount_min,
        amount_max=amount_max,
        currency=currency,
        placed_from=placed_from,
        placed_to=placed_to,
        changed_from=changed_from,
        payment_reference=payment_reference,
        id_prefix=id_prefix,
    )
    return _listed(*_found(wanted, sort, limit, cursor, wait_for))


def _found(
    wanted: OrderFilter, sort: OrderSort, limit: int, cursor: str | None, wait_for: WaitFor | None
) -> tuple[OrderPage, AsOfJson]:
    actor, now, budgets = api.caller.actor, timestamp(engine().clock.now()), settings(read_budgets)

    def read(connection: Connection, views_to: str) -> OrderPage:
        from workflows.search import order_list

        query = order_list.OrderQuery(
            actor=actor, filter=wanted, sort=sort, limit=limit, cursor=cursor, now=now, budgets=budgets
        )
        return order_list.list_orders(connection, query, views_to)

    return search(engine(), actor, "orders", read, wait_for)


def _listed(page: OrderPage, as_of: AsOfJson) -> Response:
    body: ListedOrdersJson = {"orders": page.orders, "next": page.next, "as_of": as_of}
    return json_answer(body)


@operation(api, "POST", "/orders/search", tag=TAG, answers="ListedOrdersJson", order=False)
def search_orders(
    body: SearchBody, limit: Limit = 50, cursor: Cursor = None, access_reason: AccessReason = None
) -> Response:
    """Find the orders of a customer by phone, e-mail address or name. For support.

    They are in the body so that they are in no log of addresses. Orders of an erased customer are not found. The search
    is recorded for auditors, with the orders that were found.
    """
    check_role(api.caller.actor, Action.SEARCH_PERSONAL)
    found = blind_indexes(body, views_of(engine()).blind_index)
    wanted = OrderFilter(phone_index=found.get("phone"), email_index=found.get("email"), name_index=found.get("name"))
    ports = engine()
    page, as_of = _found(wanted, OrderSort.NEWEST, limit, cursor, None)
    record_read(
        ports.log,
        api.caller,
        route="POST /orders/search",
        orders=[OrderShown(order_id=OrderId(each["id"]), customer=each["customer"]) for each in page.orders],
        fields=sorted(found),
        reason=access_reason or "",
        at=ports.clock.now(),
    )
    return _listed(page, as_of)


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


@operation(api, "GET", "/restaurants", tag=CATALOGUE, answers="ListedRestaurantsJson", order=False, public=True)
def list_restaurants(
    *,
    name: RestaurantNameHas = None,
    cuisine: CuisineIs = None,
    dish: DishIs = None,
    open_now: OpenNow = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List restaurants in the order of their names, and whether they take orders now.

    A page may be shorter than `limit`, even empty, and still have a `next` one.
    """
    wanted, now = RestaurantFilter(name=name, cuisine=cuisine, dish=dish, open_now=open_now), engine().clock.now()

    def read(connection: Connection, _: str) -> RestaurantPage:
        from workflows.search import restaurant_list

        return restaurant_list.list_restaurants(connection, wanted, now, limit=limit, cursor=cursor)

    page, as_of = search(engine(), None, "restaurants", read)
    body: ListedRestaurantsJson = {"restaurants": page.rows, "next": page.next, "as_of": as_of}
    return json_answer(body, headers=SHORTLY)


@operation(
    api,
    "GET",
    "/restaurants/{restaurant_id}/popular",
    tag=CATALOGUE,
    answers="PopularItemsJson",
    order=False,
    public=True,
)
def list_popular_items(restaurant_id: RestaurantIdText, limit: Limit = 10) -> Response:
    """List the items of the menu in force that were ordered most in the last 30 days.

    A restaurant without orders, or that does not exist, has none.
    """
    now = engine().clock.now()

    def read(connection: Connection, _: str) -> list[PopularItemJson]:
        from workflows.search import restaurant_list

        return restaurant_list.popular_items(connection, restaurant_id, now, limit=limit)

    items, as_of = search(engine(), None, "menus", read)
    body: PopularItemsJson = {"items": items, "as_of": as_of}
    return json_answer(body, headers=POPULAR)


@operation(api, "GET", "/stats", tag=TAG, answers="StatsJson", order=False)
def get_stats(
    *,
    placed_from: StatsFrom = None,
    placed_to: StatsTo = None,
    restaurant: RestaurantIs = None,
    bucket: Bucket = None,
    by_restaurant: ByRestaurant = False,
) -> Response:
    """Count the orders placed in a time: by status, their money, and how long each stage took.

    Restaurants see their own orders; support, auditors and services all. A percentile is the nearest rank of the orders
    that ended the stage.
    """
    caller = api.caller.actor
    check_role(caller, Action.READ_STATISTICS)
    since, until = stats_period(placed_from, placed_to, engine().clock.now())
    wanted = StatsFilter(
        placed_from=since, placed_to=until, restaurant=restaurant, bucket=bucket, by_restaurant=by_restaurant
    )

    def read(connection: Connection, _: str) -> tuple[list[StatsGroupJson], bool]:
        from workflows.search import stats

        return stats.statistics(connection, caller, wanted)

    (groups, more), as_of = search(engine(), caller, "orders", read)
    body: StatsJson = {"placed_from": since, "placed_to": until, "groups": groups, "more": more, "as_of": as_of}
    return json_answer(body)


@operation(api, "GET", "/books", tag=TAG, answers="BooksJson", order=False)
def get_books(
    *,
    day_from: DayFrom = None,
    day_to: DayTo = None,
    restaurant: RestaurantIs = None,
    currency: CurrencyIs = None,
) -> Response:
    """Add up the books: trial balance, holds, revenue, tax by class and rate, and payables. For support and auditors.

    Each posting is booked on the day in UTC on which its event was recorded, so a day that has passed never changes.
    """
    caller = api.caller.actor
    check_role(caller, Action.READ_BOOKS)
    check_days(day_from, day_to)
    wanted = BooksFilter(day_from=day_from, day_to=day_to, restaurant=restaurant, currency=currency)

    def read(connection: Connection, _: str) -> tuple[list[CurrencyBooksJson], list[PayableJson], bool]:
        from workflows.books import summary

        return summary.summarize_books(connection, wanted), *summary.payables(connection, wanted)

    (currencies, payables, more), as_of = search(engine(), caller, "ledger", read)
    body: BooksJson = {
        "day_from": day_from,
        "day_to": day_to,
        "restaurant": restaurant,
        "currencies": currencies,
        "payables": payables,
        "more": more,
        "as_of": as_of,
    }
    return json_answer(body)


@operation(api, "GET", "/views", tag=TAG, answers="ViewsJson", order=False)
def get_views() -> Response:
    """Read the state of the views: their version, how far they are behind, and what could not be projected."""
    check_role(api.caller.actor, Action.READ_VIEWS)
    return json_answer(views_state(engine()))


@operation(api, "GET", "/me", tag=TAG, answers="MeJson", order=False)
def get_me() -> Response:
    """Read who the caller is, by the access token, and what they may do."""
    actor = api.caller.actor
    limits = settings(read_limits)
    body: MeJson = {
        "role": actor.role.value,
        "id": actor.id,
        "may": [
            {"action": action.name.lower(), "on": "any" if tie is Tie.ANY else "own"}
            for action, tie in allowed(actor.role).items()
        ],
        "second_person_above": [money_json(limit) for _, limit in sorted(limits.items())],
    }
    return json_answer(body)


api.include(owed_api.api)
api.include(queries_api.api)
api.include(exports_api.api)
