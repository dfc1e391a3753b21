"""What every view must pass by itself, on SQLite and on PostgreSQL; the views are found, not listed.

A projector may apply a history late, twice, out of order, with gaps and beside another projector. The end must be what
a rebuild from the newest history gives.
"""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domain.order.world import plays
from tests.projections.histories import BLIND_INDEX, CHANGES, OPENING, Sample, log_of
from tests.recorded import HandClock
from workflows.event_store.commits import ChainBroken, History
from workflows.projections import rebuild as rebuilding
from workflows.projections.projector import Projector
from workflows.projections.rebuild import RebuildFrom
from workflows.projections.store import ViewStore
from workflows.projections.view import Row, View
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase

VIEWS = all_views(BLIND_INDEX)
each_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
STORY: Sample = ((12, [(12, 25), (4, 0)]), False, CHANGES)
"""A smooth order up to its delivery, then a request for a second person, and trouble; and a restaurant that changes."""

changes = st.lists(st.sampled_from(CHANGES), max_size=10).map(lambda more: [*OPENING, *more])
random_logs = given(
    sample=st.tuples(plays(), st.booleans(), changes),
    order=st.randoms(use_true_random=False),
)
on_a_database = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
by_itself = settings(max_examples=40, deadline=None)


def keys_of(view: View, rows: list[Row]) -> set[tuple[Any, ...]]:
    return {tuple(row[column.name] for column in view.table.primary_key.columns) for row in rows}


def project(store: ViewStore, view: View, *histories: History) -> None:
    for history in histories:
        with store.writing() as connection:
            store.put(connection, view, view.rows(history, 0))


def stored(store: ViewStore, view: View, history: History) -> list[Row]:
    with store.reading() as connection:
        id_ = history.stream.partition("#")[2]
        return list(store.rows_of(connection, view, [id_]).get(id_, []))


def parked_in(store: ViewStore) -> set[tuple[str, str]]:
    with store.reading() as connection:
        return {(each.view, each.stream) for each in store.parked(connection)}


def outdated_in(store: ViewStore) -> set[str]:
    with store.reading() as connection:
        return {view.name for view in store.outdated(connection)}


@pytest.fixture
def store(sql_database: SqlDatabase) -> ViewStore:
    made = ViewStore(sql_database, VIEWS, HandClock())
    made.prepare()
    return made


@each_view
@by_itself
@random_logs
def test_rows_have_every_column_and_no_other(view: View, sample: Sample, order: random.Random):
    """A row that lacks a column would be stored as NULL without a word."""
    log = log_of(view, sample)
    for history in log.histories:
        for row in view.rows(history, 0):
            assert row.keys() == set(view.table.columns.keys())


@each_view
@by_itself
@random_logs
def test_the_rows_are_a_function_of_the_history(view: View, sample: Sample, order: random.Random):
    """The same history, read again from the log, gives the same rows: no clock, no randomness, no memory."""
    log = log_of(view, sample)
    again = log.log.load(log.newest.stream)
    assert view.rows(log.newest, 0) == view.rows(again, 0)


@each_view
@by_itself
@random_logs
def test_a_row_once_there_stays_as_the_history_grows(view: View, sample: Sample, order: random.Random):
    """The store only inserts and replaces: a row that vanished from a newer history would be left behind."""
    log = log_of(view, sample)
    before: set[tuple[Any, ...]] = set()
    for history in log.histories:
        now = keys_of(view, view.rows(history, 0))
        assert before <= now
        before = now


@each_view
@by_itself
@random_logs
def test_rows_carry_the_version_that_they_are_of(view: View, sample: Sample, order: random.Random):
    """The guard of the store compares it. Rows that are only appended carry that of their event, and never change."""
    log = log_of(view, sample)
    for history in log.histories:
        rows = view.rows(history, 0)
        if view.appends:
            versions = [row["version"] for row in rows]
            assert versions == sorted(versions)
            assert all(1 <= version <= history.version for version in versions)
            assert rows == view.rows(log.newest, 0)[: len(rows)]
            assert view.rows(log.newest, history.version) == view.rows(log.newest, 0)[len(rows) :]
        else:
            assert {row["version"] for row in rows} <= {history.version}


@each_view
@on_a_database
@random_logs
def test_histories_in_any_order_twice_and_with_gaps_end_as_a_rebuild(
    store: ViewStore, view: View, sample: Sample, order: random.Random
):
    """Late, repeated, reordered and lost messages do no harm."""
    log = log_of(view, sample)
    with store.writing() as connection:
        connection.execute(view.table.delete())
    arrived = [history for history in log.histories * 2 if order.random() < 0.5] + [log.newest]
    order.shuffle(arrived)
    project(store, view, *arrived)
    assert stored(store, view, log.newest) == view.rows(log.newest, 0)


@each_view
def test_a_history_that_arrives_late_changes_nothing(store: ViewStore, view: View):
    """An old history would take an order back to what it was."""
    log = log_of(view, STORY)
    project(store, view, log.newest, *log.histories)
    assert stored(store, view, log.newest) == view.rows(log.newest, 0)
    assert view.rows(log.newest, 0), "the story reaches every view"


@each_view
def test_what_is_stored_is_read_back_equal(store: ViewStore, view: View):
    """Both databases keep texts, numbers and NULL as they are."""
    log = log_of(view, STORY)
    project(store, view, log.newest)
    assert stored(store, view, log.newest) == view.rows(log.newest, 0)


@each_view
def test_a_history_that_cannot_be_read_is_parked_and_comes_back(store: ViewStore, view: View):
    """Until then the rows of its last version stay; afterwards nothing is repaired by hand."""
    log = log_of(view, STORY)
    stream, before = log.newest.stream, log.histories[-2]
    project(store, view, before)
    Projector(store, lambda _: {stream: ChainBroken(stream, 1, "was changed")}).project([stream])
    assert (view.name, stream) in parked_in(store)
    assert stored(store, view, before) == view.rows(before, 0)
    Projector(store, lambda _: {stream: log.newest}).project([stream])
    assert (view.name, stream) not in parked_in(store)
    assert stored(store, view, log.newest) == view.rows(log.newest, 0)


def test_another_version_of_a_view_is_outdated_until_it_is_built_again(
    store: ViewStore, monkeypatch: pytest.MonkeyPatch
):
    """Each view by itself: its rows were computed by another definition."""
    monkeypatch.setattr(rebuilding, "SHARES_MAX", 1)
    with store.writing() as connection:
        for view in VIEWS:
            store.set_built(connection, view)
    for view in VIEWS:
        log = log_of(view, STORY)
        store.views[view.name] = replace(view, version=view.version + 1)
        assert outdated_in(store) == {view.name}
        source = RebuildFrom(open_log=lambda log=log: nullcontext(log.log), blind_index=BLIND_INDEX)
        rebuilding.rebuild(store, source, [view.name], cores=1)
        assert outdated_in(store) == set()
        assert stored(store, view, log.newest) == view.rows(log.newest, 0)
