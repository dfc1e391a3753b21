"""Delivers published events to the function ``Webhooks``: stands for the bus, the topic and the queue in front of it.

It reads the log from its checkpoint, a batch at a time, and hands the function the published events of the batch as
messages of SQS. The checkpoint moves only after the function has stored their deliveries, so a crash hands some events
over again and loses none. While there is no endpoint, commits are skipped without being decoded. No order waits for any
of this: there is one call at a time, and a failure is tried again after a growing delay.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from workflows.asl.signals import JSON
from workflows.embedded.lambda_.functions import FunctionFailed, Functions
from workflows.event_store.commits import Commit, UnknownEvent
from workflows.event_store.documents import ANY, Document, Documents
from workflows.event_store.streams import order_id_in
from workflows.hub.hub import Hub, wait
from workflows.publishing.cloud_events import CloudEvent, cloud_events
from workflows.publishing.webhooks.endpoints import stored_endpoints
from workflows.sqlite.event_log import SqliteEventLog

log = logging.getLogger(__name__)

COMMITS_MAX = 100
"""Commits in one batch."""

LOOK_AFTER_S = 0.1
"""The time between a commit and the look at the log that it causes: more commits come in the meantime."""

SKIP_AFTER_S = 1.0
"""The same while no endpoint is registered: each look then only writes the checkpoint."""

RETRY_FIRST_S, RETRY_LAST_S = 1.0, 60.0
"""A failing batch is tried again after 1 s, then after twice the last delay, up to 60 s."""

CHECKPOINT = ("checkpoints", "published-events")
"""Partition and sort key of the document with the position up to which events were handed over."""


class PublishedEvents:
    """Follows a log from its checkpoint on, on the hub, until ``close``."""

    def __init__(
        self,
        event_log: SqliteEventLog,
        documents: Documents,
        functions: Functions,
        *,
        function: str,
        hub: Hub,
    ) -> None:
        """Prepare; ``begin`` starts it."""
        self._log = event_log
        self._documents = documents
        self._functions = functions
        self._function = function
        self._hub = hub
        self._read_to = 0
        self._is_due = False
        self._is_running = False
        self._has_endpoints = True
        self._closed = False
        self._failures = 0

    def begin(self) -> None:
        """Continue from the checkpoint. A folder without one gets it now, and begins with the commits that come: no
        endpoint can be registered earlier, so a crash before the first batch loses no event either."""
        checkpoint = self._documents.get(*CHECKPOINT)
        if checkpoint is None:
            self._advance(self._log.newest())
        else:
            self._read_to = int(checkpoint.body["read_to"])
        self._log.on_commit(lambda _: self._look_after(LOOK_AFTER_S if self._has_endpoints else SKIP_AFTER_S))
        self._hub.soon(lambda: self._look_after(0))

    def close(self) -> None:
        """Make no new calls. The events of a call under way may be handed over again by the next engine."""
        self._closed = True

    def _look_after(self, seconds: float) -> None:
        if not (self._is_due or self._closed):
            self._is_due = True
            self._hub.after(seconds, self._look)

    def _look(self) -> None:
        self._is_due = False
        if not (self._is_running or self._closed):
            self._is_running = True
            self._hub.spawn(self._run)

    def _run(self) -> None:
        """Hand over batch after batch until the log has no more, or a batch fails."""
        try:
            while not self._closed and self._hand_over():
                self._failures = 0
        except Exception as error:  # it is logged, and tried again
            trace = error.trace if isinstance(error, FunctionFailed) else []
            log.error("published events wait for the webhooks: %s", error, extra={"trace": trace})
            self._failures += 1
            delay_s = min(RETRY_LAST_S, RETRY_FIRST_S * 2 ** min(self._failures - 1, 10))
            self._hub.after(delay_s, lambda: self._look_after(0))
        finally:
            self._is_running = False

    def _hand_over(self) -> bool:
        """Hand over one batch; return whether there was one."""
        newest = self._log.newest()
        if newest <= self._read_to:
            return False
        self._has_endpoints = bool(stored_endpoints(self._documents))
        if not self._has_endpoints:
            self._advance(newest)
            return False
        changes = self._log.changes(self._read_to, COMMITS_MAX)
        messages = [_message(event) for change in changes for event in self._published(change.commit)]
        if messages:
            result = wait(self._functions.invoke(self._function, {"Records": messages}))
            if isinstance(result, Mapping) and result.get("batchItemFailures"):
                raise _NotStored("the function could not store their deliveries")
        self._advance(changes[-1].position if changes else newest)
        return True

    def _published(self, commit: Commit) -> list[CloudEvent]:
        order_id = order_id_in(commit.pk)
        if order_id is None:
            return []
        try:
            return cloud_events(order_id, self._log.events(commit))
        except UnknownEvent as error:  # recorded by a newer release, which published it
            log.error("an event is not published: %s", error)
            return []

    def _advance(self, position: int) -> None:
        self._read_to = position
        self._documents.put(Document(*CHECKPOINT, {"read_to": position}), ANY)


class _NotStored(Exception):
    """The function reported failed messages."""


def _message(event: CloudEvent) -> JSON:
    """A message of SQS with what EventBridge makes of a published event."""
    body: dict[str, Any] = {"source": event.source, "detail-type": event.type, "detail": event.as_json()}
    return {"messageId": event.id, "body": json.dumps(body, ensure_ascii=False), "eventSource": "aws:sqs"}
