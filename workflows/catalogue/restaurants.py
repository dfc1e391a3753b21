"""Changes of restaurants and menus by callers, each with the caller's permission, recorded once."""

from __future__ import annotations

from domain.catalogue.commands import CatalogueCommand
from domain.catalogue.deciding import decide_restaurant
from domain.catalogue.events import CatalogueEvent, MenuPublished
from domain.catalogue.menu import Menu
from domain.catalogue.refusals import RestaurantNotFound
from domain.catalogue.restaurant import Restaurant, evolve_restaurant, initial_restaurant
from domain.identifiers import Actor, RestaurantId, Role
from workflows.catalogue.refusals import CatalogueNotAllowed, MenuNotFound
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import id_in, restaurant_stream
from workflows.event_store.transact import Proposal, folded, transact
from workflows.orders.command_handling import Caller, content_hash


def load_restaurant(log: EventLog, restaurant_id: RestaurantId) -> Restaurant:
    """Read a restaurant as it is now. Raises RestaurantNotFound."""
    return _load(log, restaurant_id)[1]


def published_menu(log: EventLog, restaurant_id: RestaurantId, menu_version: int) -> Menu:
    """Read the menu that was published under a version. It never changes.

    Raises:
        RestaurantNotFound, MenuNotFound: There is no such menu.
    """
    history, restaurant = _load(log, restaurant_id)
    for event in history.events:
        if isinstance(event, MenuPublished) and event.menu_version == menu_version:
            return event.menu
    raise MenuNotFound(restaurant_id, menu_version, restaurant.menu_version)


def change_restaurant(
    log: EventLog, restaurant_id: RestaurantId, command: CatalogueCommand, caller: Caller
) -> Restaurant:
    """Decide a command on the newest state of the restaurant, record what was decided and return the result.

    A repeated command changes nothing, because it asks for a state and not for a change.

    Raises:
        Rejected: A rule forbids it, or the caller may not; nothing was recorded.
        TooManyConflicts: Other commits kept coming first.
    """
    body_hash = content_hash(command)

    def propose(_: History, restaurant: Restaurant) -> Proposal:
        key = f"{type(command).__name__}/version {restaurant.version}"
        return Proposal(
            key=key,
            body_hash=body_hash,
            permit=lambda: check_may_change(caller.actor, restaurant_id),
            decide=lambda: _commit(decide_restaurant(command, restaurant), caller, key, body_hash),
        )

    done = transact(
        log,
        restaurant_stream(restaurant_id),
        propose,
        initial=lambda: initial_restaurant(restaurant_id),
        evolve=evolve_restaurant,
    )
    return done.state


def folded_restaurant(history: History) -> Restaurant:
    """Return the state of a restaurant after a history of its stream."""
    return folded(history, lambda: initial_restaurant(RestaurantId(id_in(history.stream))), evolve_restaurant)


def _load(log: EventLog, restaurant_id: RestaurantId) -> tuple[History, Restaurant]:
    history = log.load(restaurant_stream(restaurant_id))
    restaurant = folded_restaurant(history)
    if restaurant.profile is None:
        raise RestaurantNotFound(restaurant_id)
    return history, restaurant


def check_may_change(actor: Actor, restaurant_id: RestaurantId) -> None:
    """Check that a caller may change this restaurant. Raises CatalogueNotAllowed."""
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
