"""Batches of the log's stream, as Lambda brings them: records of DynamoDB Streams in, the records that failed out.

Lambda takes the lowest sequence number that is reported as its checkpoint and brings everything from there on again,
until its retries are used up; then it gives up all of that and keeps it at the failure destination. So a record that
fails stops its own stream alone: all other records of the batch are worked on, whatever becomes of the batch.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

Lambda promises order for an item, which is one commit, and none between the commits of a stream.
"""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from workflows.event_store.commits import Commit

_log = logging.getLogger(__name__)

FAILED = "a record of the log's stream failed"
TAMPERED = "the log was tampered with"
"""The message of the log line that the tamper alarm counts: with ``change``, ``stream`` and ``version``."""


class NotACommit(Exception):
    """A record that shows no commit of ours. It fails until Lambda puts it aside, for a person to look."""


class StreamRecord:
    """One record. ``number`` is what Lambda knows it by; ``stream`` is None where the record does not say."""

    def __init__(self, record: Any) -> None:
        self._record = record if isinstance(record, dict) else {}
        found = self._record.get("dynamodb")
        self._change: dict[str, Any] = found if isinstance(found, dict) else {}
        # An empty identifier has Lambda bring the whole batch again, which is what a record without a number needs.
        self.number = str(self._change.get("SequenceNumber") or "")
        self.stream: str | None = self._key("pk", "S")
        self.version: str | None = self._key("sk", "N")

    @property
    def tampering(self) -> str | None:
        """MODIFY or REMOVE: commits are only ever inserted."""
        change = self._record.get("eventName")
        return change if change in {"MODIFY", "REMOVE"} else None

    def commit(self) -> Commit:
        """Raises NotACommit."""
        if self._record.get("eventName") != "INSERT":
            raise NotACommit("the record is no insertion")
        try:
            image = self._change["NewImage"]
            h = image["h"]["B"]
            commit = Commit(
                pk=image["pk"]["S"],
                sk=int(image["sk"]["N"]),
                k=image["k"]["S"],
                ts=image["ts"]["S"],
                h=base64.b64decode(h) if isinstance(h, str) else h,
                ev=image["ev"]["S"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NotACommit("the record shows no commit") from error
        if not all(isinstance(part, str) for part in (commit.pk, commit.k, commit.ts, commit.ev)):
            raise NotACommit("the record shows no commit")
        return commit

    def _key(self, name: str, kind: str) -> str | None:
        keys = self._change.get("Keys")
        value = keys.get(name) if isinstance(keys, dict) else None
        found = value.get(kind) if isinstance(value, dict) else None
        return found if isinstance(found, str) else None


def each(event: dict[str, Any], work: Callable[[StreamRecord], None]) -> list[StreamRecord]:
    """Do ``work`` on every record, and return those that failed. What comes behind one of them in its stream is not
    tried: it waits for its turn."""
    failed: list[StreamRecord] = []
    stopped: set[str] = set()
    for record in (StreamRecord(found) for found in event["Records"]):
        if record.stream in stopped:
            failed.append(record)
            continue
        try:
            work(record)
        except Exception as error:  # whatever it is, the records of other streams must not wait for it
            _log_failure(record, error)
            failed.append(record)
            if record.stream is not None:
                stopped.add(record.stream)
    return failed


def answer(failed: Iterable[StreamRecord]) -> dict[str, Any]:
    """What Lambda is told: these are to come again."""
    return {"batchItemFailures": [{"itemIdentifier": record.number} for record in failed]}


def _log_failure(record: StreamRecord, error: Exception) -> None:
    """By name and place: a message might quote what is stored."""
    extra = {
        "stream": record.stream,
        "version": record.version,
        "record": record.number,
        "error": type(error).__name__,
        "trace": traceback.format_tb(error.__traceback__),
    }
    _log.error(FAILED, extra=extra)
