"""The timeline of an order: each event in words, with what it changed, its place in the hash chain and its trace.

Patches are over the keyed state (``keyed_state``) as the reader may see it: applied one after the other to the state
before the first event, they give the state after each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from domain.identifiers import OrderId
from domain.order.evolving import evolve, evolve_all
from domain.order.order import Order, initial
from workflows.audit.findings import Finding
from workflows.audit.stream_walk import StreamWalk
from workflows.event_store.commits import GENESIS, History, Opaque, RecordedEvent
from workflows.event_store.event_log import EventLog
from workflows.orders.event_homes import saga_of, undone_by
from workflows.orders.event_words import event_sentence
from workflows.orders.json_values import JSON
from workflows.orders.keyed_state import keyed, patch
from workflows.orders.time_travel import NotPlacedYet, past
from workflows.orders.views import event_view, order_view
from workflows.orders.visibility import OPERATORS, Audience
from workflows.orders.words import WITHHELD
from workflows.tracing import trace_in

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import EventJson
    from workflows.client.timeline_json import PatchOperationJson, TimelineEventJson


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Some events of an order in their order.

    Attributes:
        initial: The keyed state before the first of them.
        events: As the reader may see them.
        until: The version of the last event of the timeline, which may be on a later page.
    """

    initial: JSON
    events: list[TimelineEventJson]
    until: int


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a check of the stored commits against the hash chain found.

    Attributes:
        head: The hash of the last commit, as stored.
        findings: Empty if every commit up to the version is what was written.
    """

    version: int
    head: bytes
    findings: tuple[Finding, ...]


def timeline(
    history: History, order_id: OrderId, audience: Audience, *, since: int, limit: int, at: int | datetime | None = None
) -> TimelinePage:
    """Make a page of the timeline.

    An event of a newer release cannot be folded: from there on events have no patches.

    Args:
        since: The version of the first event of the page.
        limit: The most events of the page.
        at: A version or a time at which the timeline ends; None for now.

    Raises:
        NoSuchVersion, NotPlacedYet: As of ``order_at``.
    """
    until = history.version if at is None else _until(history, order_id, at)
    page = history.recorded[since - 1 : min(since - 1 + limit, until)]
    order = _folded(history.recorded[: since - 1], order_id)
    state = {} if order is None else keyed(order_view(order, audience))
    made = TimelinePage(state, [], until)
    shown = _shown_before(history.recorded[: since - 1], audience)
    for recorded in page:
        order = None if order is None or isinstance(recorded.event, Opaque) else evolve(order, recorded.event)
        operations = None
        if order is not None:
            after = keyed(order_view(order, audience))
            operations, state = list(patch(state, after)), after
        if (view := event_view(recorded, audience)) is not None:
            words = event_sentence(view, shown)
            made.events.append(_event(history, recorded, view, words=words, operations=operations, audience=audience))
            shown[recorded.version] = view
    return made


def check_chain(log: EventLog, history: History) -> ChainCheck:
    """Read the stored commits of an order again and check each against its hash and the one before it.

    Args:
        history: As it was loaded: what is checked reaches to its version, and its last hash must be the stored one.
    """
    stored = takewhile(lambda row: row.sk <= history.version, log.read(history.stream))
    walk = StreamWalk(history.stream, (), log.events).follow(stored)
    findings = list(walk.findings)
    if not findings and (walk.version, walk.head) != (history.version, history.head):
        findings.append(Finding(history.stream, history.version, "the stored commits are not those that were shown"))
    return ChainCheck(history.version, walk.head, tuple(findings))


def _until(history: History, order_id: OrderId, at: int | datetime) -> int:
    until = past(history, at).version
    if isinstance(at, datetime) and not until:
        raise NotPlacedYet(order_id, at, history.recorded[0].ts)
    return until


def _folded(recorded: Sequence[RecordedEvent], order_id: OrderId) -> Order | None:
    """Return the order after some events; None if one of them is of a newer release."""
    events = [each.event for each in recorded]
    known = [event for event in events if not isinstance(event, Opaque)]
    return evolve_all(initial(order_id), known) if len(known) == len(events) else None


def _shown_before(recorded: Sequence[RecordedEvent], audience: Audience) -> dict[int, EventJson]:
    """Return the events before a page, which its sentences refer to."""
    return {each.version: view for each in recorded if (view := event_view(each, audience)) is not None}


def _event(
    history: History,
    recorded: RecordedEvent,
    view: EventJson,
    *,
    words: str,
    operations: list[PatchOperationJson] | None,
    audience: Audience,
) -> TimelineEventJson:
    saga = saga_of(recorded.event)
    previous = GENESIS if recorded.commit == 1 else history.recorded[recorded.commit - 2].h
    return {
        **view,
        "schema": recorded.schema,
        "commit": recorded.commit,
        "key": recorded.key if audience in OPERATORS else WITHHELD,
        "hash": recorded.h.hex(),
        "previous": previous.hex(),
        "trace": trace_in(recorded.correlation),
        "saga": None if saga is None else saga.value,
        "words": words,
        "undoes": undone_by(recorded, history.recorded[: recorded.version - 1]),
        "patch": operations,
    }
