"""Events as files: what is in them, that they are whole, and that a change of one is found with its place."""

from __future__ import annotations

import base64
import csv
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import Role
from tests.search.shops import ShopWithViews
from workflows.audit.exports import BLOCK, Export, ExportFormat, ExportsBusy, ExportState, NoSuchExport
from workflows.audit.signed_notes import LocalSigner, NoteRefused, signed
from workflows.embedded import export_folder, export_process
from workflows.embedded.checkpoint_folder import signer_in
from workflows.embedded.export_folder import EXPORTS, ExportFolder, read_state, store_state
from workflows.exports import event_rows, writing
from workflows.exports.event_rows import COLUMNS, NUMBERS
from workflows.exports.formats import read_rows, write_heading, write_rows
from workflows.exports.manifest import FileAltered, Manifest, ManifestRefused, check_file
from workflows.exports.opening import opened, read_manifest
from workflows.orders.permissions import PERMISSIONS, Action
from workflows.queries.sqlite import query_file
from workflows.sql.database import SqlUnavailable

EXPORT = Export(
    id="0" * 32,
    format=ExportFormat.JSONL,
    filter={},
    as_of="2027-01-01T00:00:00.000000Z",
    requested_by="ann",
    requested_at="2026-05-04T12:00:00.000000Z",
)


def write(shop: ShopWithViews, file: Path, **changed: Any) -> Manifest:
    shop.project()
    return writing.write_export(shop.views.database, dataclasses.replace(EXPORT, **changed), file, lambda _: None)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_rows, "PAGE", 3)


@pytest.mark.parametrize("format_", ExportFormat)
def test_a_file_has_every_event_once_in_the_order_of_recording(any_shop, tmp_path, small_pages, format_):
    """In each format, the same rows; ``data`` and texts read back as they were."""
    shop = any_shop
    for number in range(2):
        shop.picked_up(key=f"=cmd({number})")
    file = tmp_path / "events"
    manifest = write(shop, file, format=format_)
    rows = list(read_rows(file, format_))
    listed = shop.list("/events", limit=100, role="auditor").json["events"]
    assert len(rows) == manifest.rows == len(listed) > 10
    assert [(row["order_id"], row["version"]) for row in rows] == [
        (event["order_id"], event["version"]) for event in reversed(listed)
    ]
    for row, event in zip(rows, reversed(listed), strict=True):
        assert json.loads(row["data"]) == event["data"]
        assert (row["key"], row["hash"], row["recorded_at"]) == (event["key"], event["hash"], event["recorded_at"])
        assert row["customer"] == event["customer"]
    assert "Ada Byron" not in file.read_bytes().decode(errors="replace")


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "'=1"])
def test_no_cell_of_a_csv_file_is_a_formula(tmp_path, formula):
    """Other persons chose the texts, in whatever column; an auditor opens the file in a spreadsheet."""
    path = tmp_path / "events.csv"
    row: Any = {name: 1 if name in NUMBERS else formula for name in COLUMNS}
    with path.open("wb") as file:
        write_heading(file, ExportFormat.CSV)
        write_rows(file, ExportFormat.CSV, [row])
    with path.open(newline="") as lines:
        cells = list(csv.reader(lines))[1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)
    assert list(read_rows(path, ExportFormat.CSV)) == [row]


def test_a_filter_and_a_time_choose_the_events(shop, tmp_path):
    """As in the list of events; ``as_of`` leaves out what came later."""
    first, second = shop.authorized(key="1"), shop.authorized(key="2", sub="bob")
    shop.project()
    newest = shop.list("/events", order=first).json["events"][0]["recorded_at"]
    file = tmp_path / "events.jsonl"

    def orders(**changed: Any) -> set[str]:
        write(shop, file, **changed)
        return {row["order_id"] for row in read_rows(file, ExportFormat.JSONL)}

    assert orders() == {first, second}
    assert orders(filter={"customer": "bob"}) == orders(filter={"order": second}) == {second}
    assert orders(as_of=newest) == {first}
    write(shop, file, filter={"type": ["OrderPlaced"], "people_only": True})
    assert {row["type"] for row in read_rows(file, ExportFormat.JSONL)} == {"OrderPlaced"}
    assert orders(filter={"actor": "nobody"}) == set()


