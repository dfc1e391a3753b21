"""The feed under Lambda's batches: a failing record delays only its own order and ends in the failure
destination; no other record is lost, at any boundaries of the batches."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identifiers import OrderId, order_id_for
from handlers import feed, publisher
from handlers.stream_batches import FAILED, TAMPERED, each
from tests.domain.order import stories as s
from tests.handlers.conftest import Shop as HandlerShop
from tests.handlers.stream_mapping import Record, StreamMapping
from tests.recorded import Runs, Shop
from workflows.asl.signals import JSON
from workflows.embedded.lambda_.feed import stream_record
from workflows.engine import serving
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.documents import DocumentsUnavailable
from workflows.executions import ExecutionsUnavailable
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_bus import InMemoryEventBus
from workflows.orders.command_handling import load
from workflows.projections.open_orders import open_order, project
from workflows.publishing.cloud_events import RESTAURANTS, cloud_events
from workflows.publishing.event_bus import EventBusUnavailable
from workflows.sagas.waits import AnswerWait, register, waits_of
from workflows.settings import read
from workflows.time_budgets import read_budgets

ENVIRONMENT = {"ORDER_MACHINE": "OrderMachine"}

STORIES: list[tuple[s.StoryLine, ...]] = [
    s.PLACED,
    s.ACCEPTED,
    s.COMPLETED,
    (*s.AUTHORIZED, s.park(), s.restart(), s.accepted(), s.park(), s.restart()),
    (*s.ACCEPTED, s.restart(), s.assigned(), s.restart()),
    (*s.PLACED, s.cancel(), s.authorized(), s.restart()),
]


class Trouble:
    """Calls that fail before or after their effect. ``left`` holds the outcomes of the next calls."""

    def __init__(self) -> None:
        self.left: list[str] = []

    def around(self, call: Callable[[], Any], error: type[Exception]) -> Any:
        how = self.left.pop() if self.left else ""
        if how == "before":
            raise error("no answer")
        result = call()
        if how == "after":
            raise error("no answer")
        return result


class TroubledRuns(Runs):
    """Starts of ``broken`` orders always fail, others while there is trouble. ``calls`` are the successful starts."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble
        self.broken: set[str] = set()
        self.calls: list[str] = []

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        if name.rpartition("-")[0] in self.broken:
            raise ExecutionsUnavailable("there is no such machine")
        self.trouble.around(lambda: self._start(machine, name, input), ExecutionsUnavailable)

    def _start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        self.calls.append(name)
        super().start(machine, name, input)


class TroubledDocuments(InMemoryDocuments):
    """Documents that fail while there is trouble, and record the versions of each order's row."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble
        self.versions: dict[str, list[int]] = {}

    def get(self, pk: str, sk: str) -> Any:
        return self.trouble.around(lambda: super(TroubledDocuments, self).get(pk, sk), DocumentsUnavailable)

    def put(self, document: Any, expected: Any) -> Any:
        stored = self.trouble.around(
            lambda: super(TroubledDocuments, self).put(document, expected), DocumentsUnavailable
        )
        if document.pk.startswith("open-orders#"):
            self.versions.setdefault(document.sk, []).append(document.body["version"])
        return stored


@dataclass
class World:
    """A shop with several orders, whose log is delivered to the feed through a mapping."""

    random: Random
    mapping_settings: dict[str, Any] = field(default_factory=dict)
    lines: dict[OrderId, list[s.StoryLine]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trouble = Trouble()
        self.runs = TroubledRuns(self.trouble)
        self.documents = TroubledDocuments(self.trouble)
        self.shop = Shop(executions=self.runs, documents=self.documents)
        self.mapping = StreamMapping(self.call, self.random, **self.mapping_settings)
        self.spoil: dict[tuple[OrderId, int], Callable[[Record], Record]] = {}
        self.spoilt: list[Record] = []
        self._streamed: dict[OrderId, int] = {}
        self._position = 0

    def call(self, event: dict[str, Any]) -> Any:
        with serving(self.shop.engine, ENVIRONMENT):
            return feed.handler(event, None)

    def write(self, order_id: OrderId) -> None:
        """Commit the next line of an order's story and add the commit to the stream."""
        line = self.lines[order_id].pop(0)
        command = s.place(order_id=order_id) if line is s.PLACED[0] else line
        self.shop.play(command, order_id=order_id)
        commits = list(self.shop.log.read(f"order#{order_id}"))
        for commit in commits[self._streamed.get(order_id, 0) :]:
            self._stream(order_id, commit)
        self._streamed[order_id] = len(commits)

    def _stream(self, order_id: OrderId, commit: Commit) -> None:
        self._position += 1
        record: Any = stream_record(FeedEntry(self._position, commit))
        spoil = self.spoil.get((order_id, commit.sk))
        if spoil is not None:
            record = spoil(json.loads(json.dumps(record)))
            self.spoilt.append(record)
        self.mapping.put(record)

    def run(self) -> None:
        """Commit orders while the feed follows, sometimes far behind."""
        while any(self.lines.values()) or self.mapping.behind:
            writable = [order_id for order_id, lines in self.lines.items() if lines]
            if writable and (not self.mapping.behind or self.random.random() < 0.6):
                self.write(self.random.choice(writable))
            else:
                self.mapping.run_a_batch()

    @property
    def discarded(self) -> list[Record]:
        return [record for batch in self.mapping.destination for record in json.loads(batch["payload"])["Records"]]

    def check_followed(self, order_id: OrderId) -> None:
        """Check that its runs were started in order, no wait has an answer in the log, and the view is up to date."""
        history, order = load(self.shop.log, order_id)
        started = [int(name.rpartition("-")[2]) for name in self.runs.calls if name.startswith(f"{order_id}-")]
        firsts = list(dict.fromkeys(started))
        assert firsts == sorted(firsts)
        assert order.run in started
        assert open_order(self.documents, order_id) == project(order, history.recorded, read(ENVIRONMENT, read_budgets))
        versions = self.documents.versions.get(order_id, [])
        assert versions == sorted(versions)


