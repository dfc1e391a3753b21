"""What goes where: data on stdout, everything else on stderr, and colour only where a person looks at it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 200
"""Columns when nobody looks: enough that no line of ours is wrapped, so that ``grep`` finds whole lines."""


def say(text: str) -> None:
    """To the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(text.encode(errors="backslashreplace").decode())  # half of a surrogate pair, as JSON writes it


def printable(text: str) -> str:
    """For a terminal, of what others wrote: control characters are shown, not obeyed."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def data_console() -> Console:
    """For tables on stdout. rich leaves colour away when it is no terminal, or when NO_COLOR is set."""
    from rich.console import Console

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def status_console() -> Console:
    """For progress on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)
