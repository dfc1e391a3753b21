"""The table in docs/audit.md, row by row: what is done to a folder, and which checks find it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.identifiers import SYSTEM
from workflows.audit.findings import Finding, PublishedHeads, Report
from workflows.audit.verify import heads, verify
from workflows.cli.demo.engine_process import engine
from workflows.cli.folder import open_database, open_log
from workflows.cli.folder_audit import audit_folder
from workflows.cli.main import run
from workflows.clock import SystemClock, timestamp
from workflows.embedded.files import BACKUP_MARK, DATABASE, VIEWS
from workflows.embedded.view_builder import start_building, views_of
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import GENESIS, Commit, chain_hash
from workflows.event_store.erasure import erase
from workflows.event_store.keyring import NoKeys
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import LogFollower
from workflows.sandbox.opening import SANDBOX
from workflows.sqlite.backup import back_up
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"
RESTAURANT = "restaurant#trattoria-nonna"
PATIENCE_S = 60
COLUMNS = "pk, sk, k, ts, h, ev"


class Folder:
    """A copy of an engine's folder, for an attacker with a database shell. ``order`` is an order that is still open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_log(path) as log:
            streams = sorted({commit.pk for commit in log.scan() if commit.pk.startswith("order#")})
        self.order = streams[0]

    def write(self, sql: str, *values: object, database: str = DATABASE) -> None:
        connection = sqlite3.connect(self.path / database)
        with connection:
            assert connection.execute(sql, values).rowcount != 0, "the tampering changed nothing"
        connection.close()

    def edit_signals(self, seq: int, old: str, new: str) -> None:
        """Replace a text in the signals of all journals that have this number."""
        sql = "UPDATE journal SET signal = replace(signal, ?, ?) WHERE seq = ? AND instr(signal, ?)"
        self.write(sql, old, new, seq, old)

    def commits(self, stream: str = "") -> list[Commit]:
        """Return the commits of a stream, or those of the order."""
        connection = sqlite3.connect(self.path / DATABASE)
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM events WHERE pk = ? ORDER BY sk", (stream or self.order,)
        ).fetchall()
        connection.close()
        return [Commit(*row) for row in rows]

    def put(self, commit: Commit) -> None:
        values = (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)
        self.write(f"REPLACE INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", *values)

    def recompute(self, change: Callable[[Commit], Commit], stream: str = "") -> None:
        """Change the commits of a stream, or those of the order, and compute their chain again."""
        previous = GENESIS
        changed = [change(commit) for commit in self.commits(stream)]
        assert changed != self.commits(stream), "the tampering changed nothing"
        for commit in changed:
            sealed = replace(commit, h=chain_hash(previous, commit))
            previous = sealed.h
            self.put(sealed)

    def insert_order(self, ts: str) -> None:
        """Insert a copy of the order's first commit as an order of its own, before the commits the feed is to read."""
        first = self.commits()[0]
        order_id = self.order.removeprefix("order#")
        forged = "ord_" + "a" * 26
        new = replace(first, pk=f"order#{forged}", ts=ts, ev=first.ev.replace(order_id, forged))
        new = replace(new, ev=re.sub(r'\{"key":"[0-9a-f]+","sealed":"[^"]*"\}', '{"key":"","sealed":""}', new.ev))
        values = (0, new.pk, new.sk, new.k, new.ts, chain_hash(GENESIS, new), new.ev)
        self.write(f"INSERT INTO events (position, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", *values)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PublishedHeads]:
    """A folder with two open orders, copied once the engine had nothing to do; and its heads, exported then."""
    root = tmp_path_factory.mktemp("audited")
    with engine(root / "data") as running:
        for _ in range(2):
            assert run(["order", "place", "--example", "--data", str(running.data)]) == 0
        deadline = time.monotonic() + PATIENCE_S
        while not idle(running.data):
            assert time.monotonic() < deadline, "the engine did not come to rest"
        back_up(running.data, root / "copy", log=DATABASE, mark=BACKUP_MARK)
    with open_log(root / "copy") as log:
        published = list(heads(log))
    return root / "copy", PublishedHeads.of(published, timestamp(SystemClock().now()))


def idle(data: Path) -> bool:
    """Both orders wait for their restaurant, and the feed has written its checkpoint."""
    connection = sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)
    waits = connection.execute("SELECT count(*) FROM documents WHERE pk LIKE 'wait#%'").fetchone()[0]
    processed = "SELECT read_to = (SELECT max(position) FROM events) AND unfinished = '[]' FROM feed_checkpoints"
    done = connection.execute(processed).fetchone()
    connection.close()
    return waits == 2 and done is not None and bool(done[0])


@pytest.fixture
def folder(original: tuple[Path, PublishedHeads], tmp_path: Path) -> Folder:
    shutil.copytree(original[0], tmp_path / "data")
    return Folder(tmp_path / "data")


# --- what an attacker does --------------------------------------------------------------------------------------------


def edit(folder: Folder) -> None:
    first = folder.commits()[0]
    folder.put(replace(first, ev=first.ev.replace('"minor":950', '"minor":50')))


