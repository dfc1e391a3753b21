"""What a million orders cost on AWS: the counts of real runs, priced. Every assumption is in ``benchmarks/prices.py``.

Stories: a happy order with all five human waits, the same with half an hour of waiting, a declined card, and an order
cancelled on the stove with a courier under way. Reads and writes are counted by DynamoDB's billing rule from the sizes
of the items, and the run's items are put into DynamoDB Local with ReturnConsumedCapacity to check that rule.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from benchmarks.counting import STORIES, Access, Counts, Story, counting
from benchmarks.options import Options, options
from benchmarks.prices import (
    ARCHIVE_GB,
    ASSUMED,
    BUS_EVENT,
    EGRESS_GB,
    EXPRESS_GB,
    EXPRESS_GB_S,
    EXPRESS_REQUEST,
    EXPRESS_STEP_S,
    HTTP_REQUEST,
    KMS_REQUEST,
    LAMBDA_GB_S,
    LAMBDA_REQUEST,
    LOG_GB,
    MILLION,
    READ_UNIT,
    READ_UNIT_BYTES,
    SNS_PUBLISH,
    SQS_REQUEST,
    STATE_ENTRY,
    TRACE,
    WRITE_UNIT,
    WRITE_UNIT_BYTES,
    Assumptions,
)
from benchmarks.results import Beside, Row, at_most, publish

if TYPE_CHECKING:
    from workflows.event_store.commits import Commit

STANDARD = ("OrderMachine", "PreparationMachine", "DeliveryMachine")

PUBLISHED = {
    "naive Standard machine of 22 states": 560.0,
    "one Lambda a step, 8 states": 207.0,
    "Standard parent with three Express children and four waits": 185.0,
}
"""Samples at list prices, orchestration alone or nearly so."""

WAIT_S = 1800.0


def main() -> None:
    chosen = options(__doc__)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, counting(Path(folder)) as count:
        counts = {story: _typical([count(story) for _ in range(chosen.size(5, 2))]) for story in STORIES}
    for story, found in counts.items():
        rows += _priced(story, found, ASSUMED)
    rows += _waiting(counts["happy"], ASSUMED) + _checked(counts["happy"], chosen)
    publish("cost", rows, quick=chosen.quick, as_json=chosen.json)


def _typical(runs: list[Counts]) -> Counts:
    """The run with the median number of calls: which of two wakes a wait first differs from run to run."""
    calls = median_low(len(run.accesses) for run in runs)
    return next(run for run in runs if len(run.accesses) == calls)


# --- the bill ---------------------------------------------------------------------------------------------------------


def bill(found: Counts, assumed: Assumptions) -> dict[str, float]:
    """Dollars an order, by service."""
    units = table_units(found.accesses)
    events = published_events(found.commits)
    invocations = with_publisher(found)
    lambda_s = {name: duration_s(name, found, assumed) for name in invocations}
    keys, key_units, key_writes = key_calls(found, assumed)
    requests = sum(count for name, count in found.invocations.items() if name.endswith("Api"))
    logged = invocations.total() * assumed.log_bytes_per_invocation + requests * assumed.log_bytes_per_request
    traces = requests + invocations["Feed"] + invocations["Publisher"] + found.machine_calls["start"]
    payload = sum(len(event) for event in events)
    return {
        "Step Functions, Standard": sum(found.states[machine] for machine in STANDARD) * STATE_ENTRY,
        "Step Functions, Express": _express(found, lambda_s, assumed),
        "Lambda requests": invocations.total() * LAMBDA_REQUEST,
        "Lambda duration": sum(lambda_s.values()) * assumed.lambda_gb * LAMBDA_GB_S,
        "DynamoDB writes": (units["write"] + key_writes) * WRITE_UNIT,
        "DynamoDB reads": (units["read"] + key_units) * READ_UNIT,
        "DynamoDB stream, read by Lambda": 0.0,
        "EventBridge": len(events) * BUS_EVENT + payload / 1e9 * ARCHIVE_GB,
        "SNS and SQS": len(events) * (SNS_PUBLISH + SQS_REQUEST * 2 / assumed.messages_per_receive),
        "API Gateway": requests * HTTP_REQUEST + found.answered_bytes / 1e9 * EGRESS_GB,
        "KMS": keys * KMS_REQUEST,
        "CloudWatch Logs": logged / 1e9 * LOG_GB,
        "X-Ray": traces * assumed.traced * TRACE,
    }


def with_publisher(found: Counts) -> Counter[str]:
    """The embedded engine runs one function behind the log; on AWS the publisher follows beside it."""
    commits = len(found.commits)
    feed = ceil(commits / ASSUMED.records_per_batch)
    return found.invocations | Counter({"Publisher": feed, "Feed": feed})


def duration_s(function: str, found: Counts, assumed: Assumptions) -> float:
    """Billed seconds of all invocations of a function in one order: its CPU on a share of a vCPU, and waiting."""
    tables = sum(access.function == function for access in found.accesses)
    machines = found.machine_calls.total() if function == "Feed" else 0  # the step settles some; a wake costs the same
    provider = found.outside.total() if function == "SagaStep" else 0
    keys = _keyed_calls(function, found) * 2
    invoked = with_publisher(found)[function]
    bus = invoked if function == "Publisher" else 0
    cpu = found.cpu_s[function] + assumed.call_cpu_s * (tables + machines + provider + keys + bus)
    cpu += invoked * assumed.cold_share * assumed.cold_s
    waits = tables * assumed.dynamodb_s + machines * assumed.machines_s + provider * assumed.provider_s
    return cpu / assumed.lambda_share + waits + keys * assumed.kms_s + bus * assumed.bus_s


def _express(found: Counts, lambda_s: Mapping[str, float], assumed: Assumptions) -> float:
    """Each run waits for one step; that of authorizing or settling is among the longest."""
    step_s = lambda_s["SagaStep"] / max(1, found.invocations["SagaStep"]) + assumed.provider_s
    billed = ceil(step_s / EXPRESS_STEP_S) * EXPRESS_STEP_S
    return found.express_runs * (EXPRESS_REQUEST + billed * EXPRESS_GB * EXPRESS_GB_S)


def table_units(accesses: list[Access]) -> Counter[str]:
    """DynamoDB's rule: a write pays its item in whole KB, a consistent read (a query: all items) in steps of 4 KB."""
    units: Counter[str] = Counter(read=0, write=0)
    for access in accesses:
        step = WRITE_UNIT_BYTES if access.kind == "write" else READ_UNIT_BYTES
        units[access.kind] += max(1, ceil(access.size / step))
    return units


