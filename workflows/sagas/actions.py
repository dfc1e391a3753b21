"""The actions of the state machines: what each Task does with an order.

A machine passes an order id, a run, an action and sometimes a token. Everything else is read from the log here, and
every result is recorded there. A decision of an older run is refused (RunSuperseded); the outcome of its calls is
recorded anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from domain.identifiers import OrderId
from domain.order.books import shortage
from domain.order.commands import Awaited, ParkOrder, RecordTimeout
from domain.order.events import (
    CourierReleaseRequested,
    CourierRequested,
    PaymentAuthorizationRequested,
    PreparationRequested,
)
from domain.order.intents import OpenIntent, open_intents
from domain.order.order import Order, RunState
from domain.order.payment import Hold
from domain.order.questions import Answer, answer, awaited_intent
from domain.order.refusals import RunSuperseded
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import dependency_of
from workflows.engine import Engine
from workflows.executions import TokenGone
from workflows.gateways.errors import Unavailable
from workflows.orders.command_handling import Caller, for_order, handle, load
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.sagas.root_cause import root_cause
from workflows.sagas.steps.performing import perform_open
from workflows.sagas.waits import AWAIT_CIRCUIT, AnswerWait, end_if_answered, forget, register, settle, waits_of, wake
from workflows.tracing import follow, tracing

DETAIL_MAX = 300
"""Characters of a fault's cause that the order keeps. The execution and the function's log have the full text."""


class PaymentNotAuthorized(Exception):
    """The total is not held. If that is a decline or a cancellation, the machine finds it in the log."""


class OrderNotSettled(Exception):
    """The run ended, and the order is not delivered and paid. The machine then finds the reason in the log."""


class CompensationUnfinished(Exception):
    """Something could not be undone, because a provider refused. A person has to decide."""


class NothingAsked(Exception):
    """A machine waits for an answer to a request that the order never made. A bug: machine and domain disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaStep:
    """The input of a Task.

    ``token`` is set by actions that wait, ``waited`` (the action that timed out) by ``record_timeout``, and the fields
    below it by ``park``.
    """

    order_id: OrderId
    run: int
    action: str
    token: str = ""
    waited: str = ""
    error: str = ""
    cause: str = ""
    compensating: bool = False


def take_step(engine: Engine, step: SagaStep) -> dict[str, Any]:
    """Do one action on an order. The result holds one word that the machine branches on, and no data of the order.

    Raises:
        RunSuperseded: The order has a newer run.
        KeyError: There is no such action.
        Unavailable: A provider did not answer. The machine retries.
    """
    with tracing():
        return ACTIONS[step.action](engine, step)


def _authorize(engine: Engine, step: SagaStep) -> dict[str, Any]:
    order = _current(engine, step)
    order = perform_open(engine, order, _cause(step), lambda o: _is(o, PaymentAuthorizationRequested))
    authorization = order.payment.authorization
    held = authorization is not None and authorization.state in {Hold.HELD, Hold.CAPTURED}
    held = held or order.delivery.picked_up  # after pickup a run only goes forward, even if the hold is gone
    if not held or order.cancellation is not None:
        raise PaymentNotAuthorized(f"order {order.order_id} has no authorization, or is being cancelled")
    return {"outcome": "authorized"}


def _settle(engine: Engine, step: SagaStep) -> dict[str, Any]:
    order = _current(engine, step)
    if order.cancellation is None and order.delivery.delivered:
        order = perform_open(engine, order, _cause(step))
    if order.run_state is not RunState.ENDED or order.cancellation is not None:
        raise OrderNotSettled(_unsettled(order))
    return {"outcome": "settled"}


def _unsettled(order: Order) -> str:
    if order.cancellation is not None:
        return f"order {order.order_id} is being cancelled"
    if order.delivery.delivered:
        what = "the payment was not captured" if shortage(order) else "a refund or a release was refused"
        return f"order {order.order_id} was delivered, but {what}"
    if order.delivery.overdue:
        return f"no report of the delivery of order {order.order_id} came in time"
    return f"order {order.order_id} was not delivered"


def _find_reason(engine: Engine, step: SagaStep) -> dict[str, Any]:
    order = _current(engine, step)
    if order.cancellation is not None:
        return {"reason": "cancelling"}
    return {"reason": "completed" if order.run_state is RunState.ENDED else "none"}


def _compensate(engine: Engine, step: SagaStep) -> dict[str, Any]:
    order = perform_open(engine, _current(engine, step), _cause(step))
    if order.run_state is not RunState.ENDED:
        raise CompensationUnfinished(f"order {step.order_id} could not be undone completely: a provider refused")
    return {"outcome": "cancelled"}


def _park(engine: Engine, step: SagaStep) -> dict[str, Any]:
    order = _current(engine, step)
    command = parking(order, step.run, step.error, step.cause, compensating=step.compensating)
    handle(engine.log, command, order_id=step.order_id, key=f"ParkOrder/{step.run}", caller=_caller(step))
    return {"outcome": "parked"}


def parking(order: Order, run: int, error: str, cause: str, *, compensating: bool) -> ParkOrder:
    """Return the command that parks the order under the root cause of a fault."""
    error, detail = root_cause(error, cause)
    if order.delivery.overdue:
        error = "DeliveryOverdue"
    return ParkOrder(run=run, error=error, detail=detail[:DETAIL_MAX], compensating=compensating)


