"""The event log in DynamoDB: one conditional PutItem to append, one consistent Query to load.

After a transient error the adapter reads the item at the commit's place: it is this commit (a success), another commit
(a conflict), or missing. If it is missing, the request may still be under way, so the adapter raises
``StreamUnavailable``, and repeating the append with the same key is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from workflows.aws.transient_errors import AWS_ERRORS, is_transient, transient_as
from workflows.clock import Clock
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken, Commit, StoredRow, UnreadableRow
from workflows.event_store.event_log import ChainedEventLog, Place, Share, StreamUnavailable, place_after
from workflows.event_store.segments import (
    POINTER_START,
    Archived,
    NoSegments,
    OrderAge,
    Segments,
    SegmentsUnavailable,
    is_pointer,
    whole_commit,
    with_contents,
)
from workflows.event_store.streams import ORDER, category_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDbEventLog(ChainedEventLog):
    """The table has ``pk`` (S) as its partition key and ``sk`` (N) as its sort key."""

    def __init__(
        self, client: DynamoDBClient, table: str, codec: Codec, clock: Clock, segments: Segments | None = None
    ) -> None:
        """``segments`` is the archive that rows may name lines of."""
        super().__init__(codec, clock)
        self._client = client
        self._table = table
        self.segments: Segments = segments or NoSegments()

    def scan(
        self, after: Place | None = None, share: Share | None = None, *, contents: bool = True
    ) -> Iterator[Commit]:
        """Scan with eventually consistent reads, at half the price; a caller that finds a fault reads the stream again.

        DynamoDB stores the items of one partition key together in the order of the sort key, and scans them in it.
        """
        rows = self._scanned(after, share)
        rows = self._whole("the log", rows) if contents else rows
        yield from (row for row in rows if isinstance(row, Commit))

    def _scanned(self, after: Place | None = None, share: Share | None = None) -> Iterator[StoredRow]:
        request: dict[str, Any] = {"TableName": self._table}
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": after[0]}, "sk": {"N": str(after[1])}}
        if share is not None:
            request |= {"Segment": share.number, "TotalSegments": share.of}
        return self._pages("the log", "scan", request)

    def shares(self, count: int) -> list[Share]:
        return [Share(number, count) for number in range(count)]

    def rows(self) -> Iterator[StoredRow]:
        return self._whole("the log", self._scanned())

    def read(self, stream: str) -> Iterable[StoredRow]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": stream}},
        }
        return self._whole(stream, self._pages(stream, "query", request))

    def ages(self, after: str | None = None) -> Iterator[OrderAge]:
        place = None if after is None else place_after(after)
        for stream, rows in groupby(self._scanned(place), key=lambda row: row.pk):
            if category_of(stream) == ORDER:
                commits = [row for row in rows if isinstance(row, Commit)]
                times = [commit.ts for commit in commits]
                yield OrderAge(stream, max(times, default=""), all(is_pointer(commit.ev) for commit in commits))

    def point(self, archived: Sequence[Archived]) -> None:
        """Replace contents by the names of their lines, each by a conditional write that reaches ``ev`` alone.

        So the permission for it does not include the hash.
        """
        for commit, pointer in archived:
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._point(commit, pointer)

    def _point(self, commit: Commit, pointer: str) -> None:
        with transient_as(lambda why: StreamUnavailable(commit.pk, why)):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": commit.pk}, "sk": {"N": str(commit.sk)}},
                UpdateExpression="SET ev = :pointer",
                ConditionExpression="ev = :content OR begins_with(ev, :archived)",
                ExpressionAttributeValues={
                    ":pointer": {"S": pointer},
                    ":content": {"S": commit.ev},
                    ":archived": {"S": POINTER_START},
                },
            )

    def _insert(self, commit: Commit) -> Commit | None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_item(commit),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return self._readable(error.response["Item"])  # type: ignore[typeddict-item]  # modelled by DynamoDB only
        except AWS_ERRORS as error:
            if not is_transient(error):
                raise
            return self._stored_after(commit, error)
        return None

    def _stored_after(self, commit: Commit, error: Exception) -> Commit:
        """Read the item at the place of a commit whose PutItem failed. Raises StreamUnavailable if there is none."""
        key = {"pk": {"S": commit.pk}, "sk": {"N": str(commit.sk)}}
        try:
            item = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        except AWS_ERRORS:
            item = None
        if item is None:
            raise StreamUnavailable(commit.pk, str(error)) from error
        return self._readable(item)

    def _readable(self, item: Mapping[str, Any]) -> Commit:
        """Return a stored commit with its content. Raises ChainBroken, StreamUnavailable."""
        row = _row(item)
        if isinstance(row, UnreadableRow):
            raise ChainBroken(row.pk, row.sk, row.problem)
        try:
            return whole_commit(row, self.segments)
        except SegmentsUnavailable as error:
            raise StreamUnavailable(row.pk, str(error)) from error

    def _whole(self, stream: str, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """Yield rows with their contents, which may be in the archive."""
        try:
            yield from with_contents(rows, self.segments)
        except SegmentsUnavailable as error:
            raise StreamUnavailable(stream, str(error)) from error

    def _pages(self, stream: str, operation: Literal["query", "scan"], request: dict[str, Any]) -> Iterator[StoredRow]:
        """Yield the rows of all pages. A page of DynamoDB holds 1 MB.

        A paginator of boto3 would make a class of its own for each call, which takes a twentieth of the call's time.
        """
        ask = getattr(self._client, operation)
        with transient_as(lambda why: StreamUnavailable(stream, why)):
            while True:
                page = ask(**request)
                yield from map(_row, page["Items"])
                if not (last := page.get("LastEvaluatedKey")):
                    return
                request = {**request, "ExclusiveStartKey": last}


def _item(commit: Commit) -> dict[str, Any]:
    return {
        "pk": {"S": commit.pk},
        "sk": {"N": str(commit.sk)},
        "k": {"S": commit.k},
        "ts": {"S": commit.ts},
        "h": {"B": commit.h},
        "ev": {"S": commit.ev},
    }


_TYPES = {"pk": "S", "sk": "N", "k": "S", "ts": "S", "h": "B", "ev": "S"}


def _row(item: Mapping[str, Any]) -> StoredRow:
    """Build a commit, or name its invalid attributes. Raises KeyError for an item of another table."""
    if item.keys() == _TYPES.keys() and item["sk"].get("N", "").isdecimal():
        with suppress(KeyError):  # an attribute is of another type
            return _commit(item)
    pk, sk = item["pk"]["S"], item["sk"]["N"]
    wrong = {name for name in _TYPES.keys() | item.keys() if _TYPES.get(name) not in item.get(name, ())}
    if not sk.lstrip("-").isdecimal():
        wrong.add("sk")
    if wrong:
        problem = f"is not a commit: {', '.join(sorted(wrong))} is missing, unknown or of another type"
        return UnreadableRow(pk, 0 if "sk" in wrong else int(sk), problem)
    return _commit(item)


def _commit(item: Mapping[str, Any]) -> Commit:
    return Commit(
        item["pk"]["S"], int(item["sk"]["N"]), item["k"]["S"], item["ts"]["S"], bytes(item["h"]["B"]), item["ev"]["S"]
    )
