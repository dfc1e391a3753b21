"""Verifying page by page finds what verifying at once finds, and says how far it is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.audit.trees import SIGNER, Published
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.findings import Finding
from workflows.audit.head_tree import HeadTree
from workflows.audit.verify import verify
from workflows.audit.verify_pages import VerifiedPage, verify_page
from workflows.event_store.commits import GENESIS, chain_hash


def pages(log: Any, tree: HeadTree | None, limit: int) -> list[VerifiedPage]:
    """Every page of a verification."""
    read: list[VerifiedPage] = []
    cursor: str | None = None
    while not read or cursor is not None:
        read.append(verify_page(log, tree, cursor=cursor, limit=limit))
        cursor = read[-1].next
    return read


def findings(log: Any, tree: HeadTree | None, limit: int = 2) -> set[Finding]:
    return {finding for page in pages(log, tree, limit) for finding in page.report.findings}


@pytest.fixture
def published() -> Published:
    """Five streams in two checkpoints; one of the streams is in both."""
    made = Published()
    made.append("order#a", "order#b", "order#c", "order#b")
    made.checkpoint()
    made.append("order#b", "order#d", "order#é\n")
    made.checkpoint()
    made.append("order#later")
    return made


@pytest.fixture
def tree(published: Published) -> HeadTree:
    return HeadTree(store=published.files, changed=FeedHeads(published.log), signer=SIGNER, log=published.log)


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 100])
def test_the_pages_together_are_the_whole_log_and_every_published_head(
    published: Published, tree: HeadTree, limit: int
) -> None:
    """Whatever the size of a page: each stream once, then each head once."""
    read = pages(published.log, tree, limit)
    streams = [page.report for page in read if not page.report.heads]
    whole = verify(published.log)
    assert [sum(getattr(report, name) for report in streams) for name in ("streams", "commits", "events")] == [
        whole.streams,
        whole.commits,
        whole.events,
    ]
    assert sum(page.report.heads for page in read) == read[-1].published == 6
    assert all(page.report.intact for page in read)


def test_without_checkpoints_every_stream_is_verified(log: Any, grown: Callable[[Any], None]) -> None:
    """On every store: streams are found by scans that begin behind a stream."""
    grown(log)
    read = pages(log, None, 2)
    assert [page.report.streams for page in read] == [2, 2, 1]
    assert read[-1].published == 0


@pytest.fixture
def grown() -> Callable[[Any], None]:
    """Append a commit to each of five streams of any log."""

    def grow(log: Any) -> None:
        made = Published()
        made.log = log
        made.append(*(f"order#{number}" for number in range(5)))

    return grow


def test_a_commit_that_was_edited_is_found_with_its_place(published: Published, tree: HeadTree) -> None:
    """In the page of its stream, and again where its head is compared: the same finding."""
    commit = published.log.read("order#c")[0]
    published.store.put(replace(commit, ev=commit.ev.replace('"attempt":', '"attempt":9')))
    found = findings(published.log, tree)
    assert {(each.stream, each.version) for each in found} == {("order#c", 1)}
    assert found == set(verify(published.log).findings)


def test_a_chain_that_was_computed_anew_contradicts_its_published_head(published: Published, tree: HeadTree) -> None:
    """It is a valid chain: the first part finds nothing."""
    commit = published.log.read("order#d")[0]
    forged = replace(commit, ev=commit.ev.replace('"attempt":', '"attempt":9'))
    published.store.put(replace(forged, h=chain_hash(GENESIS, forged)))
    assert findings(published.log, None) == set()
    (finding,) = findings(published.log, tree)
    assert (finding.stream, finding.version) == ("order#d", 1)
    assert "differs from the published head" in finding.what


def test_a_stream_that_vanished_is_found(published: Published, tree: HeadTree) -> None:
    """A scan cannot see it; its head was published."""
    published.store.delete("order#a", 1)
    (finding,) = findings(published.log, tree)
    assert (finding.stream, finding.version) == ("order#a", 1)
    assert "missing" in finding.what


@pytest.mark.parametrize("text", ["", "s", "h", "hx", "h-1", "h²", "s" + "x" * 3000, "zzz"])
def test_a_cursor_of_something_else_is_refused(published: Published, tree: HeadTree, text: str) -> None:
    """A verification that began somewhere else by mistake would pass without having looked."""
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    with pytest.raises(ValueError, match="cursor"):
        verify_page(published.log, tree, cursor=cursor, limit=10)
