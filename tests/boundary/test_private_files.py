"""Files with secrets: readable by their owner alone, whole or absent."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from workflows.boundary.private_files import write_private

ROOT = Path(__file__).parents[2]


def test_a_private_file_is_readable_by_its_owner_alone(tmp_path: Path):
    """Also if another program left a file under the temporary name, readable to all."""
    file = tmp_path / "tokens.key"
    left = tmp_path / "tokens.new"
    left.write_text("old")
    left.chmod(0o666)
    for text in ("one", "two"):
        write_private(file, text)
        assert (file.read_text(), file.stat().st_mode & 0o777) == (text, 0o600)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tokens.key"]


def test_a_failed_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file gets its name only when its content is on the disk."""
    file = tmp_path / "tokens.key"
    write_private(file, "one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(file, "two")
    assert file.read_text() == "one"


def test_no_other_code_creates_files_for_their_owner_alone():
    """One writer of secrets, so that each is atomic, durable and private."""
    files = [file for file in (ROOT / "workflows").rglob("*.py") if 0o600 in _constants(file)]
    assert {str(file.relative_to(ROOT)) for file in files} == {
        "workflows/boundary/private_files.py",
        "workflows/sql/database.py",  # creates an empty database, which SQLite fills, and lock files
        "workflows/sqlite/backup.py",  # copies databases and whatever else is in a folder
        "workflows/sqlite/database.py",  # creates an empty database, which SQLite fills
    }


def _constants(file: Path) -> set[object]:
    numbers = (node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
    return {number for number in numbers if isinstance(number, int)}
