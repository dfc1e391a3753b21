"""The one loop that changes a stream: its checks, the version they are about, and its outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import RunStarted
from tests.recorded import Shop
from workflows.event_store.commits import History, KeyReused, NewCommit
from workflows.event_store.event_log import TooManyConflicts
from workflows.event_store.transact import CONFLICTS_MAX, PreconditionFailed, Proposal, Transacted, transact

STREAM = "order#1"


def commit(key: str, body_hash: str = "body") -> NewCommit:
    event = RunStarted(run=1, by=SYSTEM, reason="")
    return NewCommit(key=key, events=(event,), actor=SYSTEM, correlation="", causation="", body_hash=body_hash)


@dataclass
class Counter:
    """A stream whose state is the number of its events. ``others`` commits come first, one before each append."""

    log: Any = field(default_factory=lambda: Shop().log)
    others: int = 0
    permitted_at: list[int] = field(default_factory=list)
    decided_at: list[int] = field(default_factory=list)

    def load(self, stream: str) -> History:
        return self.log.load(stream)

    def append(self, history: History, new: NewCommit) -> History:
        if self.others:
            self.others -= 1
            self.log.append(self.log.load(STREAM), commit(f"other {self.others}"))
        return self.log.append(history, new)

    def count(
        self, key: str = "key", body_hash: str = "body", permit: Callable[[], None] = lambda: None, **options: Any
    ) -> Transacted[int]:
        def propose(history: History, number: int) -> Proposal:
            def decide() -> NewCommit | None:
                self.decided_at.append(number)
                return commit(key, body_hash)

            def check() -> None:
                self.permitted_at.append(number)
                permit()

            return Proposal(key=key, body_hash=body_hash, decide=decide, permit=check)

        return transact(self, STREAM, propose, initial=lambda: 0, evolve=lambda n, events: n + len(events), **options)


def refuse() -> None:
    raise PermissionError


def test_a_request_is_recorded_once_and_a_repeated_one_is_replayed_without_a_decision_or_a_permission_check():
    counter = Counter()
    first = counter.count()
    again = counter.count(permit=refuse)
    assert ((first.state, first.replayed), (again.state, again.replayed)) == ((1, False), (1, True))
    assert counter.decided_at == counter.permitted_at == [0]


def test_another_body_under_the_same_key_is_refused():
    counter = Counter()
    counter.count()
    with pytest.raises(KeyReused):
        counter.count(body_hash="another")


def test_after_a_conflict_the_newer_version_is_checked_and_decided_again():
    """Permission check and decision are always about the version that is appended to."""
    counter = Counter(others=2)
    assert counter.count().state == 3
    assert counter.decided_at == counter.permitted_at == [0, 1, 2]


def test_after_a_limited_number_of_conflicts_the_request_fails():
    counter = Counter(others=CONFLICTS_MAX)
    with pytest.raises(TooManyConflicts):
        counter.count()
    assert len(counter.decided_at) == CONFLICTS_MAX


@pytest.mark.parametrize("if_match", [(1,), (), (2, 3)])
def test_another_version_than_if_match_lists_is_refused_before_a_decision(if_match):
    counter = Counter()
    with pytest.raises(PreconditionFailed, match="The order 1 is at version 0"):
        counter.count(if_match=if_match)
    assert counter.decided_at == []


def test_if_match_is_compared_with_the_version_that_is_appended_to():
    counter = Counter(others=1)
    with pytest.raises(PreconditionFailed):
        counter.count(if_match=(0,))
    assert Counter(others=1).count(if_match=(0, 1)).state == 2


def test_a_caller_without_permission_does_not_learn_the_version():
    with pytest.raises(PermissionError):
        Counter().count(permit=refuse, if_match=(7,))


def test_a_request_about_a_loaded_version_is_decided_on_that_version_or_not_at_all():
    counter = Counter(others=1)
    with pytest.raises(PreconditionFailed):
        counter.count(loaded=counter.load(STREAM))
    assert counter.decided_at == [0]