def no_image(record: Record) -> Record:
    del record["dynamodb"]["NewImage"]
    return record


def other_types(record: Record) -> Record:
    record["dynamodb"]["NewImage"]["sk"] = {"S": "one"}
    return record


def no_events(record: Record) -> Record:
    record["dynamodb"]["NewImage"]["ev"] = {"S": "{"}
    return record


def no_event_name(record: Record) -> Record:
    del record["eventName"]
    return record


SPOILS = [no_image, other_types, no_events, no_event_name]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw two to five orders and the settings of a mapping."""
    mapping = {
        "shards": draw(st.integers(1, 3)),
        "parallelization": draw(st.integers(1, 3)),
        "batch_max": draw(st.integers(1, 8)),
        "retries_max": draw(st.integers(0, 3)),
        "bisect": draw(st.booleans()),
        "renew": draw(st.booleans()),
    }
    stories = draw(st.lists(st.sampled_from(STORIES), min_size=2, max_size=5))
    lines = {order_id_for("app", f"order {number}"): list(story) for number, story in enumerate(stories)}
    return World(draw(st.randoms(use_true_random=False)), mapping, lines)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.data())
def test_a_poison_record_ends_in_the_destination_and_every_other_order_is_followed(
    world: World, data: st.DataObject
) -> None:
    """At any boundaries of the batches, for any fault of the record."""
    orders = sorted(world.lines)
    poisoned = set(data.draw(st.lists(st.sampled_from(orders), min_size=1, max_size=len(orders) - 1)))
    for order_id in sorted(poisoned):
        if data.draw(st.booleans()):
            world.runs.broken.add(order_id)  # the record is valid, but its run can never be started
        else:
            version = data.draw(st.integers(1, 6))  # where a commit begins there
            world.spoil[order_id, version] = data.draw(st.sampled_from(SPOILS))
    world.run()
    for record in world.spoilt:
        assert record in world.discarded
    for order_id in world.runs.broken:
        placed = f"order#{order_id}"
        assert any(record["dynamodb"]["Keys"]["pk"]["S"] == placed for record in world.discarded)
    for order_id in orders:
        if order_id not in poisoned:
            world.check_followed(order_id)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.lists(st.sampled_from(["", "before", "after"]), max_size=12))
def test_a_temporary_failure_loses_no_record(world: World, trouble: list[str]) -> None:
    """If it is shorter than Lambda's retries."""
    world.trouble.left = trouble
    world.mapping.retries_max = sum(1 for how in trouble if how)
    world.mapping.renew = False
    world.run()
    assert world.mapping.destination == []
    world.trouble.left = []
    for order_id in world.lines:
        world.check_followed(order_id)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12),
    st.sampled_from(["pk", None]),
)
def test_a_failure_stops_its_own_stream_alone(batch: list[tuple[str, bool]], keys: str | None) -> None:
    """Earlier records and other streams are processed in order; it and later records of its stream are reported."""
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {"SequenceNumber": str(number), "Keys": {"pk": {"S": stream}} if keys else None},
        }
        for number, (stream, _) in enumerate(batch)
    ]
    worked: list[int] = []

    def work(record: Any) -> None:
        worked.append(int(record.number))
        if batch[worked[-1]][1]:
            raise RuntimeError

    failed = [int(record.number) for record in each({"Records": records}, work)]
    left: list[int] = []
    stopped: set[str] = set()
    for number, (stream, fails) in enumerate(batch):
        if stream in stopped and keys:
            left.append(number)
        elif fails:
            stopped.add(stream)
    assert worked == [number for number in range(len(batch)) if number not in left]
    assert failed == [number for number in range(len(batch)) if number in left or batch[number][1]]


