"""``expediter backup``: a running engine's folder is copied, and an engine on the copy continues its orders."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import TEMPLATE_DEFAULTS
from workflows.cli.demo.engine_process import engine
from workflows.cli.folder import address_of, open_ledgers, open_log
from workflows.sandbox.books_check import check_books


def test_a_backup_of_a_busy_engine_verifies_balances_and_can_be_run(
    running: Any, expediter: Any, process: Any, tmp_path: Path, ends_as: Any
) -> None:
    """Open orders of the copied folder end on the copy."""
    placed = [expediter("order", "place", "--example", "--data", running.data).out.strip() for _ in range(3)]
    threads = [
        threading.Thread(target=process, args=("order", "place", "--example", "--data", running.data)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    copied = expediter("backup", running.data, tmp_path / "copy")
    for thread in threads:
        thread.join()
    assert (copied.code, copied.out) == (0, "")
    assert f"expediter audit verify --data {tmp_path / 'copy'}" in copied.err
    assert expediter("audit", "verify", "--data", tmp_path / "copy").code == 0
    with open_log(tmp_path / "copy") as log, open_ledgers(tmp_path / "copy") as ledgers:
        assert check_books(log, ledgers).differences == ()
    assert expediter("restore", tmp_path / "copy", tmp_path / "new", "--erased", running.data).code == 0
    with engine(tmp_path / "new", TEMPLATE_DEFAULTS) as restored:
        for order_id in placed:
            expediter("order", "cancel", order_id, "--reason", "on the copy", "--data", restored.data)

            def shown(order_id: str = order_id) -> Any:
                return expediter("order", "show", order_id, "--data", restored.data, "--json").json

            ends_as(shown, "cancelled")
        assert expediter("audit", "verify", "--data", restored.data).code == 0
    assert cancelled_on_the_copy(running.data) == set()


def cancelled_on_the_copy(data: Path) -> set[str]:
    """Return the orders of the folder that were cancelled with this test's reason."""
    with open_log(data) as log:
        events = ((commit.pk, each.event) for commit in log.scan() for each in log.events(commit))
        return {pk.removeprefix("order#") for pk, event in events if getattr(event, "reason", "") == "on the copy"}


def test_a_copied_folder_does_not_carry_the_address_of_the_live_engine(running: Any, tmp_path: Path) -> None:
    """A command on the copy would otherwise change orders in the original."""
    shutil.copytree(running.data, tmp_path / "copy")
    assert (tmp_path / "copy" / "address").is_file()
    assert address_of(tmp_path / "copy") is None
    assert address_of(running.data) == running.url


def test_a_command_on_a_folder_without_an_engine_reaches_no_other_engine(
    running: Any, expediter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine of the original listens on the default port and would accept the copy's tokens."""
    monkeypatch.setattr("workflows.cli.connection.DEFAULT_URL", running.url)
    shutil.copytree(running.data, tmp_path / "copy")
    unreached = expediter("incidents", "list", "--data", tmp_path / "copy")
    assert (unreached.code, unreached.out) == (3, "")
    assert unreached.err == (
        f"expediter: no engine runs on {tmp_path / 'copy'}; start one with expediter up --data {tmp_path / 'copy'}, "
        "or name another with --url\n"
    )


def test_an_address_file_in_another_format_is_ignored(tmp_path: Path) -> None:
    """It may come from an earlier version or be truncated."""
    for content in (b"", b"http://127.0.0.1:8080", b"http://127.0.0.1:8080\nx\n", b"\xff 1"):
        (tmp_path / "address").write_bytes(content)
        assert address_of(tmp_path) is None


def test_an_existing_target_is_refused_in_one_line(running: Any, expediter: Any, tmp_path: Path) -> None:
    """The exit code is 2, and no file is replaced."""
    refused = expediter("backup", running.data, tmp_path)
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert "exists; choose a folder that does not" in refused.err
    nowhere = expediter("backup", tmp_path / "nowhere", tmp_path / "copy")
    assert (nowhere.code, nowhere.err.count("\n")) == (2, 1)


def test_a_copy_is_made_neither_of_a_running_engines_files_nor_into_its_own_source(
    running: Any, expediter: Any, tmp_path: Path
) -> None:
    """Files of a running engine change while they are copied; a backup within the folder would be in the next one."""
    live = expediter("restore", running.data, tmp_path / "new", "--erased", running.data)
    assert (live.code, live.err.count("\n")) == (2, 1), live
    assert "is the folder of a running engine" in live.err
    inside = expediter("backup", running.data, Path(running.data) / "copy")
    assert (inside.code, "choose a folder outside of it" in inside.err) == (2, True), inside
    assert expediter("backup", running.data, tmp_path / "copy").code == 0
    before = sorted((tmp_path / "copy").rglob("*"))
    inside = expediter("restore", tmp_path / "copy", tmp_path / "copy" / "new", "--without-list")
    assert (inside.code, "choose a folder outside of it" in inside.err) == (2, True), inside
    missing = expediter("restore", tmp_path / "none", tmp_path / "new", "--without-list")
    assert f"expediter backup DIR {tmp_path / 'none'} makes one" in missing.err
    assert expediter("restore", tmp_path / "copy", tmp_path / "new", "--without-list").code == 0
    assert sorted((tmp_path / "copy").rglob("*")) == before


def test_an_engine_refuses_a_backup_and_names_the_command_that_restores_it(
    running: Any, expediter: Any, tmp_path: Path
) -> None:
    """Else the step that keeps erased customers erased could be forgotten."""
    assert expediter("backup", running.data, tmp_path / "copy").code == 0
    refused = expediter("up", "--data", tmp_path / "copy", "--port", "0")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert f"expediter restore {tmp_path / 'copy'} NEW --erased LIST" in refused.err


def test_a_restore_needs_the_list_of_destroyed_keys_or_that_it_is_said_to_be_lost(
    running: Any, expediter: Any, tmp_path: Path
) -> None:
    """Nothing is copied otherwise."""
    assert expediter("backup", running.data, tmp_path / "copy").code == 0
    for given in ([], ["--erased", tmp_path / "nowhere"], ["--erased", running.data, "--without-list"]):
        refused = expediter("restore", tmp_path / "copy", tmp_path / "new", *given)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert not (tmp_path / "new").exists()
    assert expediter("restore", tmp_path / "copy", tmp_path / "new", "--without-list").code == 0
    assert expediter("restore", tmp_path / "copy", tmp_path / "new", "--without-list").code == 2
