"""Orders that wait for a circuit to close, and the tick that probes an open circuit and releases orders of a closed
one.

A wait is stored twice: in the queue of its dependency, oldest first, and under its order, so that a cancellation finds
it. The queue entry is written first and deleted last. So an entry that a crash leaves behind is found there, and its
token is settled once more, which has no effect.

A queue has ``SHARDS`` partitions. A partition takes 1,000 writes a second, a wait costs two, and 300 orders start a
second by default: one partition would just be enough, and four leave room for the orders of an outage.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain, islice
from typing import Any

import msgspec

from domain.identifiers import OrderId
from workflows.breakers.breaker import Breaker
from workflows.breakers.circuit import Circuit, CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, all_documents, body_as
from workflows.executions import Executions, TokenGone

SHARDS = 4

PAGE = 25
"""Waits in one read of a partition. A wait is about 2 KB, most of it the token."""

BURST = timedelta(seconds=5)
"""The most time between ticks that counts for a release, so that a late tick does not release a crowd."""

COUNTED_MAX = 1000
"""Waits that are counted for a plan: a person needs to know whether they are few or many."""

AWAIT_CIRCUIT_TO_UNDO = "await_circuit_to_undo"
"""The action of a state machine that waits for a circuit during compensation."""

STALE_MAX = 100
"""Waits without a task that one tick deletes while it looks for an order to probe with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitWait:
    """A task of run ``run`` waits with ``token`` until the circuit closes that event ``opened`` opened."""

    order_id: OrderId
    run: int
    action: str
    dependency: Dependency
    opened: str
    since: datetime
    token: str

    @property
    def undoing(self) -> bool:
        """Whether the call that waits gives something back; if not, it goes forward."""
        return self.action == AWAIT_CIRCUIT_TO_UNDO


@dataclass(frozen=True, slots=True)
class _SpentPace:
    """The time up to which the releases of a dependency are used up."""

    spent_until: datetime


def register(documents: Documents, executions: Executions, breaker: Breaker, wait: CircuitWait) -> None:
    """Store the wait, then read the circuit: if it is closed by now, the task ends at once."""
    body: dict[str, Any] = msgspec.to_builtins(wait)
    for pk, sk in (_in_queue(wait), _under_order(wait)):
        documents.put(Document(pk, sk, body), ANY)
    if breaker.read().state is CircuitState.CLOSED:
        _settle(documents, executions, wait, "closed")


def waits_of(documents: Documents, order_id: OrderId) -> Iterator[CircuitWait]:
    """Yield the waits of an order, read consistently."""
    for document in all_documents(documents, f"circuit-waits-of#{order_id}"):
        if (wait := body_as(document, CircuitWait)) is not None:
            yield wait


def has_waits(documents: Documents, dependency: Dependency) -> bool:
    """Whether an order waits for the dependency."""
    return any(documents.list(_queue(dependency, shard), limit=1) for shard in range(SHARDS))


def count_waits(documents: Documents, dependency: Dependency) -> int:
    """Count the orders that wait for the dependency, up to ``COUNTED_MAX``."""
    waits = (wait for shard in range(SHARDS) for wait in all_documents(documents, _queue(dependency, shard)))
    return sum(1 for _ in islice(waits, COUNTED_MAX))


def oldest_waits(documents: Documents, dependency: Dependency, most: int) -> list[CircuitWait]:
    """Return the waits for the dependency, the oldest first, at most so many."""
    waits = (body_as(document, CircuitWait) for document in _queued(documents, dependency))
    return list(islice((wait for wait in waits if wait is not None), most))


def interrupt(documents: Documents, executions: Executions, wait: CircuitWait, error: str, cause: str) -> None:
    """Fail the waiting task, e.g. because its order is being cancelled, then delete the wait."""
    with suppress(TokenGone):  # the task ended before
        executions.fail(wait.token, error, cause)
    forget(documents, wait)


def forget(documents: Documents, wait: CircuitWait) -> None:
    """Delete both copies of the wait."""
    for pk, sk in (_under_order(wait), _in_queue(wait)):
        documents.delete(pk, sk, ANY)