def test_a_file_that_cannot_be_completed_leaves_nothing(shop, tmp_path, monkeypatch):
    """No half file has the final name, and no other name either."""
    shop.picked_up()
    pages = event_rows.event_pages

    def breaks(*arguments: Any) -> Iterator[list[dict[str, Any]]]:
        yield from pages(*arguments)
        raise SqlUnavailable("the disk is full")

    monkeypatch.setattr(writing, "event_pages", breaks)
    with pytest.raises(SqlUnavailable):
        write(shop, tmp_path / "events.jsonl")
    assert [file.name for file in tmp_path.iterdir() if "events" in file.name] == []


@pytest.fixture
def large(tmp_path: Path) -> tuple[Path, Manifest]:
    """A file of three blocks, the last not full."""
    from workflows.exports.manifest import manifest_of

    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(b'{"line": %d}\n' % number for number in range(180_000))[: 2 * BLOCK + 1000])
    return file, manifest_of(EXPORT, file, 180_000)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda content: b"[" + content[1:], "bytes 0 to 1048575"),
        (lambda content: content[:BLOCK] + b"x" + content[BLOCK + 1 :], f"bytes {BLOCK} to {2 * BLOCK - 1} (from line"),
        (lambda content: content[:-1] + b"x", f"bytes {2 * BLOCK} to {2 * BLOCK + 999}"),
        (lambda content: content[: 2 * BLOCK], f"it ends at byte {2 * BLOCK} of {2 * BLOCK + 1000}"),
        (lambda content: content[:-1], f"bytes {2 * BLOCK} to {2 * BLOCK + 998}"),
        (lambda content: content + b"x", f"bytes {2 * BLOCK} to {2 * BLOCK + 1000}"),
        (lambda content: content + b"x" * BLOCK, f"bytes {2 * BLOCK} to"),
        (lambda content: b"", "it ends at byte 0"),
    ],
)
def test_a_changed_file_is_refused_with_the_place(large, change, place):
    """Edited, cut or continued: at the beginning, in the middle and at the end."""
    file, manifest = large
    check_file(manifest, file)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(FileAltered) as refused:
        check_file(manifest, file)
    assert place in str(refused.value)


def test_a_manifest_that_was_changed_is_refused(large):
    """Its signature is over every line, and another engine's key does not pass."""
    _, manifest = large
    signer, other = LocalSigner(bytes(32)), LocalSigner(bytes([1] * 32))
    note = signed(manifest.text, signer)
    assert read_manifest(note, signer.key) == read_manifest(note, None) == manifest
    for changed in (note.replace("rows 180000", "rows 179999"), note.replace(manifest.blocks[1], manifest.blocks[0])):
        with pytest.raises(NoteRefused):
            read_manifest(changed, signer.key)
    with pytest.raises(NoteRefused):
        read_manifest(note, other.key)
    for text in ("", "expediter export 1\n", note.replace("format jsonl", "format exe")):
        with pytest.raises((ManifestRefused, NoteRefused)):
            read_manifest(text, None)


@pytest.mark.parametrize("format_", ExportFormat)
def test_an_export_is_queried_without_an_engine(shop, tmp_path, format_):
    """Its events are a relation, and no other is there."""
    shop.picked_up()
    file = tmp_path / "events"
    manifest = write(shop, file, format=format_)
    with opened(file, manifest) as database:
        table = query_file(database, "SELECT count(*) AS n, min(data ->> 'restaurant') AS r FROM events", limit=5)
    assert (table.columns, table.rows) == (["n", "r"], [[manifest.rows, "rosa"]])
    assert not database.exists()


# --- over HTTP --------------------------------------------------------------------------------------------------------


class Made(ExportFolder):
    """Makes an export at once, in this process."""

    def _start(self, export_id: str) -> None:
        export_process.make(self._engine_folder, export_id, self._views_url)


@pytest.fixture
def exports(shop: ShopWithViews, tmp_path: Path) -> ExportFolder:
    made = Made(tmp_path, str(shop.views.url), shop.clock)
    shop.engine = dataclasses.replace(shop.engine, exports=made)
    return made


def request(shop: ShopWithViews, key: str = "k", *, role: str = "auditor", **body: object) -> Any:
    return shop.call("POST", "/exports", body, key=key, role=role, sub="ann")


