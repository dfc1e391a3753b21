"""The event log in DynamoDB: one PutItem on condition that its place is free, one consistent Query to load.

Every failure to answer is settled by reading: the item at the place of the commit is ours (a success), another's (a
conflict), or not there. In the last case the request may still be on its way, so that is ``StreamUnavailable``, and
whoever repeats it under the same key is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from workflows.aws.transient_errors import AWS_ERRORS, is_no_answer, no_answer_as
from workflows.clock import Clock
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit
from workflows.event_store.event_log import ChainedEventLog, Place, StreamUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDbEventLog(ChainedEventLog):
    """The table has ``pk`` (S) as its partition key and ``sk`` (N) as its sort key."""

    def __init__(self, client: DynamoDBClient, table: str, codec: Codec, clock: Clock) -> None:
        super().__init__(codec, clock)
        self._client = client
        self._table = table

    def scan(self, after: Place | None = None) -> Iterator[Commit]:
        """Eventually consistent, at half the price: who finds something wrong reads that stream again.

        DynamoDB stores the items of one partition key together in the order of the sort key, and scans them so.
        """
        request: dict[str, Any] = {"TableName": self._table}
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": after[0]}, "sk": {"N": str(after[1])}}
        yield from self._pages("the log", "scan", request)

    def _read(self, stream: str, *, through: int | None) -> Iterable[Commit]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk" if through is None else "pk = :pk AND sk <= :through",
            "ExpressionAttributeValues": {":pk": {"S": stream}},
        }
        if through is not None:
            request["ExpressionAttributeValues"][":through"] = {"N": str(through)}
        return self._pages(stream, "query", request)

    def _insert(self, commit: Commit) -> Commit | None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_item(commit),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return _commit(error.response["Item"])  # type: ignore[typeddict-item]  # modelled by DynamoDB only
        except AWS_ERRORS as error:
            if not is_no_answer(error):
                raise
            return self._settled(commit, error)
        return None

    def _settled(self, commit: Commit, error: Exception) -> Commit:
        """What stands at the place of a commit whose fate is not known. Raises StreamUnavailable for nothing."""
        key = {"pk": {"S": commit.pk}, "sk": {"N": str(commit.sk)}}
        try:
            item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        except AWS_ERRORS:
            item = None
        if item is None:
            raise StreamUnavailable(commit.pk, str(error)) from error
        return _commit(item)

    def _pages(self, stream: str, operation: str, request: dict[str, Any]) -> Iterator[Commit]:
        """DynamoDB answers with 1 MB at a time."""
        while True:
            with no_answer_as(lambda why: StreamUnavailable(stream, why)):
                page = getattr(self._client, operation)(**request)
            for item in page["Items"]:
                yield _commit(item)
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _item(commit: Commit) -> dict[str, Any]:
    return {
        "pk": {"S": commit.pk},
        "sk": {"N": str(commit.sk)},
        "k": {"S": commit.k},
        "ts": {"S": commit.ts},
        "h": {"B": commit.h},
        "ev": {"S": commit.ev},
    }


def _commit(item: Mapping[str, Any]) -> Commit:
    return Commit(
        item["pk"]["S"], int(item["sk"]["N"]), item["k"]["S"], item["ts"]["S"], bytes(item["h"]["B"]), item["ev"]["S"]
    )
