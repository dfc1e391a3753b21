"""The ports of one process, and how a handler gets them. No adapter is chosen here.

A handler calls ``engine()``. The embedded engine and the simulation put theirs in place for a call (``serving``), so
that one process can run many functions, each under its own environment. Outside ``serving`` the process's entry point
has installed an opener: on AWS that is ``handlers/__init__.py``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, get_args

from domain.catalogue.events import CatalogueEvent
from domain.identifiers import OrderId
from domain.order import events as order_events
from workflows.audit.exports import ExportMaker, Exports, NoExportsHere
from workflows.audit.head_tree import HeadTree
from workflows.breakers.breaker import Breaker, open_breakers
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitEvent
from workflows.breakers.guarded import Guard, GuardedCouriers, GuardedKitchen, GuardedPayments
from workflows.breakers.settings import DEFAULTS, BreakerSettings
from workflows.catalogue.picture_store import NoPictures, Pictures
from workflows.clock import Clock
from workflows.event_store import streams
from workflows.event_store.documents import Documents
from workflows.event_store.erasure import ErasureEvent
from workflows.event_store.event_log import EventLog
from workflows.event_store.event_types import EventTypes
from workflows.event_store.failed_batches import RedrivableBatches
from workflows.event_store.keyring import KeyRing, NoKeys
from workflows.event_store.upcasters import UPCASTERS
from workflows.executions import ExecutionReads, Executions
from workflows.gateways.courier import CourierGateway
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway
from workflows.orders.access_events import AccessEvent
from workflows.settings import Group, read

if TYPE_CHECKING:
    from pathlib import Path

    from workflows.catalogue.menu_memory import MenuMemory
    from workflows.event_store.change_feed import Feed
    from workflows.orders.blind_index import BlindIndex
    from workflows.publishing.event_bus import EventBus
    from workflows.publishing.webhooks.sender import WebhookSender
    from workflows.sql.database import SqlDatabase

T = TypeVar("T")


class Views:
    """Where the views are: their SQL database, opened on first use, and the blind index of the deployment."""

    def __init__(
        self,
        url: str | Path,
        blind_index: BlindIndex,
        *,
        feed: Feed | None = None,
        elsewhere: Callable[[Callable[[], Any]], Any] = lambda call: call(),
    ) -> None:
        """Open nothing yet.

        Args:
            url: As of ``SqlDatabase``.
            feed: Of the log, where its commits have positions: it shows how far the views are behind.
            elsewhere: Runs a read where it may block, and returns its result.
        """
        self.url = url
        self.blind_index = blind_index
        self.feed = feed
        self.elsewhere = elsewhere
        self._gate = threading.Lock()
        self._database: SqlDatabase | None = None

    @property
    def database(self) -> SqlDatabase:
        """The database. SQLAlchemy is imported here, so that functions without SQL start without it."""
        with self._gate:
            if self._database is None:
                from workflows.sql.database import SqlDatabase

                self._database = SqlDatabase(self.url)
            return self._database

    def close(self) -> None:
        """Close the database, if it was opened. Idempotent."""
        with self._gate:
            if self._database is not None:
                self._database.close()


# Imported late: most functions show no menus and send no webhooks, and start without them.


def _no_menus() -> MenuMemory:
    from workflows.catalogue.menu_memory import MenuMemory

    return MenuMemory()


def http_webhooks() -> WebhookSender:
    """Return what sends webhooks over HTTP."""
    from workflows.publishing.webhooks.http_sender import HttpWebhookSender

    return HttpWebhookSender()


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The ports of one process."""

    log: EventLog
    log_with_keys: EventLog
    """The same log. It differs in functions that load orders often and need personal data once: their ``log`` reads
    personal fields as erased, so that not each load asks for the customer's key."""
    log_without_keys: EventLog
    """The same log, for work that neither shows nor stores a personal field: it never asks for a customer's key. A
    process that holds its keys in memory has one log for all."""
    documents: Documents
    executions: Executions
    payments: PaymentGateway
    kitchen: KitchenGateway
    couriers: CourierGateway
    breakers: Mapping[Dependency, Breaker]
    clock: Clock
    keyring: KeyRing = field(default_factory=NoKeys)
    """The keys that ``log_with_keys`` decrypts with."""
    views: Views | None = None
    """None where no database for views is set."""
    webhooks: WebhookSender = field(default_factory=http_webhooks)
    pause: Callable[[float], None] = time.sleep
    """Pauses the calling function for a number of seconds; other functions of the process continue."""
    live_path: str | None = None
    """Where subscribers open their sockets, below the address of the API; None if this deployment serves no sockets."""
    menus: MenuMemory = field(default_factory=_no_menus)
    """The menus of ``log`` that were read last."""
    pictures: Pictures = field(default_factory=NoPictures)
    exports: Exports = field(default_factory=NoExportsHere)
    export_maker: ExportMaker | None = None
    """None in a process that makes no exports."""
    heads: HeadTree | None = None
    """The checkpoints of the log; None in a process that neither makes nor reads them."""
    courier_moved: Callable[[OrderId], None] = lambda _: None
    """Called after a courier's position was stored, so that the order's subscribers get it."""
    execution_reads: ExecutionReads | None = None
    """None in a process that reads no executions."""
    failed_batches: RedrivableBatches | None = None
    """Of the log's stream; None in a process that does not try them again."""


