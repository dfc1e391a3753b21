"""Delivers commits to the function ``Feed``: stands for Amazon DynamoDB Streams and its event source mapping in Lambda.

Every commit is delivered at least once and, within its stream, in order. Streams do not wait for each other: many are
delivered at once, and a stream whose record fails is retried with growing delays while the others continue. The
checkpoint holds the position up to which the log was read, and which commits before it are unfinished. It is never
ahead of what was processed, so a crash delivers some commits again.
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import apsw

from workflows.asl.signals import JSON
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import FunctionFailed, Functions
from workflows.event_store.change_feed import Feed, FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.streams import order_id_in
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database, DatabaseUnavailable

log = logging.getLogger(__name__)

BATCH_MAX = 100
"""Commits of one stream in one call: the default of a stream mapping."""

UNFINISHED_MAX = 1024
"""Commits that are read and not yet processed, at most. Bounds memory and the checkpoint's size."""

CHECKPOINT_EVERY_S = 1.0
"""A restart delivers again at most what was processed in this time."""

RETRY_FIRST_S, RETRY_LAST_S = 0.2, 30.0
"""A failing record is retried after 0.2 s, then after twice the last delay, up to 30 s."""

BACKLOG_MAX, LOOK_AGAIN_S = 64, 0.05
"""While so many calls wait for a thread the feed makes no new calls; it checks again after 50 ms."""

