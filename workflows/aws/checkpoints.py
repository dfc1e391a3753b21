"""Checkpoint files in a bucket of S3 with Object Lock, signed with an Ed25519 key of KMS.

An object is created if there is none of its name, and Object Lock keeps it: neither the functions nor an administrator
can change or delete it within the retention time of the bucket.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workflows.audit.checkpoint_store import CheckpointsUnavailable, CheckpointTaken
from workflows.audit.signed_notes import SignerUnavailable, VerifierKey
from workflows.aws.transient_errors import AWS_ERRORS, error_code, transient_as

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

_PREFIX = "checkpoints/"
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
_PUBLIC_BYTES = 32  # RFC 8410: the raw key ends the DER of an Ed25519 public key


class S3Checkpoints:
    """The checkpoint files of one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._newest = 0  # known from the last listing, so that the next one begins there

    def newest(self) -> int:
        with transient_as(CheckpointsUnavailable):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_PREFIX, StartAfter=_key(self._newest)
            )
            keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        numbers = [int(key.removeprefix(_PREFIX)) for key in keys if key.removeprefix(_PREFIX).isdecimal()]
        self._newest = max([self._newest, *numbers])
        return self._newest

    def read(self, number: int, start: int = 0, length: int | None = None) -> bytes:
        last = "" if length is None else str(start + length - 1)
        try:
            with transient_as(CheckpointsUnavailable):
                key, part = _key(number), f"bytes={start}-{last}"
                return self._client.get_object(Bucket=self._bucket, Key=key, Range=part)["Body"].read()
        except AWS_ERRORS as error:
            if error_code(error) in {"NoSuchKey", "InvalidRange"}:
                return b""
            raise

    def add(self, number: int, content: bytes) -> None:
        try:
            with transient_as(CheckpointsUnavailable):
                self._client.put_object(
                    Bucket=self._bucket, Key=_key(number), Body=content, ContentType="text/plain", IfNoneMatch="*"
                )
        except AWS_ERRORS as error:
            if error_code(error) in _TAKEN:
                raise CheckpointTaken(f"checkpoint {number} exists") from error
            raise


class KmsSigner:
    """Signs with a key of KMS, of the type ``ECC_NIST_EDWARDS25519``; the private key never leaves KMS."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._gate = threading.Lock()
        self._key: VerifierKey | None = None

    @property
    def key(self) -> VerifierKey:
        with self._gate:
            if self._key is None:
                with transient_as(SignerUnavailable):
                    der = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
                self._key = VerifierKey.of(der[-_PUBLIC_BYTES:])
            return self._key

    def sign(self, message: bytes) -> bytes:
        with transient_as(SignerUnavailable):
            return self._client.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
            )["Signature"]


def _key(number: int) -> str:
    return f"{_PREFIX}{number:08d}"
