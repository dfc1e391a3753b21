"""What an execution remembers between two signals: which states it is in, and what they wait for.

A ``Branch`` is a running scope: the machine itself, a branch of a Parallel, an iteration of a Map. Its ``Frame`` is the
state it is in. The frames of a Parallel or Map own the branches inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.asl.interpreter.payloads import Payload
from workflows.asl.reading.states import AnyState, Scope
from workflows.asl.signals import JSON, InvokeFunction, StartExecution


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way up. A missed heartbeat is States.Timeout, and also known as States.HeartbeatTimeout."""

    error: str | None
    cause: str | None = None
    is_heartbeat: bool = False


class StateFailed(Exception):
    """The state under way failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error, failure.cause)
        self.failure = failure


@dataclass(slots=True, eq=False)
class Branch:
    """A running scope. ``variables`` is replaced when something is assigned, never changed in place."""

    scope: Scope
    variables: Mapping[str, JSON]
    last_event: int
    owner: Frame | None = None
    index: int = 0
    map_item: Mapping[str, JSON] | None = None
    frame: Frame | None = None
    is_over: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """A task under way. ``effect`` is None once the outside has answered that a callback was delivered."""

    task: int
    effect: InvokeFunction | StartExecution | None
    token: str | None = None
    heartbeat_s: int | None = None


@dataclass(slots=True, eq=False)
class Inside:
    """A Parallel or Map under way. ``items`` is what a Map goes through, ``waiting_from`` its next index."""

    branches: dict[int, Branch]
    outputs: list[JSON]
    left: int
    items: list[JSON] = field(default_factory=list)
    waiting_from: int = 0


@dataclass(slots=True, eq=False)
class Frame:
    """An entered state. ``timers`` holds the ids of its armed timers by purpose: wait, retry, timeout, heartbeat."""

    state: AnyState
    branch: Branch
    input: Payload
    entered_at: datetime
    entered_event: int
    previous_event: int
    retries: dict[int, int] = field(default_factory=dict)
    retry_count: int = 0
    timers: dict[str, int] = field(default_factory=dict)
    call: Call | None = None
    inside: Inside | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """An armed deadline. ``frame`` is None for the machine's own TimeoutSeconds."""

    purpose: str
    at: datetime
    frame: Frame | None