# --- one at a time ----------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return World(Random(0), {"batch_max": 10})


FIRST, SECOND = order_id_for("app", "first"), order_id_for("app", "second")


def test_the_payload_of_a_poison_record_is_kept_whole(world: World) -> None:
    """A person can read it and deliver it again."""
    world.lines = {FIRST: [*s.ACCEPTED], SECOND: [*s.ACCEPTED]}
    world.spoil[FIRST, 1] = no_events
    world.run()
    (kept,) = [
        batch for batch in world.mapping.destination if world.spoilt[0] in json.loads(batch["payload"])["Records"]
    ]
    assert kept["requestContext"]["condition"] == "RetryAttemptsExhausted"
    world.check_followed(SECOND)


def test_the_run_of_a_dropped_record_is_started_by_the_next_commit(world: World) -> None:
    """The next commit repairs the gap, because the order's row shows which events were not processed."""
    world.lines = {FIRST: [*s.AUTHORIZED]}
    world.spoil[FIRST, 1] = no_image
    world.run()
    assert world.runs.started == [f"{FIRST}-1"]
    world.check_followed(FIRST)


def test_a_restart_whose_record_was_dropped_is_started_by_the_next_commit(world: World) -> None:
    """Even if the view was up to date until then."""
    world.lines = {FIRST: [*s.ACCEPTED]}
    world.run()
    restarted = world.shop.order(FIRST).version + 1
    world.spoil[FIRST, restarted] = no_event_name
    world.lines = {FIRST: [s.restart(), s.assigned()]}
    world.run()
    assert world.runs.started == [f"{FIRST}-1", f"{FIRST}-2"]


def test_a_commit_that_is_delivered_after_later_ones_does_no_harm(world: World) -> None:
    """Lambda keeps the order only within an item, and each commit is an item of its own."""
    world.shop.play(s.place(order_id=FIRST), *s.ACCEPTED[1:], s.restart(), order_id=FIRST)
    commits = list(world.shop.log.read(f"order#{FIRST}"))
    for number, commit in enumerate(reversed(commits)):
        world.mapping.put(json.loads(json.dumps(stream_record(FeedEntry(number, commit)))))
    world.mapping.run()
    history, order = load(world.shop.log, FIRST)
    assert open_order(world.documents, FIRST) == project(order, history.recorded, read(ENVIRONMENT, read_budgets))
    assert world.runs.calls[:2] == [f"{FIRST}-1", f"{FIRST}-2"]


def test_a_wait_is_woken_although_its_answer_was_in_a_dropped_record(world: World) -> None:
    """Any later commit of the order wakes it, because a wake-up reads the log."""
    world.lines = {FIRST: [*s.AUTHORIZED]}
    world.run()
    order = world.shop.order(FIRST)
    awaited = s.Awaited.ACCEPTANCE
    version = s.awaited_intent(order, awaited)
    assert version is not None
    world.runs.waiting.add("a token")
    wait = AnswerWait(order_id=FIRST, run=1, action="", awaited=awaited, intent_version=version, token="a token")
    register(world.documents, wait)
    world.spoil[FIRST, order.version + 1] = no_image
    world.lines = {FIRST: [s.accepted(), s.assigned()]}
    world.run()
    assert [token for token, _ in world.runs.woken] == ["a token"]
    assert list(waits_of(world.documents, FIRST)) == []


def test_repairing_gaps_costs_no_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit of an order without waits costs one read of the log and one of the row."""
    reads: list[str] = []
    log_load, row_get = world.shop.log.load, world.documents.get
    monkeypatch.setattr(world.shop.log, "load", lambda stream: reads.append("log") or log_load(stream))
    world.shop.play(s.place(order_id=FIRST), order_id=FIRST)
    (commit,) = world.shop.log.read(f"order#{FIRST}")
    monkeypatch.setattr(world.documents, "get", lambda pk, sk: reads.append("row") or row_get(pk, sk))
    reads.clear()
    world.call({"Records": [stream_record(FeedEntry(1, commit))]})
    assert reads.count("log") == 2  # a missing row leads to a second read, because it may have been deleted
    reads.clear()
    world.call({"Records": [stream_record(FeedEntry(1, commit))]})
    assert sorted(reads) == ["log", "row"]


# --- tampering, and records that are no commits -----------------------------------------------------------------------


@pytest.mark.parametrize("change", ["MODIFY", "REMOVE"])
def test_a_commit_that_was_changed_or_removed_raises_the_alarm(
    world: World, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A metric counts its log line, which names stream and version and quotes no content. The record is not retried."""
    record = {
        "eventName": change,
        "dynamodb": {
            "SequenceNumber": "1",
            "Keys": {"pk": {"S": f"order#{FIRST}"}, "sk": {"N": "3"}},
            "NewImage": {"ev": {"S": "a secret"}},
        },
    }
    assert world.call({"Records": [record]}) == {"batchItemFailures": []}
    (line,) = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.ERROR, "the log was tampered with")
    assert line.getMessage() == TAMPERED
    fields = vars(line)
    assert (fields["change"], fields["stream"], fields["version"]) == (change, f"order#{FIRST}", "3")
    assert "a secret" not in str(fields)


