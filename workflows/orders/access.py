"""Record who was shown which personal data, before it is shown.

Reads of customers are not recorded: a customer reads their own orders only. Every other read is recorded: by support,
restaurants, couriers and services, and by auditors, who are shown no personal fields but the reasons of support's
changes. If the record cannot be written, the caller gets the error in place of the data. What a caller reads again in
the same ten minutes is one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, get_args, get_type_hints

from domain.identifiers import Actor, Role
from domain.order.events import Event
from domain.personal import Erased
from workflows.event_store.commits import NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import ACCESS, stream_name
from workflows.orders.access_events import AccessEvent, AuditDataRead, OrderShown, PersonalDataRead
from workflows.orders.command_handling import Caller
from workflows.orders.visibility import VISIBILITY, Audience, audience_of, seen_fields, sees

WINDOW: Final = timedelta(minutes=10)

UNRECORDED: Final = frozenset({Role.CUSTOMER, Role.SYSTEM})


def record_read(
    log: EventLog,
    caller: Caller,
    *,
    route: str,
    orders: Sequence[OrderShown],
    fields: Sequence[str],
    reason: str,
    at: datetime,
) -> None:
    """Record a read, once in each ``WINDOW``, unless nothing personal is shown or the caller's reads are not recorded.

    Raises:
        StreamUnavailable: Nothing may be shown. Retryable: yes.
    """
    if caller.actor.role in UNRECORDED or not fields:
        return
    read = PersonalDataRead(route=route, orders=tuple(orders), fields=tuple(fields), reason=reason, at=at)
    _append(log, caller, read, [order.order_id for order in orders], read.fields, reason)


def record_audit_read(log: EventLog, caller: Caller, *, route: str, request: str, at: datetime) -> None:
    """Record that an auditor reads data of all orders, once in each ``WINDOW``.

    Raises:
        StreamUnavailable: Nothing may be shown. Retryable: yes.
    """
    _append(log, caller, AuditDataRead(route=route, request=request, at=at), request)


def _append(log: EventLog, caller: Caller, read: AccessEvent, *what: object) -> None:
    """Append a read to a stream of its own. ``what``: reads that differ in it are different records."""
    window = int(read.at.timestamp() // WINDOW.total_seconds())
    key = _key(caller.actor.role.value, caller.actor.id, read.route, *what, window)
    history = log.load(stream_name(ACCESS, key))
    if history.version:
        return
    log.append(
        history,
        NewCommit(
            key=key,
            events=(read,),
            actor=caller.actor,
            correlation=caller.correlation,
            causation=caller.causation,
            body_hash=key,
        ),
    )


def _key(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:32]


def shown_fields(events: Iterable[Any], audience: Audience) -> tuple[str, ...]:
    """Return the names of the personal fields of these events that an audience is shown something in."""
    shown = {
        name
        for event in events
        if type(event) in VISIBILITY and audience in VISIBILITY[type(event)].event
        for name in set(seen_fields(event, audience)) & personal_fields(type(event))
        if getattr(event, name) and not isinstance(getattr(event, name), Erased)
    }
    return tuple(sorted(shown))


def all_fields(actor: Actor) -> tuple[str, ...]:
    """Return the names of all personal fields that a caller may be shown in some order."""
    audience = Audience.CARRIER if actor.role is Role.COURIER else audience_of(actor)
    kinds = get_args(Event)
    shown = {name for kind in kinds for name in personal_fields(kind) if sees(audience, kind, name)}
    return tuple(sorted(shown))


def personal_fields(kind: type[Any]) -> frozenset[str]:
    """Return the names of the fields of an event type that are encrypted with the customer's key."""
    return _PERSONAL[kind]


_PERSONAL = {
    kind: frozenset(name for name, hint in get_type_hints(kind).items() if Erased in get_args(hint))
    for kind in VISIBILITY
}
