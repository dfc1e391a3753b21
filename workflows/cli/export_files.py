"""Download an export: its blocks are checked as they come, and the file gets its name when it is whole."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.boundary.private_files import open_private
from workflows.cli.failures import CommandRefused, InvalidInput

if TYPE_CHECKING:
    from workflows.client import ExpediterClient
    from workflows.client.export_json import ExportJson


def manifest_file(file: Path) -> Path:
    """Return where the manifest of an export is: beside it."""
    return file.with_name(f"{file.name}.manifest")


def download(engine: ExpediterClient, export: ExportJson, file: Path, progress: Callable[[int], None]) -> None:
    """Write the file of an export that is done, and its manifest.

    Args:
        progress: Called with the number of bytes after each block.

    Raises:
        CommandRefused: A block is not the one of the manifest.
        InvalidInput: The file cannot be written. Nothing of it is left.
    """
    from workflows.exports.manifest import Manifest

    manifest = Manifest.read(export["manifest"].partition("\n\n")[0] + "\n")
    new = file.with_name(f"{file.name}.new")
    try:
        with open_private(new) as written:
            for number, expected in enumerate(manifest.blocks):
                content = b64decode(engine.export_block(export["id"], number)["content"])
                if sha256(content).hexdigest() != expected:
                    raise CommandRefused(
                        f"block {number} of the export is not the one of its manifest; nothing was written"
                    )
                written.write(content)
                progress(written.tell())
            written.flush()
            os.fsync(written.fileno())
        manifest_file(file).write_text(export["manifest"], encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            new.unlink()
