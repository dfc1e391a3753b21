"""Waits: tasks of state machines that wait for an answer of an order, and how they are woken.

A wait is registered before the log is read, so that either the reader or the writer of an answer sees the other. Waking
reads the log and not the message that caused it, so waking twice, late or without an answer has no effect. A lost wait
delays its order until the watchdog finds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from domain.identifiers import OrderId
from domain.order.commands import Awaited
from domain.order.order import Order
from domain.order.questions import Answer, answer
from domain.order.refusals import RunSuperseded
from workflows.engine import Engine
from workflows.event_store.documents import ANY, Document, Documents, all_documents, body_as
from workflows.executions import Executions, TokenGone
from workflows.orders.command_handling import load
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait

AWAIT_CIRCUIT = "await_circuit"
"""The action of a run that waits for a circuit before a forward step."""


class CancellationAsked(Exception):
    """The answer will not come, because the order is being cancelled. The machine stops its forward steps."""


class OfferLapsed(Exception):
    """The courier declined, did not answer, or returned the delivery. The machine makes the next offer."""


class DeliveryLost(Exception):
    """A meal was picked up and not reported delivered in time. The machine stops, and the order is parked."""


_ERRORS: dict[Answer, type[Exception]] = {
    Answer.CANCELLING: CancellationAsked,
    Answer.DECLINED: OfferLapsed,
    Answer.OVERDUE: DeliveryLost,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWait:
    """A task of run ``run`` waits with ``token`` for the answer to the intent with version ``intent_version``.

    ``action`` is the action that registered the wait.
    """

    order_id: OrderId
    run: int
    action: str
    awaited: Awaited
    intent_version: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredWait:
    """The body of a wait's document. ``question`` is the version of the intent."""

    run: int
    action: str
    awaited: Awaited
    question: int
    token: str


def register(documents: Documents, wait: AnswerWait) -> None:
    """Store the wait. Its key contains the token, so a late attempt does not replace another wait."""
    stored = _StoredWait(
        run=wait.run, action=wait.action, awaited=wait.awaited, question=wait.intent_version, token=wait.token
    )
    body: dict[str, Any] = msgspec.to_builtins(stored)
    documents.put(Document(_partition(wait.order_id), _key(wait), body), ANY)


def waits_of(documents: Documents, order_id: OrderId) -> Iterator[AnswerWait]:
    """Yield the waits of an order, read consistently."""
    for document in all_documents(documents, _partition(order_id)):
        stored = body_as(document, _StoredWait)
        if stored is not None:
            yield AnswerWait(
                order_id=order_id,
                run=stored.run,
                action=stored.action,
                awaited=stored.awaited,
                intent_version=stored.question,
                token=stored.token,
            )


def forget(documents: Documents, wait: AnswerWait) -> None:
    """Delete the wait."""
    documents.delete(_partition(wait.order_id), _key(wait), ANY)


def wake(engine: Engine, order_id: OrderId) -> None:
    """End every waiting task of the order whose answer is in the log, then delete its wait."""
    waits = list(waits_of(engine.documents, order_id))
    for_circuits = list(circuit_waits.waits_of(engine.documents, order_id))
    if not waits and not for_circuits:
        return
    _, order = load(engine.log, order_id)
    for circuit_wait in for_circuits:
        _interrupt(engine, circuit_wait, order)
    for wait in waits:
        end_if_answered(engine, wait, order)


def end_if_answered(engine: Engine, wait: AnswerWait, order: Order) -> None:
    """End the waiting task if the order has its answer, or a newer run, then delete its wait."""
    known = answer(order, wait.awaited, wait.intent_version)
    if known is not Answer.NONE or wait.run < order.run:
        settle(engine.executions, wait.token, order, wait.run, known)
        forget(engine.documents, wait)


def _interrupt(engine: Engine, wait: CircuitWait, order: Order) -> None:
    """End a wait for a circuit. A cancellation ends forward waits, not compensation waits; a newer run ends both."""
    if wait.run < order.run:
        error = RunSuperseded.__name__
    elif (order.cancellation is not None or order.given_up) and wait.action == AWAIT_CIRCUIT:
        error = CancellationAsked.__name__
    else:
        return
    cause = f"order {order.order_id} does not wait for {wait.dependency} any more"
    circuit_waits.interrupt(engine.documents, engine.executions, wait, error, cause)


def settle(executions: Executions, token: str, order: Order, run: int, known: Answer) -> None:
    """End the task that waits with ``token``. A task that ended before is not an error."""
    with suppress(TokenGone):
        if run < order.run:
            executions.fail(token, RunSuperseded.__name__, f"order {order.order_id} has run {order.run} now")
        elif error := _ERRORS.get(known):
            executions.fail(token, error.__name__, f"order {order.order_id}: {known}")
        else:
            executions.succeed(token, {"answer": known.value})


def _partition(order_id: OrderId) -> str:
    return f"wait#{order_id}"


def _key(wait: AnswerWait) -> str:
    return f"{wait.run:06d}#{wait.action}#{sha256(wait.token.encode()).hexdigest()[:16]}"