def assemble(
    *,
    log: EventLog,
    documents: Documents,
    executions: Executions,
    payments: PaymentGateway,
    kitchen: KitchenGateway,
    couriers: CourierGateway,
    clock: Clock,
    keyring: KeyRing | None = None,
    views: Views | None = None,
    pause: Callable[[float], None] = time.sleep,
    log_with_keys: EventLog | None = None,
    log_without_keys: EventLog | None = None,
    webhooks: WebhookSender | None = None,
    breakers: Mapping[Dependency, BreakerSettings] = DEFAULTS,
    live_path: str | None = None,
    pictures: Pictures | None = None,
    exports: Exports | None = None,
    export_maker: ExportMaker | None = None,
    heads: HeadTree | None = None,
    courier_moved: Callable[[OrderId], None] = lambda _: None,
    execution_reads: ExecutionReads | None = None,
    failed_batches: RedrivableBatches | None = None,
) -> Engine:
    """Return the ports of one process, with a circuit breaker before each gateway.

    Args:
        log_with_keys: ``log`` if None.
        log_without_keys: ``log`` if None.
        keyring: Without it the process can destroy no keys.
        pictures: Without it the process keeps none.
        exports: Without it the process makes none.
    """
    opened = open_breakers(breakers, log, documents, clock)
    return Engine(
        log=log,
        log_with_keys=log_with_keys or log,
        log_without_keys=log_without_keys or log,
        documents=documents,
        executions=executions,
        payments=GuardedPayments(payments, Guard(opened[Dependency.PAYMENTS], clock)),
        kitchen=GuardedKitchen(kitchen, Guard(opened[Dependency.KITCHEN], clock)),
        couriers=GuardedCouriers(couriers, Guard(opened[Dependency.COURIERS], clock)),
        breakers=opened,
        clock=clock,
        keyring=keyring or NoKeys(),
        views=views,
        webhooks=webhooks or http_webhooks(),
        pause=pause,
        live_path=live_path,
        pictures=pictures or NoPictures(),
        exports=exports or NoExportsHere(),
        export_maker=export_maker,
        heads=heads,
        courier_moved=courier_moved,
        execution_reads=execution_reads,
        failed_batches=failed_batches,
    )


EVENT_TYPES = EventTypes(
    {
        streams.ORDER: get_args(order_events.Event),
        streams.BREAKER: get_args(CircuitEvent),
        streams.CUSTOMER: get_args(ErasureEvent),
        streams.RESTAURANT: get_args(CatalogueEvent),
        streams.ACCESS: get_args(AccessEvent),
    },
    UPCASTERS,
)
"""Every event that a stream of this application can hold."""


class Opener(Protocol):
    """Opens the ports of a process from its environment variables, on first use."""

    def engine(self, groups: tuple[Group[Any], ...]) -> Engine:
        """Return the engine. Raises SettingsRefused, naming what is wrong with its own settings and with the groups."""
        ...

    def settings(self, group: Group[T]) -> T:
        """Return a group of settings, read once. Raises SettingsRefused."""
        ...

    def event_bus(self) -> EventBus:
        """Return the event bus. Raises SettingsRefused."""
        ...


class _Serving(NamedTuple):
    """What ``serving`` puts in place."""

    engine: Engine
    environment: Mapping[str, str]
    event_bus: EventBus | None


_served: ContextVar[_Serving | None] = ContextVar("served", default=None)
_opener: Opener | None = None


def install(opener: Opener) -> None:
    """Use ``opener`` for calls that run outside ``serving``. Called by the entry point of a process, once."""
    global _opener  # noqa: PLW0603 -- one process has one entry point
    _opener = opener


def engine(*groups: Group[Any]) -> Engine:
    """Return the engine of this call.

    Args:
        groups: Settings that the function reads besides, so that a missing or wrong one fails here and not later.

    Raises:
        SettingsRefused: It names every variable that is missing or wrong.
        NoEngine: The call is outside ``serving``, and no entry point installed an opener.
    """
    served = _served.get()
    return _installed().engine(groups) if served is None else served.engine


def settings(group: Group[T]) -> T:
    """Return a group of settings of the function that is being called. Raises SettingsRefused."""
    served = _served.get()
    return _installed().settings(group) if served is None else read(served.environment, group)


def event_bus() -> EventBus:
    """Return the event bus of this call. Raises SettingsRefused."""
    served = _served.get()
    return (served and served.event_bus) or _installed().event_bus()


class NoEngine(RuntimeError):
    """A handler was called outside ``serving`` in a process whose entry point installed no opener."""


def _installed() -> Opener:
    if _opener is None:
        raise NoEngine("no engine is in place: call the handler within serving(engine, environment)")
    return _opener


@contextmanager
def serving(engine: Engine, environment: Mapping[str, str], event_bus: EventBus | None = None) -> Iterator[None]:
    """Put an engine and a function's environment in place for the calls within, in this thread."""
    before = _served.set(_Serving(engine, environment, event_bus))
    try:
        yield
    finally:
        _served.reset(before)
