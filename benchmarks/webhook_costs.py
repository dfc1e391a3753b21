"""Count what webhooks add to an order: its published events in the queue, and their deliveries to some endpoints.

The real code delivers each event alone, the most expensive case, to receivers that answer at once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.counting import Access, Counts, billed
from benchmarks.observed_engine import ObservedPort
from domain.identifiers import Actor, Role
from workflows.clock import Clock, SystemClock
from workflows.in_memory.documents import InMemoryDocuments
from workflows.publishing.webhooks import endpoints
from workflows.publishing.webhooks.delivering import deliver
from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost
from workflows.publishing.webhooks.targets import Targets

FUNCTION = "Webhooks"


@dataclass(frozen=True, slots=True)
class _Ports:
    documents: Any
    webhooks: _QuickReceivers
    clock: Clock


class _QuickReceivers:
    """Answers each request with 204 at once."""

    def check(self, *, url: str, targets: Targets) -> None:
        """Accept every URL."""

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        return [WebhookAnswer(http=204, took_ms=20) for _ in posts]


def with_webhooks(counts: Counts, events: Sequence[str], endpoints_of_all_types: int) -> Counts:
    """Add the function's invocations and its calls of the documents to an order's counts.

    Args:
        events: The published events of the order, as JSON.
    """
    accesses = list[Access]()
    stored, clock = InMemoryDocuments(), SystemClock()
    for number in range(endpoints_of_all_types):
        owner, url = Actor(Role.SERVICE, f"service-{number}"), f"https://service-{number}.example.com/webhooks"
        endpoints.register(stored, owner, "key", url=url, types=(), description="", enabled=True, now=clock.now())
    observed = ObservedPort(stored, lambda call, _, __, result: accesses.append(_access(call, result)))
    for event in events:
        deliver(_Ports(observed, _QuickReceivers(), clock), [json.loads(event)], Targets.PUBLIC)
    invocations = counts.invocations + Counter({FUNCTION: len(events)})
    return replace(counts, invocations=invocations, accesses=[*counts.accesses, *accesses])


def _access(call: str, result: Any) -> Access:
    return Access(FUNCTION, "documents", *billed(call, result))
