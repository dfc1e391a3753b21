"""Time limits of statements, what a dropped table leaves in the file, a file that another process replaced, locks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, Table, insert, select

from workflows.sql.columns import text
from workflows.sql.database import SqlDatabase, SqlUnavailable, StatementTooSlow
from workflows.sql.schema import create, drop

LIMIT_S = 0.1
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(0.3)",
}
"""Statements that take longer than the limit."""
NOTES = Table("notes", MetaData(), text("id", primary_key=True), text("said"))


def run_slowly(connection: Connection) -> None:
    connection.exec_driver_sql(SLOW[connection.dialect.name]).all()


def test_a_slow_statement_is_stopped_unless_it_builds_a_table(sql_url: str | Path) -> None:
    """A search must not hold a connection for long. An index of millions of rows takes minutes."""
    with SqlDatabase(sql_url, read_timeout_s=LIMIT_S, write_timeout_s=LIMIT_S) as database:
        for limited in (database.reading, database.writing):
            with pytest.raises(StatementTooSlow), limited() as connection:
                run_slowly(connection)
        if database.is_sqlite:
            with database.building() as connection:
                run_slowly(connection)
        with pytest.raises(StatementTooSlow), database.writing() as connection:
            run_slowly(connection)


def test_a_statement_of_sqlite_shows_that_it_proceeds(tmp_path: Path) -> None:
    """A projector with a long statement works, and must not be killed as one that hangs."""
    calls: list[None] = []
    with SqlDatabase(tmp_path / "notes.sqlite") as database:
        database.on_work = lambda: calls.append(None)
        with database.reading() as connection:
            connection.exec_driver_sql("SELECT 1").all()
            assert len(calls) == 2, "BEGIN and SELECT"
            run_slowly(connection)
    assert len(calls) > 100


def test_readers_and_the_writer_do_not_wait_for_each_other(sql_url: str | Path) -> None:
    """A reader keeps the snapshot that it began with, and a transaction that is not committed holds up no reader."""
    with SqlDatabase(sql_url, read_timeout_s=5, write_timeout_s=5) as database:
        with database.writing() as connection:
            create(connection, NOTES)
        with database.reading() as early:
            assert early.execute(select(NOTES.c.id)).all() == []
            with database.writing() as connection:
                connection.execute(insert(NOTES), {"id": "1", "said": "written while it was read"})
                with database.reading() as beside:
                    assert beside.execute(select(NOTES.c.id)).all() == []
            assert early.execute(select(NOTES.c.id)).all() == []
        with database.reading() as later:
            assert later.execute(select(NOTES.c.id)).scalars().all() == ["1"]


def test_a_read_without_a_free_connection_is_refused_in_time(
    sql_url: str | Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads beyond the pool wait for a bounded time, so that slow ones cannot gather without end."""
    monkeypatch.setattr("workflows.sql.database.POOL_WAIT_S", LIMIT_S)
    with (
        SqlDatabase(sql_url, readers=1) as database,
        database.reading(),
        pytest.raises(SqlUnavailable, match="all connections are busy"),
        database.reading(),
    ):
        pass


@pytest.mark.parametrize("wipe", [True, False])
def test_a_dropped_table_is_overwritten_in_the_file_if_it_held_something_of_a_person(
    tmp_path: Path, wipe: bool
) -> None:
    """Gigabytes that hold nothing personal are only marked as free, and the next drop overwrites again."""
    file = tmp_path / "views.sqlite"
    with SqlDatabase(file) as database:
        with database.writing() as connection:
            create(connection, NOTES)
            connection.execute(insert(NOTES), [{"id": str(number), "said": "distinctive"} for number in range(500)])
        with database.writing() as connection:
            drop(connection, "notes", wipe=wipe)
        with database.writing() as connection:
            assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
        database.forget()
    assert (b"distinctive" in file.read_bytes()) is not wipe


def test_readers_read_the_new_file_after_another_process_replaced_it(tmp_path: Path) -> None:
    """The projector discards damaged views from its process; the engine must not go on reading the deleted file."""
    file = tmp_path / "views.sqlite"
    with SqlDatabase(file) as projector, SqlDatabase(file) as engine:
        for said in ("before", "after"):
            with projector.writing() as connection:
                create(connection, NOTES)
                connection.execute(insert(NOTES), {"id": "1", "said": said})
            with engine.reading() as connection:
                assert connection.execute(select(NOTES.c.said)).scalars().all() == [said]
            projector.discard()


def test_a_lock_is_free_as_soon_as_its_holder_let_it_go(sql_url: str | Path) -> None:
    """A server notices a closed connection only later; until then a build that follows would be refused."""
    with SqlDatabase(sql_url) as database:
        for _ in range(50):
            with database.alone("build"):
                pass
