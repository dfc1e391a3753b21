"""Reads what a person typed or named: files, JSON, ``NAME=VALUE`` pairs. What cannot be used is said to be so."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from workflows.boundary import strict_json
from workflows.cli.failures import InvalidInput
from workflows.clock import read_timestamp


def pairs(given: Iterable[str] | None, option: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a dict. Raises InvalidInput."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidInput(f"{option} {text!r} is not NAME=VALUE")
        if name in found:
            raise InvalidInput(f"{option} {name} is given twice")
        found[name] = value
    return found


def read_text(path: str) -> str:
    """The text of a file, or of stdin for ``-``. Raises InvalidInput."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not text in UTF-8") from None
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None


def read_json(text: str, source: str) -> Any:
    """Read JSON strictly. Raises InvalidInput, which names ``source``, the field and the place."""
    try:
        return strict_json.read_json(text)
    except strict_json.JsonRefused as refused:
        raise InvalidInput(f"{source}{f' {refused.name}' if refused.name else ''} {refused.problem}") from None


def json_argument(text: str, option: str) -> Any:
    """JSON as it stands, or ``@FILE``. Raises InvalidInput."""
    if text.startswith("@"):
        return read_json(read_text(text[1:]), text[1:])
    return read_json(text, option)


def version_or_time(text: str, option: str) -> int | datetime:
    """``7``, or a time with its offset: one without is another time for everybody. Raises InvalidInput."""
    with suppress(ValueError, OverflowError):  # too many digits for Python; a time in no year of UTC
        if text.isascii() and text.isdecimal():
            return int(text)
        return read_timestamp(text)
    raise InvalidInput(
        f"{option}: {text[:40]!r} is neither a version nor a time with an offset, e.g. 7 or 2026-03-01T18:30:00Z"
    )


def new_folder(path: str) -> Path:
    """A folder that may be missing. Raises InvalidInput for no name: a variable that is not set is not this folder."""
    if not path.strip():
        raise InvalidInput("--data names no folder; give its name, or . for the folder you are in")
    return Path(path)


def existing_folder(path: Path) -> Path:
    """Raises InvalidInput."""
    if not path.is_dir():
        raise InvalidInput(f"there is no folder {path}; expediter up --data {path} makes one")
    return path
