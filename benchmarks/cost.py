"""The cost of a million orders on AWS: counts of real runs, priced. Every assumption is in ``benchmarks/prices.py``.

The orders are a happy one with all five waits for people, the same with half an hour of waiting, one with a declined
card, and one that is cancelled while the meal is cooked and a courier is assigned. Published events go through the
queue of the webhooks; what an endpoint costs has a row of its own. Reads and writes are counted by
DynamoDB's billing rule from the sizes of items. To check the rule, the items of a run are also put into DynamoDB Local
with ReturnConsumedCapacity.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from math import ceil
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from benchmarks.counting import STORIES, Access, Counts, Story, counting
from benchmarks.fixed_costs import ROLES_IN_TOKENS, functions_with, monthly
from benchmarks.options import Options, options
from benchmarks.prices import (
    ARCHIVE_GB,
    ASSUMED,
    BUCKET_GB_MONTH,
    BUS_EVENT,
    EGRESS_GB,
    HTTP_REQUEST,
    KMS_REQUEST,
    LAMBDA_GB_S,
    LAMBDA_REQUEST,
    LOG_GB,
    MILLION,
    READ_UNIT,
    READ_UNIT_BYTES,
    RECOVERY_GB_MONTH,
    SNS_PUBLISH,
    SQS_REQUEST,
    STATE_ENTRY,
    TABLE_GB_MONTH,
    TRACE,
    USER_MONTH,
    WRITE_UNIT,
    WRITE_UNIT_BYTES,
    Assumptions,
)
from benchmarks.results import Beside, Row, at_most, publish
from benchmarks.webhook_costs import with_webhooks

if TYPE_CHECKING:
    from workflows.event_store.commits import Commit

PUBLISHED = {
    "naive Standard machine of 22 states": 560.0,
    "one Lambda a step, 8 states": 207.0,
    "Standard parent with three Express children and four waits": 185.0,
}
"""Published samples at list prices, with little or no cost beside orchestration."""

QUEUES = 2
"""Queues of published events: that of backend services, and that of the webhooks."""

WAIT_S = 1800.0


def main() -> None:
    chosen = options(__doc__)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, counting(Path(folder)) as count:
        counts = {story: _typical([count(story) for _ in range(chosen.size(5, 2))]) for story in STORIES}
    endpoint = _an_endpoint(counts["happy"], ASSUMED)
    counts = {story: _with_endpoints(counted, 0) for story, counted in counts.items()}
    for story, counted in counts.items():
        rows += _priced(story, counted, ASSUMED)
    rows += [*_waiting(counts["happy"], ASSUMED), endpoint, *_checked(counts["happy"], chosen)]
    publish("cost", rows, quick=chosen.quick, as_json=chosen.json)


def _with_endpoints(counts: Counts, number: int) -> Counts:
    return with_webhooks(counts, published_events(counts.commits), number)


def _typical(runs: list[Counts]) -> Counts:
    """Choose the run with the median number of calls: runs differ in which of two processes ends a wait first."""
    calls = median_low(len(run.accesses) for run in runs)
    return next(run for run in runs if len(run.accesses) == calls)


# --- the bill ---------------------------------------------------------------------------------------------------------


def bill(counts: Counts, assumed: Assumptions) -> dict[str, float]:
    """Price one order, in dollars by service."""
    units = table_units(counts.accesses)
    events = published_events(counts.commits)
    invocations = with_publisher(counts)
    lambda_s = {name: duration_s(name, counts, assumed) for name in invocations}
    keys, key_units, key_writes = key_calls(counts, assumed)
    requests = sum(count for name, count in counts.invocations.items() if name.endswith("Api"))
    logged = invocations.total() * assumed.log_bytes_per_invocation + requests * assumed.log_bytes_per_request
    traces = requests + counts.machine_calls["start"]  # the functions on the stream begin none: template.yaml
    payload = sum(len(event) for event in events)
    called = sum(counts.outside.values()) * assumed.request_bytes
    return {
        "Step Functions": counts.states.total() * STATE_ENTRY,
        "Lambda requests": invocations.total() * LAMBDA_REQUEST,
        "Lambda duration": sum(lambda_s.values()) * assumed.lambda_gb * LAMBDA_GB_S,
        "DynamoDB writes": (units["write"] + key_writes) * WRITE_UNIT,
        "DynamoDB reads": (units["read"] + key_units) * READ_UNIT,
        "DynamoDB stream, read by Lambda": 0.0,
        "EventBridge": len(events) * BUS_EVENT + payload / 1e9 * ARCHIVE_GB,
        "SNS and SQS": len(events) * (SNS_PUBLISH + QUEUES * SQS_REQUEST * 2 / assumed.messages_per_receive),
        "API Gateway": requests * HTTP_REQUEST,
        "data transfer, of answers and of calls of providers": (counts.answered_bytes + called) / 1e9 * EGRESS_GB,
        "KMS": keys * KMS_REQUEST,
        "CloudWatch Logs": logged / 1e9 * LOG_GB,
        "X-Ray": traces * assumed.traced * TRACE,
        **(_sign_ins(assumed) if counts.invocations["PreparationApi"] else dict.fromkeys(_sign_ins(assumed), 0.0)),
    }


def _sign_ins(assumed: Assumptions) -> dict[str, float]:
    """Price an order's share of the restaurants and couriers of its month.

    They are users of the pool, which calls the function TokenRoles for each token, also for a refreshed one. It looks
    up no users of these roles.
    """
    users = 1 / assumed.restaurant_orders + 1 / assumed.courier_orders
    tokens = assumed.restaurant_tokens / assumed.restaurant_orders + assumed.courier_tokens / assumed.courier_orders
    token_s = (assumed.call_cpu_s + assumed.cold_share * assumed.cold_s) / assumed.lambda_share
    return {
        "Cognito, for restaurants and couriers": users * USER_MONTH[assumed.tier],
        ROLES_IN_TOKENS: tokens * (LAMBDA_REQUEST + token_s * assumed.lambda_gb * LAMBDA_GB_S),
    }


def with_publisher(counts: Counts) -> Counter[str]:
    """Count invocations on AWS, where the stream invokes the publisher beside the feed; the embedded engine runs only
    the feed.
    """
    commits = len(counts.commits)
    feed = ceil(commits / ASSUMED.records_per_batch)
    return counts.invocations | Counter({"Publisher": feed, "Feed": feed})


def duration_s(function: str, counts: Counts, assumed: Assumptions) -> float:
    """Estimate the billed seconds of a function in one order: CPU time on a share of a vCPU, and time spent waiting."""
    tables = sum(access.function == function for access in counts.accesses)
    machines = (
        counts.machine_calls.total() if function == "Feed" else 0
    )  # SagaStep makes some of these calls, at the same cost
    provider = counts.outside.total() if function == "SagaStep" else 0
    keys = _keyed_calls(function, counts) * 2
    invoked = with_publisher(counts)[function]
    bus = invoked if function == "Publisher" else 0
    cpu = counts.cpu_s[function] + assumed.call_cpu_s * (tables + machines + provider + keys + bus)
    cpu += invoked * assumed.cold_share * assumed.cold_s
    waits = tables * assumed.dynamodb_s + machines * assumed.machines_s + provider * assumed.provider_s
    return cpu / assumed.lambda_share + waits + keys * assumed.kms_s + bus * assumed.bus_s


def table_units(accesses: list[Access]) -> Counter[str]:
    """Count units by DynamoDB's rule: a write in KB of its item, a consistent read in steps of 4 KB of all items."""
    units: Counter[str] = Counter(read=0, write=0)
    for access in accesses:
        step = WRITE_UNIT_BYTES if access.kind == "write" else READ_UNIT_BYTES
        units[access.kind] += max(1, ceil(access.size / step))
    return units


