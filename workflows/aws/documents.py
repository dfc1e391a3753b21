"""Documents in DynamoDB: one conditional PutItem for a write, consistent reads.

Every write carries an id of its own (``w``), by which the writer recognises its own item. This settles two cases:
botocore repeats a put whose response was lost, and the condition of the repetition fails on the item of the first; or
no attempt got a response, and the item is read. If another process has written since, the outcome stays unknown and
``DocumentsUnavailable`` is raised: ``DocumentChanged`` always means that the write did not happen.

An item has ``pk`` (S), ``sk`` (S), ``v`` (N, the version), ``w`` (S) and ``body`` (S, JSON: a quarter cheaper to read
and write than nested maps). One that expires has ``x`` (N, Unix time), the table's TimeToLive attribute.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from workflows.aws.transient_errors import AWS_ERRORS, is_transient, transient_as, was_retried
from workflows.event_store.documents import ANY, AnyVersion, Document, DocumentChanged, DocumentsUnavailable, Expected

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONFLICTS_MAX = 16
"""Attempts of a write with ``ANY``, each on the version that the last attempt met."""

Item = Mapping[str, Any]


class DynamoDbDocuments:
    """The table has ``pk`` (S) as its partition key and ``sk`` (S) as its sort key, ordered by UTF-8 bytes."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pk: str, sk: str) -> Document | None:
        with transient_as(DocumentsUnavailable):
            item = self._item(pk, sk)
        return _document(item) if item else None

    def put(self, document: Document, expected: Expected) -> Document:
        if expected is not ANY:
            return self._write(document, expected)
        replaced = None  # a document written with ANY is nearly always new
        for _ in range(CONFLICTS_MAX):
            try:
                return self._write(document, replaced)
            except DocumentChanged as conflict:
                replaced = conflict.found
        raise DocumentsUnavailable(f"{document.pk} / {document.sk} is written by too many processes at once")

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        """Delete a version. A delete that botocore repeated may find nothing, because its first attempt succeeded."""
        request: dict[str, Any] = {"TableName": self._table, "Key": _key(pk, sk)}
        if expected is not ANY:
            request |= _replaces(expected)
        try:
            with transient_as(DocumentsUnavailable):
                self._client.delete_item(**request)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored: Item | None = error.response.get("Item")  # type: ignore[assignment]  # modelled by DynamoDB only
            if stored is None and was_retried(error):
                return
            assert expected is not ANY  # only a version is a condition
            raise DocumentChanged(pk, sk, expected, _version(stored)) from None

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND sk > :after" if after else "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}} | ({":after": {"S": after}} if after else {}),
        }
        listed: list[Document] = []
        with transient_as(DocumentsUnavailable):
            while True:  # boto3's paginator would make a class of its own for each call
                page = self._client.query(**request, Limit=limit - len(listed))
                listed += map(_document, page["Items"])
                if len(listed) >= limit or not (last := page.get("LastEvaluatedKey")):
                    return listed
                request["ExclusiveStartKey"] = last

    def _write(self, document: Document, expected: int | None) -> Document:
        """Write over the expected version; None: create. Raises DocumentChanged only if nothing was written."""
        version, write = (expected or 0) + 1, secrets.token_urlsafe(12)
        body = json.dumps(document.body, separators=(",", ":"))
        written = replace(document, version=version, body=json.loads(body))
        item = {**_key(document.pk, document.sk), "v": {"N": str(version)}, "w": {"S": write}, "body": {"S": body}}
        if document.expires_s is not None:
            item["x"] = {"N": str(document.expires_s)}
        try:
            self._client.put_item(TableName=self._table, Item=item, **_replaces(expected))
        except self._client.exceptions.ConditionalCheckFailedException as error:
            stored: Item | None = error.response.get("Item")  # type: ignore[assignment]  # modelled by DynamoDB only
            self._check(written, write, expected, stored, error if was_retried(error) else None)
        except AWS_ERRORS as error:
            if not is_transient(error):
                raise
            self._check(written, write, expected, self._stored_after(error, document), error)
        return written

    def _check(
        self, written: Document, write: str, expected: int | None, stored: Item | None, doubt: Exception | None
    ) -> None:
        """Return if ``stored`` is this write; otherwise raise.

        Args:
            doubt: Why an earlier attempt of this write may have succeeded; None if none can have.
        """
        if stored is not None and stored["w"]["S"] == write:
            return
        if doubt is None or _version(stored) == written.version:  # another write took this version
            raise DocumentChanged(written.pk, written.sk, expected, _version(stored)) from None
        raise DocumentsUnavailable(f"{written.pk} / {written.sk}: {doubt}") from doubt

    def _stored_after(self, error: Exception, document: Document) -> Item | None:
        try:
            return self._item(document.pk, document.sk)
        except AWS_ERRORS:
            raise DocumentsUnavailable(f"{document.pk} / {document.sk}: {error}") from error

    def _item(self, pk: str, sk: str) -> Item | None:
        return self._client.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True).get("Item")


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _replaces(expected: int | None) -> dict[str, Any]:
    """Return the condition that this version is stored (None: nothing), and the option to get the stored item back."""
    returned = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(pk)", **returned}
    return {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": str(expected)}}, **returned}


def _version(item: Item | None) -> int | None:
    return None if item is None else int(item["v"]["N"])


def _document(item: Item) -> Document:
    body = json.loads(item["body"]["S"])
    return Document(item["pk"]["S"], item["sk"]["S"], body, version=_version(item) or 0)
