"""Prints data on stdout and everything else on stderr, with colour and progress on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPED_WIDTH = 200
"""Columns where stdout is not a terminal: wide enough that no line is wrapped, so that ``grep`` finds whole lines."""


def say(text: str) -> None:
    """Print a message for the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(text.encode(errors="backslashreplace").decode())  # half of a surrogate pair, as JSON writes it


def print_json_update(value: Any) -> None:
    """Print one JSON value on a line of stdout, at once: more follow later."""
    print(json.dumps(value), flush=True)


def print_json_line(value: Any) -> None:
    """Print one JSON value on a line of stderr."""
    say(json.dumps(value))


def printable(text: str) -> str:
    """Return text of other people with its control characters escaped, so that a terminal does not obey them."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def data_console() -> Console:
    """Return a console for tables on stdout. rich omits colour without a terminal and with NO_COLOR."""
    from rich.console import Console

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def status_console() -> Console:
    """Return a console for progress on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False)


def table(*columns: str, right: frozenset[str] = frozenset()) -> Table:
    """Return an empty table without lines. The columns in ``right`` are aligned to the right."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


@contextmanager
def counting(words: str) -> Iterator[Callable[[int], None]]:
    """Show a count on a terminal while a command works; the yielded function takes the new count.

    Args:
        words: With ``{}`` for the count, e.g. ``verifying stream {} ...``.
    """
    console = status_console()
    if not console.is_terminal:
        yield lambda _count: None
        return
    with console.status(words.format(0)) as status:
        yield lambda count: status.update(words.format(count))
