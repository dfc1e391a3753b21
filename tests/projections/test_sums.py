"""The sums over the rows of views: at every moment what the rows add up to, whatever wrote or removed rows."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, insert, select, text, update

from domain.money import Money
from tests.domain.order.stories import COMPLETED
from tests.domain.order.world import played, plays
from tests.projections.histories import BLIND_INDEX, OneOrderLog
from tests.projections.test_comparison import compare
from tests.projections.test_projector import ADA, BOB, EVE, Views
from tests.recorded import HandClock
from workflows.books.filters import BooksFilter
from workflows.books.summary import payables, summarize_books
from workflows.event_store.streams import order_stream
from workflows.projections.check import check
from workflows.projections.comparison import MENDED, DailyComparison
from workflows.projections.ledger import LEDGER, LEDGER_DAYS, LEDGER_VIEW, PAYABLE, PAYABLE_DAYS
from workflows.projections.rebuild import RebuildFrom, rebuild
from workflows.projections.store import ViewStore
from workflows.projections.sums import days, is_right
from workflows.projections.taxes import TAXES, TAXES_VIEW
from workflows.projections.view import Row
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase, StatementTooSlow
from workflows.sql.schema import drop, exists

SUMMED = (LEDGER_VIEW, TAXES_VIEW)
DAYS = ("2026-05-03", "2026-05-04", "2026-05-05")
FILTERS = (
    BooksFilter(),
    BooksFilter(day_from=DAYS[1]),
    BooksFilter(day_to=DAYS[1]),
    BooksFilter(restaurant="rosa"),
    BooksFilter(currency="EUR"),
    BooksFilter(restaurant="luigi", currency="JPY", day_from=DAYS[1], day_to=DAYS[1]),
)
on_a_database = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def store(sql_database: SqlDatabase) -> ViewStore:
    made = ViewStore(sql_database, all_views(BLIND_INDEX), HandClock())
    made.prepare()
    return made


@pytest.fixture
def views(store: ViewStore) -> Views:
    """Three orders in the views, of which the comparison with the log is due."""
    made = Views(store)
    for order_id in (ADA, BOB, EVE):
        made.play(order_id, *COMPLETED)
    made.project(ADA, BOB, EVE)
    DailyComparison(made.store, made.log, made.clock).advance()
    made.clock.advance(minutes=24 * 60)
    return made


def rows_of_orders(sample: list[Any], chance: random.Random) -> list[dict[str, list[Row]]]:
    """Return the rows of generated orders by view, each with a restaurant, a currency and days of its own."""
    orders = []
    for number, play in enumerate(sample):
        history = OneOrderLog(played(play, contradictory=chance.random() < 0.5)).newest
        own = {
            "order_id": f"ord_{number}",
            "restaurant": chance.choice(("rosa", "luigi")),
            "currency": chance.choice(("EUR", "JPY")),
        }
        day = {version: chance.choice(DAYS) for version in range(1, history.version + 1)}
        orders.append(
            {
                view.name: [{**row, **own, "day": day[int(row["version"] or 0)]} for row in view.rows(history, 0)]
                for view in SUMMED
            }
        )
    return orders


@on_a_database
@given(sample=st.lists(plays(), min_size=1, max_size=4), chance=st.randoms(use_true_random=False))
def test_the_sums_are_those_of_the_rows_however_these_were_written(
    store: ViewStore, sample: list[Any], chance: random.Random
) -> None:
    """Late, twice, in parts, out of order, removed and stored anew: the books are those of the postings."""
    with store.writing() as connection:
        for view in SUMMED:
            connection.execute(delete(view.table))
            store.sum_up(connection, view)
    orders = rows_of_orders(sample, chance)
    for order in chance.choices(orders, k=2 * len(orders)):
        with store.writing() as connection:
            for view in SUMMED:
                rows = order[view.name]
                if rows and chance.random() < 0.2:
                    store.remove(connection, view, str(rows[0]["order_id"]), up_to=chance.randrange(1, 40))
                store.put(connection, view, rows[: chance.randrange(len(rows) + 1)])
        if chance.random() < 0.5:
            with store.writing() as connection:
                for view in SUMMED:
                    store.put(connection, view, [row for each in orders for row in each[view.name]])
    with store.reading() as connection:
        for wanted in FILTERS:
            for books in summarize_books(connection, wanted):
                assert _amounts(books) == _added_up(connection, replace(wanted, currency=books["currency"]))
            listed = [(*list(each.values())[:4], _minor(each["amount"])) for each in payables(connection, wanted)[0]]
            assert listed == _payables(connection, wanted)
        for view in SUMMED:
            for day in store.summed_days(view):
                assert store.wrong_sums(view, day) == []


def _amounts(books: Any) -> dict[str, Any]:
    """Return the numbers of a currency's books: of each account, and of each class and rate of tax."""
    return {
        **{a["account"]: tuple(_minor(a[side]) for side in ("opening", "debit", "credit")) for a in books["accounts"]},
        **{(t["tax_class"], t["rate_bp"]): (_minor(t["gross"]), _minor(t["tax"])) for t in books["taxes"]},
    }


