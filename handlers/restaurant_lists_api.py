"""Lists of restaurants and of their popular items over HTTP, public. The function of ``search_api`` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.catalogue_values import SHORTLY, RestaurantIdText
from handlers.http.documented import operation
from handlers.http.moments import Cursor, Limit
from handlers.http.responses import Response
from handlers.http.search_parameters import CuisineIs, DishIs, OpenNow, RestaurantNameHas
from workflows.engine import engine
from workflows.search.filters import RestaurantFilter
from workflows.search.reading import search

if TYPE_CHECKING:  # importing the client costs a cold start, and SQLAlchemy too
    from sqlalchemy import Connection

    from workflows.client.search_json import ListedRestaurantsJson, PopularItemJson, PopularItemsJson
    from workflows.search.restaurant_list import RestaurantPage

CATALOGUE = "Catalogue"

POPULAR = {"Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}
"""What is popular changes slowly."""

api = Api()


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
