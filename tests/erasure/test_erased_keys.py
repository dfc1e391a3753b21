"""Keys that were destroyed and come back with an older copy are destroyed again before anything uses them."""

from __future__ import annotations

from pathlib import Path

from domain.identifiers import SYSTEM
from tests.stores import SettableClock
from workflows.embedded.erased_keys import destroy_again
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.erasure import erase
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.sqlite.database import Database
from workflows.sqlite.keyring import SqliteKeyRing


def test_a_key_is_destroyed_again_although_the_log_has_recorded_it(tmp_path: Path) -> None:
    """The keys alone were copied back: the log is newer, and its record must not keep the key alive."""
    clock = SettableClock()
    with Database(tmp_path / "state.db") as database:
        keyring = SqliteKeyRing(database)
        log = InMemoryEventLog(Codec(keyring, EVENT_TYPES), clock)
        key = keyring.current("ada")
        erase(log, keyring, clock, "ada", actor=SYSTEM, reason="request 4711")
        before = log.load("customer#ada")
        values = ("ada", key.id, key.material)
        sql = "INSERT INTO data_keys (customer, id, material) VALUES (?, ?, ?)"
        database.write(lambda connection: connection.execute(sql, values).close())
        destroy_again([key.id], log, InMemoryDocuments(), keyring, clock)
        assert keyring.find(key.id) is None
        assert keyring.key_id_of("ada") is None
        assert log.load("customer#ada") == before