def test_an_export_is_requested_made_and_read_in_blocks(shop, exports, tmp_path):
    """The manifest is signed with the engine's key, and the request is recorded."""
    order_id = shop.picked_up()
    shop.project()
    answer = request(shop, format="csv", filter={"order": order_id, "people_only": True})
    assert answer.status == 202, answer
    export = shop.call("GET", f"/exports/{answer.json['id']}", role="auditor").json
    assert (export["state"], export["format"], export["blocks"]) == ("done", "csv", 1)
    block = shop.call("GET", f"/exports/{export['id']}/content", role="auditor", query={"block": "0"}).json
    file = tmp_path / "copy.csv"
    file.write_bytes(base64.b64decode(block["content"]))
    assert block["next"] is None
    manifest = read_manifest(export["manifest"], signer_in(tmp_path).key)
    check_file(manifest, file)
    assert {row["order_id"] for row in read_rows(file, ExportFormat.CSV)} == {order_id}
    shop.project()
    [read] = shop.list("/access-log", role="auditor").json["reads"]
    assert (read["route"], read["actor"]["id"]) == ("POST /exports", "ann")
    assert order_id in read["request"]


@pytest.mark.parametrize(
    ("chosen", "field"), [({"type": ["CreditGrante"]}, "filter.type[0]"), ({"actor_role": "boss"}, "filter.actor_role")]
)
def test_an_export_of_a_mistyped_name_is_refused(shop, exports, chosen, field):
    """An empty file with a signature would prove that nothing of the kind happened."""
    answer = shop.call("POST", "/exports", {"filter": chosen}, key="mistyped", role="auditor", sub="ann")
    assert (answer.status, answer.fields) == (422, [field]), answer


def test_the_same_key_returns_the_same_export(shop, exports):
    """A repeated request makes no second file."""
    first, again, other = (request(shop, key, format="jsonl").json["id"] for key in ("k", "k", "l"))
    assert first == again != other


def test_only_auditors_export(shop, exports):
    """Only auditors see all orders together."""
    for role in set(Role) - {Role.SYSTEM}:
        expected = 202 if role in PERMISSIONS[Action.EXPORT] else 403
        assert request(shop, role=role).status == expected
        for path in ("", "/content"):
            assert shop.call("GET", f"/exports/{'0' * 32}{path}", role=role).status == (404 if expected == 202 else 403)


def test_a_deployment_without_a_folder_makes_no_exports(shop):
    """It says so, and what does."""
    answer = request(shop)
    assert (answer.status, answer.problem) == (503, "NoExports")


# --- the folder -------------------------------------------------------------------------------------------------------


class Stub:
    """A process that runs until a test ends it."""

    def __init__(self) -> None:
        self.ended: int | None = None

    def poll(self) -> int | None:
        return self.ended


class Started(ExportFolder):
    """Starts stubs."""

    def _start(self, export_id: str) -> None:
        self._process, self._making = Stub(), export_id  # type: ignore[assignment]


def test_one_export_is_made_at_a_time_and_a_dead_process_fails_it(shop, tmp_path):
    """An auditor sees that it failed, and can request another."""
    folder = Started(tmp_path, "views.sqlite", shop.clock)
    folder.begin(EXPORT)
    with pytest.raises(ExportsBusy):
        folder.begin(dataclasses.replace(EXPORT, id="1" * 32))
    assert folder.find(EXPORT.id).state is ExportState.RUNNING
    folder._process.ended = -9
    assert (folder.find(EXPORT.id).state, folder.find(EXPORT.id).error) == (ExportState.FAILED, "its process ended")
    folder.begin(dataclasses.replace(EXPORT, id="1" * 32))


def test_an_export_that_the_end_of_the_engine_interrupted_is_begun_again(shop, tmp_path):
    """It has the same id and the same time, so it has the same events."""
    Started(tmp_path, "views.sqlite", shop.clock).begin(EXPORT)
    after_restart = Started(tmp_path, "views.sqlite", shop.clock)
    assert after_restart.find(EXPORT.id).state is ExportState.RUNNING
    assert after_restart._making == EXPORT.id


def test_files_are_removed_after_a_day(shop, tmp_path):
    """Their disk space is the engine's."""
    folder = Started(tmp_path, "views.sqlite", shop.clock)
    folder.begin(EXPORT)
    store_state(tmp_path / EXPORTS, dataclasses.replace(EXPORT, state=ExportState.DONE))
    (tmp_path / EXPORTS / EXPORT.id).write_text("events")
    folder._process.ended = 0
    shop.clock.time += export_folder.KEPT
    folder.begin(dataclasses.replace(EXPORT, id="1" * 32, requested_at="2026-05-05T13:00:00.000000Z"))
    assert {file.name for file in (tmp_path / EXPORTS).iterdir()} == {"1" * 32 + ".json"}
    with pytest.raises(NoSuchExport):
        read_state(tmp_path / EXPORTS, EXPORT.id)
