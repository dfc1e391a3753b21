"""Erase a customer: destroy the data key, and record in the log that it was done.

The stream ``customer#<id>`` holds one request and one confirmation for each destroyed key. The request is recorded
first, so that a key that is gone without a request is a sign of tampering, and ``audit verify`` reports it. Around
these two, ``workflows.erasure`` records the proposal of a first person and, at the end, a receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeAlias

from domain.identifiers import Actor
from workflows.clock import Clock
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.documents import ANY, Document, Documents
from workflows.event_store.event_log import EventLog
from workflows.event_store.keyring import KeyRing
from workflows.event_store.streams import CUSTOMER, stream_name
from workflows.event_store.transact import Proposal, transact


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureProposed:
    """A person proposed to erase the customer. Nothing is destroyed until a second person approves it."""

    reason: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRejected:
    """The proposal was rejected, or withdrawn by the person who made it."""

    reason: str
    rejected_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequested:
    """The key ``key_id`` is to be destroyed. The reasons are written for the audit and must not name the customer.

    Attributes:
        reason: That of the first person.
        approval_reason: That of the second person; empty if there was none, as after restoring a backup.
    """

    key_id: str
    reason: str
    requested_at: datetime
    approval_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDestroyed:
    """The key ``key_id`` no longer exists. Personal fields that were encrypted with it read as erased."""

    key_id: str
    destroyed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased:
    """The receipt of an erasure that has ended. It holds no personal data.

    Attributes:
        proposed_by: The first person; the second one if the erasure was not proposed, as after restoring a backup.
        approved_by: The second person.
        approval_reason: That of the second person; empty in receipts from before it was recorded.
        orders: Orders that had fields under this key.
        fields: Fields of their events that are unreadable now.
        deliveries: Webhook deliveries that were deleted, sent or not; by the last attempt, if one was interrupted.
    """

    key_id: str
    reason: str
    proposed_by: Actor
    approved_by: Actor
    approved_at: datetime
    destroyed_at: datetime
    orders: int
    fields: int
    deliveries: int
    erased_at: datetime
    approval_reason: str = ""


ErasureEvent: TypeAlias = ErasureProposed | ErasureRejected | ErasureRequested | KeyDestroyed | CustomerErased


ERASURES: Final = "erasures"
"""The partition of the documents that name the customers with an erasure: a schedule goes on with each of them."""


def note_erasure(documents: Documents, customer: str) -> None:
    """Note that an erasure of this customer begins, before the first of its events."""
    documents.put(Document(ERASURES, customer, {}), ANY)


def erase(log: EventLog, keyring: KeyRing, clock: Clock, customer: str, *, actor: Actor, reason: str) -> bool:
    """Erase the personal fields in all events of a customer.

    A repeated call is safe, and completes an erasure that a crash interrupted. Other processes may use a cached key for
    as long as their key ring caches it.

    Returns:
        Whether there was anything to erase.

    Raises:
        KeyRingUnavailable, StreamUnavailable: Retryable: yes.
        TooManyConflicts: Retryable: yes.
    """
    key_id = keyring.key_id_of(customer)
    if key_id is not None:
        request_erasure(log, clock, customer, key_id, actor=actor, reason=reason)
    return destroy_requested(log, keyring, clock, customer, actor=actor)


def request_erasure(
    log: EventLog, clock: Clock, customer: str, key_id: str, *, actor: Actor, reason: str, approval_reason: str = ""
) -> None:
    """Record that a key is to be destroyed, once for each key."""
    requested = ErasureRequested(
        key_id=key_id, reason=reason, requested_at=clock.now(), approval_reason=approval_reason
    )
    _record(log, stream_name(CUSTOMER, customer), requested, actor)


def destroy_requested(log: EventLog, keyring: KeyRing, clock: Clock, customer: str, *, actor: Actor) -> bool:
    """Destroy each key whose destruction was requested and not confirmed yet; return whether there was one."""
    stream = stream_name(CUSTOMER, customer)
    unconfirmed = list(_unconfirmed(log.load(stream)))
    for key_id in unconfirmed:
        keyring.destroy(customer, key_id)
        _record(log, stream, KeyDestroyed(key_id=key_id, destroyed_at=clock.now()), actor)
    return bool(unconfirmed)


def _unconfirmed(history: History) -> Iterator[str]:
    events: tuple[object, ...] = history.events
    destroyed = {event.key_id for event in events if isinstance(event, KeyDestroyed)}
    return (event.key_id for event in events if isinstance(event, ErasureRequested) and event.key_id not in destroyed)


def _record(log: EventLog, stream: str, event: ErasureRequested | KeyDestroyed, actor: Actor) -> None:
    """Append the event unless the same was recorded for this key: another reason or time is no other erasure."""
    key = f"{type(event).__name__}/{event.key_id}"
    body_hash = sha256(key.encode()).hexdigest()
    new = NewCommit(
        key=key,
        events=(event,),
        actor=actor,
        correlation=stream,
        causation="erasure",
        body_hash=body_hash,
    )
    append_erasure(log, stream, new)


def append_erasure(
    log: EventLog, stream: str, new: NewCommit, when: Callable[[History], bool] = lambda _history: True
) -> None:
    """Append a commit of an erasure, once, if the customer's stream is then as ``when`` says.

    Raises:
        KeyReused: The key was used with another content.
        TooManyConflicts: Retryable: yes.
    """

    def propose(history: History, _: None) -> Proposal:
        return Proposal(key=new.key, body_hash=new.body_hash, decide=lambda: new if when(history) else None)

    transact(log, stream, propose, initial=lambda: None, evolve=lambda state, _events: state)