def _record_timeout(engine: Engine, step: SagaStep) -> dict[str, Any]:
    """Record a timeout for the intent that the wait was registered for.

    The order may have opened the next one since.
    """
    for wait in list(waits_of(engine.documents, step.order_id)):
        if (wait.run, wait.action) == (step.run, step.waited):
            command = RecordTimeout(
                run=step.run, awaited=wait.awaited, intent_version=wait.intent_version, at=engine.clock.now()
            )
            key = f"RecordTimeout/{step.run}/{wait.awaited}/{wait.intent_version}"
            handle(engine.log, command, order_id=step.order_id, key=key, caller=_caller(step))
            forget(engine.documents, wait)
    return {}


def _request_preparation(engine: Engine, step: SagaStep) -> dict[str, Any]:
    return _wait(
        engine, step, Awaited.ACCEPTANCE, lambda order: _perform_request(engine, step, order, PreparationRequested)
    )


def _request_courier(engine: Engine, step: SagaStep) -> dict[str, Any]:
    def offer(order: Order) -> None:
        with suppress(Unavailable):  # an offer that cannot be withdrawn now is withdrawn later
            order = perform_open(engine, order, _cause(step), lambda o: _is(o, CourierReleaseRequested))
        _perform_request(engine, step, order, CourierRequested)

    return _wait(engine, step, Awaited.ASSIGNMENT, offer)


def _await_acceptance(engine: Engine, step: SagaStep) -> dict[str, Any]:
    return _wait(engine, step, Awaited.ACCEPTANCE)


def _await_readiness(engine: Engine, step: SagaStep) -> dict[str, Any]:
    return _wait(engine, step, Awaited.READINESS)


def _await_pickup(engine: Engine, step: SagaStep) -> dict[str, Any]:
    return _wait(engine, step, Awaited.PICKUP)


def _await_delivery(engine: Engine, step: SagaStep) -> dict[str, Any]:
    return _wait(engine, step, Awaited.DELIVERY)


def _await_circuit(engine: Engine, step: SagaStep) -> dict[str, Any]:
    """Wait until the circuit of the provider that the order needs next is closed. Register first, then check again."""
    order = _current(engine, step)
    for open_intent in open_intents(order):
        breaker = engine.breakers[dependency_of(open_intent.intent)]
        circuit = breaker.read()
        if circuit.state is not CircuitState.CLOSED:
            wait = CircuitWait(
                order_id=step.order_id,
                run=step.run,
                action=step.action,
                dependency=breaker.dependency,
                opened=str(circuit.opened),
                since=engine.clock.now(),
                token=step.token,
            )
            circuit_waits.register(engine.documents, engine.executions, breaker, wait)
            wake(engine, step.order_id)
            return {}
    with suppress(TokenGone):
        engine.executions.succeed(step.token, {"answer": "closed"})
    return {}


def _wait(
    engine: Engine, step: SagaStep, awaited: Awaited, send_request: Callable[[Order], object] = lambda _: None
) -> dict[str, Any]:
    """Register a wait, send the request if there is one to send, then read the log: the answer may be there already."""
    order = _current(engine, step)
    intent_version = awaited_intent(order, awaited)
    if intent_version is None:
        if order.cancellation is None:
            raise NothingAsked(f"order {step.order_id} has no open request for {awaited}")
        settle(engine.executions, step.token, order, step.run, Answer.CANCELLING)
        return {}
    known = answer(order, awaited, intent_version)
    if known is not Answer.NONE:
        settle(engine.executions, step.token, order, step.run, known)
        return {}
    wait = AnswerWait(
        order_id=step.order_id,
        run=step.run,
        action=step.action,
        awaited=awaited,
        intent_version=intent_version,
        token=step.token,
    )
    register(engine.documents, wait)
    send_request(order)
    _, order = load(engine.log, step.order_id)
    end_if_answered(engine, wait, order)
    return {}


def _perform_request(engine: Engine, step: SagaStep, order: Order, kind: type) -> None:
    perform_open(engine, order, _cause(step), lambda open_intent: _is(open_intent, kind))


def _current(engine: Engine, step: SagaStep) -> Order:
    """Return the order as it is now. Raises RunSuperseded if it has a newer run than the step."""
    history, order = load(engine.log, step.order_id)
    if history.recorded:
        follow(history.recorded[0].correlation)
    if step.run < order.run:
        raise RunSuperseded(step.order_id, step.run, order.run)
    return order


def _is(open_intent: OpenIntent, kind: type) -> bool:
    return isinstance(open_intent.intent, kind)


def _cause(step: SagaStep) -> str:
    return f"run {step.run}, {step.action}"


def _caller(step: SagaStep) -> Caller:
    return for_order(_cause(step))


ACTIONS: dict[str, Callable[[Engine, SagaStep], dict[str, Any]]] = {
    "authorize": _authorize,
    "settle": _settle,
    "find_reason": _find_reason,
    "compensate": _compensate,
    "park": _park,
    "record_timeout": _record_timeout,
    "request_preparation": _request_preparation,
    "await_acceptance": _await_acceptance,
    "await_readiness": _await_readiness,
    "request_courier": _request_courier,
    "await_pickup": _await_pickup,
    "await_delivery": _await_delivery,
    AWAIT_CIRCUIT: _await_circuit,
    circuit_waits.AWAIT_CIRCUIT_TO_UNDO: _await_circuit,
}
"""The actions, by the name that the definitions use."""
