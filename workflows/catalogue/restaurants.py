"""Changes of restaurants and menus by callers, each with the caller's permission, recorded once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.catalogue.commands import CatalogueCommand
from domain.catalogue.deciding import decide_restaurant
from domain.catalogue.events import CatalogueEvent, MenuPublished
from domain.catalogue.menu import Menu
from domain.catalogue.refusals import RestaurantNotFound
from domain.catalogue.restaurant import Restaurant, evolve_restaurant, initial_restaurant
from domain.identifiers import Actor, RestaurantId, Role
from domain.order.refusals import Rejected
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import restaurant_stream
from workflows.event_store.transact import Proposal, folded, transact
from workflows.orders.command_handling import Caller, content_hash


class CatalogueNotAllowed(Rejected):
    """The caller may not change this restaurant. HTTP: 403."""

    def __init__(self, actor: Actor, restaurant_id: RestaurantId) -> None:
        super().__init__(
            f"{actor.role.capitalize()} {actor.id} cannot change restaurant {restaurant_id}. "
            "Allowed: the restaurant itself, support and services."
        )
        self.actor = actor
        self.restaurant_id = restaurant_id


class MenuNotFound(Rejected):
    """The restaurant has published no menu of this version. HTTP: 404."""

    def __init__(self, restaurant_id: RestaurantId, menu_version: int, newest: int) -> None:
        has = f"its newest version is {newest}" if newest else "it has published none"
        super().__init__(f"Restaurant {restaurant_id} has no menu of version {menu_version}; {has}.")
        self.restaurant_id = restaurant_id
        self.menu_version = menu_version
        self.newest = newest


@dataclass(frozen=True, slots=True, kw_only=True)
class RestaurantRequest:
    """One caller's request to change one restaurant.

    Attributes:
        key: The caller's Idempotency-Key; None: a request with the same content is a retry until something changes.
        if_match: The versions that the restaurant may be at; any version if None.
    """

    restaurant_id: RestaurantId
    caller: Caller
    key: str | None = None
    if_match: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class ChangedRestaurant:
    """The restaurant after a request. ``replayed``: an earlier attempt under the same key recorded it."""

    restaurant: Restaurant
    replayed: bool


def load_restaurant(log: EventLog, restaurant_id: RestaurantId) -> Restaurant:
    """Read a restaurant as it is now. Raises RestaurantNotFound."""
    restaurant = _folded(log.load(restaurant_stream(restaurant_id)), restaurant_id)
    if restaurant.profile is None:
        raise RestaurantNotFound(restaurant_id)
    return restaurant


def published_menu(log: EventLog, restaurant_id: RestaurantId, menu_version: int) -> Menu:
    """Read the menu that was published under a version. It never changes.

    Raises:
        RestaurantNotFound, MenuNotFound: There is no such menu.
    """
    history = log.load(restaurant_stream(restaurant_id))
    restaurant = _folded(history, restaurant_id)
    if restaurant.profile is None:
        raise RestaurantNotFound(restaurant_id)
    for event in history.events:
        if isinstance(event, MenuPublished) and event.menu_version == menu_version:
            return event.menu
    raise MenuNotFound(restaurant_id, menu_version, restaurant.menu_version)


def change_restaurant(log: EventLog, request: RestaurantRequest, command: CatalogueCommand) -> ChangedRestaurant:
    """Decide a command on the newest state of the restaurant and record what was decided, once.

    Raises:
        Rejected: A rule forbids it, or the caller may not; nothing was recorded.
        KeyReused: The key was used with another content.
        PreconditionFailed: The restaurant is at none of the versions of ``if_match``.
        TooManyConflicts: Other commits kept coming first.
    """
    restaurant_id, actor = request.restaurant_id, request.caller.actor
    body_hash = content_hash(command)

    def propose(history: History, restaurant: Restaurant) -> Proposal:
        # Without the caller's key, repeating a command in force changes nothing, and any other is a new one.
        unique = request.key or f"version {restaurant.version}"
        key = f"{type(command).__name__}/{actor.role}/{actor.id}/{unique}"
        return Proposal(
            key=key,
            body_hash=body_hash,
            permit=lambda: _check(actor, restaurant_id),
            decide=lambda: _commit(decide_restaurant(command, restaurant), request.caller, key, body_hash),
        )

    done = transact(
        log,
        restaurant_stream(restaurant_id),
        propose,
        initial=initial_restaurant(restaurant_id),
        evolve=evolve_restaurant,
        if_match=request.if_match,
    )
    return ChangedRestaurant(done.state, done.replayed)


def _folded(history: History, restaurant_id: RestaurantId) -> Restaurant:
    return folded(history, initial_restaurant(restaurant_id), evolve_restaurant)


def _check(actor: Actor, restaurant_id: RestaurantId) -> None:
    is_own = actor.role is Role.RESTAURANT and actor.id == restaurant_id
    if not is_own and actor.role not in {Role.SUPPORT, Role.SERVICE}:
        raise CatalogueNotAllowed(actor, restaurant_id)


def _commit(events: tuple[CatalogueEvent, ...], caller: Caller, key: str, body_hash: str) -> NewCommit | None:
    if not events:
        return None
    return NewCommit(
        key=key,
        events=events,
        actor=caller.actor,
        correlation=caller.correlation,
        causation=caller.causation,
        body_hash=body_hash,
    )
