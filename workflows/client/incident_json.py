"""Incidents, bulk jobs and circuit breakers in JSON: the shapes that the API answers with, written once."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypedDict

from msgspec import Meta

from .order_json import (
    ActorJson,
    AwaitingText,
    EventJson,
    IntentVersion,
    MoneyJson,
    OrderIdText,
    OrderJson,
    OrderStatus,
    PendingJson,
    TimeText,
    VersionNumber,
)

Provider: TypeAlias = Literal["payments", "kitchen", "couriers"]
BulkActionName: TypeAlias = Literal["retry", "cancel", "credit", "note"]
CircuitStateText: TypeAlias = Literal["closed", "open", "half_open", "held_open"]
FactName: TypeAlias = Literal[
    "accepted", "rejected", "item_unavailable", "ready", "assigned", "declined", "picked_up", "delivered", "failed"
]
Cause: TypeAlias = Annotated[
    str, Meta(description="The error, and the provider if there is one.", examples=["PaymentsUnavailable@payments"])
]


class ParkedInHourJson(TypedDict):
    """Orders parked within one hour."""

    hour: Annotated[TimeText, Meta(description="Its start, in UTC.")]
    orders: Annotated[int, Meta(ge=1)]


class GroupJson(TypedDict):
    """Parked orders with one cause."""

    cause: Cause
    error: str
    dependency: Annotated[Provider | None, Meta(description="The provider concerned.")]
    orders: Annotated[int, Meta(ge=1)]
    runs: Annotated[int, Meta(ge=1, description="The runs of all its orders so far.")]
    since: TimeText
    by_hour: Annotated[
        list[ParkedInHourJson],
        Meta(description="When its orders were parked, oldest first. Hours without any are left out."),
    ]
    at_stake: Annotated[list[MoneyJson], Meta(description="A sum for each currency.")]


class IncidentLineJson(TypedDict):
    """One parked order."""

    order_id: OrderIdText
    cause: Cause
    status: OrderStatus
    run: Annotated[int, Meta(ge=1)]
    version: VersionNumber
    since: TimeText
    at_stake: MoneyJson
    assignee: Annotated[str | None, Meta(description="The person of support who took it on.")]


class IncidentsJson(TypedDict):
    """The groups of parked orders, and the orders parked longest."""

    groups: list[GroupJson]
    incidents: list[IncidentLineJson]
    more: Annotated[int, Meta(ge=0, description="How many parked orders are not listed.")]


class OwedJson(TypedDict):
    """Something held or owed that is not settled yet."""

    holding: Literal["authorization", "capture", "ticket", "offer"]
    intent: IntentVersion
    amount: MoneyJson | None
    in_doubt: Annotated[bool, Meta(description="Its outcome is unknown: it may not have happened.")]
    refused: Annotated[bool, Meta(description="The provider refused to undo it.")]


class MoveJson(TypedDict):
    """Money that would move or be given up, or by which the customer would pay less (`credit`)."""

    what: Literal["authorize", "capture", "release", "refund", "leave_held", "give_up", "credit"]
    amount: MoneyJson
    intent: Annotated[int, Meta(ge=0, description="The version of the intent; 0 if there is none.")]


class PayJson(TypedDict):
    """What a restaurant or courier would earn, or lose if it is below zero, as the ledger has it."""

    party: Literal["restaurant", "courier"]
    id: str | None
    amount: MoneyJson


class BrokenRuleJson(TypedDict):
    """The rule that forbids an action."""

    rule: Annotated[str, Meta(description="As in the `type` of a problem.", examples=["OrderAlreadyPickedUp"])]
    detail: str


class PlanJson(TypedDict):
    """What an action would do: the events it records, the calls to providers that follow, and the money they move."""

    events: Annotated[list[str], Meta(description="Types of events.")]
    status: Annotated[OrderStatus, Meta(description="The order's status afterwards.")]
    runs: Annotated[list[PendingJson], Meta(description="The calls to providers that follow.")]
    money: list[MoveJson]
    pay: list[PayJson]
    second_person_for: Annotated[
        MoneyJson | None, Meta(description="The amount that a second person must approve first, if one must.")
    ]
    once_approved: Annotated[PlanJson | None, Meta(description="What the approval would do, if one is needed.")]
    refused: BrokenRuleJson | None
    instead: Annotated[
        list[str],
        Meta(
            description="What would help, if the action leads nowhere: other actions of `plans`, `approve <number>`, "
            "`credit`, and reports by their routes.",
            examples=[["delivery/deliver", "delivery/fail", "credit"]],
        ),
    ]


class ApprovalJson(TypedDict):
    """A request that waits for a second person."""

    approval: Annotated[VersionNumber, Meta(description="Its number, for `POST /incidents/{order_id}/approve`.")]
    action: Literal[
        "credit", "write_off", "abandon", "item_unavailable", "delivery_failed", "confirm_report", "refund_extra"
    ]
    amount: MoneyJson
    by: ActorJson
    reason: str


class ExplainedWaitJson(TypedDict):
    """One thing that an order waits for."""

    what: Annotated[AwaitingText | Literal["circuit"], Meta(description="`circuit`: a provider whose circuit is open.")]
    words: Annotated[
        str, Meta(description='Completes "Waits for ...".', examples=["the restaurant to accept ticket 4"])
    ]
    intent_version: Annotated[
        IntentVersion | None, Meta(description="The version of the intent that requested it; null for a circuit.")
    ]
    since: TimeText
    until: Annotated[TimeText | None, Meta(description="When it ends at the latest; null if attempts end it.")]
    then: Annotated[str, Meta(description="What happens by itself when it ends without an answer.")]
    dependency: Annotated[Provider | None, Meta(description="The provider that is called.")]
    circuit: Annotated[
        Literal["closed", "open", "half_open", "held_open"] | None, Meta(description="That provider's circuit.")
    ]
    last_error: Annotated[str, Meta(description="The error of the circuit's last probe; empty without one.")]
    reports: Annotated[
        list[str],
        Meta(
            description="Reports that end the wait: `POST /orders/{order_id}/<report>`.",
            examples=[["preparation/accept", "preparation/reject"]],
        ),
    ]
    tried: Annotated[
        TriedJson | None, Meta(description="The attempts of the state that waits; null if they cannot be read now.")
    ]


class TriedJson(TypedDict):
    """The attempts at a step, from the execution of the state machine."""

    state: str
    attempts: int
    failed: int
    error: Annotated[str, Meta(description="Of the last attempt that failed; empty if none failed.")]
    message: str


class ParkedJson(TypedDict):
    """Why an order is parked."""

    cause: Cause
    error: str
    detail: str
    since: TimeText
    dependency: Provider | None
    tried: Annotated[TriedJson | None, Meta(description="The step that failed last; null if none failed.")]


class PossibleReportJson(TypedDict):
    """A report of a restaurant or courier that can be passed on now: the log does not have it yet."""

    fact: Annotated[FactName, Meta(description="As in `POST /orders/{order_id}/facts`.")]
    party: Annotated[Literal["restaurant", "courier"], Meta(description="Whose report it is.")]
    awaited: Annotated[bool, Meta(description="It ends a wait of the order, or would if the parked order went on.")]
    contradicts: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(
            description="The event that it contradicts, 0 if another report is missing before it: it has no effect "
            "until a person decides. Null if it takes effect.",
        ),
    ]


class WhyJson(TypedDict):
    """Why an order is where it is."""

    order_id: OrderIdText
    version: VersionNumber
    status: OrderStatus
    run: Annotated[int, Meta(ge=1)]
    sentence: Annotated[
        str, Meta(examples=["Waits for the restaurant to accept ticket 4, until 2026-05-04 12:10:00 UTC."])
    ]
    next: Annotated[str, Meta(description="What happens next by itself.")]
    waits: list[ExplainedWaitJson]
    parked: ParkedJson | None
    owed: Annotated[list[OwedJson], Meta(description="What it holds and has not given back.")]
    at_stake: Annotated[MoneyJson, Meta(description="The money that is lost if nothing more is done.")]
    approvals: list[ApprovalJson]
    plans: Annotated[
        dict[str, PlanJson],
        Meta(description="What each action of support would do now; empty if the order has ended."),
    ]
    reports: Annotated[
        list[PossibleReportJson],
        Meta(
            description="What support can pass on for the restaurant or the courier (`POST /orders/{order_id}/facts`), "
            "also of an order that has ended. What is awaited comes first, what contradicts an earlier report last."
        ),
    ]


class IncidentJson(IncidentLineJson):
    """One incident, with its last events and what each action would do now."""

    placed_at: TimeText
    error: str
    detail: str
    dependency: Provider | None
    owed: list[OwedJson]
    approvals: list[ApprovalJson]
    timeline: list[EventJson]
    plans: Annotated[
        dict[str, PlanJson], Meta(description="By action: `retry`, `cancel`, `abandon`, `write_off <intent>`.")
    ]


class ActionOutcomeJson(TypedDict):
    """What an action did (``order``), or would do in a dry run (``plan``)."""

    order: OrderJson | None
    plan: PlanJson | None
    approvals: Annotated[list[ApprovalJson], Meta(description="Requests that wait for a second person.")]


class JobOrderJson(TypedDict):
    """One order of a bulk job and its outcome, taken from the order's log."""

    order_id: OrderIdText
    outcome: Literal[
        "waiting", "started", "ended", "parked_again", "still_moving", "not_parked", "refused", "done", "needs_approval"
    ]
    run: Annotated[int, Meta(ge=0)]
    started_at: TimeText | None
    detail: str