def key_calls(counts: Counts, assumed: Assumptions) -> tuple[float, float, float]:
    """Count KMS requests, read units and write units for customers' keys.

    The key of a new customer is created once, then read and decrypted. On AWS, functions without access to keys make no
    such calls.
    """
    calls = sum(_keyed_calls(name, counts) for name in counts.invocations) * (1 - assumed.key_in_cache)
    places = counts.personal["OrdersApi current"]
    return calls, calls + places, 2.0 * min(1, places)


def _keyed_calls(function: str, counts: Counts) -> int:
    """Count the invocations that need a key: one customer's key each, for any number of fields.

    On one machine histories are kept, and read without the key again; on AWS each invocation reads the order anew. The
    steps unseal the payment method, to authorize it. A report that is answered without the order needs no key.
    """
    if function == "SagaStep":
        return counts.outside["authorize"]
    return counts.shown[function] if function in functions_with("KEYS_TABLE") else 0


def published_events(commits: list[Commit]) -> list[str]:
    """Encode the CloudEvents of an order as JSON."""
    import msgspec

    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.keyring import NoKeys
    from workflows.publishing.cloud_events import cloud_events

    codec = Codec(NoKeys(), EVENT_TYPES)
    recorded = [event for commit in commits for event in codec.decode(commit)]
    order_id = commits[0].pk.removeprefix("order#")
    return [msgspec.json.encode(event.as_json()).decode() for event in cloud_events(order_id, recorded)]


# --- rows -------------------------------------------------------------------------------------------------------------


