"""Propose an erasure, and approve or reject it as a second person.

Two persons, whatever the amounts: an erasure cannot be undone. The first one's proposal destroys nothing. Until the
second one approves it the proposal can be rejected by anybody in support, the proposer included.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from workflows.engine import Engine
from workflows.erasure.holdings import CustomerOrders, customer_orders, fields_under, kept_deliveries
from workflows.erasure.performing import complete, read_state
from workflows.erasure.refusals import (
    CustomerHasOpenOrders,
    ErasureNeedsSecondPerson,
    NoErasureProposed,
    NothingToErase,
)
from workflows.erasure.state import ErasurePhase, ErasureState, ProposedErasure, erasure_state, phase_now
from workflows.event_store.commits import NewCommit
from workflows.event_store.erasure import (
    ErasureEvent,
    ErasureProposed,
    ErasureRejected,
    append_erasure,
    note_erasure,
    request_erasure,
)
from workflows.event_store.streams import CUSTOMER, stream_name
from workflows.orders.command_handling import Caller
from workflows.orders.permissions import Action, check_all
from workflows.search.refusals import ViewsUnavailable

UNDER_WAY: Final = frozenset({ErasurePhase.DESTROYING, ErasurePhase.CLEANING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePlan:
    """What is kept about a customer now, and what an erasure would do.

    Attributes:
        key_id: The key that would be destroyed; None if there is none.
        fields: Fields of events that would be unreadable.
        deliveries: Webhook deliveries that would be deleted.
        pending: Those of them that were not delivered yet, so that their receivers never get them.
    """

    customer: str
    state: ErasureState
    key_id: str | None
    orders: CustomerOrders
    fields: int
    deliveries: int
    pending: int

    @property
    def phase(self) -> ErasurePhase:
        """How far the erasure is."""
        return phase_now(self.state, self.key_id)


def plan_erasure(engine: Engine, customer: str) -> ErasurePlan:
    """Find out what is kept about a customer. Raises NoViewsDatabase, ViewsUnavailable."""
    return _plan_of(engine, customer, customer_orders(engine, customer))


def _plan_of(engine: Engine, customer: str, orders: CustomerOrders) -> ErasurePlan:
    """Make the plan of a customer with these orders. Reads no views, so that it cannot fail after a record for them."""
    state = read_state(engine, customer)
    key_id = engine.keyring.key_id_of(customer)
    fields = sum(fields_under(engine.log, orders.all, key_id)) if key_id else 0
    deliveries = kept_deliveries(engine, orders.all)
    return ErasurePlan(
        customer=customer,
        state=state,
        key_id=key_id,
        orders=orders,
        fields=fields,
        deliveries=len(deliveries),
        pending=sum(delivery.next_try is not None for delivery in deliveries),
    )


def propose(
    engine: Engine, customer: str, reason: str, caller: Caller, key: str, *, dry_run: bool = False
) -> ErasurePlan:
    """Record that a person wants the customer erased. A proposal that waits already is left as it is.

    Raises:
        NotAllowed: The caller may not erase customers.
        NothingToErase: Nothing personal is kept about the customer.
        CustomerHasOpenOrders: They must end first.
    """
    check_all(caller.actor, Action.ERASE_CUSTOMER)
    plan = _possible(engine, customer)
    if dry_run or plan.phase in UNDER_WAY:
        return plan
    note_erasure(engine.documents, customer)
    proposed = ErasureProposed(reason=reason, proposed_at=engine.clock.now())
    _record(
        engine,
        customer,
        proposed,
        caller,
        key=key,
        content=reason,
        unless=lambda state: state.phase in UNDER_WAY | {ErasurePhase.PROPOSED},
    )
    return _plan_of(engine, customer, plan.orders)


def approve(engine: Engine, customer: str, reason: str, caller: Caller, *, dry_run: bool = False) -> ErasurePlan:
    """Approve a proposal as a second person, and begin to erase. An erasure under way is continued.

    Raises:
        NotAllowed, ErasureNeedsSecondPerson: The caller may not.
        NoErasureProposed: Nothing waits for approval.
        CustomerHasOpenOrders: An order was placed since.
    """
    check_all(caller.actor, Action.ERASE_CUSTOMER)
    state = read_state(engine, customer)
    proposed = None if state.phase in UNDER_WAY else _waiting(state, customer, caller)
    plan = _possible(engine, customer)
    if dry_run:
        return plan
    if proposed is not None and plan.key_id is not None:
        note_erasure(engine.documents, customer)
        request_erasure(
            engine.log,
            engine.clock,
            customer,
            plan.key_id,
            actor=caller.actor,
            reason=proposed.reason,
            approval_reason=reason,
        )
    with suppress(ViewsUnavailable):  # it is approved: the schedule goes on with it
        complete(engine, customer)
    return _plan_of(engine, customer, plan.orders)


def reject(engine: Engine, customer: str, reason: str, caller: Caller, *, dry_run: bool = False) -> ErasurePlan:
    """Reject a proposal, or withdraw one's own. Raises NotAllowed, NoErasureProposed."""
    check_all(caller.actor, Action.ERASE_CUSTOMER)
    history = engine.log.load(stream_name(CUSTOMER, customer))
    if erasure_state(history).phase is not ErasurePhase.PROPOSED:
        raise NoErasureProposed(customer)
    plan = plan_erasure(engine, customer)
    if dry_run:
        return plan
    rejected = ErasureRejected(reason=reason, rejected_at=engine.clock.now())
    _record(
        engine,
        customer,
        rejected,
        caller,
        key=f"{history.version}",
        content=reason,
        unless=lambda state: state.phase is not ErasurePhase.PROPOSED,
    )
    return _plan_of(engine, customer, plan.orders)


def _waiting(state: ErasureState, customer: str, caller: Caller) -> ProposedErasure:
    """Return the proposal that the caller may approve. Raises NoErasureProposed, ErasureNeedsSecondPerson."""
    proposed = state.proposed
    if state.phase is not ErasurePhase.PROPOSED or proposed is None:
        raise NoErasureProposed(customer)
    if proposed.by == caller.actor:
        raise ErasureNeedsSecondPerson(customer, proposed.by.id)
    return proposed


def _possible(engine: Engine, customer: str) -> ErasurePlan:
    plan = plan_erasure(engine, customer)
    if plan.phase in UNDER_WAY:
        return plan
    if plan.key_id is None:
        raise NothingToErase(customer)
    if plan.orders.open:
        raise CustomerHasOpenOrders(customer, plan.orders.open)
    return plan


def _record(
    engine: Engine,
    customer: str,
    event: ErasureEvent,
    caller: Caller,
    *,
    key: str,
    content: str,
    unless: Callable[[ErasureState], bool],
) -> None:
    """Append an event of a person, unless the erasure has gone on meanwhile. Raises KeyReused."""
    new = NewCommit(
        key=f"{type(event).__name__}/{caller.actor.id}/{key}",
        events=(event,),
        actor=caller.actor,
        correlation=caller.correlation,
        causation=caller.causation,
        body_hash=sha256(content.encode()).hexdigest(),
    )
    stream = stream_name(CUSTOMER, customer)
    append_erasure(engine.log, stream, new, when=lambda history: not unless(erasure_state(history)))