class JobChangeJson(TypedDict):
    """A bulk job was stopped or resumed."""

    state: Literal["running", "stopped"]
    by: ActorJson
    reason: str
    at: TimeText


class JobChangePlanJson(TypedDict):
    """What stopping or resuming a bulk job would do."""

    state: Annotated[Literal["running", "stopped", "done"], Meta(description="The job's state afterwards.")]
    changes: Annotated[bool, Meta(description="Whether that is another state than now.")]
    waiting: Annotated[int, Meta(ge=0, description="Orders that are not started: those that it is about.")]
    started: Annotated[int, Meta(ge=0, description="Orders that were started: they continue in any case.")]


class BulkJobJson(TypedDict):
    """A bulk job and its orders. It continues by itself."""

    id: str
    action: BulkActionName
    filter: Annotated[
        dict[str, str] | None,
        Meta(description="The filters that its orders matched when it was planned, as in the query of `GET /orders`."),
    ]
    group: Annotated[Cause | None, Meta(description="The cause with which its orders were parked, if it is a group.")]
    dependency: Annotated[
        Provider | None, Meta(description="The provider at which the orders to retry were parked: it stops with it.")
    ]
    at_stake: Annotated[list[MoneyJson], Meta(description="In its orders when it began, one sum per currency.")]
    state: Literal["running", "stopped", "done"]
    why: Annotated[str, Meta(description="Why it stopped.")]
    actor: ActorJson
    reason: str
    per_s: Annotated[float, Meta(gt=0, le=50, description="Orders started a second.")]
    began_at: TimeText
    new_failures: Annotated[
        int, Meta(ge=0, description="Orders parked with the cause of its group since its plan, not in it.")
    ]
    counts: Annotated[dict[str, int], Meta(description="The number of orders by outcome.")]
    orders: list[JobOrderJson]
    changes: Annotated[
        list[JobChangeJson],
        Meta(description="The requests to stop and resume it, also those that found it so; the newest 50."),
    ]
    plan: Annotated[JobChangePlanJson | None, Meta(description="Of a dry run that stops or resumes it.")]


