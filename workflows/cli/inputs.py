"""Reads files, JSON, times and ``NAME=VALUE`` pairs that a person named or typed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.boundary import strict_json
from workflows.cli.failures import InvalidInput
from workflows.clock import TimeUnreadable, read_timestamp

if TYPE_CHECKING:
    from workflows.client.order_json import MoneyJson


_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)? ?(Z|[+-]\d\d:\d\d))?", re.ASCII | re.IGNORECASE
)
_TIME_FORMS = "use 2026-03-01T18:30:00Z, '2026-03-01 18:30Z', 2026-03-01T19:30+01:00, or a day in UTC, 2026-03-01"


def pairs(texts: Iterable[str] | None, option: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` options as a dict. Raises InvalidInput."""
    values: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidInput(f"{option} {text!r} is not NAME=VALUE")
        if name in values:
            raise InvalidInput(f"{option} {name} is given twice")
        values[name] = value
    return values


def read_text(path: str) -> str:
    """Return the text of a file, or of stdin for ``-``. Raises InvalidInput."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not text in UTF-8") from None
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or replace it. Raises InvalidInput."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from None


def read_json(text: str, source: str) -> Any:
    """Read JSON strictly. Raises InvalidInput, which names ``source``, the field and the place."""
    try:
        return strict_json.read_json(text)
    except strict_json.JsonRefused as refused:
        raise InvalidInput(f"{source}{f' {refused.name}' if refused.name else ''} {refused.problem}") from None


def json_argument(text: str, option: str) -> Any:
    """Return the value of a JSON text, or of the file named after ``@``. Raises InvalidInput."""
    if text.startswith("@"):
        return read_json(read_text(text[1:]), text[1:])
    return read_json(text, option)


def version_or_time(text: str, option: str) -> int | datetime:
    """Return a version such as ``7``, or a time. Raises InvalidInput."""
    if re.fullmatch("[0-9]{1,9}", text):
        return int(text)
    try:
        return _time(text)
    except TimeUnreadable:
        raise InvalidInput(f"{option}: {text[:40]!r} is neither a version, e.g. 7, nor a time: {_TIME_FORMS}") from None


def amount_of(text: str, option: str) -> MoneyJson:
    """Return an amount such as ``12.50 EUR``. Raises InvalidInput; the engine checks the currency."""
    amount, space, currency = text.strip().partition(" ")
    if not space or not amount or not currency.strip():
        raise InvalidInput(f"{option} {text[:40]!r} is not an amount with its currency, e.g. '5.00 EUR'")
    return {"amount": amount, "currency": currency.strip().upper()}


def time_of(text: str, option: str) -> datetime:
    """Return a time as a person types it or copies it from a table. Raises InvalidInput."""
    try:
        return _time(text)
    except TimeUnreadable:
        raise InvalidInput(f"{option}: {text[:40]!r} is not a time: {_TIME_FORMS}") from None


def time_if_given(text: str | None, option: str) -> datetime | None:
    """Return the time of an option that may be left out. Raises InvalidInput."""
    return None if text is None else time_of(text, option)


def _time(text: str) -> datetime:
    """Read a time that may lack its seconds, or a day, which begins at midnight in UTC. Raises TimeUnreadable."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise TimeUnreadable
    day, clock, seconds, offset = parts.groups()
    return read_timestamp(f"{day}T{clock or '00:00'}{seconds or ':00'}{offset or 'Z'}")


def new_folder(path: str) -> Path:
    """Return a folder that may be missing. Raises InvalidInput for an empty name, e.g. of an unset variable."""
    if not path.strip():
        raise InvalidInput("--data names no folder; use . for the current one")
    return Path(path)


def existing_folder(path: Path, makes: str = "expediter up --data") -> Path:
    """Return the folder. Raises InvalidInput if it is missing, with the beginning of the command that makes one."""
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is not a folder")
    if not path.is_dir():
        raise InvalidInput(f"there is no folder {path}; {makes} {path} makes one")
    return path
