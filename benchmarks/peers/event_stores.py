"""Append and load with other event stores: ``python -m benchmarks.peers.event_stores STORE DYNAMODB_PORT``.

Events have fields like those of an order: an id, an amount, a time. aett writes a commit as one item;
eventsourcing writes each event as one. Loading goes through each library's own repository and folds an aggregate.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.answering import answer_all, timed

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
COMMIT_EVENTS = 1.5
"""Events in a commit of the stream that is loaded, as in ours."""

Store = tuple[Callable[[int], Callable[[], object]], Callable[[int], Callable[[], object]]]
"""How to prepare an append of so many events, and a load."""


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    append, load = {"aett": _aett, "eventsourcing-sqlite": _sqlite, "eventsourcing-dynamodb": _dynamodb}[name](port)
    answer_all(
        {
            "append": lambda events, count: timed([append(events) for _ in range(count)]),
            "load": lambda events, count: timed([load(events)] * count),
        }
    )


def _aett(port: int) -> Store:
    from aett.domain import Aggregate, DefaultAggregateRepository
    from aett.eventstore import DomainEvent, IAccessSnapshots, Memento, Topic, TopicMap
    from aett.storage.synchronous.dynamodb.commit_store import CommitStore
    from aett.storage.synchronous.dynamodb.persistence_management import PersistenceManagement
    from multipledispatch import dispatch

    @Topic("Authorized")
    class Authorized(DomainEvent):
        answers: int
        authorization_id: str
        amount: int
        currency: str

    class OrderMemento(Memento):
        pass

    class Order(Aggregate[OrderMemento]):
        def __init__(self, stream_id: str, commit_sequence: int, memento: OrderMemento | None = None) -> None:
            super().__init__(stream_id, commit_sequence, memento)
            self.held = 0
            self.answers: dict[int, str] = {}

        def apply_memento(self, memento: OrderMemento) -> None:
            pass

        def get_memento(self) -> OrderMemento:
            raise NotImplementedError

        def record(self, number: int) -> None:
            self.raise_event(
                Authorized(
                    source=self.id,
                    timestamp=AT,
                    version=self.version + 1,
                    correlation_id=self.id,
                    answers=number,
                    authorization_id="auth_51HqZ8",
                    amount=2800,
                    currency="EUR",
                )
            )

        @dispatch(Authorized)
        def _apply(self, event: Authorized) -> None:
            self.held = event.amount
            self.answers[event.answers] = event.authorization_id

    class NoSnapshots(IAccessSnapshots):
        """A snapshot store without snapshots, because the event log has none either."""

        def get(self, *_: Any, **__: Any) -> None:
            return None

        def add(self, *_: Any, **__: Any) -> None:
            raise NotImplementedError

    topics = TopicMap()
    topics.register(Authorized)
    PersistenceManagement(region="localhost", port=port).initialize()
    repository = DefaultAggregateRepository("tenant", CommitStore(topics, region="localhost", port=port), NoSnapshots())

    def append(events: int) -> Callable[[], object]:
        order = Order(str(uuid.uuid4()), 0)
        for number in range(events):
            order.record(number)
        return lambda: repository.save(order)

    def stored(events: int) -> str:
        stream = str(uuid.uuid4())
        commits = round(events / COMMIT_EVENTS)
        for commit in range(commits):
            order = repository.get(Order, stream)
            for number in range(events * commit // commits, events * (commit + 1) // commits):
                order.record(number)
            repository.save(order)
        order = repository.get(Order, stream)
        assert len(order.answers) == events, (order.answers, events)
        return stream

    return append, _loading(stored, lambda stream: repository.get(Order, stream))


def _sqlite(_port: int) -> Store:
    file = Path(tempfile.mkdtemp(prefix="benchmark-")) / "events.sqlite"
    return _eventsourcing({"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(file)})


def _dynamodb(port: int) -> Store:
    import boto3

    endpoint, table = f"http://127.0.0.1:{port}", f"eventsourcing-{uuid.uuid4()}"
    boto3.client("dynamodb", endpoint_url=endpoint).create_table(
        TableName=table,
        KeySchema=[
            {"AttributeName": "originator_id", "KeyType": "HASH"},
            {"AttributeName": "originator_version", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "originator_id", "AttributeType": "S"},
            {"AttributeName": "originator_version", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return _eventsourcing(
        {
            "PERSISTENCE_MODULE": "eventsourcing_dynamodb",
            "DYNAMO_TABLE": table,
            "DYNAMO_ENDPOINT_URL": endpoint,
        }
    )


def _eventsourcing(environment: dict[str, str]) -> Store:
    from benchmarks.peers.eventsourcing_order import Order, Orders

    orders = Orders(env=environment)

    def append(events: int) -> Callable[[], object]:
        order = Order()
        for number in range(events - 1):  # Order() is an event
            order.record(number, "auth_51HqZ8", 2800, "EUR", AT)
        return lambda: orders.save(order)

    def stored(events: int) -> Any:
        order = Order()
        orders.save(order)
        for number in range(events - 1):
            order.record(number, "auth_51HqZ8", 2800, "EUR", AT)
            orders.save(order)
        return order.id

    return append, _loading(stored, orders.repository.get)


def _loading(stored: Callable[[int], Any], load: Callable[[Any], object]) -> Callable[[int], Callable[[], object]]:
    streams: dict[int, Any] = {}

    def prepare(events: int) -> Callable[[], object]:
        if events not in streams:
            streams[events] = stored(events)
        return lambda: load(streams[events])

    return prepare


if __name__ == "__main__":
    main()
