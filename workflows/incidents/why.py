"""Why an order is where it is: one sentence, the facts behind it, what happens next by itself, and what would help.

Everything is read from the order's log, from the waits for circuits that are stored beside it, and from the circuits;
only attempts and their errors come from the executions. Without those the rest is answered all the same.
The sentences are made here, so that the API, the command line and a page say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.identifiers import Actor, OrderId
from domain.money import Money
from domain.order.commands import CancelOrder
from domain.order.delivery import ATTEMPTS_MAX
from domain.order.events import CancellationCause, DeliveryOverdue
from domain.order.intents import Owed, at_stake, open_intents, owed
from domain.order.order import Order, RunState, Status
from workflows.breakers.circuit import Circuit, CircuitState
from workflows.breakers.dependencies import Dependency, dependency_of
from workflows.breakers.events import CircuitHeldOpen
from workflows.engine import Engine
from workflows.event_store.commits import History
from workflows.incidents.incidents import action_plans
from workflows.incidents.plans import Plan, plan
from workflows.incidents.possible_reports import PossibleReport, possible_reports
from workflows.incidents.remedies import REPORTS, awaited_reports, with_remedies
from workflows.orders.command_handling import load
from workflows.orders.json_values import money_json
from workflows.orders.permissions import Action, check
from workflows.orders.visibility import Audience, audience_of
from workflows.orders.waiting import AwaitedNow, waits_now
from workflows.orders.waiting_words import ANSWERS, outcome_words
from workflows.orders.words import because, money, quoted
from workflows.projections.open_orders import ParkedNow, parked_now
from workflows.runs.machines import Machines
from workflows.runs.reading import newest_visits
from workflows.runs.visits import Visit
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.time_budgets import CIRCUIT_WAIT, Awaiting, Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The attempts at a step, from the execution. ``error`` and ``message`` are of the last one that failed."""

    state: str
    attempts: int
    failed: int
    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One thing that the order waits for.

    Attributes:
        what: The name of the wait; ``circuit`` for a provider whose circuit is open.
        words: Complete "Waits for ...".
        intent_version: The version of the intent that requested it; None for a circuit.
        since: When the wait began.
        until: When it ends at the latest; None if attempts end it, and not a time.
        then: What happens by itself at ``until``, or when the attempts are used up.
        dependency: The provider concerned, if the wait is for a call to one.
        circuit: The state of that provider's circuit.
        last_error: The error of the last probe of that circuit; empty if there is none.
        tried: How often the state that waits was tried, and the last error; None if the executions cannot be read.
        reports: Reports that end the wait, by the names of their routes.
    """

    what: str
    words: str
    intent_version: int | None
    since: datetime
    until: datetime | None
    then: str
    dependency: Dependency | None = None
    circuit: str | None = None
    last_error: str = ""
    reports: tuple[str, ...] = ()
    tried: Tried | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The explanation of an order.

    ``plans`` says what each action of support would do now, ``reports`` what can be passed on for a restaurant or
    courier. ``tried`` are the attempts of the step that failed last in a parked order's run.
    """

    order: Order
    audience: Audience
    sentence: str
    next: str
    waits: tuple[Explained, ...]
    parked: ParkedNow | None
    owed: tuple[Owed, ...]
    at_stake: Money
    plans: Mapping[str, Plan]
    reports: tuple[PossibleReport, ...]
    tried: Tried | None


def why(
    engine: Engine,
    order_id: OrderId,
    actor: Actor,
    budgets: Budgets,
    limit: Callable[[str], Money],
    *,
    machines: Machines,
) -> Why:
    """Explain an order.

    Args:
        machines: Whose executions have the attempts.
        limit: Return the amount in a currency up to which one person decides alone.

    Raises:
        OrderNotFound, NotAllowed: The order does not exist for the caller, or the caller may not ask.
    """
    history, order = load(engine.log, order_id)
    check(actor, Action.READ_WHY, order)
    visits = () if order.run_state is RunState.ENDED else newest_visits(engine, order_id, order.run, machines)
    waits = tuple(sorted((_tried_as(visits, wait) for wait in _waits(engine, history, order, budgets)), key=_urgency))
    parked = parked_now(order, history.recorded)
    one_person_max = limit(order.currency)
    expected = () if order.run_state is RunState.ENDED else awaited_reports(order, history.recorded)
    sentence, then = _ended(order) or _parked(order, parked) or _waiting(waits)
    return Why(
        order=order,
        audience=audience_of(actor, order),
        sentence=sentence,
        next=then,
        waits=waits,
        parked=parked,
        owed=owed(order),
        at_stake=at_stake(order),
        plans=with_remedies(_plans(order, actor, one_person_max), order, history.recorded, actor),
        reports=possible_reports(order, actor, one_person_max, expected, engine.clock.now()),
        tried=_failed_last(visits) if parked is not None else None,
    )