SHAPELESS: list[Any] = [
    None,
    "text",
    {},
    {"eventName": "INSERT"},
    {"eventName": "INSERT", "dynamodb": []},
    {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": "x"}, "SequenceNumber": "7", "NewImage": {"pk": None}}},
]


@pytest.mark.parametrize("shapeless", SHAPELESS, ids=str)
def test_a_record_of_any_shape_is_reported_and_crashes_nothing(world: World, shapeless: Any) -> None:
    """With an empty identifier Lambda delivers the whole batch again; the record has no identifier of its own."""
    world.shop.play(s.place(order_id=FIRST), order_id=FIRST)
    (commit,) = world.shop.log.read(f"order#{FIRST}")
    response = world.call({"Records": [shapeless, stream_record(FeedEntry(1, commit))]})
    number = "7" if isinstance(shapeless, dict) and "7" in str(shapeless) else ""
    assert response == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert world.runs.started == [f"{FIRST}-1"]


def test_a_failure_is_logged_with_error_name_stream_and_version_only(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """An error's message could quote stored data."""
    world.shop.play(s.place(order_id=FIRST), order_id=FIRST)
    (commit,) = world.shop.log.read(f"order#{FIRST}")
    record: Any = stream_record(FeedEntry(1, commit))
    record["dynamodb"]["NewImage"]["sk"] = {"N": "Ada Byron"}
    world.call({"Records": [record]})
    (line,) = caplog.records
    assert (line.getMessage(), vars(line)["error"]) == (FAILED, "NotACommit")
    assert "Ada Byron" not in json.dumps(vars(line), default=str)


# --- the publisher, under the same batches ----------------------------------------------------------------------------


class Bus(InMemoryEventBus):
    """A bus that refuses the events of some orders, and all events while it is down."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        self.down_for = 0

    def publish(self, events: Any) -> None:
        if self.down_for:
            self.down_for -= 1
            raise EventBusUnavailable("no answer")
        refused = [event for event in events if event.subject in self.refused]
        super().publish([event for event in events if event.subject not in self.refused])
        if refused:
            raise EventBusUnavailable("too large", refused)


@settings(max_examples=40, deadline=None)
@given(worlds(), st.data())
def test_every_event_of_every_other_order_is_published(world: World, data: st.DataObject) -> None:
    """At least once, even if the bus refuses the events of one order or a record is unreadable."""
    bus = Bus()

    def call(event: dict[str, Any]) -> Any:
        with serving(world.shop.engine, {}, bus):
            return publisher.handler(event, None)

    world.mapping.function = call
    orders = sorted(world.lines)
    refused, spoilt = data.draw(st.permutations([*orders, OrderId("none")]))[:2]
    bus.refused = {refused}
    bus.down_for = data.draw(st.integers(0, world.mapping.retries_max))
    world.spoil[spoilt, 1] = data.draw(st.sampled_from(SPOILS))
    world.run()
    taken = {event["id"] for event in bus.published}
    for order_id in orders:
        if order_id not in {refused, spoilt}:
            recorded = world.shop.log.load(f"order#{order_id}").recorded
            assert {event.id for event in cloud_events(order_id, recorded)} <= taken
    assert not any(refused in published for published in taken)


def test_a_restaurant_that_changed_is_published_as_a_notice_apart_from_orders():
    """The views follow it; rules of subscribers that select the events of orders do not get it."""
    opened = HandlerShop()  # with one restaurant, registered and with a menu
    bus = InMemoryEventBus()
    records = [stream_record(FeedEntry(position, commit)) for position, commit in enumerate(opened.log.scan(), start=1)]
    with serving(opened.engine, {"EVENT_BUS": "orders"}, bus):
        assert publisher.handler({"Records": records}, None) == {"batchItemFailures": []}
    notices = [(event["source"], event["id"], event["subject"], event["data"]) for event in bus.published]
    assert notices == [(RESTAURANTS, "rosa/1", "rosa", {}), (RESTAURANTS, "rosa/2", "rosa", {})]
