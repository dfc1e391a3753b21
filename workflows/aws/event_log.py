"""The event log in DynamoDB: one PutItem on condition that its place is free, one consistent Query to load.

Every failure to answer is settled by reading: the item at the place of the commit is ours (a success), another's (a
conflict), or not there. In the last case the request may still be on its way, so that is ``StreamUnavailable``, and
whoever repeats it under the same key is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError

from workflows.aws.dynamodb import NO_ANSWER, is_not_now
from workflows.clock import Clock
from workflows.codec import Codec
from workflows.commits import Commit
from workflows.event_log import ChainedEventLog, StreamUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDbEventLog(ChainedEventLog):
    """The table has ``pk`` (S) as its partition key and ``sk`` (N) as its sort key."""

    def __init__(self, client: DynamoDBClient, table: str, codec: Codec, clock: Clock) -> None:
        super().__init__(codec, clock)
        self._client = client
        self._table = table

    def scan(self) -> Iterator[Commit]:
        """Eventually consistent, at half the price: who finds something wrong reads that stream again.

        DynamoDB stores the items of one partition key together in the order of the sort key, and scans them so.
        """
        request: dict[str, Any] = {"TableName": self._table}
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
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return _commit(error.response["Item"])  # type: ignore[typeddict-item]  # modelled by DynamoDB only
            if not is_not_now(error):
                raise
            return self._settled(commit, error)
        except NO_ANSWER as error:
            return self._settled(commit, error)
        return None

    def _settled(self, commit: Commit, error: Exception) -> Commit:
        """What stands at the place of a commit whose fate is not known. Raises StreamUnavailable for nothing."""
        key = {"pk": {"S": commit.pk}, "sk": {"N": str(commit.sk)}}
        try:
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        except (ClientError, *NO_ANSWER):
            _unavailable(commit.pk, error)
        if "Item" not in found:
            _unavailable(commit.pk, error)
        return _commit(found["Item"])

    def _pages(self, stream: str, operation: str, request: dict[str, Any]) -> Iterator[Commit]:
        """DynamoDB answers with 1 MB at a time."""
        while True:
            try:
                page = getattr(self._client, operation)(**request)
            except ClientError as error:
                if not is_not_now(error):
                    raise
                _unavailable(stream, error)
            except NO_ANSWER as error:
                _unavailable(stream, error)
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


def _unavailable(stream: str, error: Exception) -> NoReturn:
    raise StreamUnavailable(stream, str(error)) from error
