"""Run a search in one snapshot of the views, away from the hub, and say how old the views are.

A list right after a write may name the write (``wait_for``): it then waits up to a second for the views to include it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from domain.identifiers import Actor, OrderId
from workflows.clock import read_timestamp
from workflows.engine import Engine, Views
from workflows.search.refusals import NoViewsDatabase, SearchTooSlow, ViewsUnavailable

if TYPE_CHECKING:  # SQLAlchemy takes long to import
    from sqlalchemy import Connection

    from workflows.client.search_json import AsOfJson
    from workflows.projections.store import ViewStore

T = TypeVar("T")

WAIT_MAX_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class WaitFor:
    """A version of an order that an answer should include."""

    order_id: OrderId
    version: int


def search(
    engine: Engine,
    actor: Actor | None,
    view: str,
    read: Callable[[Connection, str], T],
    wait_for: WaitFor | None = None,
    *,
    also: Collection[str] = (),
) -> tuple[T, AsOfJson]:
    """Return what ``read`` returns, and the age of the views in the same snapshot.

    Args:
        actor: The caller; None for a public read.
        view: The view that is read.
        read: Called on another thread, so it must not use the engine of the call, and may import SQLAlchemy. Its
            second argument is when the newest commit in the views was recorded; empty if that is unknown.
        also: Other views on which it depends whether a row is found.

    Raises:
        NoViewsDatabase, ViewsUnavailable, SearchTooSlow: HTTP 503.
    """
    views = views_of(engine)

    def read_both(store: ViewStore, connection: Connection) -> tuple[T, AsOfJson]:
        result = read(connection, "" if views.feed is None else store.as_of(connection).recorded_at)
        as_of = age_of(engine, store, connection)
        complete = all(store.built(connection, store.views[name]).version > 0 for name in (view, *also))
        includes = None if wait_for is None or actor is None else _includes(connection, actor, wait_for)
        return result, cast("AsOfJson", {**as_of, "complete": complete, "includes": includes})

    result = in_snapshot(engine, views, read_both)  # read before any wait, which refuses a wrong cursor at once
    if wait_for is None or actor is None or result[1]["includes"]:
        return result
    _wait(engine, views, actor, wait_for)
    return in_snapshot(engine, views, read_both)


def views_of(engine: Engine) -> Views:
    """Return the views of the deployment. Raises NoViewsDatabase."""
    if engine.views is None:
        raise NoViewsDatabase
    return engine.views


def in_snapshot(engine: Engine, views: Views, read: Callable[[ViewStore, Connection], T]) -> T:
    """Call ``read`` in a transaction on another thread. Raises ViewsUnavailable, SearchTooSlow."""

    def read_in_one(store: ViewStore) -> T:
        with store.reading() as connection:
            return read(store, connection)

    return with_store(engine, views, read_in_one)


def with_store(engine: Engine, views: Views, read: Callable[[ViewStore], T]) -> T:
    """Call ``read`` on another thread; it opens its own transactions. Raises ViewsUnavailable, SearchTooSlow."""

    def call() -> T:
        from workflows.projections.store import ViewStore
        from workflows.projections.views import all_views
        from workflows.sql.database import SqlUnavailable, StatementTooSlow

        store = ViewStore(views.database, all_views(views.blind_index), engine.clock)
        try:
            return read(store)
        except StatementTooSlow as error:
            raise SearchTooSlow("The search took too long and was stopped. Narrow its filter.") from error
        except SqlUnavailable as error:
            raise ViewsUnavailable("The views cannot be read now. Send the same request again.") from error

    result: T = views.elsewhere(call)
    return result


def _wait(engine: Engine, views: Views, actor: Actor, wait_for: WaitFor) -> None:
    """Wait until the views include a version, for a second at most."""
    for _ in range(round(WAIT_MAX_S / _LOOK_EVERY_S)):
        engine.pause(_LOOK_EVERY_S)
        if in_snapshot(engine, views, lambda _, connection: _includes(connection, actor, wait_for)):
            return


def _includes(connection: Connection, actor: Actor, wait_for: WaitFor) -> bool:
    from sqlalchemy import select

    from workflows.projections.orders import ORDERS
    from workflows.search.scopes import orders_of

    its_version = select(ORDERS.c.version).where(ORDERS.c.order_id == wait_for.order_id, orders_of(actor))
    return (connection.execute(its_version).scalar_one_or_none() or 0) >= wait_for.version


def age_of(engine: Engine, store: ViewStore, connection: Connection) -> dict[str, Any]:
    """Return how old the views are: ``recorded_at``, ``lag_commits``, ``lag_s``."""
    feed = views_of(engine).feed
    if feed is None:  # several projectors at once, each from its message: none of them knows a position
        return {"recorded_at": None, "lag_commits": None, "lag_s": None}
    as_of = store.as_of(connection)
    behind = feed.changes(as_of.position, 1)
    lag_commits = max(0, feed.newest() - as_of.position)
    lag_s = _age_s(engine, behind[0].commit.ts) if behind else 0.0
    return {"recorded_at": as_of.recorded_at or None, "lag_commits": lag_commits, "lag_s": lag_s}


def _age_s(engine: Engine, ts: str) -> float:
    return round(max(0.0, (engine.clock.now() - read_timestamp(ts)).total_seconds()), 3)