CHECKPOINTS_TABLE = """
CREATE TABLE IF NOT EXISTS feed_checkpoints (
    function TEXT NOT NULL PRIMARY KEY, read_to INTEGER NOT NULL, unfinished TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class FeedProgress:
    """How far the feed has come.

    ``read_to`` is the position of the last commit that was read, ``unfinished`` how many of those were not processed
    yet, ``lag_s`` the age of the oldest of them, and ``orders`` how many orders were placed in what this process read.
    """

    read_to: int
    unfinished: int
    lag_s: float
    orders: int


@dataclass(slots=True, eq=False)
class _Stream:
    """Commits of one stream that are not processed, in order. ``busy`` while a call or a retry is pending."""

    changes: deque[FeedEntry] = field(default_factory=deque)
    busy: bool = False
    attempts: int = 0


class EventSourceMapping:
    """Follows a log from its checkpoint on, on the hub, until ``close``."""

    def __init__(
        self,
        feed: Feed,
        database: Database,
        functions: Functions,
        *,
        function: str,
        clock: Clock,
        hub: Hub,
        alarms: Alarms,
        calls_max: int = 16,
        on_break: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """Prepare the feed; ``begin`` starts it.

        Args:
            calls_max: Calls of ``function`` at once, fewer than there are threads, because others need threads too.
            on_break: Called with the error when the log cannot be read any more.
        """
        self._feed = feed
        self._database = database
        self._functions = functions
        self._function = function
        self._clock = clock
        self._hub = hub
        self._alarms = alarms
        self._calls_max = calls_max
        self._on_break = on_break
        self._notified = True
        self._looking = False
        self._closed = False
        self._streams: dict[str, _Stream] = {}
        self._ready: deque[str] = deque()  # streams that have commits and are not busy
        self._calls = 0
        self._read_to = 0
        self._unfinished: set[int] = set()
        self._orders = 0
        self._dirty = False
        self._written_s = 0.0
        self._waiting_to_write = False
        self._idle: Deferred[None] | None = None

    def begin(self) -> None:
        """Continue from the checkpoint."""
        self._load_checkpoint()
        self._feed.on_commit(lambda entry: self._hub.call(lambda: self._arrived(entry)))
        self._hub.soon(self._notify)

    def close(self) -> None:
        """Make no new calls, wait for those under way, and write the checkpoint. Idempotent."""
        if self._closed:
            return
        self._closed = True
        idle: Deferred[None] = Deferred()
        self._hub.soon(lambda: self._tell_when_idle(idle))
        with suppress(TimeoutError):
            idle.result(RETRY_LAST_S)
        self._hub.ask(self._write_checkpoint)

    def progress(self) -> FeedProgress:
        """Return how far the feed has come. From any thread."""
        return self._hub.ask(self._progress)

    def _progress(self) -> FeedProgress:
        oldest = min((stream.changes[0].commit.ts for stream in self._streams.values()), default=None)
        lag_s = 0.0
        if oldest is not None:
            lag_s = max(0.0, (self._clock.now() - datetime.fromisoformat(oldest)).total_seconds())
        return FeedProgress(self._read_to, len(self._unfinished), lag_s, self._orders)

    # --- on the hub: read, call, remember -----------------------------------------------------------------------

    def _arrived(self, entry: FeedEntry) -> None:
        """Take the commit that follows what was read. Behind a gap, or without room, the log is read."""
        if not self._notified and self._has_room and entry.position == self._read_to + 1:
            self._take(entry)
            self._look_soon()
        else:
            self._notify()

    def _notify(self) -> None:
        self._notified = True
        self._look_soon()

    def _look_soon(self) -> None:
        if not self._looking and not self._closed:
            self._looking = True
            self._hub.soon(self._look)

    def _look(self) -> None:
        self._looking = False
        if self._closed:
            return
        try:
            self._read()
            self._call_ready()
            if self._dirty and time.monotonic() - self._written_s >= CHECKPOINT_EVERY_S:
                self._write_checkpoint()
        except BaseException as error:
            log.critical("the feed stops: %s", error, exc_info=error)
            self._closed = True
            self._on_break(error)
            return
        if self._ready and self._calls < self._calls_max:
            self._hub.after(LOOK_AGAIN_S, self._look_soon)  # calls of running executions go first
        elif self._dirty and not self._waiting_to_write:
            self._waiting_to_write = True
            self._hub.after(CHECKPOINT_EVERY_S, self._look_to_write)

    def _look_to_write(self) -> None:
        self._waiting_to_write = False
        self._look_soon()

    def _tell_when_idle(self, idle: Deferred[None]) -> None:
        if self._calls:
            self._idle = idle
        else:
            idle.set_result(None)

    @property
    def _has_room(self) -> bool:
        return len(self._unfinished) < UNFINISHED_MAX

    def _may_call(self) -> bool:
        """Whether a call may be made.

        Calls of running executions that wait for a thread go first, or work would pile up.
        """
        free = self._calls < self._calls_max and self._functions.waiting < BACKLOG_MAX
        return free and bool(self._ready)

    def _read(self) -> None:
        if not (self._notified and self._has_room):
            return
        self._notified = False
        room = UNFINISHED_MAX - len(self._unfinished)
        changes = self._feed.changes(self._read_to, room)
        for change in changes:
            self._take(change)
        self._notified = self._notified or len(changes) == room

    def _take(self, change: FeedEntry) -> None:
        stream = self._streams.setdefault(change.commit.pk, _Stream())
        stream.changes.append(change)
        self._unfinished.add(change.position)
        self._read_to = max(self._read_to, change.position)
        self._orders += change.commit.sk == 1 and order_id_in(change.commit.pk) is not None
        self._dirty = True
        if not stream.busy and len(stream.changes) == 1:
            self._ready.append(change.commit.pk)

    def _call_ready(self) -> None:
        while self._may_call():
            name = self._ready.popleft()
            stream = self._streams[name]
            stream.busy = True
            self._calls += 1
            batch = list(stream.changes)[:BATCH_MAX]
            event: JSON = {"Records": [stream_record(change) for change in batch]}
            called = self._functions.invoke(self._function, event)
            called.add_done_callback(lambda done, name=name, batch=batch: self._call_ended(name, batch, done))  # type: ignore[misc]  # bound now

    # --- the result of a call -----------------------------------------------------------------------------------

    def _call_ended(self, name: str, batch: list[FeedEntry], done: Deferred[JSON]) -> None:
        self._hub.soon(lambda: self._called(name, batch, done))

    def _called(self, name: str, batch: list[FeedEntry], done: Deferred[JSON]) -> None:
        processed = 0 if done.cancelled() else _processed(batch, done)
        self._calls -= 1
        stream = self._streams[name]
        for _ in range(processed):
            self._unfinished.discard(stream.changes.popleft().position)
        self._dirty = self._dirty or processed > 0
        stream.attempts = 0 if processed else stream.attempts + 1
        if processed < len(batch) and not done.cancelled():
            self._try_later(name, stream)
        else:
            self._release(name)
        if self._idle is not None and not self._calls:
            self._idle.set_result(None)
        self._look_soon()

    def _try_later(self, name: str, stream: _Stream) -> None:
        delay_s = min(RETRY_LAST_S, RETRY_FIRST_S * 2 ** min(stream.attempts, 10))
        log.warning("a commit was not processed and will be retried", extra={"stream": name, "again_in_s": delay_s})

        def again() -> None:
            self._release(name)
            self._look_soon()

        self._alarms.set(self._clock.now() + timedelta(seconds=delay_s), again)

    def _release(self, name: str) -> None:
        stream = self._streams[name]
        stream.busy = False
        if stream.changes:
            self._ready.append(name)
        else:
            del self._streams[name]

    # --- the checkpoint --------------------------------------------------------------------------------------

    def _load_checkpoint(self) -> None:
        self._database.write(lambda connection: connection.execute(CHECKPOINTS_TABLE).close())
        sql = "SELECT read_to, unfinished FROM feed_checkpoints WHERE function = ?"
        row = self._database.read(lambda connection: connection.execute(sql, (self._function,)).fetchone())
        if row is None:
            return
        self._read_to = row[0]
        for position in json.loads(row[1]):
            for change in self._feed.changes(position - 1, 1):
                self._take(change)

    def _write_checkpoint(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        values = (self._function, self._read_to, json.dumps(sorted(self._unfinished)))
        self._written_s = time.monotonic()

        def work(connection: apsw.Connection) -> None:
            connection.execute("REPLACE INTO feed_checkpoints VALUES (?, ?, ?)", values)

        try:
            self._database.submit(work)  # with the next transaction; if it is lost, some commits are delivered again
        except DatabaseUnavailable as error:
            log.warning("the feed's checkpoint was not written: %s", error)


def _processed(batch: list[FeedEntry], done: Deferred[JSON]) -> int:
    """Return how many commits from the beginning of a batch are processed, by ReportBatchItemFailures' rules."""
    failure = done.exception()
    if failure is not None:
        trace = failure.trace if isinstance(failure, FunctionFailed) else []
        log.error("the feed's function failed: %s", failure, extra={"stream": batch[0].commit.pk, "trace": trace})
        return 0
    result = done.result()
    failed = result.get("batchItemFailures") if isinstance(result, Mapping) else None
    if not failed:
        return len(batch)
    numbers: list[object] = [_sequence_number(change.position) for change in batch]
    named = [item.get("itemIdentifier") if isinstance(item, Mapping) else None for item in _list(failed)]
    return min((numbers.index(name) if name in numbers else 0) for name in named)


