"""What the tests of the log share."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import apsw
import pytest

_names = itertools.count()


@dataclass
class Syncs:
    """What happened to ``xSync`` on one database. ``before`` runs inside each sync and may raise."""

    vfs: str
    count: int = 0
    wal: int = 0
    before: Callable[[str], None] = lambda _name: None
    _gate: threading.Lock = field(default_factory=threading.Lock)

    def happened(self, name: str) -> None:
        with self._gate:
            self.count += 1
            self.wal += name.endswith("-wal")


class _File(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename, flags: list[int], syncs: Syncs) -> None:
        super().__init__("", name, flags)
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._syncs = syncs

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._syncs.before(self._name)
        super().xSync(flags)
        self._syncs.happened(self._name)


class SyncCountingVfs(apsw.VFS):
    """Sees every sync: counts them, can hold one up, can make one fail. Registered under a name of its own."""

    def __init__(self) -> None:
        self.syncs = Syncs(vfs=f"syncs-{next(_names)}")
        super().__init__(self.syncs.vfs, "")

    def xOpen(self, name: str | apsw.URIFilename, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(name, flags, self.syncs)


class DiskGone(apsw.IOError):
    """What a failing fsync looks like to SQLite."""

    def __init__(self) -> None:
        super().__init__("injected: the disk is gone")
        self.extendedresult = apsw.SQLITE_IOERR_FSYNC


@pytest.fixture
def vfs() -> Iterator[SyncCountingVfs]:
    vfs = SyncCountingVfs()
    yield vfs
    vfs.unregister()


@pytest.fixture
def syncs(vfs: SyncCountingVfs) -> Syncs:
    return vfs.syncs


@pytest.fixture
def disk_gone() -> type[DiskGone]:
    """To be raised in ``syncs.before``."""
    return DiskGone
