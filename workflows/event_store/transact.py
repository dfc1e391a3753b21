"""Change one stream: load it, decide on its newest state, append, and start again if another commit came first.

This is the only loop around ``append`` for aggregates. A use case prepares a ``Proposal`` and has no loop of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.picklable import Picklable
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog, TooManyConflicts, WrongExpectedVersion

State = TypeVar("State")

CONFLICTS_MAX = 16
"""How often a request is decided at most. A stream has few writers at a time (a person, a step, a relay)."""


class PreconditionFailed(Picklable, Exception):
    """The stream is not at a version that the caller expects. Retryable: after reading it again. HTTP: 412."""

    def __init__(self, stream: str, version: int) -> None:
        name = stream.replace("#", " ", 1)
        super().__init__(f"The {name} is at version {version}, which If-Match does not list. Read it again.")
        self.version = version


def _permit_all() -> None:
    """Check nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A request, prepared for one version of a stream. It is prepared again for each newer version.

    Attributes:
        key: Identifies the request across its attempts: kind, caller, and what the caller makes unique.
        body_hash: A hash of its content. Another content under the same key is refused.
        decide: Return the commit to append, or None if there is nothing to change. May raise a refusal.
        permit: Raise if the caller may not do this to this version. A replay is not checked again.
    """

    key: str
    body_hash: str
    decide: Callable[[], NewCommit | None]
    permit: Callable[[], None] = _permit_all


@dataclass(frozen=True, slots=True)
class Transacted(Generic[State]):
    """The stream and its state after a request. ``replayed``: an earlier attempt under the same key recorded it."""

    history: History
    state: State
    replayed: bool


def folded(history: History, initial: Callable[[], State], evolve: Callable[[State, tuple[Any, ...]], State]) -> State:
    """Fold a history, once: the same History gives the same state. ``initial`` depends on its stream alone."""
    if evolve not in history.folds:
        history.folds[evolve] = evolve(initial(), history.events)
    state: State = history.folds[evolve]
    return state


def transact(
    log: EventLog,
    stream: str,
    propose: Callable[[History, State], Proposal],
    *,
    initial: Callable[[], State],
    evolve: Callable[[State, tuple[Any, ...]], State],
    if_match: Collection[int] | None = None,
    loaded: History | None = None,
) -> Transacted[State]:
    """Record, once, what a request decides on the newest state of the stream.

    Args:
        propose: Prepare the request for a history and its state. May raise a refusal.
        initial: Return the state before the first event.
        evolve: Fold events onto a state.
        if_match: The versions that the stream may be at; any version if None.
        loaded: The stream as the caller has just read it. The request is decided on this version or not at all.

    Raises:
        KeyReused: The key was used with another content.
        PreconditionFailed: The stream is at none of the versions of ``if_match``, or no longer at that of ``loaded``.
        TooManyConflicts: Another commit came first ``CONFLICTS_MAX`` times.
    """
    history = log.load(stream) if loaded is None else loaded
    if loaded is not None and if_match is None:
        if_match = (loaded.version,)
    for _ in range(CONFLICTS_MAX):
        # 1. Fold the state, and prepare the request for it.
        state = folded(history, initial, evolve)
        proposal = propose(history, state)
        # 2. An earlier attempt under this key recorded it: nothing is decided again.
        if history.find(proposal.key, proposal.body_hash):
            return Transacted(history, state, replayed=True)
        # 3. Check the permission before the version, which only a permitted caller may learn.
        proposal.permit()
        if if_match is not None and history.version not in if_match:
            raise PreconditionFailed(stream, history.version)
        # 4. Decide on the very version that was checked.
        commit = proposal.decide()
        if commit is None:
            return Transacted(history, state, replayed=False)
        # 5. Append. After a conflict, start again on the newer history.
        try:
            after = log.append(history, commit)
        except WrongExpectedVersion as conflict:
            history = conflict.history
            continue
        after.folds[evolve] = evolve(state, after.events_after(history.version))
        return Transacted(after, after.folds[evolve], replayed=False)
    raise TooManyConflicts(f"{stream}: other commits came first {CONFLICTS_MAX} times; try again")
