"""Perform open intents: one call to a provider each, then the record of its outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from domain.order.commands import RecordFact
from domain.order.events import (
    CourierReleaseRequested,
    CourierRequested,
    Fact,
    OrderPlaced,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentLookupRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    PreparationRequested,
)
from domain.order.intents import OpenIntent, open_intents
from domain.order.order import Order
from domain.personal import Erased
from workflows.breakers.breaker import CircuitOpen
from workflows.engine import Engine
from workflows.event_store.streams import order_stream
from workflows.gateways.errors import Unavailable
from workflows.orders.command_handling import for_order, handle
from workflows.sagas.steps.delivery import offer_delivery, withdraw_offer
from workflows.sagas.steps.payment import (
    authorize_payment,
    call_key,
    capture_payment,
    look_up_payment,
    refund_payment,
    void_payment,
)
from workflows.sagas.steps.preparation import cancel_ticket, send_ticket


def perform_open(
    engine: Engine, order: Order, cause: str, selected: Callable[[OpenIntent], bool] = lambda _: True
) -> Order:
    """Perform the selected open intents, and those that they open, each once. Return the order after them.

    An intent that another process performed meanwhile is the same call again, and a provider ignores a ticket or an
    offer that was cancelled meanwhile. A failure does not stop the other intents.

    Args:
        order: The order as the caller has just loaded it.
        cause: What is recorded as the cause of the events, e.g. ``run 1, settle``.

    Raises:
        Unavailable: The first failure, after all intents were tried. A retry makes the same calls.
        CircuitOpen: All failures were open circuits. A retry helps once one of them has closed.
    """
    tried: set[int] = set()
    failures: list[Unavailable] = []
    while (open_intent := _next(order, tried, selected)) is not None:
        tried.add(open_intent.version)
        try:
            order = _perform_and_record(engine, order, open_intent, cause)
        except Unavailable as failure:
            failures.append(failure)
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, CircuitOpen))
    return order


def _next(order: Order, tried: set[int], selected: Callable[[OpenIntent], bool]) -> OpenIntent | None:
    return next((each for each in open_intents(order) if each.version not in tried and selected(each)), None)


def _perform_and_record(engine: Engine, order: Order, open_intent: OpenIntent, cause: str) -> Order:
    fact = _perform(engine, order, open_intent)
    if fact is None:
        return order
    key = f"{type(fact).__name__}/{call_key(order, open_intent.version)}"
    command = RecordFact(fact=fact)
    return handle(engine.log, command, order_id=order.order_id, key=key, caller=for_order(cause)).order


def _with_method(
    engine: Engine, order: Order, intent: PaymentAuthorizationRequested, version: int
) -> PaymentAuthorizationRequested:
    """Return the intent with its payment method, which ``engine.log`` may have read without the customer's key."""
    if not isinstance(intent.payment_method, Erased):
        return intent
    recorded = engine.log_with_keys.load(order_stream(order.order_id)).recorded[version - 1].event
    return recorded if isinstance(recorded, PaymentAuthorizationRequested) else intent


def _kitchen_note(engine: Engine, order: Order) -> str:
    """Return the customer's note, read with the key if ``engine.log`` has none; empty if there is none, or no key."""
    note = "" if order.placed is None else order.placed.kitchen_note
    if not isinstance(note, Erased):
        return note
    placed = engine.log_with_keys.load(order_stream(order.order_id)).recorded[0].event
    note = placed.kitchen_note if isinstance(placed, OrderPlaced) else ""
    return "" if isinstance(note, Erased) else note


def _perform(engine: Engine, order: Order, open_intent: OpenIntent) -> Fact | None:
    version = open_intent.version
    match open_intent.intent:
        case PaymentAuthorizationRequested() as intent:
            return authorize_payment(_with_method(engine, order, intent, version), version, order, engine.payments)
        case PaymentCaptureRequested() as intent:
            return capture_payment(intent, version, order, engine.payments)
        case PaymentVoidRequested() as intent:
            return void_payment(intent, version, order, engine.payments)
        case PaymentRefundRequested() as intent:
            return refund_payment(intent, version, order, engine.payments)
        case PaymentLookupRequested() as intent:
            return look_up_payment(intent, version, order, engine.payments)
        case PreparationRequested() as intent:
            send_ticket(intent, version, order, engine.kitchen, note=_kitchen_note(engine, order))
            return None
        case PreparationCancellationRequested() as intent:
            return cancel_ticket(intent, version, order, engine.kitchen)
        case CourierRequested() as intent:
            return offer_delivery(intent, version, order, engine.couriers)
        case CourierReleaseRequested() as intent:
            return withdraw_offer(intent, version, order, engine.couriers)
        case _:
            assert_never(open_intent.intent)
