"""Orders that wait for a circuit to close, and the timer that probes while it is open and lets them go once it closed.

A wait is kept twice: in the queue of its dependency, oldest first, and under its order, so that a cancellation finds
it. The queue is written first and deleted last, so that what a crash leaves over is found there: its token is settled
once more, and nobody waits with it.

A queue has ``SHARDS`` partitions. A partition takes 1,000 writes a second, a wait with its token is two of them, and
orders start at 300/s by default: one would be just enough, and the four take what an outage piles up besides.
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
from workflows.breakers.circuit import Circuit, State
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, all_documents
from workflows.executions import Executions, TokenGone

SHARDS = 4

PAGE = 25
"""Waits read at once from a partition; a wait is about 2 KB, most of it its token."""

BURST = timedelta(seconds=5)
"""The longest time between ticks that is made up for: a timer that was late lets no crowd go."""

STALE_MAX = 100
"""Waits whose order is gone that one tick clears away on its search for a probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitWait:
    """A task of run ``run`` waits with ``token`` for "closed after ``opened``"; ``action`` is what it will do then."""

    order_id: OrderId
    run: int
    action: str
    dependency: Dependency
    opened: str
    since: datetime
    token: str


def register(documents: Documents, executions: Executions, breaker: Breaker, wait: CircuitWait) -> None:
    """Keep the wait, then look: if the circuit is closed by now, the task ends at once."""
    body: dict[str, Any] = msgspec.to_builtins(wait)
    for pk, sk in (_in_queue(wait), _under_order(wait)):
        documents.put(Document(pk, sk, body), ANY)
    if breaker.read().state is State.CLOSED:
        _settle(documents, executions, wait, "closed")


def waits_of(documents: Documents, order_id: OrderId) -> Iterator[CircuitWait]:
    """The waits of an order, read consistently."""
    return (_wait(document) for document in all_documents(documents, f"circuit-waits-of#{order_id}"))


def anybody_waits(documents: Documents, dependency: Dependency) -> bool:
    """Whether an order stands in the queue of the dependency."""
    return any(documents.list(_queue(dependency, shard), limit=1) for shard in range(SHARDS))


def interrupt(documents: Documents, executions: Executions, wait: CircuitWait, error: str, cause: str) -> None:
    """The order has no more reason to wait, e.g. it is being cancelled: fail its task."""
    with suppress(TokenGone):  # it went on by itself
        executions.fail(wait.token, error, cause)
    forget(documents, wait)


def forget(documents: Documents, wait: CircuitWait) -> None:
    """Nobody waits there any more."""
    for pk, sk in (_under_order(wait), _in_queue(wait)):
        documents.delete(pk, sk, ANY)


def tick(documents: Documents, executions: Executions, breakers: Iterable[Breaker], now: datetime) -> None:
    """Call this every few seconds, from one process or many: probe what is open, let go what has closed.

    Released tasks end with ``{"answer": "closed"}``, a probe with ``{"answer": "probe"}``; either tries again.
    """
    for breaker in breakers:
        circuit = breaker.read()
        if circuit.state is State.CLOSED:
            _release(documents, executions, breaker, circuit, now)
        elif circuit.probe_due(breaker.settings, now):
            _wake_probe(documents, executions, breaker)


def _wake_probe(documents: Documents, executions: Executions, breaker: Breaker) -> None:
    """Lend the probe to the order that waits longest and is still there. A crash here costs one lease."""
    for wait in islice(_oldest(documents, breaker.dependency), STALE_MAX):
        permit = breaker.lend_probe(wait.order_id)
        if permit is None or _settle(documents, executions, wait, "probe"):
            return
        breaker.take_back_probe(permit)


def _release(documents: Documents, executions: Executions, breaker: Breaker, circuit: Circuit, now: datetime) -> None:
    """As many as the time since the last release allows, as long as the circuit stays closed."""
    waiting = _oldest(documents, breaker.dependency)
    first = next(waiting, None)
    if first is None:
        return
    allowed = _allowance(documents, breaker, circuit, now)
    for wait in islice(chain([first], waiting), allowed):
        if breaker.read().state is not State.CLOSED:
            return
        _settle(documents, executions, wait, "closed")


def _allowance(documents: Documents, breaker: Breaker, circuit: Circuit, now: datetime) -> int:
    """Take what may be released now, so that nobody else does. Before it closed, a circuit saves nothing up."""
    pk, sk, per_s = f"breaker#{breaker.dependency}", "release", breaker.settings.release_per_s
    kept = documents.get(pk, sk)
    spent = datetime.fromisoformat(kept.body["spent_until"]) if kept else circuit.since
    start = max(spent, circuit.since, now - BURST)
    allowed = math.floor((now - start).total_seconds() * per_s)
    if allowed <= 0:
        return 0
    body = {"spent_until": timestamp(start + timedelta(seconds=allowed / per_s))}
    try:
        documents.put(Document(pk, sk, body), kept.version if kept else None)
    except DocumentChanged:
        return 0
    return allowed


def _settle(documents: Documents, executions: Executions, wait: CircuitWait, answer: str) -> bool:
    """End the task, then forget the wait. False when nobody waited there any more."""
    try:
        executions.succeed(wait.token, {"answer": answer})
        there = True
    except TokenGone:
        there = False
    forget(documents, wait)
    return there


def _oldest(documents: Documents, dependency: Dependency) -> Iterator[CircuitWait]:
    """Read as they are asked for. What is registered meanwhile comes at the end, or next time."""
    shards = (all_documents(documents, _queue(dependency, shard), page=PAGE) for shard in range(SHARDS))
    return (_wait(document) for document in heapq.merge(*shards, key=lambda document: document.sk))


def _wait(document: Document) -> CircuitWait:
    return msgspec.convert(document.body, CircuitWait)


def _in_queue(wait: CircuitWait) -> tuple[str, str]:
    digest = _digest(wait)
    return _queue(wait.dependency, int(digest[0], 16) % SHARDS), f"{timestamp(wait.since)}#{digest}"


def _under_order(wait: CircuitWait) -> tuple[str, str]:
    return f"circuit-waits-of#{wait.order_id}", f"{wait.dependency}#{_digest(wait)}"


def _queue(dependency: Dependency, shard: int) -> str:
    return f"circuit-waits#{dependency}#{shard}"


def _digest(wait: CircuitWait) -> str:
    return sha256(wait.token.encode()).hexdigest()[:16]
