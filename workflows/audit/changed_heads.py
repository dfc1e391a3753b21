"""Which streams changed since the last checkpoint, as a port, and its adapter over a feed with positions."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import msgspec

from workflows.audit.findings import Head
from workflows.event_store.change_feed import Feed
from workflows.event_store.commits import Commit

_log = logging.getLogger(__name__)

PAGE = 1000
"""Commits in memory at once."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Heads of streams that changed. ``mark`` is where the next call begins; ``all`` is False if more have changed."""

    heads: list[Head]
    mark: str
    all: bool


class ChangedHeads(Protocol):
    """Raises StreamUnavailable."""

    def since(self, mark: str, limit: int) -> Changed:
        """Return the heads of streams that changed.

        Args:
            mark: That of the last call; empty to begin with the first commit.
            limit: How many commits to read, at most.
        """
        ...


class FeedHeads:
    """Reads the feed from the position of the last checkpoint on, so its cost is that of what is new."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def since(self, mark: str, limit: int) -> Changed:
        newest = self._feed.newest()
        position = int(mark or 0)
        if position > newest:  # the log is an older copy: its heads are published again, and contradict those before
            position = 0
        heads: dict[str, Head] = {}
        for _ in range(max(1, limit // PAGE)):
            page = self._feed.changes(position, PAGE)
            for entry in page:
                if (head := head_of(entry.commit)) is not None:
                    heads[head.stream] = head
            position = page[-1].position if page else position
            if len(page) < PAGE:
                return Changed(list(heads.values()), str(position), all=True)
        return Changed(list(heads.values()), str(position), all=False)


def head_of(commit: Commit) -> Head | None:
    """Return the head of a stream that ends with this commit; None for a commit that no program wrote."""
    try:
        return Head(commit.pk, commit.sk + commit.size - 1, commit.h)
    except (msgspec.DecodeError, RecursionError):
        _log.error("a commit cannot be decoded: run audit verify", extra={"stream": commit.pk, "version": commit.sk})
        return None