def tick(documents: Documents, executions: Executions, breakers: Iterable[Breaker], now: datetime) -> None:
    """Probe open circuits and release orders of closed ones. Called every few seconds, by one process or many.

    A released task ends with ``{"answer": "closed"}``, a probing one with ``{"answer": "probe"}``. Either repeats its
    call.
    """
    for breaker in breakers:
        circuit = breaker.read()
        if circuit.state is CircuitState.CLOSED:
            _release(documents, executions, breaker, circuit, now)
        elif circuit.probe_due(breaker.settings, now):
            _wake_probe(documents, executions, breaker)


def _wake_probe(documents: Documents, executions: Executions, breaker: Breaker) -> None:
    """Lend the probe to the order that waits longest and whose task still exists. A crash here costs one lease."""
    for wait in islice(_oldest(documents, breaker.dependency), STALE_MAX):
        permit = breaker.lend_probe(wait.order_id)
        if permit is None or _settle(documents, executions, wait, "probe"):
            return
        breaker.take_back_probe(permit)


def _release(documents: Documents, executions: Executions, breaker: Breaker, circuit: Circuit, now: datetime) -> None:
    """Release as many orders as the time since the last release allows, while the circuit stays closed."""
    waiting = _oldest(documents, breaker.dependency)
    first = next(waiting, None)
    if first is None:
        return
    allowed = _allowance(documents, breaker, circuit, now)
    for wait in islice(chain([first], waiting), allowed):
        if breaker.read().state is not CircuitState.CLOSED:
            return
        _settle(documents, executions, wait, "closed")


def _allowance(documents: Documents, breaker: Breaker, circuit: Circuit, now: datetime) -> int:
    """Reserve the number of orders that may be released now, so that no other process releases them too.

    Time before the circuit closed does not count.
    """
    pk, sk, per_s = f"breaker#{breaker.dependency}", "release", breaker.settings.release_per_s
    stored = documents.get(pk, sk)
    released = body_as(stored, _SpentPace)
    start = max(released.spent_until if released else circuit.since, circuit.since, now - BURST)
    allowed = math.floor((now - start).total_seconds() * per_s)
    if allowed <= 0:
        return 0
    body = {"spent_until": timestamp(start + timedelta(seconds=allowed / per_s))}
    try:
        documents.put(Document(pk, sk, body), stored.version if stored else None)
    except DocumentChanged:
        return 0
    return allowed


def _settle(documents: Documents, executions: Executions, wait: CircuitWait, answer: str) -> bool:
    """End the task, then delete the wait. False if the task had ended before."""
    try:
        executions.succeed(wait.token, {"answer": answer})
        existed = True
    except TokenGone:
        existed = False
    forget(documents, wait)
    return existed


def _oldest(documents: Documents, dependency: Dependency) -> Iterator[CircuitWait]:
    """Yield the waits of a dependency, oldest first. A wait that is registered meanwhile comes last, or next time."""
    for document in _queued(documents, dependency):
        if (wait := body_as(document, CircuitWait)) is not None:
            yield wait
        else:  # an entry of unknown shape would keep the ticks busy; the watchdog restarts its order
            documents.delete(document.pk, document.sk, ANY)


def _queued(documents: Documents, dependency: Dependency) -> Iterator[Document]:
    shards = (all_documents(documents, _queue(dependency, shard), page=PAGE) for shard in range(SHARDS))
    return heapq.merge(*shards, key=lambda document: document.sk)


def _in_queue(wait: CircuitWait) -> tuple[str, str]:
    digest = _digest(wait)
    return _queue(wait.dependency, int(digest[0], 16) % SHARDS), f"{timestamp(wait.since)}#{digest}"


def _under_order(wait: CircuitWait) -> tuple[str, str]:
    return f"circuit-waits-of#{wait.order_id}", f"{wait.dependency}#{_digest(wait)}"


def _queue(dependency: Dependency, shard: int) -> str:
    return f"circuit-waits#{dependency}#{shard}"


def _digest(wait: CircuitWait) -> str:
    return sha256(wait.token.encode()).hexdigest()[:16]
