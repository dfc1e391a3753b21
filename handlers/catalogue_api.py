"""Restaurants, menus and quotes over HTTP.

Menus are read far more often than they change. A menu of one version never changes, so it is cacheable for ever under
its own address, and needs no token. What is sold out for now, and whether the restaurant takes orders, is part of the
restaurant.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from domain.catalogue.commands import (
    CatalogueCommand,
    ChangeRestaurant,
    MarkBackInStock,
    MarkSoldOut,
    PauseOrdering,
    RegisterRestaurant,
    ResumeOrdering,
)
from domain.catalogue.restaurant import Restaurant
from domain.identifiers import RestaurantId, Sku
from handlers.http.answers import cacheable, json_answer
from handlers.http.api import Api
from handlers.http.catalogue_models import (
    MenuBody,
    PauseBody,
    PictureBody,
    ProfileBody,
    QuoteBody,
    RegisterBody,
    ResumeBody,
    StockBody,
)
from handlers.http.catalogue_values import (
    IMMUTABLE,
    PICTURE,
    SHORTLY,
    MenuVersion,
    PictureName,
    RestaurantIdText,
)
from handlers.http.documented import operation
from handlers.http.preconditions import IfNoneMatch, content_tag
from handlers.http.responses import Response
from workflows.catalogue.ordering import quote_selection
from workflows.catalogue.pictures import add_picture, read_picture
from workflows.catalogue.pictures import publish_menu as publish
from workflows.catalogue.restaurants import change_restaurant, load_restaurant
from workflows.catalogue.views import picture_view, quote_view, restaurant_view
from workflows.engine import engine
from workflows.settings import read_pictures_bucket

TAG = "Catalogue"
PATH = "/restaurants/{restaurant_id}"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_pictures_bucket)  # fail now if a setting is missing
    return api.resolve(event)


@operation(api, "POST", "/restaurants", tag=TAG, answers="RestaurantJson", statuses=(201,), order=False, refuses=(409,))
def register_restaurant(body: RegisterBody) -> Response:
    """Register a restaurant. For support and services.

    Registering the same restaurant with the same profile again changes nothing.
    """
    restaurant_id = RestaurantId(body.restaurant)
    command = RegisterRestaurant(restaurant=restaurant_id, profile=body.profile())
    return _change(restaurant_id, command, HTTPStatus.CREATED)


@operation(api, "GET", PATH, tag=TAG, answers="RestaurantJson", order=False, refuses=(304,), public=True)
def get_restaurant(restaurant_id: RestaurantIdText, if_none_match: IfNoneMatch = None) -> Response:
    """Read a restaurant as it is now: its profile, whether it takes orders, and what is sold out."""
    restaurant = load_restaurant(engine().log, restaurant_id)
    response = json_answer(restaurant_view(restaurant, engine().clock.now()), headers=SHORTLY)
    return cacheable(response, content_tag(sha256(response.body.encode()).hexdigest()[:32]), if_none_match)


@operation(
    api,
    "GET",
    f"{PATH}/menus/{{menu_version}}",
    tag=TAG,
    answers="MenuJson",
    order=False,
    refuses=(304,),
    public=True,
)
def get_menu(restaurant_id: RestaurantIdText, menu_version: MenuVersion, if_none_match: IfNoneMatch = None) -> Response:
    """Read the menu that was published under a version. It never changes.

    `menu_version` of the restaurant is the one in force.
    """
    ports = engine()
    menu = ports.menus.read(ports.log, restaurant_id, menu_version)
    response = Response(200, "application/json", menu.text, IMMUTABLE, compressible=True, gzipped=menu.gzipped)
    return cacheable(response, content_tag(menu.digest), if_none_match)


@operation(api, "POST", f"{PATH}/profile", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def change_profile(restaurant_id: RestaurantIdText, body: ProfileBody) -> Response:
    """Replace the profile as a whole. Its currency stays."""
    return _change(restaurant_id, ChangeRestaurant(profile=body.profile()))


@operation(api, "POST", f"{PATH}/menu", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def publish_menu(restaurant_id: RestaurantIdText, body: MenuBody) -> Response:
    """Publish a menu under the next version. It replaces the one before as a whole."""
    ports = engine()
    return _answer(publish(ports.log, ports.pictures, restaurant_id, body.menu(), api.caller))


@operation(
    api, "POST", f"{PATH}/pictures", tag=TAG, answers="PictureJson", statuses=(201,), order=False, refuses=(409,)
)
def upload_picture(restaurant_id: RestaurantIdText, body: PictureBody) -> Response:
    """Upload a picture, which the items of a menu can then name. The same picture again changes nothing."""
    ports = engine()
    picture = add_picture(ports.log, ports.pictures, restaurant_id, body.decoded, api.caller)
    shown = picture_view(restaurant_id, picture)
    return json_answer(shown, HTTPStatus.CREATED, {"Location": shown["path"]})


@operation(
    api,
    "GET",
    f"{PATH}/pictures/{{picture}}",
    tag=TAG,
    answers="",
    order=False,
    refuses=(304,),
    public=True,
)
def get_picture(restaurant_id: RestaurantIdText, picture: PictureName, if_none_match: IfNoneMatch = None) -> Response:
    """Read a picture. Its name is the hash of its content, so it never changes."""
    content, content_type = read_picture(engine().pictures, restaurant_id, picture)
    response = Response(200, content_type, base64.b64encode(content).decode(), PICTURE, in_base64=True)
    return cacheable(response, content_tag(picture[:32]), if_none_match)


@operation(api, "POST", f"{PATH}/pause", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def pause_ordering(restaurant_id: RestaurantIdText, body: PauseBody) -> Response:
    """Stop taking orders for now, even during opening hours."""
    command = PauseOrdering(until=body.until, reason=body.reason, at=engine().clock.now())
    return _change(restaurant_id, command)


@operation(api, "POST", f"{PATH}/resume", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def resume_ordering(restaurant_id: RestaurantIdText, body: ResumeBody) -> Response:
    """End a pause."""
    return _change(restaurant_id, ResumeOrdering(at=engine().clock.now()))


@operation(api, "POST", f"{PATH}/sold-out", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def mark_sold_out(restaurant_id: RestaurantIdText, body: StockBody) -> Response:
    """Mark an item, or one option of it, sold out for now."""
    return _change(restaurant_id, MarkSoldOut(sku=Sku(body.sku), option=body.option or ""))


@operation(api, "POST", f"{PATH}/back-in-stock", tag=TAG, answers="RestaurantJson", order=False, refuses=(409,))
def mark_back_in_stock(restaurant_id: RestaurantIdText, body: StockBody) -> Response:
    """Mark an item, or one option of it, as available again."""
    return _change(restaurant_id, MarkBackInStock(sku=Sku(body.sku), option=body.option or ""))


@operation(api, "POST", "/quotes", tag=TAG, answers="QuoteJson", order=False, refuses=(404, 409))
def quote(body: QuoteBody) -> Response:
    """Price items of a menu, with fees and tip, without placing an order."""
    quoted = quote_selection(
        engine().log, body.restaurant_id, body.selections, tip=body.tip_money, now=engine().clock.now()
    )
    return json_answer(quote_view(body.restaurant_id, quoted))


def _change(restaurant_id: RestaurantId, command: CatalogueCommand, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return _answer(change_restaurant(engine().log, restaurant_id, command, api.caller), status)


def _answer(restaurant: Restaurant, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {"Location": f"/restaurants/{restaurant.restaurant_id}"} if status is HTTPStatus.CREATED else {}
    return json_answer(restaurant_view(restaurant, engine().clock.now()), status, headers)
