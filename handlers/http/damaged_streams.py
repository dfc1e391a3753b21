"""Log the places of streams that were changed after they were written, each place once.

A page that shows such a stream reads it again and again; a line for each read would hide all others.
"""

from __future__ import annotations

import logging
from threading import Lock

from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import ChainBroken

_log = logging.getLogger(__name__)

REMEMBERED = 1000
"""Number of places, those that were read last. A place that was forgotten is logged again when it is read."""


class DamagedStreams:
    """The places that were logged, the most recently read ones alone."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._places: dict[tuple[str, int], None] = {}  # the one that was read last is at the end
        self._gate = Lock()

    def log(self, error: ChainBroken | Undecodable) -> None:
        """Log the place of the damage, if it was not logged before."""
        place = (error.stream, error.version)
        with self._gate:
            is_new = place not in self._places
            self._places.pop(place, None)
            self._places[place] = None
            if len(self._places) > self._remembered:
                del self._places[next(iter(self._places))]
        if is_new:
            _log.error("a damaged stream, logged once: %s", error)
