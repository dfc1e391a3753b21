"""The parts of a running execution: the states it is in, and what they wait for.

A ``Branch`` is a running scope: the machine itself, a branch of a Parallel or an iteration of a Map. Its ``Frame`` is
the state it is in. The frame of a Parallel or Map owns the branches inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.asl.interpreter.payloads import Payload
from workflows.asl.reading.states import AnyState, Scope
from workflows.asl.signals import JSON, InvokeFunction, StartExecution


@dataclass(frozen=True, slots=True)
class ErrorOutput:
    """The error and cause of a state that failed. A missed heartbeat also matches States.HeartbeatTimeout."""

    error: str | None
    cause: str | None = None
    is_heartbeat: bool = False


class StateFailed(Exception):
    """The current state failed."""

    def __init__(self, failure: ErrorOutput) -> None:
        super().__init__(failure.error, failure.cause)
        self.failure = failure

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failure,)


@dataclass(slots=True, eq=False)
class Branch:
    """A running scope. An assignment replaces ``variables``; the mapping is never changed in place.

    ``assigned_bytes`` has the size of each variable that was assigned in this scope itself. A redrive goes on at
    ``stopped_in``, the state that the scope was stopped in; without one, it enters its first state with ``input``.
    """

    scope: Scope
    variables: Mapping[str, JSON]
    last_event: int
    owner: Frame | None = None
    index: int = 0
    map_item: Mapping[str, JSON] | None = None
    frame: Frame | None = None
    is_over: bool = False
    assigned_bytes: dict[str, int] = field(default_factory=dict)
    input: Payload | None = None
    stopped_in: Frame | None = None


@dataclass(slots=True, eq=False)
class TaskCall:
    """An open task. ``effect`` becomes None when a callback was delivered; only its token settles it then.

    ``submitted`` is set once the start of a child execution is in the history, ``shows_log`` if a function was called
    with LogType Tail.
    """

    task: int
    effect: InvokeFunction | StartExecution | None
    token: str | None = None
    heartbeat_s: int | None = None
    submitted: bool = False
    shows_log: bool = False


@dataclass(slots=True, eq=False)
class Inside:
    """A Parallel or Map with its branches that have not ended; it keeps them when it fails, for a redrive.

    ``items`` is the list of a Map, ``waiting_from`` the next index to start. ``succeeded`` is set once all branches
    have ended: from then on, only the state's own Assign and Output can fail.
    """

    branches: dict[int, Branch]
    outputs: list[JSON]
    left: int
    items: list[JSON] = field(default_factory=list)
    waiting_from: int = 0
    output_size: int = 0
    succeeded: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether a branch has entered a state."""
        return self.left < len(self.outputs) or any(each.frame or each.stopped_in for each in self.branches.values())


@dataclass(slots=True, eq=False)
class Frame:
    """An entered state. ``timers`` holds its armed timers by purpose: wait, retry, timeout, heartbeat."""

    state: AnyState
    branch: Branch
    input: Payload
    entered_at: datetime
    entered_event: int
    previous_event: int
    retries: dict[int, int] = field(default_factory=dict)
    retry_count: int = 0
    timers: dict[str, int] = field(default_factory=dict)
    call: TaskCall | None = None
    inside: Inside | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """An armed deadline. ``frame`` is None for the machine's own TimeoutSeconds."""

    purpose: str
    at: datetime
    frame: Frame | None
