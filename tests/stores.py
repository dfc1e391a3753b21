"""Shared by tests of the stores: stores for the contract suites, a settable clock, and a disk whose syncs are seen."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit
from workflows.event_store.event_log import ITEM_MAX_BYTES
from workflows.event_store.keyring import KeyRing
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

ROOT = Path(__file__).parents[1]
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class SettableClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> datetime:
        self.time += timedelta(**by)
        return self.time


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def keyring() -> InMemoryKeyRing:
    return InMemoryKeyRing()


# --- stores the contract runs on --------------------------------------------------------------------------------------


@dataclass
class Store:
    """One store of commits: ``open`` an event log on it, or tamper with what it holds."""

    open: Callable[..., object]
    put: Callable[[Commit], None]
    delete: Callable[[str, int], None]
    item_max_bytes: int = ITEM_MAX_BYTES


def in_memory_store(clock: SettableClock, keyring: KeyRing) -> Store:
    first = InMemoryEventLog(Codec(keyring, EVENT_TYPES), clock)

    def reopened(*, codec: Codec | None = None) -> InMemoryEventLog:
        log = InMemoryEventLog(codec or Codec(keyring, EVENT_TYPES), clock)
        log._streams, log._in_order, log._gate = first._streams, first._in_order, first._gate
        return log

    return Store(
        open=reopened,
        put=lambda commit: first._streams.setdefault(commit.pk, {}).__setitem__(commit.sk, commit),
        delete=lambda pk, sk: first._streams[pk].__delitem__(sk),
    )


def sqlite_store(database: Database, clock: SettableClock, keyring: KeyRing) -> Store:
    def put(commit: Commit) -> None:
        sql = "REPLACE INTO events (pk, sk, k, ts, h, ev) VALUES (?, ?, ?, ?, ?, ?)"
        values = (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)
        database.write(lambda connection: connection.execute(sql, values).close())

    def delete(pk: str, sk: int) -> None:
        sql = "DELETE FROM events WHERE pk = ? AND sk = ?"
        database.write(lambda connection: connection.execute(sql, (pk, sk)).close())

    return Store(
        open=lambda *, codec=None: SqliteEventLog(database, codec or Codec(keyring, EVENT_TYPES), clock),
        put=put,
        delete=delete,
    )


def dynamodb_store(client, table: str, clock: SettableClock, keyring: KeyRing) -> Store:
    from workflows.aws.event_log import DynamoDbEventLog, _item

    return Store(
        open=lambda *, codec=None: DynamoDbEventLog(client, table, codec or Codec(keyring, EVENT_TYPES), clock),
        put=lambda commit: client.put_item(TableName=table, Item=_item(commit)),
        delete=lambda pk, sk: client.delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"N": str(sk)}}),
    )


@contextmanager
def opened_store(name: str, request: pytest.FixtureRequest, clock: SettableClock, keyring: KeyRing) -> Iterator[Store]:
    match name:
        case "in-memory":
            yield in_memory_store(clock, keyring)
        case "sqlite":
            with Database(request.getfixturevalue("tmp_path") / "state.db") as database:
                yield sqlite_store(database, clock, keyring)
        case "dynamodb-moto" | "dynamodb-local":
            client = request.getfixturevalue("dynamodb_client")(name.removeprefix("dynamodb-"))
            table = request.getfixturevalue("create_table")(client, "events", pk="S", sk="N")
            store = dynamodb_store(client, table, clock, keyring)
            if name == "dynamodb-moto":
                store.item_max_bytes = 405_000  # moto's limit differs from AWS's
            yield store


@pytest.fixture
def open_store(request: pytest.FixtureRequest, clock: SettableClock, keyring: InMemoryKeyRing):
    """``with open_store(name) as store``, for a test that needs particular adapters."""
    return lambda name: opened_store(name, request, clock, keyring)


@pytest.fixture(params=["in-memory", "sqlite", "dynamodb-moto", "dynamodb-local"])
def store(request: pytest.FixtureRequest, open_store) -> Iterator[Store]:
    """A store of each adapter: a test with this fixture runs on all of them."""
    with open_store(request.param) as store:
        yield store


@pytest.fixture
def open_kms_keyring(request: pytest.FixtureRequest, dynamodb_client, create_table):
    """``open_kms_keyring(where)`` creates a table and a key, and returns a function that opens a key ring on them.

    KMS is moto's in any case; the table is moto's or DynamoDB Local's.
    """

    def place(where: str):
        from workflows.aws import clients
        from workflows.aws.keyring import KmsKeyRing

        request.getfixturevalue("moto")
        kms = clients.kms()
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        dynamodb = dynamodb_client(where)
        table = create_table(dynamodb, "data-keys", pk="S")
        return lambda **options: KmsKeyRing(dynamodb, kms, table, arn, **options)

    return place


@pytest.fixture
def log(store: Store):
    return store.open()


# --- a disk that can be watched ---------------------------------------------------------------------------------------

_names = itertools.count()


@dataclass
class Syncs:
    """What happened to ``xSync`` on one database.

    ``before`` runs inside each sync and may raise. With ``keep``, what each file held at its last sync is kept.
    """

    vfs: str
    count: int = 0
    wal: int = 0
    before: Callable[[str], None] = lambda _name: None
    keep: bool = False
    kept: dict[str, bytes] = field(default_factory=dict)
    _gate: threading.Lock = field(default_factory=threading.Lock)

    def happened(self, name: str) -> None:
        with self._gate:
            self.count += 1
            self.wal += name.endswith("-wal")
            if self.keep:
                self.kept[name] = Path(name).read_bytes()

    def power_cut(self, folder: Path) -> None:
        """Write the files into another folder as they were at their last sync, without anything written later."""
        with self._gate:
            kept = dict(self.kept)
        for name, content in kept.items():
            (folder / Path(name).name).write_bytes(content)


class _File(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename, flags: list[int], syncs: Syncs) -> None:
        super().__init__("", name, flags)
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._syncs = syncs

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._syncs.before(self._name)
        super().xSync(flags)
        self._syncs.happened(self._name)  # before SQLite learns that it is durable


class SyncCountingVfs(apsw.VFS):
    """Counts every sync, and can delay one or make one fail. Registered under a name of its own."""

    def __init__(self) -> None:
        self.syncs = Syncs(vfs=f"syncs-{next(_names)}")
        super().__init__(self.syncs.vfs, "")

    def xOpen(self, name: str | apsw.URIFilename, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(name, flags, self.syncs)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - SQLite's name
        super().xDelete(filename, syncdir)
        self.syncs.kept.pop(filename, None)


class DiskGone(apsw.IOError):
    """The error of a failing fsync."""

    def __init__(self) -> None:
        super().__init__("injected: the disk is gone")
        self.extendedresult = apsw.SQLITE_IOERR_FSYNC


@pytest.fixture
def syncs() -> Iterator[Syncs]:
    vfs = SyncCountingVfs()
    yield vfs.syncs
    vfs.unregister()


@pytest.fixture
def disk_gone() -> type[DiskGone]:
    """To be raised in ``syncs.before``."""
    return DiskGone
