"""The function behind the log's stream: follows each commit, and reports the records that are to come again."""

from __future__ import annotations

import base64
import logging
from typing import Any

from workflows.bootstrap import engine, environment
from workflows.commits import Commit
from workflows.following import follow

_log = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` is a batch of DynamoDB Streams records. A record that fails comes again, with all after it."""
    for record in event["Records"]:
        try:
            follow(engine(), _commit(record["dynamodb"]["NewImage"]), environment())
        except Exception:
            number = record["dynamodb"]["SequenceNumber"]
            _log.exception("record %s of the feed failed and will come again", number)
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}


def _commit(image: dict[str, dict[str, Any]]) -> Commit:
    h = image["h"]["B"]
    return Commit(
        pk=image["pk"]["S"],
        sk=int(image["sk"]["N"]),
        k=image["k"]["S"],
        ts=image["ts"]["S"],
        h=base64.b64decode(h) if isinstance(h, str) else h,
        ev=image["ev"]["S"],
    )
