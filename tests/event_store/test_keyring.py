"""The contract of every key ring; a destroyed key leaves no trace in the file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows.event_store.keyring import KeyRing, KeysWithheld, NoKeys
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.keyring import SqliteKeyRing


@pytest.fixture(params=["in-memory", "sqlite", "kms-moto", "kms-local"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyRing]:
    match request.param:
        case "in-memory":
            yield InMemoryKeyRing()
        case "sqlite":
            with Database(tmp_path / "state.db") as database:
                yield SqliteKeyRing(database)
        case _:
            yield request.getfixturevalue("open_kms_keyring")(request.param.removeprefix("kms-"))()


def test_a_customer_has_one_key_made_on_first_use(keyring: KeyRing):
    """A key has 256 bits and is found by customer and by id; each customer has a different key."""
    key = keyring.current("ada.lovelace")
    assert len(key.material) == 32
    assert keyring.current("ada.lovelace") == keyring.find(key.id) == key
    assert keyring.current("bob").material != key.material
    assert "ada.lovelace" not in key.id
    assert keyring.find("unknown") is None


def test_concurrent_first_uses_get_the_same_key(keyring: KeyRing):
    """Otherwise one of them would encrypt with a key that is lost."""
    start = threading.Barrier(8)
    keys = []

    def ask() -> None:
        start.wait(10)
        keys.append(keyring.current("ada"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert set(keys) == {keyring.current("ada")}


def test_a_destroyed_key_is_not_found_and_the_next_is_a_new_one(keyring: KeyRing):
    """A customer who orders again after an erasure gets a new key."""
    key = keyring.current("ada")
    assert keyring.destroy("ada", key.id)
    assert keyring.find(key.id) is None
    assert not keyring.destroy("ada", key.id)
    again = keyring.current("ada")
    assert again.id != key.id
    assert again.material != key.material
    assert keyring.find(key.id) is None


def test_only_the_named_key_is_destroyed(keyring: KeyRing):
    """A second erasure that read the old key's id leaves the new key in place; so does one with another's key."""
    old = keyring.current("ada")
    other = keyring.current("bob")
    assert keyring.destroy("ada", old.id)
    new = keyring.current("ada")
    assert not keyring.destroy("ada", old.id)
    assert not keyring.destroy("ada", other.id)
    assert keyring.current("ada") == keyring.find(new.id) == new
    assert keyring.find(other.id) == other


def test_keys_survive_a_restart(tmp_path: Path):
    """Without keys all personal fields would read as erased."""
    with Database(tmp_path / "state.db") as database:
        key = SqliteKeyRing(database).current("ada")
    with Database(tmp_path / "state.db", read_only=True) as database:
        assert SqliteKeyRing(database).find(key.id) == key


def test_a_destroyed_key_is_in_no_file_any_more(tmp_path: Path):
    """It is neither in the database nor in SQLite's other files beside it."""
    with Database(tmp_path / "state.db") as database:
        keyring = SqliteKeyRing(database)
        key = keyring.current("ada")
        other = keyring.current("bob")
        assert _found(tmp_path, key.material)
        keyring.destroy("ada", key.id)
        assert not _found(tmp_path, key.material)
        assert _found(tmp_path, other.material)


def _found(folder: Path, material: bytes) -> bool:
    return any(material in file.read_bytes() for file in folder.iterdir())


def test_without_keys_personal_fields_read_as_erased_and_cannot_be_written():
    """A function has access to keys only if it needs them; a use without access raises an error of its own."""
    keyring = NoKeys()
    assert keyring.find("any") is None
    with pytest.raises(KeysWithheld, match="cannot store personal fields"):
        keyring.current("ada")
    with pytest.raises(KeysWithheld, match="cannot destroy one"):
        keyring.destroy("ada", "any")