def key_calls(found: Counts, assumed: Assumptions) -> tuple[float, float, float]:
    """KMS requests, read and write units for customers' keys: a new customer's key is made once, then read and opened.

    Functions without keys ask for none, whatever the embedded engine does.
    """
    calls = sum(_keyed_calls(name, found) for name in found.invocations) * (1 - assumed.key_in_cache)
    places = found.personal["OrdersApi current"]
    return calls, calls + places, 2.0 * min(1, places)


def _keyed_calls(function: str, found: Counts) -> int:
    """One customer an invocation, however many fields."""
    asked = any(count for call, count in found.personal.items() if call.startswith(f"{function} "))
    return found.invocations[function] if asked and function.endswith("Api") else 0


def published_events(commits: list[Commit]) -> list[str]:
    """The CloudEvents of an order, as JSON."""
    import msgspec

    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.keyring import NoKeys
    from workflows.publishing.cloud_events import published

    codec = Codec(NoKeys(), EVENT_TYPES)
    recorded = [event for commit in commits for event in codec.decode(commit)]
    order_id = commits[0].pk.removeprefix("order#")
    return [msgspec.json.encode(event.as_json()).decode() for event in published(order_id, recorded)]


# --- rows -------------------------------------------------------------------------------------------------------------


def _priced(story: Story, found: Counts, assumed: Assumptions) -> list[Row]:
    dollars = bill(found, assumed)
    standard = sum(found.states[machine] for machine in STANDARD)
    happy = story == "happy"
    units = table_units(found.accesses)
    rows = [
        Row(
            name=f"a million {story} orders",
            value=sum(dollars.values()) * MILLION,
            unit="$",
            target=at_most(420, of="value") if happy else None,
            detail={
                "dollars": {service: round(price * MILLION, 2) for service, price in dollars.items()},
                "counts": found.summary(),
                "units": dict(units),
                "lambda_s": {n: round(duration_s(n, found, assumed), 3) for n in with_publisher(found)},
                "published": len(published_events(found.commits)),
            },
        ),
        Row(
            name=f"state entries of a {story} order",
            value=standard,
            unit="entries",
            target=at_most(14, of="value") if happy else None,
            detail={"express runs": found.express_runs},
        ),
    ]
    if happy:
        rows += [
            Row(
                name=f"a million {story} orders, orchestration alone",
                value=(dollars["Step Functions, Standard"] + dollars["Step Functions, Express"]) * MILLION,
                unit="$",
                peer=Beside(name, price),
            )
            for name, price in PUBLISHED.items()
        ]
    return rows


def _waiting(found: Counts, assumed: Assumptions) -> list[Row]:
    """Tokens wait for nothing. What a wait costs is the watchdog, which reads the view of open orders every minute."""
    from benchmarks.counting import document_size
    from workflows.event_store.documents import Document

    row = document_size(Document("open-orders#0", "x" * 30, {"row": "x" * 420}))
    looks = WAIT_S / assumed.watched_every_s
    watched = looks * row / READ_UNIT_BYTES * READ_UNIT  # pages of 100 rows are billed together
    return [
        Row(
            name="a million happy orders with half an hour of waiting",
            value=(sum(bill(found, assumed).values()) + watched) * MILLION,
            unit="$",
            detail={"watchdog reads": round(watched * MILLION, 2)},
        ),
        Row(
            name="a month's fixed costs: the timer, two keys, sixteen alarms",
            value=43_200 * (50 * assumed.lambda_gb * LAMBDA_GB_S + LAMBDA_REQUEST) + 2 * 1.00 + 16 * 0.10,
            unit="$",
        ),
    ]


def _checked(found: Counts, chosen: Options) -> list[Row]:
    """The rule beside DynamoDB Local's own count, for the commits of the order: written, and read as one stream."""
    from benchmarks.dynamodb_local import create_table, dynamodb_local, keep_to_local, local_client
    from workflows.aws.event_log import _item
    from workflows.event_store.event_log import item_size

    keep_to_local()
    with dynamodb_local() as port:
        client = local_client(port)
        table = create_table(client)
        written = 0.0
        for commit in found.commits:
            put = client.put_item(TableName=table, Item=_item(commit), ReturnConsumedCapacity="TOTAL")
            written += put["ConsumedCapacity"]["CapacityUnits"]
        query = client.query(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": found.commits[0].pk}},
            ReturnConsumedCapacity="TOTAL",
        )
    sizes = [item_size(commit) for commit in found.commits]
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
