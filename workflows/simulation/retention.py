"""Erasures, the archive and restored keys of a world, and their laws.

Two persons erase customers, a schedule goes on with erasures and archives orders, and keys that were destroyed come
back as from a backup, which destroys them again. Processes are killed, and calls fail, before and after each of their
writes. At the end the rest is erased and archived; then nothing of an erased customer is in any store, every commit is
where it was, and the customers that were not erased can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from domain.identifiers import Actor, Role
from domain.order.intents import owed
from domain.order.order import Order, RunState
from domain.personal import Erased
from workflows.archive.archiving import archive_orders
from workflows.audit.verify import verify
from workflows.embedded.erased_keys import destroy_again
from workflows.engine import Engine, Views
from workflows.erasure import requests
from workflows.erasure.performing import noted, read_state, resume
from workflows.erasure.refusals import CustomerHasOpenOrders, NoErasureProposed, NothingToErase
from workflows.erasure.state import ErasurePhase
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.erasure import ErasureRequested, KeyDestroyed
from workflows.event_store.event_log import StreamUnavailable
from workflows.event_store.keyring import DataKey, KeyRingUnavailable
from workflows.event_store.segments import Archived, SegmentsUnavailable, is_pointer
from workflows.event_store.streams import CUSTOMER, ORDER, category_of, id_in, order_id_in, order_stream
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.in_memory.segments import InMemorySegments
from workflows.orders.command_handling import Caller, load
from workflows.search.refusals import ViewsUnavailable
from workflows.simulation.executions import SimulatedExecutions
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.view_writers import STALLED_S, ViewWriters
from workflows.simulation.wire import ProcessKilled

ERASED_EVERY_S = (300.0, 2400.0)
RESUMED_EVERY_S = (60.0, 300.0)
ARCHIVED_EVERY_S = (600.0, 2400.0)
RESTORED_EVERY_S = (600.0, 3600.0)

ARCHIVED_AFTER_S = (0.0, 1800.0)
"""How long an order must not have changed. From 0 on, so that many change after they were archived."""

STRUCK = 0.03
"""The share of the moments before and after a call at which it fails or kills its process."""

STOPPED = 0.1
"""The share of orders after which a run of the archive ends, as one whose time is up."""

REJECTED = 0.1
APPROVED_WITHIN_S = 60.0
"""The longest time from the last look at a customer's orders to the record of the approval."""

LATENCY_S = 0.5
VIEWS_TRIES_MAX = 5
VIEWS_AGAIN_S = 20.0

ERASED_AT_END = 0.7
"""The share of customers that are erased at the end. The others must still be readable."""

FIRST = Caller(Actor(Role.SUPPORT, "sue"), "simulation", "simulation")
SECOND = Caller(Actor(Role.SUPPORT, "sam"), "simulation", "simulation")


def mark_of(customer: str) -> str:
    """Return a text that stands in all personal fields of a customer, and nowhere else."""
    return f"quillfeather-{customer}-end"


class RestorableKeyRing(InMemoryKeyRing):
    """Keys that can be copied and put back, as by a backup."""

    forgotten_after_s = STALLED_S[1] + 60
    """A stalled projector still writes what it decrypted before."""

    def copy_of(self, customer: str) -> DataKey | None:
        key_id = self.key_id_of(customer)
        return None if key_id is None else self.find(key_id)

    def customer_of(self, key_id: str) -> str | None:
        return next((customer for customer, key in self._of_customer.items() if key.id == key_id), None)

    def restore(self, customer: str, key: DataKey) -> None:
        self._of_customer[customer] = key
        self._by_id[key.id] = key


class _CopiedKey(NamedTuple):
    customer: str
    key: DataKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedStores:
    """The stores of a world. ``engine`` are the ports of one of its processes; ``ledgers`` returns their bytes.

    ``deliveries`` returns the documents of the webhooks.
    """

    engine: Engine
    scheduler: Scheduler
    log: InMemoryEventLog
    documents: InMemoryDocuments
    keyring: RestorableKeyRing
    segments: InMemorySegments
    executions: SimulatedExecutions
    deliveries: Callable[[], InMemoryDocuments]
    ledgers: Callable[[], bytes]


