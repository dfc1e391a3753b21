"""How far an erasure is, read from the customer's stream.

    KEPT -> PROPOSED -> DESTROYING -> CLEANING -> ERASED

A proposal that is rejected leads back to KEPT. A customer who orders again after an erasure has a new key, and can be
erased again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.identifiers import Actor
from workflows.event_store.commits import History, RecordedEvent
from workflows.event_store.erasure import (
    CustomerErased,
    ErasureProposed,
    ErasureRejected,
    ErasureRequested,
    KeyDestroyed,
)


class ErasurePhase(StrEnum):
    """``DESTROYING``: approved, and the key may still exist. ``CLEANING``: the key is gone, derived data may not be."""

    KEPT = "kept"
    PROPOSED = "proposed"
    DESTROYING = "destroying"
    CLEANING = "cleaning"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedErasure:
    """What the first person asked for."""

    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedErasure:
    """The key to destroy, and the person who approved it."""

    by: Actor
    key_id: str
    reason: str
    at: datetime
    approval_reason: str = ""
    destroyed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureState:
    """An erasure that is under way, and the receipts of those that have ended."""

    phase: ErasurePhase = ErasurePhase.KEPT
    proposed: ProposedErasure | None = None
    approved: ApprovedErasure | None = None
    receipts: tuple[CustomerErased, ...] = ()


def erasure_state(history: History) -> ErasureState:
    """Fold the events of a customer's stream."""
    state = ErasureState()
    for recorded in history.recorded:
        state = _evolve(state, recorded)
    return state


def phase_now(state: ErasureState, key_id: str | None) -> ErasurePhase:
    """Return the phase of a customer whose key this is. One with a new key after an erasure is kept again."""
    if state.phase is ErasurePhase.ERASED and key_id is not None:
        return ErasurePhase.KEPT
    return state.phase


def _evolve(state: ErasureState, recorded: RecordedEvent) -> ErasureState:
    event: object = recorded.event
    match event:
        case ErasureProposed():
            proposed = ProposedErasure(by=recorded.actor, reason=event.reason, at=event.proposed_at)
            return replace(state, phase=ErasurePhase.PROPOSED, proposed=proposed, approved=None)
        case ErasureRejected():
            return replace(state, phase=ErasurePhase.KEPT, proposed=None)
        case ErasureRequested():
            approved = ApprovedErasure(
                by=recorded.actor,
                key_id=event.key_id,
                reason=event.reason,
                at=event.requested_at,
                approval_reason=event.approval_reason,
            )
            return replace(state, phase=ErasurePhase.DESTROYING, approved=approved)
        case KeyDestroyed() if state.approved is not None:
            destroyed = replace(state.approved, destroyed_at=event.destroyed_at)
            return replace(state, phase=ErasurePhase.CLEANING, approved=destroyed)
        case CustomerErased():
            return ErasureState(phase=ErasurePhase.ERASED, receipts=(*state.receipts, event))
        case _:
            return state
