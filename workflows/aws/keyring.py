"""Data keys in DynamoDB, each encrypted with a KMS key that never leaves KMS.

A customer has two items: ``customer#<id>`` names the current key (``id``), and ``key#<key id>`` holds the encrypted key
(``key``). The key is written first and named second, on condition that no key is named: of two concurrent first uses
one wins, and the other takes the winner's key. A key that was never named has encrypted nothing. Erasing removes both
items in one transaction, so that no process encrypts with a destroyed key.

KMS's encryption context binds the encrypted key to its id. CloudTrail shows the id, which reveals nothing about the
customer. The table must have no backups: a key must be gone once its items are deleted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from workflows.aws.transient_errors import AWS_ERRORS, is_transient, transient_as
from workflows.event_store.keyring import DataKey, KeyRingUnavailable, new_key_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

CACHED_S = 300.0
"""A key destroyed by one process is gone from all others after five minutes. KMS is called once in that time."""

CACHED_MAX = 10_000
"""Keys, about 3 MB; the oldest is dropped first."""

ATTEMPTS_MAX = 4
"""Attempts of ``current``; each fails if another process names or erases a key at the same time."""


class _Cached(NamedTuple):
    key: DataKey
    at: float


class KmsKeyRing:
    """The table has ``pk`` (S) alone. ``key_arn`` is the key of KMS; ``now`` counts seconds.

    ``current`` always reads the name of the customer's key, so that it never returns a destroyed one; ``find`` may
    return a cached key for ``CACHED_S``.
    """

    forgotten_after_s = (
        CACHED_S + 60
    )  # clocks of two functions differ, and a function may run on with what it decrypted

    def __init__(
        self, dynamodb: DynamoDBClient, kms: KMSClient, table: str, key_arn: str, now: Callable[[], float] = time.time
    ) -> None:
        self._dynamodb = dynamodb
        self._kms = kms
        self._table = table
        self._key_arn = key_arn
        self._now = now
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._gate = threading.Lock()
        self._destroyed = 0  # counts destructions: a key read before one is not cached after it

    def current(self, customer: str) -> DataKey:
        for _ in range(ATTEMPTS_MAX):
            destroyed = self._destroyed
            with transient_as(KeyRingUnavailable):
                named = self._named(customer)
                if named is None:
                    fresh = self._created()
                    if self._name(customer, fresh.id):
                        return self._remembered(fresh, destroyed)
                    self._delete(f"key#{fresh.id}")
                elif (key := self.find(named)) is not None:
                    return key  # otherwise it was erased since it was named
        raise KeyRingUnavailable("too many processes create and destroy the customer's key at once")

    def find(self, key_id: str) -> DataKey | None:
        cached = self._cache.get(key_id)
        if cached is not None and 0 <= self._now() - cached.at < CACHED_S:
            return cached.key
        destroyed = self._destroyed
        with transient_as(KeyRingUnavailable):
            item = self._dynamodb.get_item(
                TableName=self._table, Key={"pk": {"S": f"key#{key_id}"}}, ConsistentRead=True
            ).get("Item")
            if item is None:
                self._forget(key_id)
                return None
            opened = self._kms.decrypt(
                KeyId=self._key_arn, CiphertextBlob=item["key"]["B"], EncryptionContext=_context(key_id)
            )
        return self._remembered(DataKey(key_id, opened["Plaintext"]), destroyed)

    def key_id_of(self, customer: str) -> str | None:
        with transient_as(KeyRingUnavailable):
            return self._named(customer)

    def destroy(self, customer: str, key_id: str) -> bool:
        with transient_as(KeyRingUnavailable):
            existed = self._named(customer) == key_id
            if existed:
                self._erase(customer, key_id)
        self._forget(key_id)
        return existed

    # --- items ---------------------------------------------------------------------------------------------------

    def _named(self, customer: str) -> str | None:
        item = self._dynamodb.get_item(TableName=self._table, Key=_of(customer), ConsistentRead=True).get("Item")
        return None if item is None else item["id"]["S"]

    def _created(self) -> DataKey:
        """Store a new key that is not named yet. A repeated put writes the same item."""
        key_id = new_key_id()
        made = self._kms.generate_data_key(KeyId=self._key_arn, KeySpec="AES_256", EncryptionContext=_context(key_id))
        self._dynamodb.put_item(
            TableName=self._table, Item={"pk": {"S": f"key#{key_id}"}, "key": {"B": made["CiphertextBlob"]}}
        )
        return DataKey(key_id, made["Plaintext"])

    def _name(self, customer: str, key_id: str) -> bool:
        """Name the key as the customer's, unless another is named; return whether it is the customer's key now."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={**_of(customer), "id": {"S": key_id}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return self._named(customer) == key_id  # botocore repeats a put whose response was lost
        except AWS_ERRORS as error:
            if not is_transient(error) or self._named(customer) != key_id:
                raise
        return True

    def _erase(self, customer: str, key_id: str) -> None:
        """Delete both items, unless another process just did and the customer has no key, or another one, now."""
        name = {"Key": _of(customer), "ConditionExpression": "id = :id"}
        deletes: list[dict[str, Any]] = [
            {"Key": {"pk": {"S": f"key#{key_id}"}}},
            {**name, "ExpressionAttributeValues": {":id": {"S": key_id}}},
        ]
        try:
            self._dynamodb.transact_write_items(
                TransactItems=[{"Delete": {"TableName": self._table, **delete}} for delete in deletes]  # type: ignore[typeddict-item]  # built, not written out
            )
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            if [reason.get("Code") for reason in reasons] != ["None", "ConditionalCheckFailed"]:
                raise KeyRingUnavailable(str(error)) from error

    def _delete(self, pk: str) -> None:
        self._dynamodb.delete_item(TableName=self._table, Key={"pk": {"S": pk}})

    # --- the cache -----------------------------------------------------------------------------------------------

    def _remembered(self, key: DataKey, destroyed: int) -> DataKey:
        with self._gate:
            if destroyed == self._destroyed:
                self._cache[key.id] = _Cached(key, self._now())
                self._cache.move_to_end(key.id)
            while len(self._cache) > CACHED_MAX:
                self._cache.popitem(last=False)
        return key

    def _forget(self, key_id: str) -> None:
        with self._gate:
            self._destroyed += 1
            self._cache.pop(key_id, None)


def _of(customer: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"customer#{customer}"}}


def _context(key_id: str) -> dict[str, str]:
    return {"expediter": "data key", "id": key_id}
