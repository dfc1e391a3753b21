"""What the incidents API takes and answers: the shapes of ``workflows.incidents.views``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from domain.order.events import Wish
from domain.order.intents import Holding
from domain.order.order import Status
from handlers.http.order_models import (
    ActorModel,
    Answer,
    EventModel,
    MoneyModel,
    OrderIdModel,
    OrderModel,
    PendingModel,
    Time,
    Version,
)
from handlers.http.values import Long, Question, Strict
from workflows.breakers.circuit import State
from workflows.breakers.dependencies import Dependency
from workflows.incidents.bulk_retry import PER_S_MAX, JobState, Outcome


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


# --- what it takes ----------------------------------------------------------------------------------------------------


class RetryBody(Strict):
    """Why the order should go on now. ``dry_run`` says what would happen, and does nothing."""

    model_config = _example(reason="the provider is back", dry_run=True)

    reason: Long
    dry_run: bool = False


class ResolveBody(RetryBody):
    """``cancel`` gives back what is held; ``abandon`` does not, and ends the order as it is; ``write_off`` stops
    pursuing what one intent holds or owes. ``fault`` says who answers for what is given up."""

    model_config = _example(how="write_off", intent=15, reason="the account is closed", fault="platform")

    how: Literal["cancel", "abandon", "write_off"]
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    intent: Question | None = None


class ApproveBody(Strict):
    """``approval`` is the version of the wish, as it stands with the incident."""

    model_config = _example(approval=17)

    approval: Question
    dry_run: bool = False


class NoteBody(Strict):
    """What others who look at the order should know. Stored encrypted with the customer's key."""

    model_config = _example(text="Called the restaurant: the oven is repaired.")

    text: Long


class BulkRetryBody(RetryBody):
    """Retry what is parked with this cause, at so many orders a second."""

    model_config = _example(cause="PaymentsUnavailable@payments", reason="the provider is back", per_s=2.0)

    cause: Annotated[str, Field(min_length=1, max_length=200)]
    per_s: Annotated[float, Field(gt=0, le=PER_S_MAX)] = 1.0


class CircuitBody(Strict):
    """Why."""

    model_config = _example(reason="maintenance until 22:00")

    reason: Long


# --- what it answers --------------------------------------------------------------------------------------------------


class GroupModel(Answer):
    """Parked orders with one cause."""

    cause: str
    error: str
    dependency: Dependency | None
    orders: int
    since: Time
    at_stake: list[MoneyModel]


class IncidentLineModel(Answer):
    """One parked order."""

    order_id: OrderIdModel
    cause: str
    status: Status
    run: int
    version: Version
    since: Time
    at_stake: MoneyModel


class IncidentsModel(Answer):
    """The groups, and the orders that are parked longest; ``more`` says how many others there are."""

    groups: list[GroupModel]
    incidents: list[IncidentLineModel]
    more: int


class OwedModel(Answer):
    """Something held and not given back."""

    holding: Holding
    intent: int
    amount: MoneyModel | None
    in_doubt: bool
    refused: bool


class MoveModel(Answer):
    """Money that moves: hold, take, let go of, give back; or that does not: leave held, give up."""

    what: str
    amount: MoneyModel
    intent: int


class RefusedModel(Answer):
    """Which rule says no."""

    rule: str
    detail: str


class PlanModel(Answer):
    """What a verb would do: the events, the outside calls that run then, and the money that they move."""

    events: list[str]
    status: Status
    runs: list[PendingModel]
    money: list[MoveModel]
    second_person_for: MoneyModel | None
    refused: RefusedModel | None


class ApprovalModel(Answer):
    """A wish that waits for a second person."""

    approval: Version
    wish: Wish
    amount: MoneyModel
    by: ActorModel
    reason: str


class IncidentModel(IncidentLineModel):
    """One incident, with the end of its timeline and what each verb would do now."""

    error: str
    detail: str
    dependency: Dependency | None
    owed: list[OwedModel]
    approvals: list[ApprovalModel]
    timeline: list[EventModel]
    plans: dict[str, PlanModel]


class DeedModel(Answer):
    """What was done (``order``), or would be (``plan``). ``approvals`` wait for a second person."""

    order: OrderModel | None
    plan: PlanModel | None
    approvals: list[ApprovalModel]


class RetriedModel(Answer):
    """What came of one order, as its log says."""

    order_id: OrderIdModel
    outcome: Outcome
    run: int
    started_at: Time | None
    detail: str


class BulkRetryModel(Answer):
    """A bulk retry and its orders. It goes on by itself; ``why`` says why it stopped."""

    id: str
    cause: str
    dependency: Dependency | None
    state: JobState
    why: str
    actor: ActorModel
    reason: str
    per_s: float
    began_at: Time
    counts: dict[str, int]
    orders: list[RetriedModel]


class CircuitModel(Answer):
    """A circuit as it is now. ``failures`` and ``calls`` are those of its window."""

    dependency: Dependency
    state: State
    since: Time | None
    probes: int
    probe_error: str
    failures: int
    calls: int


class CircuitsModel(Answer):
    """All circuits."""

    circuits: list[CircuitModel]


class TransitionModel(Answer):
    """What happened to a circuit, when, and by whom."""

    type: str
    at: Time
    actor: ActorModel
    data: dict[str, Any]


class CircuitHistoryModel(Answer):
    """A circuit, and its transitions of the last week, oldest first."""

    circuit: CircuitModel
    transitions: list[TransitionModel]
