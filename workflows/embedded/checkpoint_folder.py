"""Checkpoint files in a folder: ``00000001.checkpoint`` and so on. A file is created once and then read-only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from workflows.audit.checkpoint_store import CheckpointsUnavailable, CheckpointTaken
from workflows.audit.signed_notes import LocalSigner
from workflows.boundary.private_files import secret_in, write_private
from workflows.sqlite.database import sync_folder

KEY = "checkpoint.key"
"""The private key that signs checkpoints, in the engine's folder."""

CHECKPOINTS = "checkpoints"
"""Where checkpoints are published if no other folder is named: in the engine's folder."""

PLACE = "checkpoints.path"
"""Names the folder of the checkpoints, if it is not the default."""

_SUFFIX = ".checkpoint"
_SEED_BYTES = 32


def checkpoint_folder(folder: Path, chosen: Path | None) -> Path:
    """Return where the checkpoints of an engine's folder are, and remember a choice: a second place would fork them.

    Args:
        folder: The engine's folder.
        chosen: The folder to publish in from now on; None: the one that was chosen before, or else the default.
    """
    remembered = folder / PLACE
    if chosen is not None:
        write_private(remembered, str(chosen.absolute()))
        return chosen
    try:
        return Path(remembered.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return folder / CHECKPOINTS


def signer_in(folder: Path) -> LocalSigner:
    """Return the signer of an engine's folder, with a new key if it has none. Raises SecretUnusable."""
    otherwise = "checkpoints of the new key need a place of their own"
    return LocalSigner(secret_in(folder / KEY, _SEED_BYTES, otherwise=otherwise)[:_SEED_BYTES])


class FolderCheckpoints:
    """The checkpoint files of one folder, which is made with the first of them. Its calls wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> int:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise CheckpointsUnavailable(f"{self._folder} cannot be listed: {error.strerror}") from error
        numbers = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return max((int(number) for number in numbers if number.isdecimal()), default=0)

    def read(self, number: int, start: int = 0, length: int | None = None) -> bytes:
        try:
            with open(self._file(number), "rb") as file:
                file.seek(start)
                return file.read() if length is None else file.read(length)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise CheckpointsUnavailable(f"{self._file(number)} cannot be read: {error.strerror}") from error

    def add(self, number: int, content: bytes) -> None:
        """Write the file under another name first: a link fails if the name is in use, and never replaces a file."""
        new = self._folder / f"{secrets.token_hex(8)}.new"
        try:
            self._folder.mkdir(mode=0o755, exist_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(new, self._file(number))
            except FileExistsError:
                raise CheckpointTaken(f"{self._file(number)} exists") from None
            sync_folder(self._folder)
        except OSError as error:
            raise CheckpointsUnavailable(f"{self._folder} cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):
                new.unlink()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08d}{_SUFFIX}"