class Retention:
    """Erases, archives and restores in one world, and checks it at the end."""

    def __init__(self, world: RetainedStores, views: ViewWriters, *, seed: int) -> None:
        self._world = world
        self._views = views
        self._keyring = world.keyring
        self._random = Random(f"retention of {seed}")
        self._recorded: list[Commit] = []
        self._copied: dict[str, _CopiedKey] = {}
        self._struck = STRUCK
        self._problems: list[str] = []
        self._files = world.segments.files
        self._engine = self._opened(world, views.views)
        self._segments: Any = _FailingPort(self, world.segments, SegmentsUnavailable)
        world.log.on_commit(self._on_commit)
        for act, every_s in (
            (self._erase, ERASED_EVERY_S),
            (self._resume, RESUMED_EVERY_S),
            (self._archive, ARCHIVED_EVERY_S),
            (self._restore, RESTORED_EVERY_S),
        ):
            world.scheduler.watch(lambda act=act, every_s=every_s: self._repeat(act, every_s))  # type: ignore[misc]  # bound now

    def _opened(self, world: RetainedStores, views: Views) -> Engine:
        """Return the ports of a process of its own, on the stores of the world."""
        log = _FailingPort(self, world.log, _no_stream)
        ports: dict[str, Any] = {
            "log": log,
            "log_with_keys": log,
            "log_without_keys": log,
            "documents": _FailingPort(self, world.documents, DocumentsUnavailable),
            "keyring": _FailingPort(self, self._keyring, KeyRingUnavailable),
        }
        scheduler = world.scheduler
        return replace(world.engine, **ports, views=views, clock=scheduler, pause=scheduler.watch_pause)

    def _on_commit(self, entry: FeedEntry) -> None:
        self._recorded.append(entry.commit)
        if category_of(entry.commit.pk) == CUSTOMER:
            events: list[object] = [recorded.event for recorded in self._world.log.events(entry.commit)]
            if any(isinstance(event, ErasureRequested) for event in events):
                self._problems += self._of_open_orders(id_in(entry.commit.pk))

    def _of_open_orders(self, customer: str) -> Iterator[str]:
        """Check that no order is open that the approval must have seen: placed before it, and readable by the views."""
        just_now = self._world.scheduler.now() - timedelta(seconds=APPROVED_WITHIN_S)
        for order in self._orders():
            placed = order.placed
            seen = placed is not None and placed.customer == customer and placed.placed_at < just_now
            if seen and order.run_state is not RunState.ENDED and not self._views.failed(order_stream(order.order_id)):
                yield f"{customer} was erased while {order.order_id} was open"

    def _repeat(self, act: Callable[[], None], every_s: tuple[float, float]) -> None:
        while True:
            self._world.scheduler.watch_pause(self._random.uniform(*every_s))
            with suppress(ProcessKilled, *_UNAVAILABLE):
                act()

    # --- what happens ------------------------------------------------------------------------------------------------

    def _erase(self) -> None:
        customers = self._customers()
        if customers:
            self._request(self._random.choice(customers))

    def _request(self, customer: str) -> None:
        """Propose an erasure and approve or reject it, if the customer's orders allow it."""
        key = self._keyring.copy_of(customer)
        if key is not None:
            self._copied[key.id] = _CopiedKey(customer, key)
        for _ in range(VIEWS_TRIES_MAX):
            with suppress(*_REFUSALS):
                try:
                    requests.propose(self._engine, customer, "request 4711", FIRST, f"{self._random.random()}")
                    if self._random.random() < REJECTED:
                        requests.reject(self._engine, customer, "a mistake", SECOND)
                    else:
                        requests.approve(self._engine, customer, "checked", SECOND)
                except ViewsUnavailable:  # they are behind the log
                    self._world.scheduler.watch_pause(VIEWS_AGAIN_S)
                    continue
            return

    def _resume(self) -> None:
        resume(self._engine)

    def _archive(self) -> None:
        before = self._world.scheduler.now() - timedelta(seconds=self._random.uniform(*ARCHIVED_AFTER_S))
        reached: str | None = None
        while True:
            stop = lambda: self._random.random() < STOPPED  # noqa: E731  # drawn anew after each order
            log: Any = _RowByRow(self._engine.log)
            done = archive_orders(log, self._segments, before, after=reached, stop=stop)
            if done.reached is None:
                return
            reached = done.reached

    def _restore(self) -> None:
        """Put a destroyed key back, as a backup does. No other process runs before it is destroyed again."""
        gone = [copied for key_id, copied in self._copied.items() if self._keyring.find(key_id) is None]
        gone = [copied for copied in gone if self._keyring.key_id_of(copied.customer) is None]
        if not gone:
            return
        customer, key = self._random.choice(gone)
        if not self._was_destroyed(customer, key.id):
            return
        self._keyring.restore(customer, key)
        log: Any = _FailingPort(self, self._world.log, _no_stream, pauses=False)
        documents: Any = _FailingPort(self, self._world.documents, DocumentsUnavailable, pauses=False)
        keyring: Any = _FailingPort(self, self._keyring, KeyRingUnavailable, pauses=False)
        while True:
            with suppress(ProcessKilled, *_UNAVAILABLE):
                destroy_again([key.id], log, documents, keyring, self._world.scheduler)
                return

    def _was_destroyed(self, customer: str, key_id: str) -> bool:
        events: Sequence[object] = self._world.log.load(f"customer#{customer}").events
        return any(isinstance(event, KeyDestroyed) and event.key_id == key_id for event in events)

    def carry(self, act: Callable[[], Any], lost: Callable[[str], Exception], *, pauses: bool) -> Any:
        """Make a call of a process that may be killed, or get no answer, before or after it."""
        if pauses and self._struck:
            self._world.scheduler.watch_pause(self._random.expovariate(1 / LATENCY_S))
        self._may_fail(lost)
        result = act()
        self._may_fail(lost)
        return result

    def _may_fail(self, lost: Callable[[str], Exception]) -> None:
        if self._random.random() < self._struck:
            raise self._random.choice((ProcessKilled(), lost("no answer")))

    # --- the laws ----------------------------------------------------------------------------------------------------

    def violations(self) -> Iterator[str]:
        """Erase and archive the rest, and describe in sentences what is lost, doubled or left."""
        self._struck = 0.0
        self._views.settle()
        self._end()
        yield from self._problems
        yield from (damage := list(self._of_commits()))
        if damage:  # orders cannot be read
            return
        yield from self._of_log()
        orders, stores = self._orders(), list(self._stores())
        for customer in self._customers():
            contacts = [each.placed.contact for each in orders if each.placed and each.placed.customer == customer]
            yield from self._of_customer(customer, contacts, stores)
        for customer in noted(self._engine):
            if read_state(self._engine, customer).phase is not ErasurePhase.PROPOSED:
                yield f"the erasure of {customer} did not end"

    def _end(self) -> None:
        later = _AdvancedClock(self._world.scheduler.now())
        self._engine = replace(self._engine, clock=later, pause=lambda _: self._views.settle())
        for customer in self._customers():
            if self._random.random() < ERASED_AT_END:
                self._request(customer)
        self._resume()  # of an erasure whose process was killed after the approval, the key is not destroyed yet
        later.advance()
        self._resume()
        archive_orders(self._world.log, self._world.log.segments, later.now())

    def _of_commits(self) -> Iterator[str]:
        log = self._world.log
        if [entry.commit for entry in log.changes(None, log.newest())] != self._recorded:
            yield "the feed has other commits than were recorded"
        if list(log.scan()) != sorted(self._recorded, key=lambda commit: (commit.pk, commit.sk)):
            yield "the log has other commits than were recorded"
        pointers = [row.ev for row in log.stored() if is_pointer(row.ev)]
        if len(set(pointers)) != len(pointers):
            yield "two commits are archived in one line"

    def _of_log(self) -> Iterator[str]:
        log = self._world.log
        archived = {age.stream for age in log.ages() if age.archived}
        for order in self._orders():
            if order.run_state is RunState.ENDED and not owed(order) and f"order#{order.order_id}" not in archived:
                yield f"{order.order_id} ended long ago and is not archived"
        for finding in verify(log, keys=self._keyring).findings:
            yield f"{finding.stream} version {finding.version}: {finding.what}"

    def _of_customer(
        self, customer: str, contacts: Sequence[object], stores: Sequence[tuple[str, bytes]]
    ) -> Iterator[str]:
        state, has_key = read_state(self._engine, customer), self._keyring.key_id_of(customer) is not None
        if state.phase is ErasurePhase.ERASED and not has_key:
            if any(not isinstance(contact, Erased) for contact in contacts):
                yield f"{customer} was erased, and an order shows the contact"
            yield from self._left_of(customer, stores)
        elif not state.receipts and any(mark_of(customer) not in str(contact) for contact in contacts):
            yield f"{customer} was not erased, and an order does not show the contact"

    def _left_of(self, customer: str, stores: Sequence[tuple[str, bytes]]) -> Iterator[str]:
        """Look for the texts and the keys of an erased customer in the bytes of every store."""
        keys = [copied.key for copied in self._copied.values() if copied.customer == customer]
        wanted = [mark_of(customer).encode(), *(key.material for key in keys)]
        for name, content in stores:
            if any(each in content for each in wanted):
                yield f"{customer} was erased, and {name} has a text or a key of the customer"

    def _stores(self) -> Iterator[tuple[str, bytes]]:
        """Yield the content of every store of the world, with its name."""
        world = self._world
        yield "the log", "".join(row.ev for row in world.log.stored()).encode()
        yield "the archive", b"".join(self._files.values())
        yield "a document", str([document.body for document in world.documents.every()]).encode()
        deliveries = world.deliveries().every()
        yield "a webhook delivery", str([document.body for document in deliveries]).encode()
        yield "a ledger of a provider", world.ledgers()
        yield "an execution", str([running.events for running in world.executions.every()]).encode()
        for file in self._views.files():
            yield f"the file {file.name} of the views", file.read_bytes()

    def _customers(self) -> list[str]:
        return sorted({order.placed.customer for order in self._orders() if order.placed is not None})

    def _orders(self) -> list[Order]:
        order_ids = dict.fromkeys(
            order_id_in(commit.pk) for commit in self._recorded if category_of(commit.pk) == ORDER
        )
        return [load(self._world.log, order_id)[1] for order_id in order_ids if order_id]


