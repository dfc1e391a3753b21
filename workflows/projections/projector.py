"""Bring streams up to date in the views: load each once, compute the rows of every view, store them in one transaction.

The notice that a stream changed may come late, twice or in any order: the rows are computed from the log, and the laws
of ``view`` make the order of the writes irrelevant. A stream whose rows cannot be computed or stored is *parked*:
recorded with its error, logged, and left out, so that it does not delay the others. It is tried again when it changes
and by a rebuild.

When a customer is erased, all of the customer's orders are computed again, because their blind indexes are gone.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from workflows.event_store.commits import History
from workflows.event_store.streams import CUSTOMER, category_of, id_in, order_stream
from workflows.projections.loading import STORE_ERRORS, LoadHistories
from workflows.projections.store import AsOf, ViewStore, build_table
from workflows.projections.view import Row, View
from workflows.sql.database import RowRefused

log = logging.getLogger(__name__)

PARKED = "a stream cannot be projected and is parked"
"""Counted by a metric filter on AWS."""

STREAMS_MAX = 200
"""Streams in one transaction, some 3 MB of rows."""

REMEMBERED_MAX = 10_000
"""Streams whose stored version is remembered, so that each event is encoded only once."""


@dataclass(slots=True)
class _Computed:
    """The rows of some streams, by view, and the streams whose rows could not be computed."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    failed: dict[tuple[str, str], Exception] = field(default_factory=dict)


class Projector:
    """Writes the views of one database. Several may do so at once."""

    def __init__(self, store: ViewStore, load: LoadHistories) -> None:
        self._store = store
        self._load = load
        self._stored: OrderedDict[str, int] = OrderedDict()
        self._left_out: set[str] | None = None

    def project(self, streams: Collection[str], as_of: AsOf | None = None) -> None:
        """Bring these streams up to date.

        Args:
            as_of: The position up to which the views are complete afterwards; recorded in the last transaction.

        Raises:
            SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes. Streams before it may be stored.
        """
        changed = sorted(set(streams))
        batches = [changed[first : first + STREAMS_MAX] for first in range(0, len(changed), STREAMS_MAX)] or [[]]
        for batch in batches:
            self._project_erased([stream for stream in batch if category_of(stream) == CUSTOMER])
            self._project(batch, as_of if batch is batches[-1] else None, again=False)

    def mend(self, streams: Collection[str]) -> None:
        """Store all rows of these streams anew, whatever rows of theirs are stored; streams that were parked too.

        Raises:
            SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes.
        """
        for stream in sorted(streams):
            self._stored.pop(stream, None)
            self._project([stream], None, again=True, anew=True)

    def _project_erased(self, customer_streams: Sequence[str]) -> None:
        if not customer_streams:
            return
        customers = [id_in(stream) for stream in customer_streams]
        with self._store.reading() as connection:
            orders = [order_stream(order_id) for order_id in self._store.orders_of(connection, customers)]
        for first in range(0, len(orders), STREAMS_MAX):
            self._project(orders[first : first + STREAMS_MAX], None, again=True)
        if orders:
            self._store.database.forget()

    def _project(self, streams: Sequence[str], as_of: AsOf | None, *, again: bool, anew: bool = False) -> None:
        computed = self._computed(streams)
        try:
            self._write(streams, computed, as_of, again=again, anew=anew)
        except RowRefused as refused:
            if len(streams) > 1:
                for stream in streams:
                    self._project([stream], None, again=again)
                self._write([], _Computed(), as_of, again=again)
            else:
                failed = {(view.name, stream): refused for stream in streams for view in self._views_of(stream)}
                self._write(streams, _Computed(failed=dict(failed)), as_of, again=again)

    def _computed(self, streams: Sequence[str]) -> _Computed:
        computed = _Computed()
        wanted = [stream for stream in streams if any(self._views_of(stream))]
        for stream, history in (self._load(wanted) if wanted else {}).items():
            for view in self._views_of(stream):
                try:
                    if isinstance(history, Exception):
                        raise history
                    rows = view.rows(history, self._stored.get(stream, 0))
                except STORE_ERRORS:
                    raise
                except Exception as error:  # a bug in one view, or a damaged stream, must not stop the others
                    computed.failed[view.name, stream] = error
                else:
                    computed.rows.setdefault(view.name, []).extend(rows)
            if isinstance(history, History):
                computed.versions[stream] = history.version
        return computed

    def _write(
        self, streams: Sequence[str], computed: _Computed, as_of: AsOf | None, *, again: bool, anew: bool = False
    ) -> None:
        """Store what was computed.

        Args:
            again: Replace rows of the same version too.
            anew: Delete the stored rows first.
        """
        store = self._store
        with store.writing() as connection:
            left_out = self._without_place(connection)
            if anew:
                self._remove(connection, computed, left_out)
            for name, rows in computed.rows.items():
                if name not in left_out:
                    store.put(connection, store.views[name], rows, again=again)
            self._write_to_builds(connection, computed, again=again)
            parked = store.parked_among(connection, streams) if streams else set()
            for view, stream in sorted(parked - computed.failed.keys()):
                store.unpark(connection, view, stream)
            for (view, stream), error in computed.failed.items():
                store.park(connection, view, stream, type(error).__name__)
            if as_of is not None:
                store.advance(connection, as_of)
        for (view, stream), error in computed.failed.items():
            extra = {"stream": stream, "view": view, "error": type(error).__name__}
            log.error(PARKED, exc_info=error, extra=extra)
        self._remember(computed)

    def _without_place(self, connection: Connection) -> set[str]:
        """Return the views of an older release whose table cannot take these rows: they go to the one being built."""
        if self._left_out is None or self._left_out:  # once there is none, there is none until the next release
            self._left_out = self._store.of_another_shape(connection)
        return self._left_out

    def _remove(self, connection: Connection, computed: _Computed, left_out: set[str]) -> None:
        for stream, version in computed.versions.items():
            for view in self._views_of(stream):
                if view.name not in left_out and (view.name, stream) not in computed.failed:
                    self._store.remove(connection, view, id_in(stream), version)

    def _write_to_builds(self, connection: Connection, computed: _Computed, *, again: bool) -> None:
        """Write to the tables that are being built too. All rows are computed, because older ones may be missing."""
        builds = self._store.builds(connection)
        if not builds:
            return
        views = [self._store.views[name] for name in builds if name in self._store.views]
        histories = self._load(sorted(computed.versions))
        for view in views:
            build = builds[view.name]
            own = [history for stream, history in histories.items() if category_of(stream) == view.category]
            rows = [row for history in own for row in _rows_or_none(view, history)]
            self._store.put(connection, view, rows, table=build_table(view, build.generation), again=again)

    def _views_of(self, stream: str) -> Iterator[View]:
        category = category_of(stream)
        return (view for view in self._store.views.values() if view.category == category)

    def _remember(self, computed: _Computed) -> None:
        failed = {stream for _, stream in computed.failed}
        for stream, version in computed.versions.items():
            if stream in failed:
                self._stored.pop(stream, None)
                continue
            self._stored[stream] = version
            self._stored.move_to_end(stream)
        while len(self._stored) > REMEMBERED_MAX:
            self._stored.popitem(last=False)


def _rows_or_none(view: View, history: History | Exception) -> list[Row]:
    """The rows for a table that is being built; none if they cannot be computed, which is recorded elsewhere."""
    try:
        return view.rows(history, 0) if isinstance(history, History) else []
    except Exception:
        return []
