"""The function that archives orders that ended long ago: every hour, ``{"for_s": 600}``. Off unless a time is set."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from workflows.archive.rounds import archive_round
from workflows.engine import engine, settings
from workflows.settings import read_archive_after_days

if TYPE_CHECKING:
    from workflows.event_store.segments import ArchivableLog


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    ports = engine(read_archive_after_days)
    days = settings(read_archive_after_days)
    if not days:
        return {"orders": 0}
    log = cast("ArchivableLog", ports.log)  # every log is one
    keep, for_s = timedelta(days=days), float(event.get("for_s", 0))
    done = archive_round(log, log.segments, ports.documents, ports.clock, keep=keep, for_s=for_s)
    return {"orders": done.orders, "commits": done.commits, "kept": done.kept}