def delete_in_the_middle(folder: Folder) -> None:
    folder.put(replace(folder.commits()[-1], sk=9))


def swap(folder: Folder) -> None:
    first, second = folder.commits()[:2]
    folder.put(replace(first, sk=second.sk))
    folder.put(replace(second, sk=first.sk))


def insert_between(folder: Folder) -> None:
    folder.put(replace(folder.commits()[-1], sk=2))


def keep_first_and_last(folder: Folder) -> None:
    first, last = folder.commits()[0], replace(folder.commits()[-1], sk=7)
    folder.write("DELETE FROM events WHERE pk = ?", folder.order)
    last = replace(last, h=chain_hash(GENESIS, last))
    folder.put(last)
    folder.put(replace(first, h=chain_hash(last.h, first)))


def turn_time_back(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ts="2020-01-01T00:00:00.000000Z") if commit.sk > 1 else commit)


def write_another_time(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ts="yesterday"))


def write_bytes(folder: Folder) -> None:
    folder.write("UPDATE events SET ev = CAST(x'ff' AS TEXT) WHERE pk = ? AND sk = 1", folder.order)


def write_outside(folder: Folder) -> None:
    folder.write(f"INSERT INTO events ({COLUMNS}) SELECT '', sk, k, ts, h, ev FROM events LIMIT 1")


def write_garbage(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ev=commit.ev.replace('"restaurant":', '"place":')))


def edit_amount(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ev=commit.ev.replace('"minor":2740', '"minor":2640')))


def edit_line(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ev=commit.ev.replace("Pizza Margherita", "Pizza Marinara")))


def cut(folder: Folder) -> None:
    folder.write("DELETE FROM events WHERE pk = ? AND sk > 1", folder.order)


def delete_order(folder: Folder) -> None:
    folder.write("DELETE FROM events WHERE pk = ?", folder.order)


def insert_earlier(folder: Folder) -> None:
    folder.insert_order("2026-01-01T00:00:00.000000Z")


def insert_later(folder: Folder) -> None:
    folder.insert_order("2999-01-01T00:00:00.000000Z")


def edit_menu(folder: Folder) -> None:
    folder.recompute(lambda commit: replace(commit, ev=commit.ev.replace('"minor":950', '"minor":50')), RESTAURANT)


def cut_restaurant(folder: Folder) -> None:
    folder.write("DELETE FROM events WHERE pk = ? AND sk > 1", RESTAURANT)


def edit_view(folder: Folder) -> None:
    with (
        open_log(folder.path) as log,
        closing(views_of(folder.path)) as views,
    ):  # the engine may have had no time for them
        build = partial(start_building, folder.path)
        follower = LogFollower(views, log, loads_from(log), SystemClock(), build=build)
        follower.catch_up(*follower.open())
    folder.write("UPDATE orders SET status = 'completed', version = version + 1", database=VIEWS)


def delete_key(folder: Folder) -> None:
    folder.write("DELETE FROM data_keys")


def replace_key(folder: Folder) -> None:
    folder.write("UPDATE data_keys SET material = randomblob(32)")


def restore_key(folder: Folder) -> None:
    connection = sqlite3.connect(folder.path / DATABASE)
    rows = connection.execute("SELECT customer, id, material FROM data_keys").fetchall()
    connection.close()
    erase_customer(folder)
    for row in rows:
        folder.write("INSERT INTO data_keys (customer, id, material) VALUES (?, ?, ?)", *row)


def erase_customer(folder: Folder) -> None:
    with Database(folder.path / DATABASE) as database:
        keys = SqliteKeyRing(database)
        log = SqliteEventLog(database, Codec(keys, EVENT_TYPES), SystemClock())
        assert erase(log, keys, SystemClock(), "cus_1", actor=SYSTEM, reason="asked for it")


def edit_row(folder: Folder) -> None:
    folder.write(
        """UPDATE documents SET body = replace(body, '"authorized"', '"ready"') WHERE pk LIKE 'open-orders#%'"""
    )


def edit_journal(folder: Folder) -> None:
    folder.edit_signals(1, '"task":1', '"task":7')


def edit_ledger(folder: Folder) -> None:
    folder.write("UPDATE payment_lines SET minor = minor - 100 WHERE minor = 2740", database=SANDBOX)


def edit_ended_journal(folder: Folder) -> None:
    folder.edit_signals(0, '"seed":"', '"seed":"0')
    folder.write("UPDATE executions SET status = 'SUCCEEDED', output = '{}', stopped_at = started_at")
    folder.edit_signals(1, '"task":1', '"task":7')


def edit_engine_state(folder: Folder) -> None:
    folder.write("UPDATE documents SET body = replace(body, '\"token\"', '\"other\"') WHERE pk LIKE 'wait#%'")
    folder.write("UPDATE documents SET version = version + 1 WHERE pk LIKE 'breaker#%'")
    folder.write("UPDATE feed_checkpoints SET read_to = read_to + 1")


def reorder_feed(folder: Folder) -> None:
    folder.write("UPDATE events SET position = -position")


