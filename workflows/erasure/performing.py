"""Carry out an erasure that was approved: destroy the key, delete what is derived from it, and record a receipt.

A document names each customer whose erasure was proposed. It is written before the events, so that a process that is
killed between any two steps leaves work that ``resume`` finds: a schedule calls it every minute. Each step can be
repeated. On AWS other functions may use the key from their caches for some minutes, so the views are cleaned, and the
receipt is recorded, only after that time.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from datetime import timedelta

from domain.identifiers import SYSTEM, OrderId, Role
from workflows.engine import Engine
from workflows.erasure.holdings import customer_orders, fields_under, kept_deliveries
from workflows.erasure.state import ApprovedErasure, ErasurePhase, ErasureState, erasure_state
from workflows.event_store.commits import NewCommit
from workflows.event_store.documents import ANY, all_documents
from workflows.event_store.erasure import ERASURES, CustomerErased, append_erasure, destroy_requested
from workflows.event_store.streams import CUSTOMER, stream_name
from workflows.live.positions import forget_position
from workflows.live.tickets import withdraw
from workflows.publishing.webhooks.deliveries import forget
from workflows.search.reading import views_of, with_store

_log = logging.getLogger(__name__)

NOT_COMPLETED = "an erasure could not be completed and is tried again"
"""The message of a log line with the class of the error. It does not name the customer."""


def noted(engine: Engine) -> list[str]:
    """Return the customers whose erasure was proposed and has neither ended nor been rejected."""
    return [document.sk for document in all_documents(engine.documents, ERASURES)]


def resume(engine: Engine) -> int:
    """Go on with every erasure that was approved and has not ended; return how many are left.

    An erasure that fails is logged and tried again by the next call. It does not stop the others.
    """
    left = 0
    for customer in noted(engine):
        try:
            left += not complete(engine, customer)
        except Exception as error:
            trace = traceback.format_tb(error.__traceback__)
            _log.error(NOT_COMPLETED, extra={"error": type(error).__name__, "trace": trace})
            left += 1
    return left


def complete(engine: Engine, customer: str) -> bool:
    """Do what is left of an erasure; return whether nothing is left to do or to wait for.

    Raises:
        KeyRingUnavailable, StreamUnavailable, DocumentsUnavailable, ViewsUnavailable: Retryable: yes.
    """
    state = read_state(engine, customer)
    if state.phase is ErasurePhase.DESTROYING:
        destroy_requested(engine.log, engine.keyring, engine.clock, customer, actor=SYSTEM)
        state = read_state(engine, customer)
    if state.phase is ErasurePhase.CLEANING:
        state = _clean(engine, customer, state)
    if state.phase in {ErasurePhase.KEPT, ErasurePhase.ERASED}:
        engine.documents.delete(ERASURES, customer, ANY)
        return True
    return False


def read_state(engine: Engine, customer: str) -> ErasureState:
    """Read how far the erasure of a customer is."""
    return erasure_state(engine.log.load(stream_name(CUSTOMER, customer)))


def _clean(engine: Engine, customer: str, state: ErasureState) -> ErasureState:
    approved = state.approved
    assert approved is not None
    assert approved.destroyed_at is not None
    cached_until = approved.destroyed_at + timedelta(seconds=engine.keyring.forgotten_after_s)
    if engine.clock.now() < cached_until:
        return state
    orders = customer_orders(engine, customer).all
    deliveries = _forget_documents(engine, customer, orders)
    _forget_in_views(engine, customer)
    fields = [count for count in fields_under(engine.log, orders, approved.key_id) if count]
    receipt = CustomerErased(
        key_id=approved.key_id,
        reason=approved.reason,
        proposed_by=approved.by if state.proposed is None else state.proposed.by,
        approved_by=approved.by,
        approved_at=approved.at,
        destroyed_at=approved.destroyed_at,
        orders=len(fields),
        fields=sum(fields),
        deliveries=deliveries,
        erased_at=engine.clock.now(),
        approval_reason=approved.approval_reason,
    )
    _record(engine, customer, receipt, approved)
    return read_state(engine, customer)


def _forget_documents(engine: Engine, customer: str, orders: Sequence[OrderId]) -> int:
    """Delete deliveries, positions and tickets; return the number of deliveries."""
    deliveries = kept_deliveries(engine, orders)
    for delivery in deliveries:
        forget(engine.documents, delivery)
    for order_id in orders:
        forget_position(engine.documents, order_id)
    withdraw(engine.documents, Role.CUSTOMER, customer)
    return len(deliveries)


def _forget_in_views(engine: Engine, customer: str) -> None:
    """Empty the blind indexes of the customer's orders, also in a table that is being built, and in the file."""

    def empty(store: object) -> None:
        from workflows.projections.forgetting import forget_customer
        from workflows.projections.store import ViewStore

        assert isinstance(store, ViewStore)
        forget_customer(store, customer)

    with_store(engine, views_of(engine), empty)


def _record(engine: Engine, customer: str, receipt: CustomerErased, approved: ApprovedErasure) -> None:
    """Append the receipt, once for each key."""
    key = f"CustomerErased/{approved.key_id}"
    new = NewCommit(
        key=key,
        events=(receipt,),
        actor=SYSTEM,
        correlation=stream_name(CUSTOMER, customer),
        causation="erasure",
        body_hash=key,
    )
    append_erasure(
        engine.log,
        stream_name(CUSTOMER, customer),
        new,
        when=lambda history: erasure_state(history).phase is ErasurePhase.CLEANING,
    )
