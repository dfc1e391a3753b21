"""The preparation of an order, folded from its events: one ticket at the restaurant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from domain.fast_replace import replace
from domain.order.events import (
    ItemUnavailable,
    PreparationAccepted,
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationFact,
    PreparationIntent,
    PreparationOverdue,
    PreparationReady,
    PreparationRejected,
    PreparationRequested,
    PreparationTimedOut,
    PreparationWrittenOff,
)


class TicketState(StrEnum):
    """The state of a ticket. REQUESTED and TIMED_OUT are in doubt: the restaurant may be cooking."""

    __hash__ = str.__hash__  # that of Enum is Python code, and folding looks states up several times an event

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    READY = "ready"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    OVERDUE = "overdue"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    WRITTEN_OFF = "written_off"


ACCEPTED = frozenset({TicketState.ACCEPTED, TicketState.READY, TicketState.COLLECTED})
IN_DOUBT = frozenset({TicketState.REQUESTED, TicketState.TIMED_OUT})
HELD = IN_DOUBT | {TicketState.ACCEPTED, TicketState.READY, TicketState.OVERDUE}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """``intent`` is the version of the intent that requested it, ``undo`` that of an open intent to recall it."""

    intent: int
    state: TicketState = TicketState.REQUESTED
    ready_at: datetime | None = None
    undo: int | None = None


PreparationEvent: TypeAlias = PreparationIntent | PreparationFact | PreparationTimedOut | PreparationOverdue


def evolve(ticket: Ticket | None, event: PreparationEvent, version: int) -> Ticket | None:
    """Fold the event of that version."""
    match event:
        case PreparationRequested():
            return Ticket(intent=version)
        case PreparationAccepted():
            return _moved(ticket, TicketState.ACCEPTED, ready_at=event.ready_at)
        case PreparationReady():
            return _moved(ticket, TicketState.READY)
        case PreparationRejected():
            return _moved(ticket, TicketState.REJECTED)
        case PreparationTimedOut():
            return _moved(ticket, TicketState.TIMED_OUT)
        case PreparationOverdue():
            return _moved(ticket, TicketState.OVERDUE)
        case ItemUnavailable():
            return ticket
        case PreparationCancellationRequested():
            return None if ticket is None else replace(ticket, undo=version)
        case PreparationCancelled():
            return _undone(ticket, event.answers, TicketState.CANCELLED)
        case PreparationWrittenOff():
            return _undone(ticket, event.answers, TicketState.WRITTEN_OFF)


def collected(ticket: Ticket | None) -> Ticket | None:
    """Close the ticket because a courier has the meal, whatever the restaurant reported before."""
    if ticket is None or (ticket.state is TicketState.COLLECTED and ticket.undo is None):
        return ticket
    return replace(ticket, state=TicketState.COLLECTED, undo=None)


def write_off(ticket: Ticket | None, intent: int) -> Ticket | None:
    """Give the ticket up, if it is of this intent."""
    if ticket is None or ticket.intent != intent:
        return ticket
    return replace(ticket, state=TicketState.WRITTEN_OFF, undo=None)


_FINAL = frozenset({TicketState.COLLECTED, TicketState.CANCELLED, TicketState.WRITTEN_OFF})


def _moved(ticket: Ticket | None, state: TicketState, **changes: Any) -> Ticket | None:
    """Apply a report of the restaurant. A report on a closed ticket changes nothing.

    "Accepted" after "ready" is a late report: the meal stays ready.
    """
    if ticket is None or ticket.state in _FINAL:
        return ticket
    if state is TicketState.ACCEPTED and ticket.state is TicketState.READY:
        state = TicketState.READY
    if state is TicketState.REJECTED:
        changes["undo"] = None
    return replace(ticket, state=state, **changes)


def _undone(ticket: Ticket | None, cancellation: int, state: TicketState) -> Ticket | None:
    if ticket is None or ticket.undo != cancellation:
        return ticket
    return replace(ticket, undo=None, state=state)