_REFUSALS = (CustomerHasOpenOrders, NothingToErase, NoErasureProposed)
_UNAVAILABLE = (StreamUnavailable, DocumentsUnavailable, KeyRingUnavailable, SegmentsUnavailable, ViewsUnavailable)


def _no_stream(why: str) -> StreamUnavailable:
    return StreamUnavailable("a stream", why)


class _AdvancedClock:
    """A clock that stands still until it is advanced by more than any cache keeps a key."""

    def __init__(self, time: datetime) -> None:
        self._time = time

    def advance(self) -> None:
        self._time += timedelta(days=1)

    def now(self) -> datetime:
        return self._time


class _FailingPort:
    """Passes calls on to a store; some fail or kill the process, before or after they took effect."""

    def __init__(
        self, retention: Retention, target: Any, lost: Callable[[str], Exception], *, pauses: bool = True
    ) -> None:
        self._retention = retention
        self._target = target
        self._lost = lost
        self._pauses = pauses

    def __getattr__(self, method: str) -> Any:
        member = getattr(self._target, method)
        if not callable(member):
            return member
        return lambda *args, **kwargs: self._retention.carry(
            lambda: member(*args, **kwargs), self._lost, pauses=self._pauses
        )


class _RowByRow:
    """A log that replaces the contents of one commit a call, as DynamoDB does: a process may be killed between two."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, method: str) -> Any:
        return getattr(self._log, method)

    def point(self, archived: Sequence[Archived]) -> None:
        for each in archived:
            self._log.point([each])