def _priced(story: Story, counts: Counts, assumed: Assumptions) -> list[Row]:
    dollars = bill(counts, assumed)
    happy = story == "happy"
    units = table_units(counts.accesses)
    rows = [
        Row(
            name=f"a million {story} orders",
            value=sum(dollars.values()) * MILLION,
            unit="$",
            target=at_most(340, of="value") if happy else None,
            detail={
                "dollars": {service: round(price * MILLION, 2) for service, price in dollars.items()},
                "counts": counts.summary(),
                "units": dict(units),
                "lambda_s": {n: round(duration_s(n, counts, assumed), 3) for n in with_publisher(counts)},
                "published": len(published_events(counts.commits)),
            },
        ),
        Row(
            name=f"state entries of a {story} order",
            value=counts.states.total(),
            unit="entries",
            target=at_most(10, of="value") if happy else None,
        ),
    ]
    if happy:
        rows += [
            Row(
                name=f"a million {story} orders, orchestration alone",
                value=dollars["Step Functions"] * MILLION,
                unit="$",
                peer=Beside(name, price),
            )
            for name, price in PUBLISHED.items()
        ]
    return rows


def _an_endpoint(counts: Counts, assumed: Assumptions) -> Row:
    """Price an endpoint that takes all events of happy orders: its deliveries, requests and the wait for answers."""
    events = published_events(counts.commits)
    without, delivered = (sum(bill(_with_endpoints(counts, number), assumed).values()) for number in (0, 1))
    waiting = len(events) * assumed.provider_s * assumed.lambda_gb * LAMBDA_GB_S
    sent = sum(len(event) + assumed.request_bytes for event in events) / 1e9 * EGRESS_GB
    units = table_units(_with_endpoints(counts, 1).accesses) - table_units(counts.accesses)
    return Row(
        name="a million happy orders, each webhook endpoint that takes all their events",
        value=(delivered - without + waiting + sent) * MILLION,
        unit="$",
        detail={"events": len(events), "units": dict(units), "waiting": round(waiting * MILLION, 2)},
    )


def _waiting(counts: Counts, assumed: Assumptions) -> list[Row]:
    """Price waiting: a task token costs nothing, but the watchdog reads the view of open orders every minute."""
    from benchmarks.counting import document_size
    from workflows.event_store.documents import Document

    row = document_size(Document("open-orders#0", "x" * 30, {"row": "x" * 420}))
    looks = WAIT_S / assumed.watched_every_s
    watched = looks * row / READ_UNIT_BYTES * READ_UNIT  # a page of 100 rows is billed as one read
    return [
        Row(
            name="a million happy orders with half an hour of waiting",
            value=(sum(bill(counts, assumed).values()) + watched) * MILLION,
            unit="$",
            detail={"watchdog reads": round(watched * MILLION, 2)},
        ),
        Row(
            name="a month's fixed costs",
            value=sum(monthly().values()),
            unit="$",
            detail={"lines": {line: round(price, 2) for line, price in monthly().items()}},
        ),
        _kept(counts),
        *(
            Row(
                name=f"a million orders whose customers sign in to the pool, by {tier}",
                value=price / assumed.customer_orders * MILLION,
                unit="$",
            )
            for tier, price in USER_MONTH.items()
        ),
    ]


def _kept(counts: Counts) -> Row:
    """Price what a million orders leave: their commits, with recovery, and their events in the bus's archive."""
    from workflows.event_store.event_log import item_size

    commits_gb, events_gb = (
        sum(sizes) / 1e9 * MILLION
        for sizes in (map(item_size, counts.commits), map(len, published_events(counts.commits)))
    )
    lines = {
        "table": commits_gb * (TABLE_GB_MONTH + RECOVERY_GB_MONTH),
        "archive of the bus": events_gb * BUCKET_GB_MONTH,
    }
    return Row(
        name="a month of keeping a million happy orders",
        value=sum(lines.values()),
        unit="$",
        detail={"lines": {line: round(price, 2) for line, price in lines.items()}, "gb": round(commits_gb, 2)},
    )


def _checked(counts: Counts, chosen: Options) -> list[Row]:
    """Compare the billing rule with DynamoDB Local's count, for writing the commits of an order and loading them."""
    from benchmarks.dynamodb_local import create_table, dynamodb_local, keep_to_local, local_client
    from workflows.aws.event_log import _item
    from workflows.event_store.event_log import item_size

    keep_to_local()
    with dynamodb_local() as port:
        client = local_client(port)
        table = create_table(client)
        written = 0.0
        for commit in counts.commits:
            put = client.put_item(TableName=table, Item=_item(commit), ReturnConsumedCapacity="TOTAL")
            written += put["ConsumedCapacity"]["CapacityUnits"]
        query = client.query(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": counts.commits[0].pk}},
            ReturnConsumedCapacity="TOTAL",
        )
    sizes = [item_size(commit) for commit in counts.commits]
    by_rule = sum(ceil(size / WRITE_UNIT_BYTES) for size in sizes)
    read_by_rule = ceil(sum(sizes) / READ_UNIT_BYTES)
    read = query["ConsumedCapacity"]["CapacityUnits"]
    return [
        Row(
            name="write units of an order's commits, by the rule",
            value=by_rule,
            unit="units",
            peer=Beside("DynamoDB Local", written),
        ),
        Row(
            name="read units of loading it, by the rule",
            value=read_by_rule,
            unit="units",
            peer=Beside("DynamoDB Local", read),
        ),
    ]


if __name__ == "__main__":
    main()
