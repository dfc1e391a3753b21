"""The feed: every commit at least once, each stream in order, no stream waits for another."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import toy_handlers as toys

from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.feed import EventSourceMapping
from workflows.embedded.lambda_.functions import Functions
from workflows.engine import Engine
from workflows.event_store.commits import Commit
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

DEADLINE_S = 20.0


class Follower:
    """A log, and a function that follows it."""

    def __init__(self, folder: Path, place: str, clock: Any, make_function: Any, handler: str) -> None:
        nothing: Any = None
        self.place = toys.PLACES[place]
        self.clock = clock
        self.hub = Hub()
        self.alarms = Alarms(clock, self.hub)
        self.database = Database(folder / "engine.sqlite", hub=self.hub)
        self.log = SqliteEventLog(self.database, nothing, clock)
        function = make_function("Feed", handler, environment={"PLACE": place})
        self.functions = Functions({"Feed": function}, clock=clock, hub=self.hub, alarms=self.alarms, workers=4)
        ports: dict[str, Any] = dict.fromkeys(Engine.__dataclass_fields__)
        self.functions.start(Engine(**ports))
        self.feed = EventSourceMapping(
            self.log,
            self.database,
            self.functions,
            function="Feed",
            clock=clock,
            hub=self.hub,
            alarms=self.alarms,
            calls_max=2,
        )
        self.feed.begin()
        self.closed = False

    def commit(self, stream: str, version: int) -> None:
        """Store a commit."""
        self.log._insert(Commit(stream, version, f"key {version}", "2026-03-14T12:00:00.000000Z", b"\x01\x02", "{}"))

    def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds on the hub."""
        deadline = time.monotonic() + DEADLINE_S
        while not self.hub.ask(condition):
            assert time.monotonic() < deadline

    def wait(self, records: int) -> list[Any]:
        """Wait for this many more records."""
        assert all(self.place.came.acquire(timeout=DEADLINE_S) for _ in range(records))
        return list(self.place.visits)

    def crash(self) -> None:
        """Stop without a last checkpoint, and close the file."""
        self.feed._write_checkpoint = lambda: None  # type: ignore[method-assign]  # what a kill does to it
        self.close()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.feed.close()
        self.functions.close(DEADLINE_S)
        self.alarms.close()
        self.database.close()
        self.hub.close()


Follow = Callable[..., Follower]


@pytest.fixture
def follow(tmp_path: Path, manual_clock: Any, toy_function: Any, request: pytest.FixtureRequest) -> Iterator[Follow]:
    """Follows the log in one folder, one follower after the other."""
    opened: list[Follower] = []

    def open_(handler: str = "follow") -> Follower:
        opened.append(Follower(tmp_path, f"feed of {request.node.name}", manual_clock, toy_function, handler))
        return opened[-1]

    yield open_
    for follower in opened:
        follower.close()


def test_a_commit_has_the_form_of_a_dynamodb_streams_record(follow: Follow) -> None:
    """The shape of the developer guide's example of a stream record, with the attributes of our table."""
    follower = follow()
    follower.commit("order#1", 1)
    follower.wait(1)
    keys = {"pk": {"S": "order#1"}, "sk": {"N": "1"}}
    assert follower.place.records[0] == {
        "eventID": f"{1:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "local",
        "dynamodb": {
            "ApproximateCreationDateTime": 1773489600,
            "Keys": keys,
            "NewImage": {
                **keys,
                "k": {"S": "key 1"},
                "ts": {"S": "2026-03-14T12:00:00.000000Z"},
                "h": {"B": base64.b64encode(b"\x01\x02").decode()},
                "ev": {"S": "{}"},
            },
            "SequenceNumber": "000000000000000000001",
            "SizeBytes": 2,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:local:000000000000:table/events/stream/embedded",
    }


def test_every_stream_comes_in_its_order(follow: Follow) -> None:
    """With many streams under way at once."""
    follower = follow()
    for version in range(1, 21):
        for stream in ("a", "b", "c"):
            follower.commit(stream, version)
    seen = follower.wait(60)
    for stream in ("a", "b", "c"):
        assert [key for key in seen if key[0] == stream] == [f"{stream} {version}" for version in range(1, 21)]


def test_commits_from_before_the_start_come_first(follow: Follow) -> None:
    """A feed that starts late misses no commit."""
    follower = follow()
    follower.place.refused = {"a 1"}
    follower.commit("a", 1)
    follower.wait(1)
    follower.close()
    follower.place.refused = set()
    again = follow()
    again.commit("a", 2)
    assert again.wait(2) == ["a 1", "a 2"]


def test_a_failing_record_delays_only_its_own_stream(follow: Follow) -> None:
    """It is retried with growing delays, and then the commits behind it come, in order."""
    follower = follow()
    follower.place.refused = {"bad 2"}
    for version in (1, 2, 3):
        follower.commit("bad", version)
    follower.wait(2)
    follower.commit("good", 1)
    assert follower.wait(1) == ["bad 1", "good 1"]
    for _ in range(3):
        _retry(follower)
        follower.wait(1)
    follower.place.refused = set()
    _retry(follower)
    assert follower.wait(2) == ["bad 1", "good 1", "bad 2", "bad 3"]
    assert follower.place.refusals >= 4


def test_after_an_exception_the_whole_batch_is_delivered_again(follow: Follow) -> None:
    """An exception names no record."""
    follower = follow()
    follower.place.refused = None  # breaks the function
    follower.commit("a", 1)
    follower.commit("a", 2)
    streams = follower.feed._streams
    follower.until(lambda: "a" in streams and streams["a"].attempts > 0)
    follower.place.refused = set()
    _retry(follower)
    assert follower.wait(2) == ["a 1", "a 2"]


def test_a_slow_stream_does_not_delay_others(follow: Follow) -> None:
    """Work for one order does not wait for another's."""
    follower = follow("follow_at_gate")
    follower.commit("slow", 1)
    for version in range(1, 6):
        follower.commit("quick", version)
    assert follower.wait(5) == [f"quick {version}" for version in range(1, 6)]
    follower.place.gate.set()
    assert follower.wait(1)[-1] == "slow 1"


def test_a_crash_before_the_checkpoint_delivers_again(follow: Follow) -> None:
    """At least once: the checkpoint is never ahead of what was processed."""
    follower = follow()
    follower.commit("a", 1)
    follower.wait(1)
    follower.crash()
    assert follow().wait(1) == ["a 1", "a 1"]


def test_after_a_checkpoint_only_the_unfinished_comes_again(follow: Follow) -> None:
    """A record that keeps failing does not hold back the checkpoint of the others."""
    follower = follow()
    follower.place.refused = {"bad 1"}
    follower.commit("bad", 1)
    follower.commit("good", 1)
    follower.commit("bad", 2)
    follower.wait(2)
    follower.close()
    follower.place.refused, follower.place.visits[:] = set(), []
    again = follow()
    again.commit("good", 2)
    assert sorted(again.wait(3)) == ["bad 1", "bad 2", "good 2"]
    assert [key for key in again.place.visits if key[0] == "b"] == ["bad 1", "bad 2"]


def _retry(follower: Follower) -> None:
    """Move the clock to the next retry, once it is set."""
    follower.until(lambda: follower.feed._calls == 0)
    follower.clock.time = follower.clock.time.replace(hour=(follower.clock.time.hour + 1) % 24)
    follower.alarms.look()
