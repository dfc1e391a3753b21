"""Orders that ended long ago move to the archive, and are read as before; none is lost, wherever a run is killed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import SYSTEM, Actor, OrderId, Role
from domain.order.commands import AddNote
from domain.personal import Erased
from tests.archive.conftest import Story, in_order
from tests.handlers.conftest import Shop
from workflows.archive.archiving import ArchiveRun, archive_orders, merkle_root
from workflows.audit.verify import heads, verify
from workflows.cli.main import run
from workflows.embedded import engine as embedded_engine
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.files import BACKUP_MARK, DATABASE
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken
from workflows.event_store.erasure import erase
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import Caller, handle, load
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings
from workflows.sqlite.archive import ARCHIVE
from workflows.sqlite.backup import back_up
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog


@contextmanager
def opened(story: Story, folder: Path) -> Iterator[tuple[SqliteEventLog, Database]]:
    """Open a log with the shop's commits, and with its keys."""
    folder.mkdir(exist_ok=True)
    with Database(folder / DATABASE) as database:
        log = SqliteEventLog(database, Codec(story.shop.keyring, EVENT_TYPES), story.shop.clock)
        if not log.newest():
            sql = "INSERT INTO events (pk, sk, k, ts, h, ev) VALUES (?, ?, ?, ?, ?, ?)"
            rows = [(each.pk, each.sk, each.k, each.ts, each.h, each.ev) for each in story.commits]
            database.write(lambda connection: connection.executemany(sql, rows).close())
        yield log, database


def contents(folder: Path) -> dict[str, set[bool]]:
    """Return for each order in the table whether its contents name lines of the archive."""
    found: dict[str, set[bool]] = {}
    sql = "SELECT pk, ev FROM events WHERE pk LIKE 'order#%'"
    with Database(folder / DATABASE, read_only=True, readers=1) as database:
        for pk, ev in database.read(lambda connection: connection.execute(sql).fetchall()):
            found.setdefault(str(pk), set()).add(str(ev).startswith("@"))
    return found


def archived(folder: Path) -> set[str]:
    return {pk for pk, states in contents(folder).items() if states == {True}}


def test_orders_that_ended_long_ago_are_archived_and_the_others_stay(story: Story, tmp_path: Path) -> None:
    """An open one stays whatever its age; restaurants, customers and reads stay."""
    with opened(story, tmp_path) as (log, _):
        done = archive_orders(log, log.segments, story.cutoff)
    assert archived(tmp_path) == {order_stream(order_id) for order_id in story.old}
    assert contents(tmp_path)[order_stream(story.open)] == contents(tmp_path)[order_stream(story.young)] == {False}
    expected = sum(commit.pk in archived(tmp_path) for commit in story.commits)
    assert done == ArchiveRun(orders=2, commits=expected, segments=1, kept=1)


def test_archived_orders_are_read_as_before(story: Story, tmp_path: Path) -> None:
    """Histories, scans, the feed by position, heads and the audit: nothing tells where a commit is."""
    with opened(story, tmp_path) as (log, _):
        before = {order_id: log.load(order_stream(order_id)) for order_id in (*story.old, story.open, story.young)}
        feed = log.changes(None, 1000)
        published = [*heads(log)]
        archive_orders(log, log.segments, story.cutoff)
        assert {order_id: log.load(order_stream(order_id)) for order_id in before} == before
        assert list(log.scan()) == in_order(story.commits)
        assert log.changes(None, 1000) == feed
        assert [*heads(log)] == published
        assert verify(log, keys=story.shop.keyring).intact


def test_a_second_run_moves_nothing_more(story: Story, tmp_path: Path) -> None:
    """A dry run moves nothing at all."""
    with opened(story, tmp_path) as (log, _):
        assert archive_orders(log, log.segments, story.cutoff, dry_run=True).orders == 2
        assert archived(tmp_path) == set()
        archive_orders(log, log.segments, story.cutoff)
        assert archive_orders(log, log.segments, story.cutoff) == ArchiveRun(kept=1)
        assert len(list((tmp_path / ARCHIVE).iterdir())) == 1


