"""Restore a backup of an engine's folder without the keys of customers who were erased since.

A backup is marked as one, and an engine refuses to run on it. ``restore`` removes the mark, and puts the list of
destroyed keys beside the databases, which the engine applies before anything else runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from domain.picklable import Picklable
from workflows.embedded.erased_keys import ErasedKeys
from workflows.embedded.files import BACKUP_MARK, DATABASE, ERASED_KEYS
from workflows.sqlite.database import sync_folder


class FolderIsBackup(Picklable, Exception):
    """The folder is a backup, and may hold keys of customers who were erased since. Retryable: after a restore."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is a backup; customers who were erased since have their keys in it. Restore it with: "
            f"expediter restore {folder} NEW --erased LIST"
        )


class RestoreRefused(Exception):
    """The backup, the target or a list cannot be used. Retryable: with others."""


def check_no_backup(folder: Path) -> None:
    """Raises FolderIsBackup."""
    if (folder / BACKUP_MARK).exists():
        raise FolderIsBackup(folder)


def restore(backup: Path, target: Path, lists: Sequence[Path]) -> int:
    """Copy a backup to a new folder that an engine can run on.

    The target appears when it is complete; until then it is ``<target>.partial``.

    Args:
        lists: Files with ids of destroyed keys, or the folders of engines that have one.

    Returns:
        The number of keys in the lists.

    Raises:
        RestoreRefused: The backup is none, the target exists, or a list does not.
        OSError: A file could not be read or written.
    """
    if not (backup / DATABASE).is_file():
        raise RestoreRefused(f"{backup} is not a backup of an engine: it has no {DATABASE}")
    if target.exists():
        raise RestoreRefused(f"{target} exists; choose a folder that does not")
    key_ids = sorted({key_id for each in lists for key_id in _read(each)})
    partial = target.with_name(target.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)  # an earlier restore was interrupted
    shutil.copytree(backup, partial)
    partial.chmod(0o700)
    ErasedKeys(partial / ERASED_KEYS).add(*key_ids)
    (partial / BACKUP_MARK).unlink(missing_ok=True)  # last: a folder without its list cannot be run on
    sync_folder(partial)
    partial.rename(target)
    sync_folder(target.parent)
    return len(key_ids)


def _read(given: Path) -> list[str]:
    file = given / ERASED_KEYS if given.is_dir() else given
    if not file.is_file():
        raise RestoreRefused(f"{file} does not exist; it lists the keys that were destroyed")
    return file.read_text(encoding="ascii").split()
