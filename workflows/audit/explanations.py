"""Add to a finding where its commit belongs, if it fits another place of its stream.

The hash of a commit covers the hash before it. So a commit that was moved fits its old version, and the commit behind a
moved or changed one fits its own version behind another hash. This only adds words: an attacker who knows how hashes
are computed can make a commit fit anywhere, so no finding is removed for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from workflows.audit.findings import Finding
from workflows.event_store.commits import CHANGED, GENESIS, Commit, StoredRow, chain_hash

_COMPARED_MAX = 64  # changed commits of one stream that are compared with one another; the search is cubic


def explained(findings: Sequence[Finding], rows: Iterable[StoredRow]) -> list[Finding]:
    """Return the same findings, some of them with more words.

    Args:
        findings: What the walk of one stream found.
        rows: The stored rows of that stream.
    """
    stored = [row for row in rows if isinstance(row, Commit)]
    suspects = {finding.version for finding in findings}
    changed = [commit for commit in stored if commit.sk in suspects]
    hashes = [GENESIS, *(commit.h for commit in stored)]
    places: dict[int, int | None] = {}
    if len(changed) <= _COMPARED_MAX:
        previous = _possible_previous(stored, hashes)
        places = {commit.sk: _place(commit, changed, set(hashes), previous) for commit in changed}
    return [_with_words(finding, places) for finding in findings]


def _with_words(finding: Finding, places: dict[int, int | None]) -> Finding:
    place = places.get(finding.version)
    if place is None or (place == finding.version and finding.what != CHANGED):
        return finding
    if place == finding.version:
        words = "its content fits its hash behind another commit, so the one before it was changed, moved or removed"
    else:
        words = f"swapped or reordered: it holds what was written as version {place}"
    return Finding(finding.stream, finding.version, f"{finding.what}; {words}")


def _possible_previous(stored: list[Commit], hashes: list[bytes]) -> set[bytes]:
    """Return each hash that may have been before a commit: those stored, and those that should be."""
    return set(hashes) | {chain_hash(previous, commit) for previous, commit in zip(hashes, stored, strict=False)}


def _place(commit: Commit, changed: list[Commit], known: set[bytes], previous: set[bytes]) -> int | None:
    """Return the version under which the content of ``commit`` gives a hash that the stream contains."""
    if any(chain_hash(before, commit) == commit.h for before in previous):
        return commit.sk
    for place in sorted({other.sk for other in changed} - {commit.sk}):
        as_written = replace(commit, sk=place)
        if any(chain_hash(before, as_written) in known for before in previous):
            return place
    return None