TAMPERINGS: dict[str, Callable[[Folder], None]] = {
    "a commit was edited": edit,
    "a commit in the middle of a stream was deleted": delete_in_the_middle,
    "two commits were swapped": swap,
    "a commit was inserted between two others": insert_between,
    "only the first and the last commit were kept, each with a hash that fits some other commit": keep_first_and_last,
    "a commit was given an earlier time than the one before it, and the chain was computed again": turn_time_back,
    "a commit was given a time in another form, and the chain was computed again": write_another_time,
    "text that is not UTF-8 was written into a commit": write_bytes,
    "a row was written that belongs to no stream": write_outside,
    "an event that cannot be decoded was written, and the chain was computed again": write_garbage,
    "a recorded amount was edited, and the chain was computed again": edit_amount,
    "a customer's order line was edited, and the chain was computed again": edit_line,
    "the last commit of an open order was deleted": cut,
    "all commits of an order were deleted": delete_order,
    "a whole order was inserted, with a time before the heads were published": insert_earlier,
    "a whole order was inserted, with a later time": insert_later,
    "a price in a restaurant's menu was edited, and the chain was computed again": edit_menu,
    "the last commit of a restaurant was deleted": cut_restaurant,
    "a customer's key was deleted without a recorded erasure": delete_key,
    "a customer's key was replaced": replace_key,
    "a key exists that was recorded as destroyed": restore_key,
    "the row of an open order was edited": edit_row,
    "in the journal of an execution that has not ended, a signal was edited so that it no longer fits": edit_journal,
    "a line in the sandbox's ledger was edited": edit_ledger,
    "a value in a journal was edited, or the journal of an execution that has ended": edit_ended_journal,
    "a row of the views was edited": edit_view,
    "a wait, a circuit's counters or the feed's checkpoint was edited": edit_engine_state,
    "the order of commits in the feed was changed": reorder_feed,
}


def documented() -> dict[str, tuple[str, ...]]:
    """The rows of the table: what was done, and the results of the three checks."""
    table = DOCUMENT.read_text().partition("## What each check finds")[2].partition("\n\nThe changes that no check")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {what: tuple(checks) for what, *checks in rows[2:]}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_each_check_finds_what_the_documentation_says(
    what: str, folder: Folder, original: tuple[Path, PublishedHeads]
) -> None:
    """No more and no less, and never an exception."""
    TAMPERINGS[what](folder)
    seen = tuple("-" if report.intact else "found" for report in reports(folder.path, original[1]))
    assert seen == documented()[what]


def reports(path: Path, published: PublishedHeads) -> tuple[Report, Report, Report]:
    """The chain alone, the chain with published heads, and the folder without them."""
    with open_database(path) as database:
        log = SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), SystemClock())  # without keys, as on AWS
        return verify(log), verify(log, published=published), audit_folder(database, path, None, lambda _: None)


def test_the_table_has_a_row_for_each_tampering_and_no_other() -> None:
    """The documentation states only what a test has tried."""
    assert documented().keys() == TAMPERINGS.keys()


def test_a_folder_as_the_engine_left_it_has_no_finding(folder: Folder, original: tuple[Path, PublishedHeads]) -> None:
    """By any check; neither after an erasure that was recorded."""
    assert [report.findings for report in reports(folder.path, original[1])] == [(), (), ()]
    erase_customer(folder)
    assert [report.findings for report in reports(folder.path, original[1])] == [(), (), ()]


HOSTILE = ["NULL", "x'ff00fe'", "CAST(x'ff' AS TEXT)", "9223372036854775807", "1.5", "'é['", "''"]
"""One after the other in the columns of all tables."""


@pytest.mark.parametrize("database", [DATABASE, SANDBOX])
def test_any_value_in_any_column_of_any_table_is_judged(
    database: str, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    """Values of another type, text that is not UTF-8, large numbers: no exception, and no traceback in the log."""
    connection = sqlite3.connect(folder.path / database)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    tried = 0
    for table in [name for name in tables if connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        position = "position INTEGER PRIMARY KEY" if "position" in columns else columns[0]
        connection.executescript(
            f"""ALTER TABLE {table} RENAME TO original;
            CREATE TABLE {table} ({", ".join([position, *columns[1:]])});
            INSERT INTO {table} SELECT * FROM original"""
        )
        for number, column in enumerate(columns[1:]):
            hostile = HOSTILE[number % len(HOSTILE)]
            connection.execute(f"UPDATE {table} SET {column} = {hostile}")
            connection.commit()
            found = [str(finding) for finding in findings_of(folder)]
            assert found or not table.endswith("_lines") or is_text(hostile), f"{table}.{column} = {hostile}"
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM original")
            connection.commit()
            tried += 1
        connection.execute("DROP TABLE original")
        connection.commit()
    connection.close()
    assert tried > 20
    assert not [record for record in caplog.records if record.exc_info]


def is_text(hostile: str) -> bool:
    """Whether a value may stand in a column of text: the sandbox does not give a meaning to all of them."""
    return hostile.startswith("'")


def findings_of(folder: Folder) -> tuple[Finding, ...]:
    with open_database(folder.path) as database:
        return audit_folder(database, folder.path, None, lambda _: None).findings