def test_a_segment_ends_with_the_merkle_root_of_its_lines(story: Story, tmp_path: Path) -> None:
    """Anybody can compute it from the file alone, as RFC 6962 says."""
    with opened(story, tmp_path) as (log, _):
        archive_orders(log, log.segments, story.cutoff)
    *lines, last = (tmp_path / ARCHIVE / "000001.jsonl").read_bytes().splitlines()
    assert json.loads(last) == {"segment": 1, "commits": len(lines), "root": merkle_root(lines).hex()}
    leaves = [b"", b"\x00", b"\x10"]
    assert [merkle_root(leaves[:count]).hex() for count in (1, 2, 3)] == [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    ]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("number", [0, 1])
def test_no_order_is_lost_when_a_run_is_killed(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    """At each write of the segment, and before the transaction that names it; the next run does the rest."""
    target: Any = Path if step == "replace" else os
    real, calls = getattr(target, step), 0

    def struck(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > number:
            raise Killed
        return real(*arguments, **named)

    with opened(story, tmp_path) as (log, _):
        with monkeypatch.context() as patched, suppress(Killed):  # some steps are not taken twice
            patched.setattr(target, step, struck)
            archive_orders(log, log.segments, story.cutoff)
        assert list(log.scan()) == in_order(story.commits)
        archive_orders(log, log.segments, story.cutoff)
        assert list(log.scan()) == in_order(story.commits)
        assert len(archived(tmp_path)) == 2


def test_no_order_is_lost_when_the_transaction_fails(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segment is there, and nothing names it."""
    with opened(story, tmp_path) as (log, database):
        with monkeypatch.context() as patched:
            patched.setattr(database, "write", lambda _: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                archive_orders(log, log.segments, story.cutoff)
        assert archived(tmp_path) == set()
        assert list(log.scan()) == in_order(story.commits)


def test_the_name_of_a_segment_is_durable_before_the_table_names_it(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may otherwise keep the transaction and lose the file: its folder is synced first."""
    happened: list[str] = []
    with opened(story, tmp_path) as (log, database):
        write = database.write

        def noted_write(work: Any) -> Any:
            happened.append("transaction")
            return write(work)

        monkeypatch.setattr(database, "write", noted_write)
        monkeypatch.setattr("workflows.sqlite.archive.sync_folder", lambda folder: happened.append(folder.name))
        archive_orders(log, log.segments, story.cutoff)
    assert happened == [ARCHIVE, tmp_path.name, "transaction"]


def edit(folder: Path) -> None:
    file = folder / ARCHIVE / "000001.jsonl"
    file.write_bytes(file.read_bytes().replace(b"27.40", b"17.40").replace(b"2740", b"1740"))


def cut(folder: Path) -> None:
    os.truncate(folder / ARCHIVE / "000001.jsonl", 100)


def remove(folder: Path) -> None:
    (folder / ARCHIVE / "000001.jsonl").unlink()


@pytest.mark.parametrize("damage", [edit, cut, remove])
def test_the_audit_finds_what_was_done_to_a_segment(
    story: Story, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """The hashes stayed in the table. The other orders are not affected."""
    with opened(story, tmp_path) as (log, _):
        archive_orders(log, log.segments, story.cutoff)
    damage(tmp_path)
    with opened(story, tmp_path) as (log, _):
        found = {finding.stream for finding in verify(log).findings}
        assert found == {order_stream(order_id) for order_id in story.old}
        with pytest.raises(ChainBroken):
            log.load(order_stream(story.old[0]))
        assert log.load(order_stream(story.young)).version


def test_a_change_of_an_archived_order_is_recorded_behind_it(story: Story, tmp_path: Path) -> None:
    """A late credit or note: the whole order is archived again once it is old enough."""
    order_id = OrderId(story.old[0])
    sue = Actor(Role.SUPPORT, "sue")
    with opened(story, tmp_path) as (log, _):
        archive_orders(log, log.segments, story.cutoff)
        note = AddNote(text="asked for a copy of the receipt", by=sue, note_id="n1")
        handle(log, note, order_id=order_id, key="note", caller=Caller(sue, "c", "c"))
        assert contents(tmp_path)[order_stream(order_id)] == {True, False}
        history = load(log, order_id)[0]
        assert verify(log).intact
        archive_orders(log, log.segments, story.shop.clock.time + timedelta(days=1))
        assert order_stream(order_id) in archived(tmp_path)
        assert load(log, order_id)[0] == history


def test_an_archived_order_of_an_erased_customer_reads_erased(story: Story, tmp_path: Path) -> None:
    """The segment holds ciphertext, and its key is gone; the file is not touched."""
    shop = Shop()
    order_id = shop.completed()
    theirs = Story(shop, [order_id], "", "", shop.clock.time + timedelta(days=1), list(shop.log.scan()))
    with opened(theirs, tmp_path) as (log, _):
        archive_orders(log, log.segments, theirs.cutoff)
        segment = (tmp_path / ARCHIVE / "000001.jsonl").read_bytes()
        assert b"Byron" not in segment
        erase(log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked")
        placed = load(log, OrderId(order_id))[1].placed
        assert placed is not None
        assert placed.contact == Erased()
        assert verify(log, keys=shop.keyring).intact
    assert (tmp_path / ARCHIVE / "000001.jsonl").read_bytes() == segment


def test_a_backup_holds_the_segments_that_its_log_names(story: Story, tmp_path: Path) -> None:
    """The copy reads the same orders without the original."""
    with opened(story, tmp_path / "data") as (log, _):
        archive_orders(log, log.segments, story.cutoff)
    back_up(tmp_path / "data", tmp_path / "copy", log=DATABASE, mark=BACKUP_MARK)
    shutil.rmtree(tmp_path / "data")
    with opened(story, tmp_path / "copy") as (log, _):
        assert list(log.scan()) == in_order(story.commits)


def test_the_command_archives_and_makes_the_file_smaller(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts first, and needs a time with its unit."""
    with opened(story, tmp_path):
        pass
    assert run(["archive", "--data", str(tmp_path), "--older-than", "10"]) == 2
    assert run(["archive", "--data", str(tmp_path), "--older-than", "0d", "--dry-run", "--json"]) == 0
    assert archived(tmp_path) == set()
    capsys.readouterr()
    assert run(["archive", "--data", str(tmp_path), "--older-than", "0d", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["orders"] == 3
    assert done["database_bytes_after"] < done["database_bytes_before"]
    with opened(story, tmp_path) as (log, _):
        assert list(log.scan()) == in_order(story.commits)


def test_an_engine_archives_by_itself_and_refuses_the_command_meanwhile(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Soon after the start, and then daily."""
    folder = tmp_path / "data"
    with opened(story, folder):
        pass
    template = tmp_path / "template.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n"
        '  Echo: {Type: "AWS::Serverless::Function", Properties: {Handler: toy_handlers.echo}}\n'
    )
    monkeypatch.setattr(embedded_engine, "ARCHIVE_FIRST_S", 0.01)
    gateways = sandbox_gateways(SandboxSettings())
    with EmbeddedEngine.open(
        folder, template=template, gateways=gateways, projector_apart=False, archive_after=timedelta(0)
    ) as engine:
        deadline = time.monotonic() + 30
        while len(archived(folder)) < 3:
            assert time.monotonic() < deadline
        assert run(["archive", "--data", str(folder), "--older-than", "0d"]) == 2
        assert "--archive-after" in capsys.readouterr().err
        assert verify(engine.ports.log).intact
