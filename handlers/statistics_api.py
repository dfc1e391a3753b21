"""Statistics and the books over HTTP. The function of ``search_api`` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.responses import Response
from handlers.http.search_parameters import (
    Bucket,
    ByRestaurant,
    CurrencyIs,
    DayFrom,
    DayTo,
    RestaurantIs,
    StatsFrom,
    StatsTo,
    check_days,
    stats_period,
)
from workflows.books.filters import BooksFilter
from workflows.engine import engine
from workflows.orders.permissions import Action, check_role
from workflows.search.filters import StatsFilter
from workflows.search.reading import search

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.books_json import BooksJson, CurrencyBooksJson, PayableJson
    from workflows.client.search_json import StatsGroupJson, StatsJson

TAG = "Lists"

api = Api()


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