class PlannedOrderJson(TypedDict):
    """One order of a plan."""

    order_id: OrderIdText
    at_stake: MoneyJson
    plan: PlanJson


class SumOfMovesJson(TypedDict):
    """The money of all orders that would move so, in one currency."""

    what: Literal["authorize", "capture", "release", "refund", "leave_held", "give_up", "credit"]
    amount: MoneyJson


class RefusedOrderJson(TypedDict):
    """An order on which the action is not possible."""

    order_id: OrderIdText
    rule: str
    detail: str


class BulkPlanJson(TypedDict):
    """What a bulk job would do. It begins with the token, while the plan holds."""

    action: BulkActionName
    orders: list[PlannedOrderJson]
    at_stake: Annotated[list[MoneyJson], Meta(description="In these orders, one sum per currency.")]
    calls: Annotated[int, Meta(ge=0, description="Calls to providers.")]
    money: list[SumOfMovesJson]
    refused: list[RefusedOrderJson]
    more: Annotated[int, Meta(ge=0, description="Orders left for another job, because one has at most 1,000.")]
    token: str
    expires_at: TimeText


class BulkJson(TypedDict):
    """A bulk job that began (`job`), or what it would do (`plan`)."""

    job: BulkJobJson | None
    plan: BulkPlanJson | None


class CircuitJson(TypedDict):
    """A circuit breaker as it is now."""

    dependency: Provider
    state: CircuitStateText
    since: Annotated[TimeText | None, Meta(description="Null if it never opened.")]
    probes: Annotated[int, Meta(ge=0, description="Successful probes since it is half open.")]
    probe_error: str
    failures: Annotated[int, Meta(ge=0, description="Failed calls in its window.")]
    calls: Annotated[int, Meta(ge=0, description="All calls in its window.")]


class CircuitsJson(TypedDict):
    """The circuit breakers of all providers."""

    circuits: list[CircuitJson]


class TransitionJson(TypedDict):
    """A change of a circuit breaker's state."""

    type: Annotated[str, Meta(examples=["CircuitOpened"])]
    at: TimeText
    actor: ActorJson
    data: Annotated[dict[str, Any], Meta(description="The fields of this type of event.")]


class CircuitPlanJson(TypedDict):
    """What opening or closing a circuit by hand would do."""

    events: Annotated[list[str], Meta(description="Types of events; none if it is in that state already.")]
    state: Annotated[CircuitStateText, Meta(description="The state afterwards.")]
    waiting: Annotated[int, Meta(ge=0, description="Orders that wait for it now; at most 1,000 are counted.")]


class CircuitWaitJson(TypedDict):
    """An order whose run makes no call until the circuit closes."""

    order_id: OrderIdText
    run: Annotated[int, Meta(ge=1)]
    undoing: Annotated[bool, Meta(description="Whether the call gives something back; if not, it goes forward.")]
    since: TimeText
    until: Annotated[TimeText, Meta(description="If the circuit is still open then, the order is parked.")]


class CircuitHistoryJson(TypedDict):
    """A circuit breaker, its transitions of the last week, oldest first, and the orders that wait for it."""

    circuit: CircuitJson
    transitions: list[TransitionJson]
    waiting: Annotated[list[CircuitWaitJson], Meta(description="Those that wait longest, oldest first; at most 50.")]
    waiting_more: Annotated[bool, Meta(description="Whether more orders wait than are listed.")]
    plan: Annotated[CircuitPlanJson | None, Meta(description="In a dry run.")]
