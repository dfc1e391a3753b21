"""The actions of the state machines: what each Task asks for, answered from the log and recorded there.

A machine carries an order id, a run, an action and sometimes a token; everything else is read here. A decision asked by
an older run is refused (RunSuperseded); what an older run made happen outside is recorded all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from domain.identifiers import SYSTEM, OrderId
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
from workflows.breakers.circuit import State
from workflows.breakers.dependencies import dependency_of
from workflows.engine import Engine
from workflows.executions import TokenGone
from workflows.gateways.errors import Unavailable
from workflows.orders.command_handling import Caller, handle, load
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.sagas.steps.performing import perform_open
from workflows.sagas.waits import AWAIT_CIRCUIT, Wait, forget, register, settle, waits_of, wake

DETAIL_MAX = 300
"""Characters of a fault's cause that are kept on the order; the whole is in the execution and the function's log."""


class OrderNotSettled(Exception):
    """The run came to its end without a delivered and paid order. The machine asks the log why."""


class CompensationUnfinished(Exception):
    """What could be undone is undone, and the order still owes: the outside refused. A person has to look."""


class NothingAsked(Exception):
    """A machine waits for an answer to a question that the order never put: machine and domain disagree. Our bug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a Task sends. ``token`` comes with actions that wait, ``waited`` to record a timeout, the rest to park."""

    order_id: OrderId
    run: int
    action: str
    token: str = ""
    waited: str = ""
    error: str = ""
    cause: str = ""
    compensating: bool = False


def take_step(engine: Engine, step: Step) -> dict[str, Any]:
    """Do what the Task asks. The result carries one word for the machine to route on, and no facts.

    Raises:
        RunSuperseded: A newer run has the order.
        KeyError: The action has no such name.
        Unavailable: The outside gave no answer. The machine asks again.
    """
    return ACTIONS[step.action](engine, step)


def _authorize(engine: Engine, step: Step) -> dict[str, Any]:
    order = _current(engine, step)
    order = perform_open(engine, order, _cause(step), lambda o: _is(o, PaymentAuthorizationRequested))
    authorization = order.payment.authorization
    held = authorization is not None and authorization.state in {Hold.HELD, Hold.CAPTURED}
    held = held or order.delivery.picked_up  # from there a run only goes forward, whatever became of the hold
    return {"outcome": "authorized" if held and order.cancellation is None else "not_authorized"}


def _settle(engine: Engine, step: Step) -> dict[str, Any]:
    order = _current(engine, step)
    if order.cancellation is None and order.delivery.delivered:
        order = perform_open(engine, order, _cause(step))
    if order.run_state is not RunState.ENDED or order.cancellation is not None:
        raise OrderNotSettled(f"order {step.order_id} is not delivered and paid")
    return {"outcome": "settled"}


def _find_reason(engine: Engine, step: Step) -> dict[str, Any]:
    order = _current(engine, step)
    if order.cancellation is not None:
        return {"reason": "cancelling"}
    return {"reason": "completed" if order.run_state is RunState.ENDED else "none"}


def _compensate(engine: Engine, step: Step) -> dict[str, Any]:
    order = perform_open(engine, _current(engine, step), _cause(step))
    if order.run_state is not RunState.ENDED:
        raise CompensationUnfinished(f"order {step.order_id} still owes after everything was tried")
    return {"outcome": "cancelled"}


def _park(engine: Engine, step: Step) -> dict[str, Any]:
    order = _current(engine, step)
    command = parking(order, step.run, step.error, step.cause, compensating=step.compensating)
    handle(engine.log, command, order_id=step.order_id, key=f"ParkOrder/{step.run}", caller=_caller(step))
    return {"outcome": "parked"}


def parking(order: Order, run: int, error: str, cause: str, *, compensating: bool) -> ParkOrder:
    """Park the order for what began the fault that its machine tells of."""
    error, detail = _root_cause(error, cause)
    if order.delivery.overdue:
        error = "DeliveryOverdue"
    return ParkOrder(run=run, error=error, detail=detail[:DETAIL_MAX], compensating=compensating)


def _record_timeout(engine: Engine, step: Step) -> dict[str, Any]:
    """The question that timed out is the one the wait was registered for: by now the order may have put the next."""
    for wait in list(waits_of(engine.documents, step.order_id)):
        if (wait.run, wait.action) == (step.run, step.waited):
            command = RecordTimeout(
                run=step.run, awaited=wait.awaited, intent_version=wait.intent_version, at=engine.clock.now()
            )
            key = f"RecordTimeout/{step.run}/{wait.awaited}/{wait.intent_version}"
            handle(engine.log, command, order_id=step.order_id, key=key, caller=_caller(step))
            forget(engine.documents, wait)
    return {}


def _request_preparation(engine: Engine, step: Step) -> dict[str, Any]:
    return _wait(
        engine, step, Awaited.ACCEPTANCE, lambda order: _perform_request(engine, step, order, PreparationRequested)
    )


def _request_courier(engine: Engine, step: Step) -> dict[str, Any]:
    def offer(order: Order) -> None:
        with suppress(Unavailable):  # an offer that cannot be withdrawn now stays owed, and does not hold up the next
            order = perform_open(engine, order, _cause(step), lambda o: _is(o, CourierReleaseRequested))
        _perform_request(engine, step, order, CourierRequested)

    return _wait(engine, step, Awaited.ASSIGNMENT, offer)


def _await_acceptance(engine: Engine, step: Step) -> dict[str, Any]:
    return _wait(engine, step, Awaited.ACCEPTANCE)


def _await_readiness(engine: Engine, step: Step) -> dict[str, Any]:
    return _wait(engine, step, Awaited.READINESS)


def _await_pickup(engine: Engine, step: Step) -> dict[str, Any]:
    return _wait(engine, step, Awaited.PICKUP)


def _await_delivery(engine: Engine, step: Step) -> dict[str, Any]:
    return _wait(engine, step, Awaited.DELIVERY)


def _await_circuit(engine: Engine, step: Step) -> dict[str, Any]:
    """Wait until whoever the order needs next, and is known to be down, is back. Register first, then look again."""
    order = _current(engine, step)
    for found in open_intents(order):
        breaker = engine.breakers[dependency_of(found.intent)]
        circuit = breaker.read()
        if circuit.state is not State.CLOSED:
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
    engine: Engine, step: Step, awaited: Awaited, ask: Callable[[Order], object] = lambda _: None
) -> dict[str, Any]:
    """Register the wait, ask the outside if it has to be asked, then read the log: the answer may be there already."""
    order = _current(engine, step)
    asked = awaited_intent(order, awaited)
    if asked is None:
        if order.cancellation is None:
            raise NothingAsked(f"order {step.order_id} waits for {awaited} and asked for nothing")
        settle(engine.executions, step.token, order, step.run, Answer.CANCELLING)
        return {}
    found = answer(order, awaited, asked)
    if found is not Answer.NONE:
        settle(engine.executions, step.token, order, step.run, found)
        return {}
    register(
        engine.documents,
        Wait(
            order_id=step.order_id,
            run=step.run,
            action=step.action,
            awaited=awaited,
            intent_version=asked,
            token=step.token,
        ),
    )
    ask(order)
    wake(engine, step.order_id)
    return {}


def _perform_request(engine: Engine, step: Step, order: Order, kind: type) -> None:
    perform_open(engine, order, _cause(step), lambda found: _is(found, kind))


def _current(engine: Engine, step: Step) -> Order:
    """The order now, if this run still has it."""
    _, order = load(engine.log, step.order_id)
    if step.run < order.run:
        raise RunSuperseded(step.order_id, step.run, order.run)
    return order


def _is(found: OpenIntent, kind: type) -> bool:
    return isinstance(found.intent, kind)


def _root_cause(error: str, cause: str) -> tuple[str, str]:
    """The error that began it: a failed child is told as JSON in the cause, a function's exception as JSON in that."""
    try:
        told = json.loads(cause)
    except ValueError:
        return error, cause
    if not isinstance(told, dict):
        return error, cause
    if "errorType" in told:
        return str(told["errorType"]), str(told.get("errorMessage", ""))
    return _root_cause(str(told["Error"]), str(told.get("Cause", ""))) if "Error" in told else (error, cause)


def _cause(step: Step) -> str:
    return f"run {step.run}, {step.action}"


def _caller(step: Step) -> Caller:
    return Caller(SYSTEM, correlation=step.order_id, causation=_cause(step))


ACTIONS: dict[str, Callable[[Engine, Step], dict[str, Any]]] = {
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
    "await_circuit_to_undo": _await_circuit,
}
"""The actions that the definitions name."""
