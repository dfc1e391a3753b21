"""Waits: who waits for which answer of an order, and waking them.

A wait is registered first and the log is read after it, so that an answer is seen by the one or the other. A wake-up is
a reading of the log, never of the message that caused it: ringing twice, late or for nothing does no harm. Waits may be
lost; that delays an order and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from domain.identifiers import OrderId
from domain.order.commands import Awaited
from domain.order.order import Order
from domain.order.questions import Answer, answer
from domain.order.refusals import RunSuperseded
from workflows.engine import Engine
from workflows.event_store.documents import ANY, Document, Documents, all_documents
from workflows.executions import Executions, TokenGone
from workflows.orders.command_handling import load
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait

AWAIT_CIRCUIT = "await_circuit"
"""The action of a run that waits for a circuit in order to go forward."""


class CancellationAsked(Exception):
    """What is waited for will not come: the order is being cancelled. The machine stops going forward."""


class OfferLapsed(Exception):
    """The courier said no, or nothing, or gave the delivery back. The machine turns to the next offer."""


class DeliveryLost(Exception):
    """Nobody said what became of a meal that was picked up. The machine stops and a person looks."""


_ERRORS: dict[Answer, type[Exception]] = {
    Answer.CANCELLING: CancellationAsked,
    Answer.DECLINED: OfferLapsed,
    Answer.OVERDUE: DeliveryLost,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A task of run ``run`` waits with ``token`` for the answer to intent ``intent_version``.

    ``action`` is the step that registered it.
    """

    order_id: OrderId
    run: int
    action: str
    awaited: Awaited
    intent_version: int
    token: str


def register(documents: Documents, wait: Wait) -> None:
    """Keep the wait. A wait is found by its token, so an attempt that comes late replaces no other."""
    body = {
        "run": wait.run,
        "action": wait.action,
        "awaited": wait.awaited.value,
        "question": wait.intent_version,
        "token": wait.token,
    }
    documents.put(Document(_partition(wait.order_id), _key(wait), body), ANY)


def waits_of(documents: Documents, order_id: OrderId) -> Iterator[Wait]:
    """The waits of an order, read consistently."""
    for document in all_documents(documents, _partition(order_id)):
        body = document.body
        yield Wait(
            order_id=order_id,
            run=body["run"],
            action=body["action"],
            awaited=Awaited(body["awaited"]),
            intent_version=body["question"],
            token=body["token"],
        )


def forget(documents: Documents, wait: Wait) -> None:
    """Nobody waits there any more."""
    documents.delete(_partition(wait.order_id), _key(wait), ANY)


def wake(engine: Engine, order_id: OrderId) -> None:
    """Ask the log for every wait of the order, and settle those that are answered; then forget them."""
    waits = list(waits_of(engine.documents, order_id))
    for_circuits = list(circuit_waits.waits_of(engine.documents, order_id))
    if not waits and not for_circuits:
        return
    _, order = load(engine.log, order_id)
    for held in for_circuits:
        _interrupt(engine, held, order)
    for wait in waits:
        found = answer(order, wait.awaited, wait.intent_version)
        if found is not Answer.NONE or wait.run < order.run:
            settle(engine.executions, wait.token, order, wait.run, found)
            forget(engine.documents, wait)


def _interrupt(engine: Engine, held: CircuitWait, order: Order) -> None:
    """Who waits to go forward is stopped by a cancellation; who waits to undo is not. Both by a newer run."""
    if held.run < order.run:
        error = RunSuperseded.__name__
    elif (order.cancellation is not None or order.given_up) and held.action == AWAIT_CIRCUIT:
        error = CancellationAsked.__name__
    else:
        return
    cause = f"order {order.order_id} has other plans than to wait for {held.dependency}"
    circuit_waits.interrupt(engine.documents, engine.executions, held, error, cause)


def settle(executions: Executions, token: str, order: Order, run: int, found: Answer) -> None:
    """End the task that waits with ``token``. That its machine went on without it is no error."""
    with suppress(TokenGone):
        if run < order.run:
            executions.fail(token, RunSuperseded.__name__, f"run {order.run} has order {order.order_id}")
        elif error := _ERRORS.get(found):
            executions.fail(token, error.__name__, f"order {order.order_id}: {found}")
        else:
            executions.succeed(token, {"answer": found.value})


def _partition(order_id: OrderId) -> str:
    return f"wait#{order_id}"


def _key(wait: Wait) -> str:
    return f"{wait.run:06d}#{wait.action}#{sha256(wait.token.encode()).hexdigest()[:16]}"
