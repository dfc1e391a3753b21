"""Perform open intents: one outside call each, then the record of what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from domain.identifiers import SYSTEM
from domain.order.commands import RecordFact
from domain.order.events import (
    CourierReleaseRequested,
    CourierRequested,
    Fact,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    PreparationRequested,
)
from domain.order.intents import OpenIntent, open_intents
from domain.order.order import Order
from workflows.breakers.breaker import CircuitOpen
from workflows.engine import Engine
from workflows.gateways.errors import Unavailable
from workflows.orders.command_handling import Caller, handle
from workflows.sagas.steps.delivery import offer_delivery, withdraw_offer
from workflows.sagas.steps.payment import authorize_payment, call_key, capture_payment, refund_payment, void_payment
from workflows.sagas.steps.preparation import cancel_ticket, send_ticket


def perform_open(
    engine: Engine, order: Order, cause: str, selected: Callable[[OpenIntent], bool] = lambda _: True
) -> Order:
    """Perform the selected open intents, and those that they open, each once. Returns the order after them.

    ``order`` is what the caller has just loaded: an intent that was performed meanwhile is the same call again, and a
    ticket or an offer that was taken back meanwhile is turned away. One that fails does not hold up the others.
    ``cause`` says who asks, for the log.

    Raises:
        Unavailable: The first failure, after all were tried. Asking again makes the same calls.
        CircuitOpen: That is all that stands in the way; asking again is of no use before it closed.
    """
    tried: set[int] = set()
    failures: list[Unavailable] = []
    while (found := _next(order, tried, selected)) is not None:
        tried.add(found.version)
        try:
            order = _perform_and_record(engine, order, found, cause)
        except Unavailable as failure:
            failures.append(failure)
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, CircuitOpen))
    return order


def _next(order: Order, tried: set[int], selected: Callable[[OpenIntent], bool]) -> OpenIntent | None:
    return next((found for found in open_intents(order) if found.version not in tried and selected(found)), None)


def _perform_and_record(engine: Engine, order: Order, found: OpenIntent, cause: str) -> Order:
    fact = _perform(engine, order, found)
    if fact is None:
        return order
    key = f"{type(fact).__name__}/{call_key(order, found.version)}"
    caller = Caller(SYSTEM, correlation=order.order_id, causation=cause)
    return handle(engine.log, RecordFact(fact=fact), order_id=order.order_id, key=key, caller=caller).order


def _perform(engine: Engine, order: Order, found: OpenIntent) -> Fact | None:
    version = found.version
    match found.intent:
        case PaymentAuthorizationRequested() as intent:
            return authorize_payment(intent, version, order, engine.payments)
        case PaymentCaptureRequested() as intent:
            return capture_payment(intent, version, order, engine.payments)
        case PaymentVoidRequested() as intent:
            return void_payment(intent, version, order, engine.payments)
        case PaymentRefundRequested() as intent:
            return refund_payment(intent, version, order, engine.payments)
        case PreparationRequested() as intent:
            send_ticket(intent, version, order, engine.kitchen)
            return None
        case PreparationCancellationRequested() as intent:
            return cancel_ticket(intent, version, order, engine.kitchen)
        case CourierRequested() as intent:
            offer_delivery(intent, version, order, engine.couriers)
            return None
        case CourierReleaseRequested() as intent:
            return withdraw_offer(intent, version, order, engine.couriers)
        case _:
            assert_never(found.intent)
