"""The function that keeps the views in SQL up to date. It is deployed only with a database for them.

The queue of published events invokes it with messages of SQS: each names an order, a restaurant or a read.
Messages that failed are delivered again, until SQS moves them to the dead-letter queue. A schedule invokes it every
minute, ``{"for_s": 50}``: it goes on building views of another version, or compares the views with the log once a day.
"""

from __future__ import annotations

import logging
import traceback
from contextlib import nullcontext
from typing import Any

from handlers.published_messages import NotAnEvent, cloud_event
from handlers.queue_batches import process_together
from workflows.engine import Engine, Views, engine
from workflows.event_store.streams import ACCESS, ORDER, RESTAURANT, stream_name
from workflows.publishing.cloud_events import ACCESSES, RESTAURANTS
from workflows.settings import SettingsRefused

_log = logging.getLogger(__name__)

FAILED = "orders or restaurants could not be projected to the views"
DONE = "the views were built and compared"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of SQS messages, or ``{"for_s": seconds}`` from the schedule."""
    ports = engine()
    views = ports.views
    if views is None:
        raise SettingsRefused(("VIEWS_SECRET",), {})
    if "Records" in event:
        return process_together(
            event["Records"], _stream, lambda streams: _project(ports, views, set(streams)), _log_failure
        )
    from workflows.projections.rebuild import RebuildFrom
    from workflows.projections.scheduled import look_after

    source = RebuildFrom(open_log=lambda: nullcontext(ports.log), blind_index=views.blind_index)
    done = look_after(views.database, source, ports.log, ports.clock, for_s=float(event.get("for_s", 0)))
    _log.info(DONE, extra=done)
    return dict(done)


def _project(ports: Engine, views: Views, streams: set[str]) -> None:
    from workflows.projections.loading import loads_from
    from workflows.projections.projector import Projector
    from workflows.projections.store import ViewStore
    from workflows.projections.views import all_views

    store = ViewStore(views.database, all_views(views.blind_index), ports.clock)
    store.prepare()
    Projector(store, loads_from(ports.log)).project(streams)


def _stream(message: Any) -> str:
    """Return the stream of the order, the restaurant or the read that an event is of."""
    event = cloud_event(message)
    subject = event.get("subject")
    if not isinstance(subject, str) or not subject:
        raise NotAnEvent("the event names no order, no restaurant and no read")
    return stream_name(_CATEGORIES.get(str(event.get("source")), ORDER), subject)


_CATEGORIES = {RESTAURANTS: RESTAURANT, ACCESSES: ACCESS}
"""The category of the streams that events of a source are about; all others are of orders."""


def _log_failure(error: Exception) -> None:
    """Log the class and the place of an error, but not its message, which might quote what it could not read."""
    trace = traceback.format_tb(error.__traceback__)
    _log.error(FAILED, extra={"error": type(error).__name__, "trace": trace})
