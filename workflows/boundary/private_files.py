"""Write private files: readable by their owner alone, and replaced as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


class SecretUnusable(Exception):
    """A file holds no usable secret. The message says what to do."""


def secret_in(file: Path, size: int, *, otherwise: str) -> bytes:
    """Return the secret in a file, which is created with a random one if it is missing.

    Args:
        size: Bytes, at least.
        otherwise: What a new secret changes, for the message: "it invalidates all tokens".

    Raises:
        SecretUnusable: The file holds something else.
        OSError: The folder cannot be written.
    """
    if not file.exists():
        write_private(file, secrets.token_hex(size))
    file.chmod(0o600)
    try:
        secret = bytes.fromhex(file.read_text(encoding="ascii"))
    except ValueError:
        secret = b""
    if len(secret) < size:
        raise SecretUnusable(f"{file} holds no secret; delete it to get a new one: {otherwise}")
    return secret


def write_private(file: Path, text: str) -> None:
    """Replace the content of a file; only one process may write it at a time.

    The text is durable before the file gets its name, so that a process killed at any time leaves the old content or
    the new one, never an empty secret.

    Raises:
        OSError: The folder cannot be written.
    """
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)  # a file left by another program would keep its permissions
    _write_and_replace(new, text.encode(), file)


def write_private_content(file: Path, content: bytes) -> None:
    """Write a file whose name says its content, e.g. by a hash; several threads and processes may write it at a time.

    The content is durable before the file gets its name. A process that is killed before leaves a file ``.new``.

    Raises:
        OSError: The folder cannot be written.
    """
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
    try:
        _write_and_replace(new, content, file)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def open_private(file: Path) -> BinaryIO:
    """Create a file to write at length, readable by its owner alone; the caller syncs it and gives it its final name.

    Raises:
        OSError: The folder cannot be written.
    """
    file.unlink(missing_ok=True)  # a file left by another program would keep its permissions
    return open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write_and_replace(new: Path, content: bytes, file: Path) -> None:
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)
    new.replace(file)
