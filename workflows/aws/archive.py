"""The segments of an archive in a bucket of S3 with Object Lock, under ``segments/<number>``.

An object is created if there is none of its name, and Object Lock keeps it: the table has only its name left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.aws.transient_errors import AWS_ERRORS, error_code, transient_as
from workflows.event_store.segments import SegmentDamaged, SegmentsUnavailable, SegmentTaken

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "segments/"
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


class S3Segments:
    """The segments in one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._newest = 0  # known from the last listing, so that the next one begins there

    def newest(self) -> int:
        with transient_as(SegmentsUnavailable):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=_PREFIX, StartAfter=_key(self._newest)
            )
            names = [each["Key"].removeprefix(_PREFIX) for page in pages for each in page.get("Contents", [])]
        self._newest = max([self._newest, *(int(name) for name in names if name.isdecimal())])
        return self._newest

    def read(self, number: int, offset: int, length: int) -> bytes:
        part = f"bytes={offset}-{offset + length - 1}"
        try:
            with transient_as(SegmentsUnavailable):
                return self._client.get_object(Bucket=self._bucket, Key=_key(number), Range=part)["Body"].read()
        except AWS_ERRORS as error:
            match error_code(error):
                case "NoSuchKey":
                    raise SegmentDamaged(f"segment {number} of the archive is missing") from error
                case "InvalidRange":
                    return b""
                case _:
                    raise

    def write(self, number: int, content: bytes) -> None:
        try:
            with transient_as(SegmentsUnavailable):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=_key(number),
                    Body=content,
                    ContentType="application/x-ndjson",
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                )
        except AWS_ERRORS as error:
            if error_code(error) in _TAKEN:
                raise SegmentTaken(f"segment {number} exists") from error
            raise


def _key(number: int) -> str:
    return f"{_PREFIX}{number:012}"
