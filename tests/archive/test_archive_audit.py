"""The table of archived orders in docs/audit.md, row by row: what is done to the archive, and which check finds it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.archive.conftest import Story
from tests.archive.test_archiving import opened
from workflows.archive.archiving import archive_orders
from workflows.audit.findings import PublishedHeads
from workflows.audit.verify import heads, verify
from workflows.embedded.files import DATABASE
from workflows.event_store.streams import order_stream
from workflows.sqlite.archive import ARCHIVE

Damage = Callable[[Path, str], None]
PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()


def segment(folder: Path) -> Path:
    return folder / ARCHIVE / "000001.jsonl"


def edited(folder: Path, _: str) -> None:
    segment(folder).write_bytes(segment(folder).read_bytes().replace(b"27.40", b"17.40").replace(b"2740", b"1740"))


def relabelled(field: str) -> Damage:
    def damage(folder: Path, _: str) -> None:
        text, times = re.subn(rf'("{field}":"[^"]*).(",)', r"\1~\2", segment(folder).read_text())
        assert times
        segment(folder).write_text(text)

    return damage


def swapped(folder: Path, _: str) -> None:
    first, second, *others = segment(folder).read_bytes().splitlines(keepends=True)
    segment(folder).write_bytes(b"".join([second, first, *others]))


def cut_off(folder: Path, _: str) -> None:
    os.truncate(segment(folder), 100)


def removed(folder: Path, _: str) -> None:
    segment(folder).unlink()


def root_edited(folder: Path, _: str) -> None:
    *lines, last = segment(folder).read_bytes().splitlines(keepends=True)
    segment(folder).write_bytes(b"".join([*lines, re.sub(rb"[0-9a-f](?=[^0-9a-f]*$)", b"x", last)]))


def table(folder: Path, sql: str, *values: str) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        assert connection.execute(sql, values).rowcount > 0


def pointed_elsewhere(folder: Path, stream: str) -> None:
    other = "(SELECT ev FROM events WHERE pk = ? AND sk > 1 ORDER BY sk LIMIT 1)"
    table(folder, f"UPDATE events SET ev = {other} WHERE pk = ? AND sk = 1", stream, stream)


def last_row_deleted(folder: Path, stream: str) -> None:
    last = "(SELECT max(sk) FROM events WHERE pk = ?)"
    table(folder, f"DELETE FROM events WHERE pk = ? AND sk = {last}", stream, stream)


def rows_deleted(folder: Path, stream: str) -> None:
    table(folder, "DELETE FROM events WHERE pk = ?", stream)


ROWS: dict[str, Damage] = {
    "the content of a commit was edited in a segment": edited,
    "the key of a commit was edited in a segment": relabelled("k"),
    "the time of a commit was edited in a segment": relabelled("ts"),
    "the hash of a commit was edited in a segment": relabelled("h"),
    "two lines of a segment were swapped": swapped,
    "a segment was cut off": cut_off,
    "a segment was removed": removed,
    "the row of a commit was made to name another line": pointed_elsewhere,
    "the last row of an archived order was deleted from the table": last_row_deleted,
    "all rows of an archived order were deleted from the table": rows_deleted,
    "the Merkle root at the end of a segment was edited": root_edited,
}


def on_page() -> dict[str, tuple[str, str]]:
    section = PAGE.partition("\n### In archived orders\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (found|-) \| (found|-) \|$", section, re.M)
    return {what: (chain, published) for what, chain, published in rows}


@pytest.mark.parametrize("what", ROWS)
def test_each_check_finds_what_the_page_says(story: Story, tmp_path: Path, what: str) -> None:
    """Without a false alarm before, and about no other order."""
    with opened(story, tmp_path) as (log, _):
        archive_orders(log, log.segments, story.cutoff)
        published = PublishedHeads.of(heads(log))
        assert verify(log, published=published).findings == ()
    ROWS[what](tmp_path, order_stream(story.old[0]))
    with opened(story, tmp_path) as (log, _):
        reports = [verify(log).findings, verify(log, published=published).findings]
    assert tuple("found" if findings else "-" for findings in reports) == on_page()[what]
    old = {order_stream(order_id) for order_id in story.old}
    assert {finding.stream for findings in reports for finding in findings} <= old


def test_the_page_has_these_rows() -> None:
    assert list(on_page()) == list(ROWS)
