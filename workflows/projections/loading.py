"""Load the histories that a projector computes rows from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog, StreamUnavailable
from workflows.event_store.keyring import KeyRingUnavailable

LoadHistories: TypeAlias = Callable[[Sequence[str]], Mapping[str, History | Exception]]
"""Loads streams: the history of each, or the error that makes it unreadable. Raises the errors in ``STORE_ERRORS``."""

STORE_ERRORS: Final = (StreamUnavailable, KeyRingUnavailable)
"""Errors of a whole store, not of one stream. Retryable: yes, with all streams."""


def loads_from(log: EventLog) -> LoadHistories:
    """Return a loader that reads each stream from the log."""
    return lambda streams: {stream: _loaded(log, stream) for stream in streams}


def _loaded(log: EventLog, stream: str) -> History | Exception:
    try:
        return log.load(stream)
    except STORE_ERRORS:
        raise
    except Exception as error:
        return error
