"""A state machine as frozen data, with every expression compiled: the result of ``definition.parse``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workflows.asl.reading.integrations import Integration
from workflows.asl.reading.templates import Query, Template
from workflows.asl.signals import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """One entry of Retry. ``attempts_max`` 0 means that the error is never retried."""

    errors: tuple[str, ...]
    interval_s: int = 1
    attempts_max: int = 3
    backoff_rate: float = 2.0
    delay_max_s: int | None = None
    full_jitter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """One entry of Catch."""

    errors: tuple[str, ...]
    next: str
    assign: Assign | None = None
    output: Template | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Variables to assign. ``template`` is an object of names and values."""

    template: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseState:
    """The fields of every state. ``next`` is None if the state ends its scope."""

    name: str
    next: str | None = None
    assign: Assign | None = None
    output: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(BaseState):
    """Passes its input on, or makes an output of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(BaseState):
    """Ends its scope with success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(BaseState):
    """Ends its scope with an error."""

    error: Template | None = None
    cause: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(BaseState):
    """Waits for seconds or until a timestamp; exactly one of the two is set."""

    seconds: Template | None = None
    timestamp: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRule:
    """One entry of Choices."""

    condition: Query | bool
    next: str
    assign: Assign | None = None
    output: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(BaseState):
    """Follows the first rule whose condition is true, else ``default`` with the state's own Assign and Output."""

    rules: tuple[ChoiceRule, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallible(BaseState):
    """A state that can fail, with its Retry and Catch."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    arguments: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Fallible):
    """Calls an integration."""

    resource: str
    integration: Integration
    timeout_s: Template | None = None
    heartbeat_s: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Fallible):
    """Runs all its branches at once."""

    branches: tuple[Scope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Fallible):
    """Runs its processor once for each item (inline mode).

    The tolerated failures are evaluated and have no effect: they belong to a distributed Map, and AWS takes them here.
    """

    processor: Scope
    items: Template | None = None
    item_selector: Template | None = None
    concurrency_max: Template | None = None
    tolerated_count: Template | None = None
    tolerated_percentage: Template | None = None


AnyState: TypeAlias = Pass | Succeed | Fail | Wait | Choice | Task | Parallel | Map


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """States that share one set of variables: the machine, a branch or an iteration."""

    start_at: str
    states: Mapping[str, AnyState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A machine that can be run. ``text`` is its source and ``digest`` the SHA-256 of it; the journal keeps both."""

    name: str
    text: str = field(repr=False)
    digest: str
    comment: str = ""
    timeout_s: int | None = None
    scope: Scope = field(repr=False)
    raw: Mapping[str, JSON] = field(repr=False)
