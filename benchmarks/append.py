"""Append and load: the event log on DynamoDB Local beside raw boto3 calls with the same bytes, in alternation.

Raw boto3 is measured with its default settings, and with the settings of the log's client, which does not validate
parameters. ``aett`` and ``eventsourcing`` append and load with their own stores, each in a process of its own, in the
same rounds. The lower bound for three events is a transaction of three items, which a log without commits would write.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import histories
from benchmarks.dynamodb_local import create_table, dynamodb_local, keep_to_local, local_client, plain_client
from benchmarks.interleaved import Block, Contender, Timing, block, interleaved
from benchmarks.options import Options, options
from benchmarks.peers.process import Peer, peer
from benchmarks.results import Beside, Row, Target, at_most, publish
from benchmarks.transport import BareDynamoDb
from domain.identifiers import OrderId
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History, NewCommit
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import fold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from workflows.aws.event_log import DynamoDbEventLog

ORDER = OrderId("ord_7w4jz2p5k3x6v8q9t2m4n6b8c2")

TARGETS = {"append 1 event": at_most(1.10), "append 3 events": at_most(0.8), "load and fold 20 events": at_most(1.15)}


@dataclass(frozen=True, slots=True)
class Setting:
    """The clients, table and codec that the contenders share."""

    client: DynamoDBClient
    plain: DynamoDBClient
    table: str
    log: DynamoDbEventLog
    codec: Codec
    bare: BareDynamoDb


def main() -> None:
    chosen = options(__doc__)
    keep_to_local()
    with ExitStack() as running:
        port = running.enter_context(dynamodb_local())
        stores = {
            "aett": running.enter_context(peer("event_stores", "aett", port)),
            "eventsourcing on SQLite": running.enter_context(peer("event_stores", "eventsourcing-sqlite", port)),
            "eventsourcing on DynamoDB": running.enter_context(
                peer("event_stores", "eventsourcing-dynamodb", port, venv=".venv-dynamodb")
            ),
        }
        rows = _rows(_setting(port), stores, chosen)
    publish("append", rows, quick=chosen.quick, as_json=chosen.json)


def _setting(port: int) -> Setting:
    from workflows.aws.event_log import DynamoDbEventLog

    client = local_client(port)
    codec = Codec(InMemoryKeyRing(), EVENT_TYPES)
    table = create_table(client)
    return Setting(
        client,
        plain_client(port),
        table,
        DynamoDbEventLog(client, table, codec, SystemClock()),
        codec,
        BareDynamoDb(port),
    )


def _rows(setting: Setting, stores: dict[str, Peer], chosen: Options) -> list[Row]:
    rounds, calls = chosen.size(15, 4), chosen.size(100, 40)
    rows = []
    for events in (1, 3):
        contenders: dict[str, Contender] = {
            "ours": _calls(_append(setting, events)),
            "floor": _calls(_writing(setting.plain, setting, events)),
            "tuned": _calls(_writing(setting.client, setting, events)),
        }
        if events == 1:
            contenders["bare"] = _calls(_put_bare(setting))
        contenders |= {name: _peer_calls(store, "append", events) for name, store in stores.items()}
        floor = "raw put_item" if events == 1 else "raw transaction of 3 items"
        what = "append 1 event" if events == 1 else f"append {events} events"
        rows += _compared(what, floor, interleaved(contenders, rounds=rounds, calls=calls))
    for events in (20, 100):
        stream = _stored(setting, events)
        contenders = {
            "ours": _calls(_load(setting, stream)),
            "floor": _calls(_query(setting.plain, setting.table, stream)),
            "tuned": _calls(_query(setting.client, setting.table, stream)),
        }
        contenders |= {name: _peer_calls(store, "load", events) for name, store in stores.items()}
        timings = interleaved(contenders, rounds=rounds, calls=calls // 2)
        rows += _compared(f"load and fold {events} events", "raw query", timings)
    return rows


def _compared(what: str, floor: str, timings: dict[str, Timing]) -> list[Row]:
    raw = timings["floor"]

    def row(name: str, timing: Timing, target: Target | None = None) -> Row:
        return Row(
            name=name,
            value=timing.wall_us / 1000,
            unit="ms",
            floor=Beside(floor, raw.wall_us / 1000),
            ratio=timing.wall_ratio(raw),
            target=target,
            detail={"cpu_ms": round(timing.cpu_us / 1000, 3), "cpu_ratio": round(timing.cpu_ratio(raw), 2)},
        )

    ours = row(what, timings["ours"], TARGETS.get(what))
    cpu = Row(
        name=f"{what}: CPU of the client",
        value=timings["ours"].cpu_us / 1000,
        unit="ms",
        floor=Beside(floor, raw.cpu_us / 1000),
        ratio=timings["ours"].cpu_ratio(raw),
    )
    tuned = timings["tuned"]
    same = Row(
        name=f"{what}, beside the same with our client's settings",
        value=ours.value,
        unit="ms",
        floor=Beside(floor, tuned.wall_us / 1000),
        ratio=timings["ours"].wall_ratio(tuned),
        detail={"cpu_ratio": round(timings["ours"].cpu_ratio(tuned), 2)},
    )
    others = [row(f"{what}: {name}", timing) for name, timing in timings.items() if name not in _NOT_PEERS]
    return [ours, cpu, same, *others, *([_bare(raw, timings["bare"])] if "bare" in timings else [])]


_NOT_PEERS = {"ours", "floor", "tuned", "bare"}


def _bare(raw: Timing, bare: Timing) -> Row:
    return Row(
        name="a put without boto3 (signed by hand, sent by urllib3): CPU of the client",
        value=bare.cpu_us / 1000,
        unit="ms",
        floor=Beside("raw put_item", raw.cpu_us / 1000),
        ratio=bare.cpu_ratio(raw),
        detail={"wall_ms": round(bare.wall_us / 1000, 3), "wall_ratio": round(bare.wall_ratio(raw), 2)},
    )


# --- contenders -------------------------------------------------------------------------------------------------------


def _calls(prepare: Callable[[], Callable[[], object]]) -> Contender:
    return lambda count: block(prepare, count)


def _peer_calls(store: Peer, what: str, events: int) -> Contender:
    return lambda count: Block(**store.ask(do=what, events=events, count=count))


def _append(setting: Setting, events: int) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        history, new = History(stream=_fresh()), _new(events)
        return lambda: setting.log.append(history, new)

    return prepare


def _writing(client: DynamoDBClient, setting: Setting, events: int) -> Callable[[], Callable[[], object]]:
    return _put(client, setting) if events == 1 else _put_in_transaction(client, setting, events)


def _put(client: DynamoDBClient, setting: Setting) -> Callable[[], Callable[[], object]]:
    """Put an encoded item, without a condition."""

    def prepare() -> Callable[[], object]:
        item = _item(_fresh(), 1, setting.codec, _new(1))
        return lambda: client.put_item(TableName=setting.table, Item=item)

    return prepare


def _put_bare(setting: Setting) -> Callable[[], Callable[[], object]]:
    """Put the same item without boto3."""

    def prepare() -> Callable[[], object]:
        item = _item(_fresh(), 1, setting.codec, _new(1))
        return lambda: setting.bare.put_item(setting.table, item)

    return prepare


def _put_in_transaction(client: DynamoDBClient, setting: Setting, events: int) -> Callable[[], Callable[[], object]]:
    """Put each event as one item, all in one transaction, with the attributes of a commit."""

    def prepare() -> Callable[[], object]:
        stream, new = _fresh(), _new(events)
        items = [_item(stream, sk, setting.codec, one) for sk, one in enumerate(_apart(new), start=1)]
        puts = [{"Put": {"TableName": setting.table, "Item": item}} for item in items]
        return lambda: client.transact_write_items(TransactItems=puts)  # type: ignore[arg-type]  # plain dicts of the right shape

    return prepare


def _load(setting: Setting, stream: str) -> Callable[[], Callable[[], object]]:
    return lambda: lambda: fold(ORDER, setting.log.load(stream).events)


def _query(client: DynamoDBClient, table: str, stream: str) -> Callable[[], Callable[[], object]]:
    def query() -> object:
        return client.query(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": stream}},
        )

    return lambda: query


# --- the data ---------------------------------------------------------------------------------------------------------


def _fresh() -> str:
    return f"order#{uuid.uuid4()}"


def _new(events: int) -> NewCommit:
    """The first events of an order after its payment; none of them has personal fields."""
    story = histories.of_events(ORDER, 20)[1:]
    flat = tuple(event for commitment in story for event in commitment.events)[:events]
    return histories.new_commit(ORDER, histories.Commitment("payments/RecordFact/2", flat))


def _apart(new: NewCommit) -> list[NewCommit]:
    return [histories.new_commit(ORDER, histories.Commitment(new.key, (event,))) for event in new.events]


def _item(stream: str, sk: int, codec: Codec, new: NewCommit) -> dict[str, dict[str, str | bytes]]:
    return {
        "pk": {"S": stream},
        "sk": {"N": str(sk)},
        "k": {"S": new.key},
        "ts": {"S": "2026-05-04T12:00:00.000000Z"},
        "h": {"B": bytes(32)},
        "ev": {"S": codec.encode(stream, new)},
    }


def _stored(setting: Setting, events: int) -> str:
    """Store a whole order of this many events and return its stream."""
    order_id = OrderId(f"{ORDER}{events}")
    commits: list[Commit] = list(histories.sealed(setting.codec, order_id, histories.of_events(order_id, events)))
    from workflows.aws.event_log import _item as item_of

    for commit in commits:
        setting.client.put_item(TableName=setting.table, Item=item_of(commit))
    return f"order#{order_id}"


if __name__ == "__main__":
    main()
