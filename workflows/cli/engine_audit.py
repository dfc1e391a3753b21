"""``expediter audit verify --url``: an engine verifies its own log, page by page, and its findings are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.cli.failures import InvalidInput
from workflows.cli.terminal import counting

if TYPE_CHECKING:
    from workflows.audit.findings import Report

PAGE = 50
"""Streams in one request: a tenth of a second of the engine's time."""


def verified_by_engine(url: str, others: object) -> Report:
    """Add up the pages of ``GET /audit/verify``. A pass needs trust in the engine; a finding does not.

    Args:
        others: What was compared with besides the engine's own checkpoints, which only the log's reader can do.

    Raises:
        InvalidInput: There is something else to compare with.
        CommandRefused, Unreachable.
    """
    from workflows.audit.findings import Finding, Report
    from workflows.cli.connection import connected

    if others:
        raise InvalidInput("--heads, --checkpoints and --key need the log: give --data or --table")
    findings: dict[Finding, None] = {}
    streams = commits = events = opaque = heads = 0
    cursor: str | None = None
    with connected(url, None, None) as engine, counting("verifying stream {} ...") as progress:
        while True:
            page = engine.verify(limit=PAGE, cursor=cursor)
            findings |= dict.fromkeys(
                Finding(each["stream"], each["version"], each["what"]) for each in page["findings"]
            )
            heads += page["heads"]
            if not page["heads"]:  # the second part reads streams of the first one again
                streams, commits, events = streams + page["streams"], commits + page["commits"], events + page["events"]
                opaque += page["opaque"]
                progress(streams)
            if (cursor := page["next"]) is None:
                return Report(streams, commits, events, opaque, heads, tuple(findings))
