"""The function behind the log's stream: follows each commit, and raises the alarm when one was changed or removed."""

from __future__ import annotations

import logging
from typing import Any

from handlers.stream_batches import TAMPERED, StreamRecord, answer, each
from workflows.engine import Engine, engine, environment
from workflows.time_budgets import budgets
from workflows.upkeep.on_commit import follow

_log = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` is a batch of DynamoDB Streams records. Those that failed come again."""
    ports = engine("ORDER_MACHINE")
    budgets(environment())  # what it refuses is no record's fault
    return answer(each(event, lambda record: _follow(ports, record)))


def _follow(ports: Engine, record: StreamRecord) -> None:
    if record.tampering is not None:  # there is nothing to repeat: the alarm is all that can be done
        extra = {"change": record.tampering, "stream": record.stream, "version": record.version}
        _log.error(TAMPERED, extra=extra)
    else:
        follow(ports, record.commit(), environment())
