"""Exports in a bucket of S3, each made by a function that is invoked for it.

``exports/<id>.json`` is the state of an export and ``exports/<id>`` its file. A lifecycle rule removes both. The
function that takes requests stores the state and invokes the function that makes exports; invoked again it makes the
same file. The manifest is signed by the function of checkpoints, which alone may use the key and signs manifests only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workflows.audit.exports import (
    BLOCK,
    LINK_S,
    Export,
    ExportFormat,
    ExportState,
    ExportsUnavailable,
    ExportTooLarge,
    FormatUnavailable,
    NoSuchExport,
)
from workflows.audit.signed_notes import SignerUnavailable
from workflows.aws.transient_errors import AWS_ERRORS, error_code, transient_as
from workflows.clock import Clock, read_timestamp
from workflows.exports.making import make_export

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from workflows.sql.database import SqlDatabase

MADE_WITHIN: Final = timedelta(minutes=50)
"""Longer than the three attempts of the function that makes exports, of 15 minutes each, and their pauses."""

_MISSING = {"NoSuchKey", "404"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
_SHOWN_EVERY_S = 2.0
_SPARE_S = 60.0
"""Time to upload the file and to have its manifest signed."""


class ExportBucket:
    """The objects of exports in one bucket. Every method raises ExportsUnavailable."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, export_id: str) -> Export:
        """Read the state of an export. Raises NoSuchExport."""
        return msgspec.json.decode(self._get(f"{export_id}.json"), type=Export)

    def create(self, export: Export) -> bool:
        """Store the state of a new export; return False if there is one of its id."""
        try:
            self._put(export, IfNoneMatch="*")
        except AWS_ERRORS as error:
            if error_code(error) in _TAKEN:
                return False
            raise
        return True

    def store(self, export: Export) -> None:
        """Replace the state of an export."""
        self._put(export)

    def upload(self, export_id: str, file: Path) -> None:
        """Store the file of an export, in parts if it is large."""
        with transient_as(ExportsUnavailable):
            self._client.upload_file(str(file), self._bucket, _key(export_id))

    def block(self, export_id: str, number: int) -> bytes:
        """Read a block of the file. Raises NoSuchExport."""
        return self._get(export_id, Range=f"bytes={number * BLOCK}-{(number + 1) * BLOCK - 1}")

    def link(self, export_id: str) -> str:
        """Return a presigned address of the file."""
        where = {"Bucket": self._bucket, "Key": _key(export_id)}
        return self._client.generate_presigned_url("get_object", Params=where, ExpiresIn=LINK_S)

    def _put(self, export: Export, **conditions: Any) -> None:
        with transient_as(ExportsUnavailable):
            self._client.put_object(
                Bucket=self._bucket,
                Key=_key(f"{export.id}.json"),
                Body=msgspec.json.encode(export),
                ContentType="application/json",
                **conditions,
            )

    def _get(self, name: str, **part: Any) -> bytes:
        try:
            with transient_as(ExportsUnavailable):
                return self._client.get_object(Bucket=self._bucket, Key=_key(name), **part)["Body"].read()
        except AWS_ERRORS as error:
            if error_code(error) == "InvalidRange":
                return b""
            if error_code(error) in _MISSING:
                raise NoSuchExport from error
            raise


class S3Exports:
    """An ``Exports``. ``maker`` is the function that makes them."""

    def __init__(self, bucket: ExportBucket, functions: Any, maker: str, clock: Clock) -> None:
        self._bucket = bucket
        self._functions = functions
        self._maker = maker
        self._clock = clock

    def begin(self, export: Export) -> Export:
        if export.format is ExportFormat.PARQUET:
            raise FormatUnavailable
        if not self._bucket.create(export):
            export = self._bucket.read(export.id)
        if export.state is ExportState.RUNNING and not export.rows:  # also if an earlier request ended before this
            with transient_as(ExportsUnavailable):
                self._functions.invoke(
                    FunctionName=self._maker, InvocationType="Event", Payload=json.dumps({"export": export.id}).encode()
                )
        return export

    def find(self, export_id: str) -> Export:
        export = self._bucket.read(export_id)
        late = read_timestamp(export.requested_at) + MADE_WITHIN < self._clock.now()
        if export.state is ExportState.RUNNING and late:
            return replace(export, state=ExportState.FAILED, error="its function ended")
        return export

    def block(self, export_id: str, number: int) -> bytes:
        if self._bucket.read(export_id).state is not ExportState.DONE:
            raise NoSuchExport
        return self._bucket.block(export_id, number)

    def link(self, export_id: str) -> str | None:
        return self._bucket.link(export_id)


class S3ExportMaker:
    """An ``ExportMaker``. ``signer`` is the function that signs manifests."""

    def __init__(self, bucket: ExportBucket, functions: Any, signer: str) -> None:
        self._bucket = bucket
        self._functions = functions
        self._signer = signer

    def make(self, export_id: str, database: SqlDatabase, left_s: Callable[[], float]) -> Export:
        export = self._bucket.read(export_id)
        if export.state is not ExportState.RUNNING:
            return export
        with TemporaryDirectory(prefix="expediter-export-") as folder:
            ended = make_export(
                database,
                export,
                Path(folder) / export_id,
                sign=self._signed,
                progress=self._shown(export, left_s),
                keep=lambda file: self._bucket.upload(export_id, file),
            )
        self._bucket.store(ended)
        return ended

    def _shown(self, export: Export, left_s: Callable[[], float]) -> Callable[[int], None]:
        """Return what stores the number of rows now and then, and ends an export that cannot be completed in time."""
        shown_s = time.monotonic()

        def progress(rows: int) -> None:
            nonlocal shown_s
            if left_s() < _SPARE_S:
                raise ExportTooLarge(f"{rows} events took all the time that its function has")
            if time.monotonic() - shown_s > _SHOWN_EVERY_S:
                shown_s = time.monotonic()
                with suppress(ExportsUnavailable):
                    self._bucket.store(replace(export, rows=rows))

        return progress

    def _signed(self, text: str) -> str:
        with transient_as(SignerUnavailable):
            answer = self._functions.invoke(FunctionName=self._signer, Payload=json.dumps({"manifest": text}).encode())
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(body.get("signed"), str):
            raise SignerUnavailable("the function of checkpoints could not sign the manifest")
        note: str = body["signed"]
        return note


def _key(name: str) -> str:
    return f"exports/{name}"
