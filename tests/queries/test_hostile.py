"""Queries that would write, reach other data, run other functions or use up the machine are refused, twice over.

The reader of the text refuses them; and with that reader out of the way, the database itself does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.queries.hostile import BOMB, FUNCTIONS, OTHER_DATA, STATEMENTS, WRITES
from tests.search.shops import ShopWithViews
from tests.sql.postgres import PostgresServer
from workflows.queries import postgres as on_postgres
from workflows.queries.refusals import QueryRefused, QueryTooLarge
from workflows.queries.sqlite import query_file, request_for
from workflows.queries.sqlite_child import run
from workflows.sql.database import SqlDatabase

REFUSALS = (QueryRefused, QueryTooLarge)

HARMLESS = {
    "SELECT * FROM (SELECT * FROM main.events)",
    "VALUES (1)",
    "EXPLAIN SELECT 1",
    "EXPLAIN QUERY PLAN SELECT * FROM events",
}
"""They show nothing but what may be read, in a way that only the reader of the text refuses."""

UNREAD = [line for text in (WRITES, OTHER_DATA, FUNCTIONS) for line in text.splitlines() if line not in {"", *HARMLESS}]


def shop_on(url: str | Path) -> ShopWithViews:
    shop = ShopWithViews(url)
    shop.picked_up()
    shop.project()
    return shop


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The views of an order in SQLite."""
    path = tmp_path_factory.mktemp("views") / "views.sqlite"
    shop = shop_on(path)
    yield path
    shop.views.close()


@pytest.fixture(scope="module")
def server_database(postgres: PostgresServer) -> Iterator[SqlDatabase]:
    """The views of an order in PostgreSQL."""
    shop = shop_on(postgres.new_database())
    yield shop.views.database
    shop.views.close()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_hostile_statement_is_refused_on_sqlite(file: Path, statement: str) -> None:
    """By the reader of the text, or at the latest by the database."""
    with pytest.raises(REFUSALS):
        query_file(file, statement, limit=10, seconds=1)


@pytest.mark.parametrize("statement", UNREAD)
def test_sqlite_refuses_what_the_reader_would_let_through(file: Path, statement: str) -> None:
    """A fault in the reader of the text opens nothing."""
    before = file.read_bytes()
    with pytest.raises((sqlite3.Error, sqlite3.Warning)):
        run(request_for(file, statement, limit=10, seconds=1, bytes_max=10_000))
    assert file.read_bytes() == before


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_hostile_statement_is_refused_on_postgresql(server_database: SqlDatabase, statement: str) -> None:
    """The same statements."""
    with pytest.raises(REFUSALS):
        on_postgres.query_postgres(server_database, statement, as_of=None, limit=10, seconds=1)


@pytest.mark.parametrize("table", ["tickets", "offers", "views_position", "restaurants", "pg_authid"])
def test_the_role_on_postgresql_may_read_no_other_table(server_database: SqlDatabase, table: str) -> None:
    """Whatever its statement is."""
    with pytest.raises(QueryRefused, match=r"permission denied|does not exist"):
        unread(server_database, f"SELECT * FROM {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT phone_index FROM orders",
        "SELECT * FROM orders",
        "WITH gone AS (DELETE FROM events RETURNING 1) SELECT * FROM gone",
        "SELECT * FROM events FOR UPDATE",
        "SELECT set_config('role', 'postgres', false), * FROM tickets",
        "SELECT query_to_xml('SELECT * FROM orders', true, true, '')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT 1) AS answer; DELETE FROM events --",
    ],
)
def test_postgresql_refuses_what_the_reader_would_let_through(server_database: SqlDatabase, statement: str) -> None:
    """The role reads some columns, and its transaction writes nothing."""
    with pytest.raises(REFUSALS):
        unread(server_database, statement)


def unread(database: SqlDatabase, statement: str) -> None:
    """Run a statement that no reader has checked."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(on_postgres, "prepared", lambda sql, *_: sql)
        on_postgres.query_postgres(database, statement, as_of=None, limit=10, seconds=1)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM " + ", ".join(f"events AS e{number}" for number in range(8)),
        "WITH a AS (SELECT x.hash FROM events AS x, events AS y, events AS z, events AS u) "
        "SELECT DISTINCT x.hash, row_number() OVER (ORDER BY y.hash, x.hash) FROM a AS x, a AS y",
    ],
    ids=["cross join", "sort"],
)
def test_a_query_that_takes_too_long_is_stopped(file: Path, server_database: SqlDatabase, statement: str) -> None:
    """On both databases at the time limit, and the error says so."""
    with pytest.raises(QueryTooLarge, match=r"too long|memory|disk"):
        query_file(file, statement, limit=10, seconds=0.3)
    with pytest.raises(QueryTooLarge, match=r"too long|memory|disk"):
        on_postgres.query_postgres(server_database, statement, as_of=None, limit=10, seconds=0.3)


def test_a_text_cannot_grow_without_bound(file: Path, server_database: SqlDatabase) -> None:
    """A value has at most a megabyte on SQLite; on PostgreSQL no function that may be called makes one longer."""
    for statement in (f"SELECT length({BOMB})", "SELECT x || x FROM (SELECT data || data AS x FROM events) AS y"):
        with pytest.raises(QueryRefused):
            on_postgres.query_postgres(server_database, statement, as_of=None, limit=1)
    with pytest.raises(QueryRefused, match="too big"):
        query_file(file, f"SELECT length({BOMB})", limit=1)
