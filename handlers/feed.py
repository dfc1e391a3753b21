"""The function behind the log's stream: it follows each commit, and raises an alarm if one was changed or removed."""

from __future__ import annotations

import logging
from typing import Any

from handlers.stream_batches import TAMPERED, StreamRecord, each, failures
from workflows.engine import Engine, engine, settings
from workflows.event_store.commits import ChainBroken
from workflows.upkeep.on_commit import follow_commit
from workflows.upkeep.settings import UpkeepSettings, read_upkeep

_log = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of DynamoDB Streams records; those that failed are delivered again."""
    ports = engine(read_upkeep)  # read before the batch, because a wrong setting is not the fault of a record
    upkeep = settings(read_upkeep)
    archived: set[str] = set()
    return failures(each(event, lambda record: _follow(ports, record, upkeep, archived)))


def _follow(ports: Engine, record: StreamRecord, upkeep: UpkeepSettings, archived: set[str]) -> None:
    if record.names_line and _is_whole(ports, record.stream, archived):
        return
    if record.tampering is not None:  # delivering it again would not help, so it counts as done
        extra = {"change": record.tampering, "stream": record.stream, "version": record.version}
        _log.error(TAMPERED, extra=extra)
    else:
        follow_commit(ports, record.commit(), upkeep)


def _is_whole(ports: Engine, stream: str | None, archived: set[str]) -> bool:
    """Whether the stream is what was recorded, read from the archive. ``archived`` are those of the batch that are."""
    if stream is None:
        return False
    if stream not in archived:
        try:
            ports.log.load(stream)
        except ChainBroken:
            return False
        archived.add(stream)
    return True
