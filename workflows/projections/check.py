"""Compare the views with the log: every stored row with the one that its history gives, and sums with their rows.

A stream that differs is compared once more at the end, because it may have changed while the log was read, and again
while a projector is about to store its newest commits. Streams that are parked are left out: they are listed as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import func, select

from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog
from workflows.event_store.replay import BrokenStream, histories
from workflows.event_store.streams import category_of, id_in
from workflows.projections.loading import loads_from
from workflows.projections.store import ViewStore
from workflows.projections.view import Row, View

STREAMS_AT_ONCE = 200
"""Streams whose rows are read in one snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WrongRows:
    """The stored rows of a stream differ from those of its history. ``stream`` is empty for rows without a stream.

    With a ``day``: the sums over the rows of that day are not what the rows give.
    """

    view: str
    stream: str
    day: str = ""


@dataclass(slots=True)
class ViewCheck:
    """The result of a comparison: how many streams were compared, and the differences."""

    streams: int = 0
    differences: list[WrongRows] = field(default_factory=list)


def check(
    store: ViewStore,
    log: EventLog,
    on_progress: Callable[[int], None] = lambda _: None,
    *,
    wait_for_views: Callable[[], bool] = lambda: False,
) -> ViewCheck:
    """Compare all views with the log.

    Rows of streams that the log does not have are found by counting rows, so they are missed if as many orders are
    placed during the comparison.

    Args:
        on_progress: Called with the number of streams that were compared.
        wait_for_views: Called while streams differ: waits until the views include all that the log holds now, then they
            are compared again. Returns False if the views included it already or do not follow: then what differs is
            wrong.

    Raises:
        SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes.
    """
    found, suspects, ids = ViewCheck(), set[str](), dict.fromkeys(store.views, 0)
    stored = {name: _stored_ids(store, view) for name, view in store.views.items()}
    scanned = histories(log)
    while batch := list(islice(scanned, STREAMS_AT_ONCE)):
        readable = [each for each in batch if not isinstance(each, BrokenStream)]
        suspects |= {difference.stream for difference in wrong_rows(store, readable)}
        for view in store.views.values():
            ids[view.name] += sum(_has_rows(view, history) for history in readable)
        found.streams += len(batch)
        on_progress(found.streams)
    differences = _compare_again(store, log, suspects)
    while differences and wait_for_views():
        differences = _compare_again(store, log, {each.stream for each in differences})
    found.differences += differences
    found.differences += [WrongRows(view=name, stream="") for name, known in ids.items() if stored[name] > known]
    found.differences += wrong_sums(store)
    return found


def _compare_again(store: ViewStore, log: EventLog, streams: Iterable[str]) -> list[WrongRows]:
    loaded = loads_from(log)(sorted(streams)).values()
    return sorted(wrong_rows(store, [history for history in loaded if isinstance(history, History)]))


def wrong_sums(store: ViewStore) -> Iterator[WrongRows]:
    """Yield the views and days of which the sums are not those of the rows."""
    for view in store.views.values():
        for day in store.summed_days(view) if view.sums else []:
            if store.wrong_sums(view, day):
                yield WrongRows(view=view.name, stream="", day=day)


def wrong_rows(store: ViewStore, compared: Sequence[History]) -> Iterator[WrongRows]:
    """Yield where the stored rows are not those that these histories give. Parked streams are left out."""
    with store.reading() as connection:
        parked = store.parked_among(connection, [history.stream for history in compared])
        for view in store.views.values():
            own = [history for history in compared if category_of(history.stream) == view.category]
            rows = store.rows_of(connection, view, [id_in(history.stream) for history in own])
            for history in own:
                if (view.name, history.stream) in parked:
                    continue
                if rows.get(id_in(history.stream), []) != _computed(view, history):
                    yield WrongRows(view=view.name, stream=history.stream)


def _computed(view: View, history: History) -> list[Row] | None:
    """The rows of a history; None, which equals no stored rows, if they cannot be computed."""
    try:
        return view.rows(history, 0)
    except Exception:
        return None


def _has_rows(view: View, history: History) -> bool:
    return category_of(history.stream) == view.category and _computed(view, history) != []


def _stored_ids(store: ViewStore, view: View) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count(view.table.c[view.key].distinct()))).scalar_one()
