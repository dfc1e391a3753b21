"""The function behind the log's stream: it follows each commit, and raises an alarm if one was changed or removed."""

from __future__ import annotations

import logging
from typing import Any

from handlers.stream_batches import TAMPERED, StreamRecord, each, failures
from workflows.engine import Engine, engine, settings
from workflows.upkeep.on_commit import follow_commit
from workflows.upkeep.settings import UpkeepSettings, read_upkeep

_log = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of DynamoDB Streams records; those that failed are delivered again."""
    ports = engine(read_upkeep)  # read before the batch, because a wrong setting is not the fault of a record
    upkeep = settings(read_upkeep)
    return failures(each(event, lambda record: _follow(ports, record, upkeep)))


def _follow(ports: Engine, record: StreamRecord, upkeep: UpkeepSettings) -> None:
    if record.tampering is not None:  # delivering it again would not help, so it counts as done
        extra = {"change": record.tampering, "stream": record.stream, "version": record.version}
        _log.error(TAMPERED, extra=extra)
    else:
        follow_commit(ports, record.commit(), upkeep)
