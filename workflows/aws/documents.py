"""Documents in DynamoDB: one conditional PutItem a write, consistent reads.

Every write carries an id of its own (``w``), so that whoever meets an item knows whether it is their own write. That
settles both doubts: botocore repeats a put whose answer was lost, and the repetition fails on what the first one wrote;
or no attempt was answered, and the item is read. Where even that does not tell, because somebody wrote once more since,
it is ``DocumentsUnavailable``: ``DocumentChanged`` is only said of a write that did not happen.

An item has ``pk`` (S), ``sk`` (S), ``v`` (N, the version), ``w`` (S), ``body`` (S, JSON: a quarter cheaper to read and
write than nested maps), and an attribute ``x-<name>`` (S) for each index.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from workflows.aws.transient_errors import AWS_ERRORS, is_no_answer, no_answer_as, was_repeated
from workflows.event_store.documents import ANY, AnyVersion, Document, DocumentChanged, DocumentsUnavailable, Expected

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONFLICTS_MAX = 16
"""Times a write on ``ANY`` is tried on the version it met; each time somebody else's was faster."""

Item = Mapping[str, Any]

_INDEX = "x-"


class DynamoDbDocuments:
    """The table has ``pk`` (S) as its partition key and ``sk`` (S) as its sort key, ordered by UTF-8 bytes."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pk: str, sk: str) -> Document | None:
        with no_answer_as(DocumentsUnavailable):
            item = self._item(pk, sk)
        return _document(item) if item else None

    def put(self, document: Document, expected: Expected) -> Document:
        if expected is not ANY:
            return self._write(document, expected)
        replaced = None  # what is written by ANY is nearly always new
        for _ in range(CONFLICTS_MAX):
            try:
                return self._write(document, replaced)
            except DocumentChanged as conflict:
                replaced = conflict.found
        raise DocumentsUnavailable(f"{document.pk} / {document.sk} is written by too many at once")

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        """A delete of a version that botocore repeated may find nothing: then that version is gone, as was asked."""
        request: dict[str, Any] = {"TableName": self._table, "Key": _key(pk, sk)}
        if expected is not ANY:
            request |= _replaces(expected)
        try:
            with no_answer_as(DocumentsUnavailable):
                self._client.delete_item(**request)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            found: Item | None = error.response.get("Item")  # type: ignore[assignment]  # modelled by DynamoDB only
            if found is None and was_repeated(error):
                return
            assert expected is not ANY  # only a version is a condition
            raise DocumentChanged(pk, sk, expected, _version(found)) from None

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND sk > :after" if after else "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}} | ({":after": {"S": after}} if after else {}),
        }
        found: list[Document] = []
        while len(found) < limit:
            with no_answer_as(DocumentsUnavailable):
                page = self._client.query(**request, Limit=limit - len(found))
            found += [_document(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return found

    def _write(self, document: Document, expected: int | None) -> Document:
        """Replace that version, or nothing. Raises DocumentChanged for what certainly was not written."""
        version, write = (expected or 0) + 1, secrets.token_urlsafe(12)
        body = json.dumps(document.body, separators=(",", ":"))
        written = replace(document, version=version, body=json.loads(body), indexes=dict(document.indexes))
        item = {**_key(document.pk, document.sk), "v": {"N": str(version)}, "w": {"S": write}, "body": {"S": body}}
        item |= {f"{_INDEX}{name}": {"S": value} for name, value in document.indexes.items()}
        try:
            self._client.put_item(TableName=self._table, Item=item, **_replaces(expected))
        except self._client.exceptions.ConditionalCheckFailedException as error:
            found: Item | None = error.response.get("Item")  # type: ignore[assignment]  # modelled by DynamoDB only
            self._check(written, write, expected, found, error if was_repeated(error) else None)
        except AWS_ERRORS as error:
            if not is_no_answer(error):
                raise
            self._check(written, write, expected, self._found(document, error), error)
        return written

    def _check(
        self, written: Document, write: str, expected: int | None, found: Item | None, doubt: Exception | None
    ) -> None:
        """Nothing when ``found`` is our own write; else raises. With a ``doubt``, ours may have been there before."""
        if found is not None and found["w"]["S"] == write:
            return
        if doubt is None or _version(found) == written.version:  # another stands where ours would
            raise DocumentChanged(written.pk, written.sk, expected, _version(found)) from None
        raise DocumentsUnavailable(f"{written.pk} / {written.sk}: {doubt}") from doubt

    def _found(self, document: Document, error: Exception) -> Item | None:
        try:
            return self._item(document.pk, document.sk)
        except AWS_ERRORS:
            raise DocumentsUnavailable(f"{document.pk} / {document.sk}: {error}") from error

    def _item(self, pk: str, sk: str) -> Item | None:
        return self._client.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True).get("Item")


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _replaces(expected: int | None) -> dict[str, Any]:
    """The condition that this version, or nothing, is there; and the wish to see what is there instead."""
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(pk)", **shown}
    return {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": str(expected)}}, **shown}


def _version(item: Item | None) -> int | None:
    return None if item is None else int(item["v"]["N"])


def _document(item: Item) -> Document:
    indexes = {name.removeprefix(_INDEX): value["S"] for name, value in item.items() if name.startswith(_INDEX)}
    body = json.loads(item["body"]["S"])
    return Document(item["pk"]["S"], item["sk"]["S"], body, version=_version(item) or 0, indexes=indexes)
