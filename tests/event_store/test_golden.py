"""Golden files: one stored payload of every event type and schema ever written, and the event it must read as.

Run this file to write the missing ones: ``python tests/event_store/test_golden.py``. It never changes an existing one:
a stored payload is history. When a new schema changes how an old payload reads, edit ``event`` in the old file.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.identifiers import SYSTEM
from domain.personal import Erased
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, NewCommit, Opaque
from workflows.event_store.event_types import EventType
from workflows.event_store.keyring import DataKey
from workflows.event_store.streams import stream_name
from workflows.in_memory.keyring import InMemoryKeyRing

FOLDER = Path(__file__).parent / "golden"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SCHEMAS = [(kind, schema) for kind in EVENT_TYPES.by_class.values() for schema in range(1, kind.schema + 1)]
IDS = [f"{kind.name}.{schema}" for kind, schema in SCHEMAS]


class GoldenKeyRing:
    """A fixed key, so that encrypted payloads stay readable."""

    key = DataKey("golden", bytes(range(32)))

    def current(self, customer: str) -> DataKey:
        return self.key

    def find(self, key_id: str) -> DataKey | None:
        return self.key if key_id == self.key.id else None

    def key_id_of(self, customer: str) -> str | None:
        return self.key.id

    def destroy(self, customer: str, key_id: str) -> bool:
        raise NotImplementedError("the golden key stays")


@pytest.mark.parametrize(("kind", "schema"), SCHEMAS, ids=IDS)
def test_every_payload_ever_stored_still_reads(kind: EventType, schema: int):
    """Class and field names are the storage format: a rename, or a new field without a default, fails here."""
    file = path(kind.name, schema)
    assert file.exists(), (
        f"{file.name} is missing: write it with `python tests/event_store/test_golden.py` and commit it"
    )
    golden = json.loads(file.read_text())
    (recorded,) = Codec(GoldenKeyRing(), EVENT_TYPES).decode(stored_commit(kind, schema, golden["stored"]))
    assert not isinstance(recorded.event, Opaque)
    assert_holds(json.loads(msgspec.json.encode(recorded.event)), golden["event"])


@pytest.mark.parametrize(("kind", "schema"), SCHEMAS, ids=IDS)
def test_every_payload_reads_without_its_key(kind: EventType, schema: int):
    """Erasure makes encrypted fields ``Erased()``, and nothing fails. A field that was stored as it is may stay."""
    golden = json.loads(path(kind.name, schema).read_text())
    (recorded,) = Codec(InMemoryKeyRing(), EVENT_TYPES).decode(stored_commit(kind, schema, golden["stored"]))
    for field in kind.personal:
        if field in golden["stored"]:  # one that was added since has its default
            plain = golden["stored"][field] == golden["event"][field]
            assert getattr(recorded.event, field) in ((golden["event"][field], Erased()) if plain else (Erased(),))


def test_every_golden_file_has_its_event_class():
    """An event type that was ever stored stays in the code."""
    assert {file.stem for file in FOLDER.glob("*.json")} == {f"{kind.name}.{schema}" for kind, schema in SCHEMAS}


def assert_holds(read: Any, golden: Any) -> None:
    """Compare with the golden file; fields that were added later have their defaults."""
    if isinstance(golden, dict):
        for key, value in golden.items():
            assert_holds(read[key], value)
    elif isinstance(golden, list):
        for one, value in zip(read, golden, strict=True):
            assert_holds(one, value)
    else:
        assert read == golden


def path(name: str, schema: int) -> Path:
    return FOLDER / f"{name}.{schema}.json"


def stored_commit(kind: EventType, schema: int, data: Any) -> Commit:
    """Wrap a payload in a commit, as it would be read from the log."""
    meta = {"actor": {"role": "system", "id": "expediter"}, "correlation": "", "causation": "", "body": ""}
    text = json.dumps({"m": meta, "e": [{"t": kind.name, "v": schema, "d": data}]})
    return Commit(stream_name(kind.category, "golden"), 1, "golden", "2026-05-04T12:00:00.000000Z", b"", text)


def write_missing() -> list[Path]:
    """Write the golden files of current schemas that have none."""
    written = []
    for kind in EVENT_TYPES.by_class.values():
        file = path(kind.name, kind.schema)
        if not file.exists():
            event = sample(kind.cls)
            new = NewCommit(
                key="k", events=(event,), actor=SYSTEM, correlation="", causation="", body_hash="", subject="golden"
            )
            stored = json.loads(Codec(GoldenKeyRing(), EVENT_TYPES).encode(stream_name(kind.category, "golden"), new))[
                "e"
            ][0]["d"]
            golden = {"stored": stored, "event": json.loads(msgspec.json.encode(event))}
            file.write_text(json.dumps(golden, indent=2, ensure_ascii=False) + "\n")
            written.append(file)
    return written


def sample(hint: Any, name: str = "") -> Any:
    """Make a value of a type, the same on each call."""
    hint = getattr(hint, "__supertype__", hint)
    arguments = [argument for argument in get_args(hint) if argument not in (Erased, type(None), Ellipsis)]
    if get_origin(hint) in (Union, types.UnionType):
        return sample(arguments[0], name)
    if get_origin(hint) is tuple:
        return (sample(arguments[0], name),)
    if dataclasses.is_dataclass(hint):
        return _sample_of(hint)
    if issubclass(hint, enum.Enum):
        return next(iter(hint))
    return {str: "EUR" if name == "currency" else f"some {name}", int: 3, datetime: NOON, time: NOON.time()}[hint]


def _sample_of(cls: Any) -> Any:
    hints = get_type_hints(cls)
    return cls(**{field.name: sample(hints[field.name], field.name) for field in dataclasses.fields(cls)})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in write_missing():
        print(f"wrote {file.relative_to(Path.cwd())}")