def _plans(order: Order, actor: Actor, limit: Money) -> Mapping[str, Plan]:
    if order.run_state is RunState.PARKED:
        return action_plans(order, actor, limit)
    if order.run_state is RunState.ENDED:
        return {}
    return {"cancel": plan(CancelOrder(by=actor, reason=""), order)}


# --- attempts, from the executions ------------------------------------------------------------------------------------

_STEPS: Mapping[str, str] = {
    Awaiting.AUTHORIZATION: "authorize",
    Awaiting.ACCEPTANCE: "request_preparation",
    Awaiting.READINESS: "await_readiness",
    Awaiting.ASSIGNMENT: "request_courier",
    Awaiting.PICKUP: "await_pickup",
    Awaiting.DELIVERY: "await_delivery",
    Awaiting.SETTLEMENT: "settle",
    Awaiting.COMPENSATION: "compensate",
}
"""By what is awaited: the step of the state that waits for it."""


def _tried_as(visits: Sequence[Visit], wait: Explained) -> Explained:
    step = _STEPS.get(wait.what)
    for visit in reversed(visits):
        if visit.action == step is not None and visit.exited_at is None and visit.attempts:
            sent = f", sent {_utc(visit.submitted_at)}" if wait.what in _SENT_TO and visit.submitted_at else ""
            return replace(wait, tried=_tried(visit), words=f"{wait.words}{sent}")
    return wait


def _failed_last(visits: Sequence[Visit]) -> Tried | None:
    failed = [visit for visit in visits if visit.failures]
    return _tried(max(failed, key=lambda visit: visit.entered_at)) if failed else None


def _tried(visit: Visit) -> Tried:
    return Tried(
        state=visit.state,
        attempts=visit.attempts,
        failed=visit.failures,
        error=visit.error,
        message=visit.message,
    )


# --- what it waits for ------------------------------------------------------------------------------------------------


def _waits(engine: Engine, history: History, order: Order, budgets: Budgets) -> Iterator[Explained]:
    circuits = list(circuit_waits.waits_of(engine.documents, order.order_id))
    for wait in circuits:
        if wait.run == order.run:
            yield _for_circuit(engine, wait)
    for awaited in waits_now(order, history.recorded, budgets):
        if awaited.what in REPORTS:
            yield _for_answer(order, awaited, {wait.dependency for wait in circuits if wait.run == order.run})
        elif not circuits:  # a run that waits for a circuit makes no calls
            yield _for_run(engine, order, awaited)


def _for_circuit(engine: Engine, wait: CircuitWait) -> Explained:
    circuit = engine.breakers[wait.dependency].read()
    state = circuit.state_at(engine.clock.now())
    ends = "a person starts the calls again" if state is CircuitState.HELD_OPEN else "the provider answers again"
    return Explained(
        what="circuit",
        words=f"calls to {wait.dependency} to start again",
        intent_version=None,
        since=wait.since,
        until=wait.since + CIRCUIT_WAIT,
        then=f"Calls to {wait.dependency} are stopped{_stopped_by(engine, circuit)}: the circuit is "
        f"{state.replace('_', ' ')}. The order continues when {ends}. If the circuit is still open at that time, the "
        "order is parked.",
        dependency=wait.dependency,
        circuit=state.value,
        last_error=circuit.probe_error,
    )


def _urgency(wait: Explained) -> tuple[bool, bool, datetime]:
    """Sort a stopped provider first, because it holds the others up; then the earliest deadline."""
    return wait.what != "circuit", wait.until is None, wait.until or wait.since


def _stopped_by(engine: Engine, circuit: Circuit) -> str:
    """Return `` (support clara: "they reported an outage")`` if a person stopped the calls; else an empty text."""
    if circuit.state is not CircuitState.HELD_OPEN:
        return ""
    recorded = engine.log.load(circuit.last.stream).recorded[circuit.last.version - 1]
    event: object = recorded.event
    reason = event.reason if isinstance(event, CircuitHeldOpen) else None
    return f" ({recorded.actor.role} {recorded.actor.id}{quoted(reason)})"


def _for_answer(order: Order, awaited: AwaitedNow, stopped: Collection[Dependency]) -> Explained:
    """Explain a wait for a person. While calls are stopped, a request that has no answer may not have been sent."""
    unsent = awaited.what in _SENT_TO and _SENT_TO[awaited.what] in stopped
    return Explained(
        what=awaited.what.value,
        words=ANSWERS[awaited.what.value].format(awaited.intent_version) + (_UNSENT if unsent else ""),
        intent_version=awaited.intent_version,
        since=awaited.since,
        until=None if unsent else awaited.until,
        then=_AFTER_SENDING if unsent else _AFTER_TIMEOUT[awaited.what].format(offer=_after_offer(order)),
        reports=REPORTS[awaited.what],
    )


