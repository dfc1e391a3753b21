"""Compare the views with the log once a day, some streams at a time, and mend what differs.

The projector stores every change, so a difference means that a notice was lost, that the file was changed by hand or
that the projector has a fault: each is logged and counted. Streams that are parked are tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from workflows.clock import Clock, read_timestamp, timestamp
from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog, place_after
from workflows.event_store.replay import BrokenStream, Replayed, histories
from workflows.event_store.streams import category_of
from workflows.projections.check import wrong_rows
from workflows.projections.loading import loads_from
from workflows.projections.projector import Projector
from workflows.projections.store import ComparisonProgress, ViewStore
from workflows.projections.view import View
from workflows.sql.database import StatementTooSlow

log = logging.getLogger(__name__)

COMPARE_EVERY = timedelta(days=1)

STREAMS_AT_ONCE = 50
"""Streams that one call compares: some 50 ms."""

SETTLED = timedelta(minutes=1)
"""A stream that changed since then is left to the projector, which may not have stored it yet."""

MENDED = "rows of the views differed from the log and were mended"
"""Counted by a metric filter on AWS."""


class DailyComparison:
    """Compares the views of one database with the log.

    ``mended`` counts the streams that this process mended, and the days of which it mended sums.
    """

    def __init__(self, store: ViewStore, log_: EventLog, clock: Clock) -> None:
        self.mended = 0
        self._store = store
        self._log = log_
        self._clock = clock
        self._projector = Projector(store, loads_from(log_))
        self._to_sum: list[tuple[View, str]] = []

    def advance(self) -> bool:
        """Compare the next streams, if a comparison is due or under way. The first is due a day after the first call.

        Once all streams are compared, the sums over the rows are, a day of a view with each call.

        Returns:
            Whether more is to be compared now.

        Raises:
            SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes.
        """
        if self._to_sum:
            self._mend_sums(*self._to_sum.pop())
            return bool(self._to_sum)
        progress = self._due()
        if progress is None:
            return False
        place = None if progress.compared_to is None else place_after(progress.compared_to)
        part = list(islice(histories(self._log, place), STREAMS_AT_ONCE))
        mended = self._mend(part)
        progress = replace(progress, streams=progress.streams + len(part), mended=progress.mended + mended)
        if len(part) == STREAMS_AT_ONCE:
            progress = replace(progress, compared_to=part[-1].stream)
        else:
            progress = replace(progress, ended_at=timestamp(self._clock.now()))
            log.info("the views were compared", extra={"streams": progress.streams, "mended": progress.mended})
            summed = [view for view in self._store.views.values() if view.sums]
            self._to_sum = [(view, day) for view in summed for day in self._store.summed_days(view)]
        with self._store.writing() as connection:
            self._store.set_comparison(connection, progress)
        return progress.ended_at is None or bool(self._to_sum)

    def _due(self) -> ComparisonProgress | None:
        """Return the comparison to go on with, which may be a new one; None until the next is due."""
        now = self._clock.now()
        with self._store.reading() as connection:
            progress = self._store.comparison(connection)
        if progress is None:
            with self._store.writing() as connection:
                first = ComparisonProgress(began_at=timestamp(now), ended_at=timestamp(now))
                self._store.set_comparison(connection, first)
            return None
        if progress.ended_at is None:
            return progress
        due_at = read_timestamp(progress.began_at) + COMPARE_EVERY
        return ComparisonProgress(began_at=timestamp(now)) if now >= due_at else None

    def _mend(self, part: Iterable[Replayed]) -> int:
        """Mend the streams of a part that differ, and try those again that are parked. Return how many differed."""
        compared = {each.stream: each for each in part}
        with self._store.reading() as connection:
            parked = {stream for _, stream in self._store.parked_among(connection, compared)}
        readable = [each for each in compared.values() if isinstance(each, History) and self._is_settled(each)]
        differing = {wrong.stream for wrong in wrong_rows(self._store, readable)}
        broken = {each.stream for each in compared.values() if isinstance(each, BrokenStream) and self._is_seen(each)}
        wrong = sorted((self._still_wrong(differing) | broken) - parked)
        self._projector.mend({*wrong, *parked})
        if wrong:
            self.mended += len(wrong)
            log.error(MENDED, extra={"streams": wrong})
        return len(wrong)

    def _mend_sums(self, view: View, day: str) -> None:
        """Sum up a day of a view anew if its sums are not those of its rows."""
        try:
            wrong = self._store.wrong_sums(view, day)
        except StatementTooSlow:  # it must not keep the views from following the log
            log.warning("the sums of a day were not compared, because it took too long", extra={"day": day})
            return
        if wrong:
            with self._store.building() as connection:
                self._store.sum_up(connection, view, day)
            self.mended += 1
            log.error(MENDED, extra={"sums": wrong, "day": day})

    def _is_settled(self, history: History) -> bool:
        return read_timestamp(history.last_ts) <= self._clock.now() - SETTLED

    def _is_seen(self, broken: BrokenStream) -> bool:
        """Whether a view would have rows of the stream."""
        return any(view.category == category_of(broken.stream) for view in self._store.views.values())

    def _still_wrong(self, differing: set[str]) -> set[str]:
        """Compare once more: a stream may have changed while it was compared."""
        again = loads_from(self._log)(sorted(differing)).values()
        readable = [each for each in again if isinstance(each, History) and self._is_settled(each)]
        return {wrong.stream for wrong in wrong_rows(self._store, readable)}
