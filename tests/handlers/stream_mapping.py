"""A model of how Lambda delivers the stream of a DynamoDB table to a function, as AWS documents it.

- A shard holds records in the order of their sequence numbers; all changes of an item go through one shard. Lambda
  reads a shard in batches. With a ``parallelization`` factor it works on several batches of a shard at once and keeps
  the order of an item (partition and sort key) alone. [1]
- A batch is complete when the function returns an empty list of failures, or none. An exception, or an item identifier
  that is empty or not of the batch, fails the whole batch. Otherwise the lowest reported sequence number is the
  checkpoint: the records from there on are delivered again. [2]
- With ``bisect`` a batch whose invocation failed is split in two, which does not count as a retry; one that failed in
  part is split at the checkpoint. [2] [3]
- When the retries are used up Lambda discards the rest of the batch and goes on with the shard. The record of the
  failed invocation goes to the destination; in S3 it has the whole event as its ``payload``. [3]

The documentation does not define whether progress in a batch resets its retries, so both are tested (``renew``).

[1] https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
[2] https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
[3] https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

Record = dict[str, Any]
Function = Callable[[dict[str, Any]], Any]


@dataclass
class StreamMapping:
    """An event source mapping with its stream. ``put`` records, and let it ``run``."""

    function: Function
    random: Random
    shards: int = 1
    parallelization: int = 1
    batch_max: int = 100
    retries_max: int = 3
    bisect: bool = True
    renew: bool = False
    destination: list[dict[str, Any]] = field(default_factory=list)
    _lanes: dict[tuple[int, int], deque[Record]] = field(default_factory=dict)

    def put(self, record: Record) -> None:
        """What the table wrote to its stream."""
        keys = record["dynamodb"]["Keys"]
        shard = crc32(str(keys["pk"]).encode()) % self.shards
        lane = crc32(json.dumps(keys, sort_keys=True).encode()) % self.parallelization
        self._lanes.setdefault((shard, lane), deque()).append(record)

    @property
    def behind(self) -> bool:
        return any(self._lanes.values())

    def run_a_batch(self) -> None:
        """One batch of one shard, to its end; of as many records as happen to be there."""
        (shard, _), lane = self.random.choice([found for found in sorted(self._lanes.items()) if found[1]])
        size = self.random.randint(1, min(self.batch_max, len(lane)))
        self._work(shard, [lane.popleft() for _ in range(size)], self.retries_max)

    def run(self) -> None:
        """Until nothing is left."""
        while self.behind:
            self.run_a_batch()

    def _work(self, shard: int, batch: list[Record], retries: int) -> None:
        calls = 0
        while batch:
            calls += 1
            done, failed = self._invoke(batch)
            if done == len(batch):
                return
            if failed and self.bisect and len(batch) > 1:
                middle = len(batch) // 2
                self._work(shard, batch[:middle], retries)
                self._work(shard, batch[middle:], retries)
                return
            batch = batch[done:]
            if done and self.renew:
                retries = self.retries_max
                continue
            if retries == 0:
                self.destination.append(_invocation_record(shard, batch, calls))
                return
            retries -= 1

    def _invoke(self, batch: list[Record]) -> tuple[int, bool]:
        """How many from the beginning are done with, and whether the invocation failed as a whole."""
        try:
            result = json.loads(json.dumps(self.function(json.loads(json.dumps({"Records": batch})))))
        except Exception:
            return 0, True
        reported = [item.get("itemIdentifier") for item in (result or {}).get("batchItemFailures") or []]
        if not reported:
            return len(batch), False
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        if any(name not in numbers for name in reported):
            return 0, True
        return min(numbers.index(name) for name in reported), False


def _invocation_record(shard: int, batch: list[Record], calls: int) -> dict[str, Any]:
    first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
    return {
        "requestContext": {
            "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
            "functionArn": "arn:aws:lambda:eu-central-1:000000000000:function:Feed",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": calls,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None},
        "version": "1.0",
        "timestamp": "2026-05-04T12:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": f"shardId-{shard:020d}-00000000",
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": "2026-05-04T11:59:00Z",
            "approximateArrivalOfLastRecord": "2026-05-04T12:00:00Z",
            "batchSize": len(batch),
            "streamArn": batch[0].get("eventSourceARN"),
        },
        "payload": json.dumps({"Records": batch}),
    }