def _minor(money: Any) -> int:
    return Money.parse(money["amount"], money["currency"]).minor


def _added_up(connection: Connection, wanted: BooksFilter) -> dict[str, Any]:
    """Add up the postings themselves."""
    found: dict[Any, list[int]] = {}
    for row in _rows(connection, LEDGER, wanted):
        opening, debit, credit = found.setdefault(row["account"], [0, 0, 0])
        if wanted.day_from is not None and row["day"] < wanted.day_from:
            found[row["account"]] = [opening + row["debit_minor"] - row["credit_minor"], debit, credit]
        else:
            found[row["account"]] = [opening, debit + row["debit_minor"], credit + row["credit_minor"]]
    taxes: dict[Any, list[int]] = {}
    for row in _rows(connection, TAXES, wanted):
        if wanted.day_from is None or row["day"] >= wanted.day_from:
            gross, tax = taxes.setdefault((row["tax_class"], row["rate_bp"]), [0, 0])
            taxes[row["tax_class"], row["rate_bp"]] = [gross + row["gross_minor"], tax + row["tax_minor"]]
    shown = {key: values for key, values in taxes.items() if values[0]}
    return {key: tuple(values) for key, values in {**found, **shown}.items()}


def _payables(connection: Connection, wanted: BooksFilter) -> list[tuple[Any, ...]]:
    sums: dict[tuple[Any, ...], int] = {}
    for row in _rows(connection, LEDGER, wanted):
        if row["account"] in PAYABLE and (wanted.day_from is None or row["day"] >= wanted.day_from):
            key = (row["day"], row["restaurant"], row["account"], row["party"] or "", row["currency"])
            sums[key] = sums.get(key, 0) + row["credit_minor"] - row["debit_minor"]
    return [
        (day, restaurant, account.partition("_")[0], party or None, sums[day, restaurant, account, party, currency])
        for day, restaurant, account, party, currency in sorted(sums)
    ]


def _rows(connection: Connection, table: Any, wanted: BooksFilter) -> Iterator[Any]:
    for row in connection.execute(select(table)).mappings():
        if (
            (wanted.day_to is None or row["day"] <= wanted.day_to)
            and wanted.restaurant in (None, row["restaurant"])
            and wanted.currency in (None, row["currency"])
        ):
            yield row


# --- what the books read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_the_books_read_no_posting_and_sort_nothing(store: ViewStore, wanted: BooksFilter) -> None:
    """Only sums by day, so that their cost does not grow with the orders; payables in the order of an index."""
    plans = _plans(store, wanted)
    assert len(plans) == 3
    for plan in plans:
        assert not {f"{word} {table}" for word in ("SCAN", "SEARCH", "on") for table in ("ledger", "taxes")} & {
            " ".join(pair) for line in plan for pair in zip(line.split(), line.split()[1:], strict=False)
        }, plan
    if store.database.is_sqlite:  # PostgreSQL decides by the number of rows
        [listing] = [plan for plan in plans if any("payable_days" in line for line in plan)]
        assert not any("TEMP B-TREE" in line for line in listing), listing


def _plans(store: ViewStore, wanted: BooksFilter) -> list[list[str]]:
    """Return how the database executes each statement of the books."""
    explain = "EXPLAIN QUERY PLAN " if store.database.is_sqlite else "EXPLAIN "
    plans: list[list[str]] = []
    with store.reading() as connection:

        def explained(_conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            cursor.execute(explain + statement, parameters)
            plans.append([str(row[-1]) for row in cursor.fetchall()])

        event.listen(connection, "before_cursor_execute", explained)
        summarize_books(connection, wanted)
        payables(connection, wanted)
        event.remove(connection, "before_cursor_execute", explained)
    return plans


def test_as_many_sums_are_kept_of_many_orders_as_of_one(store: ViewStore) -> None:
    """The parties, days, accounts and currencies decide how much the books read."""
    history = OneOrderLog(played((12, []))).newest
    counts = []
    for number in range(30):
        with store.writing() as connection:
            for view in SUMMED:
                store.put(connection, view, [{**row, "order_id": f"ord_{number}"} for row in view.rows(history, 0)])
            tables = [sums.table for view in SUMMED for sums in view.sums]
            counts.append([len(connection.execute(select(table)).all()) for table in tables])
    assert all(counts[0])
    assert counts == [counts[0]] * 30


@pytest.mark.parametrize("sql_url", ["sqlite"], indirect=True)
def test_a_day_is_compared_by_its_index_in_every_table(store: ViewStore) -> None:
    """A million orders have ten million postings: a scan for each day would keep the projector from its work."""
    plans: list[str] = []
    history = OneOrderLog(played((12, []))).newest
    with store.writing() as connection:
        for view in SUMMED:
            store.put(connection, view, view.rows(history, 0))
    with store.reading() as connection:

        def explained(_conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[-1]) for row in cursor.fetchall())

        event.listen(connection, "before_cursor_execute", explained)
        for view in SUMMED:
            tables = [view.table, *(sums.table for sums in view.sums)]
            [day] = days(connection, tables)
            assert all(is_right(connection, sums, view.table, day) for sums in view.sums)
        event.remove(connection, "before_cursor_execute", explained)
    steps = [plan for plan in plans if plan.startswith(("SCAN", "SEARCH"))]
    assert steps
    assert [step for step in steps if not step.startswith("SEARCH") or " USING " not in step] == []


