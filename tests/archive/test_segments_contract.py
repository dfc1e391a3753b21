"""The stores of segments: memory, the folder of one machine, and a bucket of S3."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.audit.trees import published
from workflows.aws import clients
from workflows.aws.archive import S3Segments
from workflows.event_store.commits import UnreadableRow
from workflows.event_store.segments import SegmentDamaged, Segments, SegmentTaken, merged, with_contents
from workflows.in_memory.segments import InMemorySegments
from workflows.sqlite.archive import SegmentFolder


@pytest.fixture(params=["memory", "folder", "bucket"])
def segments(request: pytest.FixtureRequest, tmp_path: Path) -> Segments:
    match request.param:
        case "memory":
            return InMemorySegments()
        case "folder":
            return SegmentFolder(tmp_path / "archive")
    request.getfixturevalue("moto")
    client = clients.s3()
    client.create_bucket(
        Bucket="archive",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": client.meta.region_name},  # type: ignore[typeddict-item]
    )
    return S3Segments(client, "archive")


def test_a_segment_is_written_once_and_read_in_parts(segments: Segments) -> None:
    """Behind its end there is nothing, and another segment of its number is refused."""
    assert segments.newest() == 0
    segments.write(1, b"first line\nsecond line\n")
    with pytest.raises(SegmentTaken):
        segments.write(1, b"other")
    assert [segments.read(1, *part) for part in ((0, 10), (11, 11), (11, 100), (100, 5))] == [
        b"first line",
        b"second line",
        b"second line\n",
        b"",
    ]


def test_the_newest_segment_counts_whether_it_is_named_or_not(segments: Segments) -> None:
    """A process that was killed left it; its number is not used again."""
    for number in (1, 2, 10):
        segments.write(number, b"x")
    assert segments.newest() == 10


def test_a_segment_that_is_missing_is_named(segments: Segments) -> None:
    """For the audit: its orders cannot be read, and an empty segment is not the same."""
    with pytest.raises(SegmentDamaged, match="7"):
        segments.read(7, 0, 1)


def test_a_line_is_taken_only_for_the_commit_that_it_holds() -> None:
    """A row that names the line of another commit is damaged: its content was replaced by a foreign one."""
    first, second = published(("order#a", "order#b")).log.scan()
    segments, (content, archived) = InMemorySegments(), merged(1, [first, second], "root")
    segments.write(1, content)
    assert list(with_contents([replace(first, ev=archived[0].pointer)], segments)) == [first]
    [row] = with_contents([replace(first, ev=archived[1].pointer)], segments)
    assert isinstance(row, UnreadableRow)
