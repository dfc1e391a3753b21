"""Pictures of a restaurant's items: stored under the hash of their content, and never changed or deleted.

Menus of earlier versions name them for ever. A menu that names a picture which was not uploaded is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from domain.catalogue.commands import PublishMenu
from domain.catalogue.menu import Menu
from domain.catalogue.refusals import InvalidMenu
from domain.catalogue.restaurant import Restaurant
from domain.identifiers import RestaurantId
from workflows.catalogue.picture_formats import TYPES, PictureFrame, PictureUnreadable, read_frame
from workflows.catalogue.picture_store import Pictures
from workflows.catalogue.refusals import InvalidPicture, PictureNotFound, TooManyPictures
from workflows.catalogue.restaurants import change_restaurant, check_may_change, load_restaurant
from workflows.event_store.event_log import EventLog
from workflows.orders.command_handling import Caller

PICTURES_MAX = 2_000
"""Pictures of one restaurant: four menus of the most items, each with a picture of its own."""

PICTURE_NAME = r"[0-9a-f]{64}\.(png|jpg|webp)"
"""The SHA-256 of the content, and its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A picture that is stored: its name, what it is, and its size in bytes."""

    name: str
    frame: PictureFrame
    size_bytes: int


def add_picture(
    log: EventLog, pictures: Pictures, restaurant_id: RestaurantId, content: bytes, caller: Caller
) -> StoredPicture:
    """Store a picture of a registered restaurant. The same picture again changes nothing.

    Raises:
        CatalogueNotAllowed, RestaurantNotFound: The caller may not, or there is no such restaurant.
        InvalidPicture: The content is no picture that is taken.
        TooManyPictures: The restaurant has as many as it may have.
        PicturesUnavailable: Retryable: yes.
    """
    check_may_change(caller.actor, restaurant_id)
    load_restaurant(log, restaurant_id)
    try:
        frame = read_frame(content)
    except PictureUnreadable as error:
        raise InvalidPicture(str(error)) from None
    name = f"{sha256(content).hexdigest()}.{frame.ending}"
    stored = pictures.names(restaurant_id=restaurant_id)
    if name not in stored:
        if len(stored) >= PICTURES_MAX:
            raise TooManyPictures(restaurant_id, PICTURES_MAX)
        pictures.put(restaurant_id=restaurant_id, name=name, content=content)
    return StoredPicture(name=name, frame=frame, size_bytes=len(content))


def read_picture(pictures: Pictures, restaurant_id: RestaurantId, name: str) -> tuple[bytes, str]:
    """Return the content of a picture and its content type. Raises PictureNotFound, PicturesUnavailable."""
    content = pictures.get(restaurant_id=restaurant_id, name=name) if re.fullmatch(PICTURE_NAME, name) else None
    if content is None:
        raise PictureNotFound(restaurant_id, name)
    return content, TYPES[name.rpartition(".")[2]]


def publish_menu(
    log: EventLog, pictures: Pictures, restaurant_id: RestaurantId, menu: Menu, caller: Caller
) -> Restaurant:
    """Publish a menu whose pictures are stored. Raises as ``change_restaurant``, and PicturesUnavailable.

    Raises:
        InvalidMenu: An item names a picture that is not stored.
    """
    check_may_change(caller.actor, restaurant_id)
    if named := list(_named(menu)):
        stored = pictures.names(restaurant_id=restaurant_id)
        for picture, field in named:
            if picture not in stored:
                raise InvalidMenu(field, f"{picture[:80]!r} is not a picture of this restaurant: upload it first")
    return change_restaurant(log, restaurant_id, PublishMenu(menu=menu), caller)


def _named(menu: Menu) -> Iterator[tuple[str, str]]:
    """Yield the pictures that a menu names, and the path of the field."""
    for number, section in enumerate(menu.sections):
        for index, item in enumerate(section.items):
            if item.picture:
                yield item.picture, f"sections[{number}].items[{index}].picture"