def _list(failed: object) -> list[object]:
    return failed if isinstance(failed, list) else [failed]  # a malformed value fails the whole batch, as on AWS


def stream_record(change: FeedEntry) -> JSON:
    """Return a commit as the record that DynamoDB Streams makes of its insertion."""
    commit = change.commit
    keys: dict[str, JSON] = {"pk": {"S": commit.pk}, "sk": {"N": str(commit.sk)}}
    return {
        "eventID": f"{change.position:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": arns.REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": int(datetime.fromisoformat(commit.ts).timestamp()),
            "Keys": keys,
            "NewImage": {**keys, **_rest_of_image(commit)},
            "SequenceNumber": _sequence_number(change.position),
            "SizeBytes": len(commit.ev),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": f"arn:aws:dynamodb:{arns.REGION}:{arns.ACCOUNT}:table/events/stream/embedded",
    }


def _rest_of_image(commit: Commit) -> dict[str, JSON]:
    h = base64.b64encode(commit.h).decode()
    return {"k": {"S": commit.k}, "ts": {"S": commit.ts}, "h": {"B": h}, "ev": {"S": commit.ev}}


def _sequence_number(position: int) -> str:
    """Return a position with 21 digits, like DynamoDB's numbers, so that they sort as text."""
    return f"{position:021d}"
