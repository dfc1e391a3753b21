"""A state machine as data: what ``definition.parse`` makes of the text, frozen, with every expression compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workflows.asl.reading.integrations import Integration
from workflows.asl.reading.templates import Query, Template
from workflows.asl.signals import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrier:
    """One entry of Retry. Delays in seconds; ``attempts_max`` 0 means never."""

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
    """``template`` is an object: name -> value."""

    template: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What every state has. ``next`` is None where the state is an end."""

    name: str
    next: str | None = None
    assign: Assign | None = None
    output: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(State):
    """Input to output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed(State):
    """Ends its scope well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(State):
    """Ends its scope with an error."""

    error: Template | None = None
    cause: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(State):
    """Exactly one of the two is set."""

    seconds: Template | None = None
    timestamp: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of Choices."""

    condition: Query | bool
    next: str
    assign: Assign | None = None
    output: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(State):
    """The first rule whose condition is true; else ``default`` with the state's own Assign and Output."""

    rules: tuple[Rule, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallible(State):
    """A state that may retry and catch."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    arguments: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Fallible):
    """A call of ``integration``."""

    resource: str
    integration: Integration
    timeout_s: Template | None = None
    heartbeat_s: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Fallible):
    """All branches at once."""

    branches: tuple[Scope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(Fallible):
    """The processor once for each item (inline mode)."""

    processor: Scope
    items: Template | None = None
    item_selector: Template | None = None
    concurrency_max: Template | None = None


AnyState: TypeAlias = Pass | Succeed | Fail | Wait | Choice | Task | Parallel | Map


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """States that see one set of variables: the machine, a branch, an iteration."""

    start_at: str
    states: Mapping[str, AnyState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A machine ready to run. ``text`` is the source it was read from and ``digest`` its SHA-256, for the journal."""

    name: str
    text: str = field(repr=False)
    digest: str
    comment: str = ""
    timeout_s: int | None = None
    scope: Scope = field(repr=False)
    raw: Mapping[str, JSON] = field(repr=False)
