"""The SQLite log against the log in memory: any calls in any order have the same results."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested
from workflows.audit.verify import verify
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import KeyReused, NewCommit
from workflows.event_store.event_log import WrongExpectedVersion
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

STREAMS = st.sampled_from(["order#a", "order#b"])
KEYS = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
BODIES = st.sampled_from(["body", "body", "body", "other body"])


class TwoLogs(RuleBasedStateMachine):
    """Appends to current and stale histories with few keys, so that conflicts and replays are common."""

    histories = Bundle("histories")

    @initialize()
    def open(self) -> None:
        self.time = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(Path(self.folder.name) / "state.db")
        codec = Codec(InMemoryKeyRing(), EVENT_TYPES)
        self.logs = [InMemoryEventLog(codec, self), SqliteEventLog(self.database, codec, self)]

    def now(self) -> datetime:
        return self.time

    def both(self, operation: Callable[[Any], Any]) -> Any:
        """Run the operation on both logs and compare the results or refusals."""
        answers = [answer(operation, log) for log in self.logs]
        assert answers[0] == answers[1]
        return answers[0]

    @rule(seconds=st.integers(-100, 100))
    def time_passes(self, seconds: int) -> None:
        self.time += timedelta(seconds=seconds)

    @rule(target=histories, stream=STREAMS)
    def load(self, stream: str) -> Any:
        return self.both(lambda log: log.load(stream))

    @rule(target=histories, history=histories, key=KEYS, body=BODIES, events=st.integers(1, 3))
    def append(self, history: Any, key: str, body: str, events: int) -> Any:
        new = NewCommit(
            key=key,
            events=tuple(CourierRequested(attempt=n) for n in range(events)),
            actor=SYSTEM,
            correlation="",
            causation="",
            body_hash=body,
        )
        outcome = self.both(lambda log: log.append(history, new))
        return outcome[-1] if isinstance(outcome, tuple) else outcome

    @invariant()
    def feeds_and_scans_agree(self) -> None:
        self.both(lambda log: sorted(log.scan(), key=lambda commit: (commit.pk, commit.sk)))
        self.both(lambda log: [change.commit for change in log.changes(None, 1000)])
        self.both(verify)

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


def answer(operation: Callable[[Any], Any], log: Any) -> Any:
    try:
        return operation(log)
    except WrongExpectedVersion as conflict:
        return "conflict", conflict.expected, conflict.winner, conflict.history
    except KeyReused as reused:
        return "key reused", reused.key, log.load(reused.stream)


TwoLogs.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
test_both_logs_give_the_same_answers = TwoLogs.TestCase
