"""Batches of the log's stream: read records of DynamoDB Streams, and report those that failed to Lambda.

Lambda takes the lowest reported sequence number as its checkpoint and delivers everything from there again, until its
retries are used up; then it sends all of that to the failure destination. So a failed record stops its own stream only:
the other records of the batch are processed, even if they are delivered again.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

Lambda keeps the order of changes to one item, which is one commit, but not the order of a stream's commits.
"""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from workflows.event_store.commits import Commit
from workflows.event_store.segments import is_pointer

_log = logging.getLogger(__name__)

FAILED = "a record of the log's stream failed"
TAMPERED = "the log was tampered with"
"""The message of the log line that the tamper alarm counts. The line has ``change``, ``stream`` and ``version``."""


class NotACommit(Exception):
    """The record is not an inserted commit. It fails until Lambda moves it to the failure destination."""


class StreamRecord:
    """One record. ``number`` is its sequence number; ``stream`` is None if the record does not name it."""

    def __init__(self, record: Any) -> None:
        self._record = record if isinstance(record, dict) else {}
        change = self._record.get("dynamodb")
        self._change: dict[str, Any] = change if isinstance(change, dict) else {}
        # For an empty identifier Lambda delivers the whole batch again, which a record without a number needs.
        self.number = str(self._change.get("SequenceNumber") or "")
        self.stream: str | None = self._key("pk", "S")
        self.version: str | None = self._key("sk", "N")

    @property
    def tampering(self) -> str | None:
        """The change if it is MODIFY or REMOVE: a commit may only be inserted."""
        change = self._record.get("eventName")
        return change if change in {"MODIFY", "REMOVE"} else None

    @property
    def names_line(self) -> bool:
        """Whether it put the name of a line in the archive in place of a content. The line is still to verify."""
        old, new = self._change.get("OldImage"), self._change.get("NewImage")
        if self._record.get("eventName") != "MODIFY" or not isinstance(old, dict) or not isinstance(new, dict):
            return False
        content = new.get("ev")
        pointer = content.get("S") if isinstance(content, dict) else None
        return {**old, "ev": content} == new and isinstance(pointer, str) and is_pointer(pointer)

    def commit(self) -> Commit:
        """Return the inserted commit. Raises NotACommit."""
        if self._record.get("eventName") != "INSERT":
            raise NotACommit("the record is not an INSERT")
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
            raise NotACommit("the record holds no commit") from error
        if not all(isinstance(part, str) for part in (commit.pk, commit.k, commit.ts, commit.ev)):
            raise NotACommit("the record holds no commit")
        return commit

    def _key(self, name: str, kind: str) -> str | None:
        keys = self._change.get("Keys")
        value = keys.get(name) if isinstance(keys, dict) else None
        text = value.get(kind) if isinstance(value, dict) else None
        return text if isinstance(text, str) else None


def each(event: dict[str, Any], work: Callable[[StreamRecord], None]) -> list[StreamRecord]:
    """Do ``work`` on every record, and return those that failed, with the later records of the same streams.

    The later ones are not tried, so that the commits of a stream are processed in order.
    """
    failed: list[StreamRecord] = []
    stopped: set[str] = set()
    for record in (StreamRecord(raw) for raw in event["Records"]):
        if record.stream in stopped:
            failed.append(record)
            continue
        try:
            work(record)
        except Exception as error:  # the records of other streams must not wait for it
            _log_failure(record, error)
            failed.append(record)
            if record.stream is not None:
                stopped.add(record.stream)
    return failed


def failures(failed: Iterable[StreamRecord]) -> dict[str, Any]:
    """Return the function's answer, which has Lambda deliver these records again."""
    return {"batchItemFailures": [{"itemIdentifier": record.number} for record in failed]}


def _log_failure(record: StreamRecord, error: Exception) -> None:
    """Log the class and the place of an error, but not its message, which might quote personal data."""
    extra = {
        "stream": record.stream,
        "version": record.version,
        "record": record.number,
        "error": type(error).__name__,
        "trace": traceback.format_tb(error.__traceback__),
    }
    _log.error(FAILED, extra=extra)
