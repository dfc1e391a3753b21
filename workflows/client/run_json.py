"""Runs of an order, executions and machines in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypedDict

from msgspec import Meta

from .order_json import ActorJson, OrderIdText, TimeText, VersionNumber

MachineNameText: TypeAlias = Literal["order", "payment", "preparation", "delivery"]


class VisitedStateJson(TypedDict):
    """A state that an execution entered, with all attempts at its task."""

    state: str
    action: Annotated[str | None, Meta(description="What the step does for the order, e.g. `settle`.")]
    entered_at: TimeText
    exited_at: Annotated[TimeText | None, Meta(description="Null while it is entered.")]
    attempts: int
    failures: int
    error: Annotated[str, Meta(description="Of the last attempt that failed; empty if none failed.")]
    message: str


class ExecutionJson(TypedDict):
    """An execution of a machine."""

    id: Annotated[
        str | None, Meta(description="For `GET /executions/{id}/history`. Null for an Express execution: it has none.")
    ]
    arn: str
    machine: MachineNameText
    status: Annotated[str, Meta(examples=["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])]
    started_at: TimeText
    stopped_at: TimeText | None
    error: Annotated[str, Meta(description="Why it failed; empty if it did not.")]
    definition: Annotated[
        str | None,
        Meta(
            description="The digest of its definition. Null where the engine does not name it: "
            "`GET /machines/{name}/definition?execution=` does."
        ),
    ]
    states: list[VisitedStateJson]
    whole: Annotated[bool, Meta(description="Whether `states` has every state: false after a thousand events.")]


class RunJson(TypedDict):
    """A run of the order."""

    run: Annotated[int, Meta(ge=1)]
    version: Annotated[VersionNumber, Meta(description="The event that began it.")]
    started_at: TimeText
    by: ActorJson
    why: Annotated[str, Meta(examples=["Run 2 started automatically because of event 15"])]
    executions: Annotated[
        list[ExecutionJson] | None,
        Meta(description="Null for older runs than `newest`; empty if the engine has none, or no longer."),
    ]


class DifferenceJson(TypedDict):
    """Something that the log and the engine do not agree on. docs/timeline.md says what is checked for each kind."""

    kind: Literal[
        "run_not_started",
        "execution_ended",
        "execution_lingers",
        "state_not_entered",
        "intent_not_recorded",
        "outcome_not_recorded",
    ]
    run: int
    execution: str | None
    state: str | None
    version: VersionNumber | None
    words: str


class RunsJson(TypedDict):
    """The runs of an order, the oldest first, beside what the engine did."""

    order_id: OrderIdText
    version: VersionNumber
    runs: list[RunJson]
    differences: Annotated[list[DifferenceJson], Meta(description="Empty if log and engine agree.")]
    checked_at: TimeText


class ExecutionEventsJson(TypedDict):
    """A page of GetExecutionHistory's events, as Step Functions names their fields. Task tokens are withheld."""

    execution: str
    machine: MachineNameText
    events: list[dict[str, Any]]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]


LayoutEdgeJson = TypedDict(
    "LayoutEdgeJson",
    {
        "from": str,
        "to": str,
        "kind": Literal["next", "branch", "choice", "default", "catch"],
        "label": Annotated[str, Meta(description="The condition of a choice, or the errors that are caught.")],
    },
)


class LayoutNodeJson(TypedDict):
    """A state of a machine."""

    id: str
    type: Annotated[str, Meta(examples=["Task", "Choice", "Parallel", "Succeed"])]
    comment: str
    path: Annotated[
        Literal["forward", "exception", "compensation"],
        Meta(
            description="`forward`: reached without an error. `exception`: reached by an error alone. `compensation`: "
            "on the way back, from where the reason of an error is looked up."
        ),
    ]
    group: Annotated[str | None, Meta(description="The branch that it is in.")]
    end: Annotated[bool, Meta(description="Whether its branch or the machine ends with it.")]
    action: Annotated[str | None, Meta(description="What the step does for the order.")]
    waits_for_token: bool
    starts: Annotated[MachineNameText | None, Meta(description="The machine that its task starts.")]
    takes: Annotated[str | None, Meta(description="The intent that it performs on the way forward.")]
    undone_by: Annotated[str | None, Meta(description="The intent that takes that back.")]
    undoes: Annotated[list[str], Meta(description="The intents that a compensation takes back.")]


class LayoutGroupJson(TypedDict):
    """A branch of a Parallel state."""

    id: str
    of: str
    start: str
    nodes: list[str]


class LayoutJson(TypedDict):
    """A machine as a graph, made from its definition. It has no positions."""

    start: str
    nodes: list[LayoutNodeJson]
    edges: list[LayoutEdgeJson]
    groups: list[LayoutGroupJson]


class MachineDefinitionJson(TypedDict):
    """The definition of a machine in the Amazon States Language, and its graph."""

    machine: MachineNameText
    arn: str
    digest: Annotated[str, Meta(description="SHA-256 of its text, in hexadecimal.")]
    definition: dict[str, Any]
    layout: LayoutJson
