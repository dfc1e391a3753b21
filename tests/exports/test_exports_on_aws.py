"""Exports in a bucket: begun by one function, made by another, and read through the same port as those of a folder."""

from __future__ import annotations

import dataclasses
import io
import json
import urllib.parse
from typing import Any

import pytest

from handlers import checkpoints, exporter
from tests.audit.trees import SIGNER, Published
from tests.exports.test_exports import EXPORT
from tests.search.shops import ShopWithViews
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.exports import (
    LINK_S,
    ExportFormat,
    ExportState,
    FormatUnavailable,
    NoSuchExport,
)
from workflows.audit.head_tree import HeadTree
from workflows.aws import clients
from workflows.aws.exports import MADE_WITHIN, ExportBucket, S3ExportMaker, S3Exports
from workflows.engine import serving
from workflows.exports.manifest import Manifest, ManifestRefused, check_file
from workflows.exports.opening import read_manifest


class Functions:
    """Lambda: keeps asynchronous invocations, and answers those of the function of checkpoints."""

    def __init__(self, shop: ShopWithViews) -> None:
        self.invoked: list[dict[str, Any]] = []
        tree = Published()
        heads = HeadTree(store=tree.files, changed=FeedHeads(shop.log), signer=SIGNER, log=shop.log)
        self._engine = dataclasses.replace(shop.engine, heads=heads)

    def invoke(self, **call: Any) -> dict[str, Any]:
        event = json.loads(call["Payload"])
        if call.get("InvocationType") == "Event":
            self.invoked.append({"function": call["FunctionName"], **event})
            return {"StatusCode": 202}
        assert call["FunctionName"] == "Checkpoints"
        environment = {"CHECKPOINTS_BUCKET": "checkpoints", "CHECKPOINT_KEY": "key"}
        with serving(self._engine, environment):
            result = checkpoints.handler(event, None)
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(result).encode())}


class Context:
    """Of an invocation that has this much time left."""

    def __init__(self, left_s: float) -> None:
        self._left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left_s * 1000)


class OnAws:
    """The two functions of exports, on one bucket."""

    def __init__(self, shop: ShopWithViews) -> None:
        client = clients.s3()
        client.create_bucket(
            Bucket="exports",
            CreateBucketConfiguration={"LocationConstraint": client.meta.region_name},  # type: ignore[typeddict-item]
        )
        self.bucket = ExportBucket(client, "exports")
        self.functions = Functions(shop)
        self.exports = S3Exports(self.bucket, self.functions, "Exporter", shop.clock)
        maker = S3ExportMaker(self.bucket, self.functions, "Checkpoints")
        self._engine = dataclasses.replace(shop.engine, export_maker=maker)

    def make(self, left_s: float = 900.0) -> dict[str, Any]:
        """Run the function for the last invocation."""
        with serving(self._engine, {"EXPORTS_BUCKET": "exports", "MANIFEST_SIGNER": "Checkpoints"}):
            return exporter.handler(self.functions.invoked[-1], Context(left_s))


@pytest.fixture
def aws_exports(shop: ShopWithViews, moto: Any) -> OnAws:
    shop.picked_up()
    shop.project()
    return OnAws(shop)


@pytest.mark.parametrize("format_", [ExportFormat.JSONL, ExportFormat.CSV])
def test_an_export_is_begun_made_and_read(aws_exports: OnAws, tmp_path: Any, format_: ExportFormat) -> None:
    """The same file with a manifest signed by the key of checkpoints; before it is done it has no blocks."""
    exports, export = aws_exports.exports, dataclasses.replace(EXPORT, format=format_)
    assert exports.begin(export) == exports.find(export.id) == export
    assert aws_exports.functions.invoked == [{"function": "Exporter", "export": export.id}]
    with pytest.raises(NoSuchExport):
        exports.block(export.id, 0)
    assert aws_exports.make()["state"] == "done"
    done = exports.find(export.id)
    assert done.rows > 5
    file = tmp_path / "events"
    file.write_bytes(exports.block(export.id, 0))
    check_file(read_manifest(done.manifest, SIGNER.key), file)
    assert exports.block(export.id, 1) == b""
    assert exports.begin(export) == done
    assert len(aws_exports.functions.invoked) == 1


def test_a_request_that_is_repeated_before_the_function_ran_invokes_it_again(aws_exports: OnAws) -> None:
    """The first one may have ended between the state and the invocation; the file is the same in any case."""
    for _ in range(2):
        aws_exports.exports.begin(EXPORT)
    assert len(aws_exports.functions.invoked) == 2
    assert [aws_exports.make()["state"] for _ in range(2)] == ["done", "done"]


def test_a_link_is_presigned_for_a_bounded_time(aws_exports: OnAws) -> None:
    """The bucket's policy refuses older signatures whatever the address says."""
    aws_exports.exports.begin(EXPORT)
    aws_exports.make()
    link = aws_exports.exports.link(EXPORT.id)
    assert link is not None
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    assert query.get("X-Amz-Expires", [str(LINK_S)]) == [str(LINK_S)]
    assert EXPORT.id in link


def test_what_is_not_there_on_aws_is_refused_by_name(aws_exports: OnAws) -> None:
    """Parquet, an export that was not requested, and one that takes too long for its function."""
    with pytest.raises(FormatUnavailable, match="export jsonl"):
        aws_exports.exports.begin(dataclasses.replace(EXPORT, format=ExportFormat.PARQUET))
    with pytest.raises(NoSuchExport):
        aws_exports.exports.find("2" * 32)
    aws_exports.exports.begin(EXPORT)
    assert aws_exports.make(left_s=10)["state"] == "failed"
    assert "Narrow its filter" in aws_exports.exports.find(EXPORT.id).error


def test_an_export_whose_function_ended_is_shown_as_failed(aws_exports: OnAws, shop: ShopWithViews) -> None:
    """After all attempts that Lambda makes."""
    export = dataclasses.replace(EXPORT, requested_at="2026-05-04T12:00:00.000000Z")
    aws_exports.exports.begin(export)
    shop.clock.time += MADE_WITHIN
    assert aws_exports.exports.find(export.id).state is ExportState.FAILED


def test_the_function_of_checkpoints_signs_manifests_and_nothing_else(aws_exports: OnAws) -> None:
    """Otherwise the function of exports could forge a checkpoint."""
    aws_exports.exports.begin(EXPORT)
    aws_exports.make()
    text = aws_exports.exports.find(EXPORT.id).manifest.partition("\n\n")[0] + "\n"
    assert Manifest.read(text)
    for other in ("expediter\n1\nroot\n", text + "expediter\n", text.replace("export 1", "checkpoint")):
        with pytest.raises(ManifestRefused):
            aws_exports.functions.invoke(FunctionName="Checkpoints", Payload=json.dumps({"manifest": other}))
