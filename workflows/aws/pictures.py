"""Pictures in a bucket of S3, under ``pictures/<restaurant>/<name>``.

The API sends them: the bucket is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.identifiers import RestaurantId
from workflows.aws.transient_errors import transient_as
from workflows.catalogue.picture_formats import TYPES
from workflows.catalogue.picture_store import PicturesUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Pictures:
    """The pictures in one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        with transient_as(PicturesUnavailable):
            self._client.put_object(
                Bucket=self._bucket,
                Key=_key(restaurant_id, name),
                Body=content,
                ContentType=TYPES[name.rpartition(".")[2]],
            )

    def get(self, *, restaurant_id: RestaurantId, name: str) -> bytes | None:
        try:
            with transient_as(PicturesUnavailable):
                return self._client.get_object(Bucket=self._bucket, Key=_key(restaurant_id, name))["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None

    def names(self, *, restaurant_id: RestaurantId) -> set[str]:
        prefix = _key(restaurant_id, "")
        with transient_as(PicturesUnavailable):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return {each["Key"].removeprefix(prefix) for page in pages for each in page.get("Contents", [])}


def _key(restaurant_id: RestaurantId, name: str) -> str:
    return f"pictures/{restaurant_id}/{name}"