def _for_run(engine: Engine, order: Order, awaited: AwaitedNow) -> Explained:
    """Explain a wait for a provider, or for the state machine itself."""
    overdue_at = awaited.since + timedelta(seconds=awaited.budget_s)
    call = next(iter(open_intents(order)), None)
    if call is None:
        return Explained(
            what=awaited.what.value,
            words="its state machine to continue",
            intent_version=awaited.intent_version,
            since=awaited.since,
            until=None,
            then=f"It continues by itself. If it has not by {_utc(overdue_at)}, the watchdog starts it again.",
        )
    dependency = dependency_of(call.intent)
    circuit = engine.breakers[dependency].read()
    return Explained(
        what=awaited.what.value,
        words=outcome_words(type(call.intent).__name__, call.version),
        intent_version=call.version,
        since=awaited.since,
        until=None,
        then="The call is repeated by itself. When its attempts are used up, the order is parked for a person.",
        dependency=dependency,
        circuit=circuit.state_at(engine.clock.now()).value,
        last_error=circuit.probe_error,
    )


def _after_offer(order: Order) -> str:
    if len(order.delivery.offers) < ATTEMPTS_MAX:
        return f"the next offer is made, number {len(order.delivery.offers) + 1} of {ATTEMPTS_MAX}"
    return f"the order is cancelled, because it was offer {ATTEMPTS_MAX} of {ATTEMPTS_MAX}"


_SENT_TO = {Awaiting.ACCEPTANCE: Dependency.KITCHEN, Awaiting.ASSIGNMENT: Dependency.COURIERS}
"""By what is awaited: the provider that the request is sent to."""

_UNSENT = ", whose sending is not confirmed"
_AFTER_SENDING = "The time to answer begins when the request is sent."

_AFTER_TIMEOUT = {
    Awaiting.ACCEPTANCE: "Without an answer by then the order is cancelled, and what it holds is given back.",
    Awaiting.READINESS: "If the meal is not reported ready by then, the order is cancelled, and what it holds is given "
    "back.",
    Awaiting.ASSIGNMENT: "If no courier takes it by then, {offer}.",
    Awaiting.PICKUP: "Without a report of the pickup by then, {offer}.",
    Awaiting.DELIVERY: "Without a report of the courier by then, the order is parked for a person.",
}

# --- the sentence and what happens next -------------------------------------------------------------------------------

_NOTHING_MORE = "Nothing: the order has ended."
_OVERDUE = DeliveryOverdue.__name__
_NOT_REPORTED = "no report of the delivery came in time, so it is not known whether the meal was delivered"


def _ended(order: Order) -> tuple[str, str] | None:
    match order.status:
        case Status.COMPLETED:
            waived = order.payment.waived
            paid = f"{money(money_json(waived))} of the price given up" if waived else "paid"
            return f"Completed: delivered and {paid}.", _NOTHING_MORE
        case Status.CANCELLED:
            return f"Cancelled {_cancelled(order)}, and everything was given back or written off.", _NOTHING_MORE
        case Status.ABANDONED:
            return "Abandoned by a person: nothing was reversed.", _NOTHING_MORE
        case _:
            return None


def _parked(order: Order, parked: ParkedNow | None) -> tuple[str, str] | None:
    if parked is None:
        return None
    if order.approvals:
        numbers = ", ".join(map(str, order.approvals))
        return (
            f"Parked since {_utc(parked.since)}: a request waits for a second person (event {numbers}).",
            "Nothing happens by itself: a second person has to approve the request.",
        )
    if order.contest:
        return (
            f"Parked since {_utc(parked.since)}: the reports of events {order.contradicts} and {order.contest} "
            "contradict each other.",
            "Nothing happens by itself: a person has to confirm one of the reports.",
        )
    detail = _NOT_REPORTED if parked.error == _OVERDUE else parked.detail.rstrip(".")
    because_of = f": {detail} ({parked.error})" if detail else f" because of {parked.error}"
    return (
        f"Parked since {_utc(parked.since)}{because_of}.",
        "Nothing happens by itself: a person has to choose an action.",
    )


def _waiting(waits: tuple[Explained, ...]) -> tuple[str, str]:
    if not waits:
        return "Its run is about to begin.", "It begins by itself."
    parts = [f"{wait.words}{f', until {_utc(wait.until)}' if wait.until else ''}" for wait in waits]
    failed = [_failures(wait.tried) for wait in waits if wait.tried is not None and wait.tried.failed]
    return " ".join([f"Waits for {'; and for '.join(parts)}.", *failed]), " ".join(
        dict.fromkeys(wait.then for wait in waits)
    )


def _failures(tried: Tried) -> str:
    times = "An attempt" if tried.failed == 1 else f"{tried.failed} attempts"
    message = f" ({tried.message.rstrip('.')})" if tried.message else ""
    return f"{times} of {tried.state} failed, the last with {tried.error}{message}."


def _cancelled(order: Order) -> str:
    assert order.cancellation is not None  # the status follows from it
    if order.cancellation.cause is CancellationCause.ASKED:
        return f"on request of {order.cancellation.by.role}"
    return because(order.cancellation.cause)


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