def test_a_day_that_cannot_be_compared_in_time_is_left_out(
    views: Views, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would be raised again and again, and the views would fall behind."""

    def too_slow(*_: object) -> list[str]:
        raise StatementTooSlow

    monkeypatch.setattr(views.store, "wrong_sums", too_slow)
    assert compare(views) == 0
    assert "not compared" in caplog.text


# --- rebuild, check, comparison, upgrade ------------------------------------------------------------------------------


def test_a_rebuild_sums_up_again(views: Views) -> None:
    """The table of another build takes the place of the old one, and so do its sums."""
    _change_a_sum(views.store)
    source = RebuildFrom(open_log=lambda: nullcontext(views.log), blind_index=BLIND_INDEX)
    rebuild(views.store, source, ["ledger"], cores=1)
    assert check(views.store, views.log).differences == []


def test_a_check_names_the_days_of_wrong_sums(views: Views) -> None:
    """A sum that was changed by hand would stay wrong for ever: nothing else reads the postings again."""
    day = _change_a_sum(views.store)
    assert [(each.view, each.stream, each.day) for each in check(views.store, views.log).differences] == [
        ("ledger", "", day)
    ]


def test_the_daily_comparison_mends_wrong_sums(views: Views, caplog: pytest.LogCaptureFixture) -> None:
    """Changed and made-up sums; the day is named and counted, so that it is alarmed."""
    day = _change_a_sum(views.store)
    with views.store.writing() as connection:
        row = connection.execute(select(PAYABLE_DAYS).limit(1)).mappings().one()
        connection.execute(insert(PAYABLE_DAYS).values(dict(row) | {"day": "2001-01-01"}))
    with caplog.at_level(logging.ERROR):
        assert compare(views) == 2
    assert sorted(getattr(each, "day", "") for each in caplog.records if each.message == MENDED) == ["2001-01-01", day]
    assert check(views.store, views.log).differences == []


def _change_a_sum(store: ViewStore) -> str:
    with store.writing() as connection:
        connection.execute(update(LEDGER_DAYS).values(debit_minor=LEDGER_DAYS.c.debit_minor + 1))
        return str(connection.execute(select(LEDGER_DAYS.c.day).distinct()).scalar_one())


def test_a_stream_that_is_mended_is_summed_once(views: Views) -> None:
    """Its rows are deleted and stored anew, in one transaction."""
    views.projector.mend([order_stream(ADA)])
    assert check(views.store, views.log).differences == []


def test_views_of_an_older_release_are_summed_up_at_the_start(views: Views) -> None:
    """They have rows and no tables of sums; the books must not be empty until somebody rebuilds."""
    with views.store.reading() as connection:
        before = summarize_books(connection, BooksFilter()), payables(connection, BooksFilter())
    with views.store.writing() as connection:
        for view in SUMMED:
            for sums in view.sums:
                drop(connection, sums.table.name)
    views.store.prepare()
    with views.store.reading() as connection:
        assert (summarize_books(connection, BooksFilter()), payables(connection, BooksFilter())) == before
        assert before[0][0]["accounts"]


@pytest.mark.parametrize("sql_url", ["postgresql"], indirect=True)
def test_one_transaction_at_a_time_changes_sums(store: ViewStore) -> None:
    """Two that store the same rows at once would both count them."""
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    rows = LEDGER_VIEW.rows(OneOrderLog(played((12, []))).newest, 0)
    with store.writing() as connection:
        store.put(connection, LEDGER_VIEW, rows)
        assert exists(connection, "ledger_days")
        assert connection.execute(text(held)).scalar_one() == 1
