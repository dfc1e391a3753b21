"""The formats of an export: write pages of rows to a file, and read them again.

JSONL has an object a line, with ``data`` as an object. CSV has ``data`` as JSON text, and an apostrophe before a text
that a spreadsheet would run as a formula, which reading removes. Parquet has ``data`` as JSON text; it is made from
JSONL by DuckDB, which is imported only then.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from workflows.audit.exports import ExportFormat, FormatUnavailable
from workflows.boundary.spreadsheets import as_text, from_text
from workflows.exports.event_rows import COLUMNS, NUMBERS, EventRow

_DATA = "data"


class NotAnExport(ValueError):
    """A file is not an export in its format. The message names the place."""


def check_format(format_: ExportFormat) -> None:
    """Check that this installation has what the format needs. Raises FormatUnavailable."""
    if format_ is ExportFormat.PARQUET and find_spec("duckdb") is None:
        raise FormatUnavailable


def write_heading(file: BinaryIO, format_: ExportFormat) -> None:
    """Write what stands before the rows."""
    if format_ is ExportFormat.CSV:
        file.write(_csv_lines([list(COLUMNS)]))


def write_rows(file: BinaryIO, format_: ExportFormat, rows: list[EventRow]) -> None:
    """Write a page of rows; for Parquet as JSONL, which ``to_parquet`` converts."""
    if format_ is ExportFormat.CSV:
        file.write(
            _csv_lines([[as_text(str("" if row[name] is None else row[name])) for name in COLUMNS] for row in rows])
        )
    else:
        file.write(b"".join(_json_line(row) for row in rows))


def _json_line(row: EventRow) -> bytes:
    shown = {name: json.loads(row[name]) if name == _DATA else row[name] for name in COLUMNS}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _csv_lines(lines: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def to_parquet(jsonl: Path, parquet: Path) -> None:
    """Convert a file of JSONL. Raises FormatUnavailable."""
    columns = ", ".join(f"{name}: '{'BIGINT' if name in NUMBERS else 'VARCHAR'}'" for name in COLUMNS)
    source = f"read_ndjson({_quoted(jsonl)}, columns = {{{columns}}})"
    _duckdb(f"COPY (SELECT * FROM {source}) TO {_quoted(parquet)} (FORMAT parquet, COMPRESSION zstd)")


def _duckdb(statement: str) -> Any:
    try:
        import duckdb
    except ImportError:
        raise FormatUnavailable from None
    connection = duckdb.connect(config={"memory_limit": "256MB", "threads": 1, "preserve_insertion_order": True})
    return connection.execute(statement)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def read_rows(path: Path, format_: ExportFormat) -> Iterator[EventRow]:
    """Yield the rows of a file, with ``data`` as JSON text.

    Raises:
        NotAnExport: The file has another content. The message names the line.
        FormatUnavailable: Parquet cannot be read here.
    """
    return _READERS[format_](path)


def _read_jsonl(path: Path) -> Iterator[EventRow]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                if list(row) != list(COLUMNS):
                    raise NotAnExport(f"line {number} has other fields")
            except (ValueError, TypeError) as error:
                raise NotAnExport(f"line {number} is not an event: {error}") from None
            yield {**row, _DATA: json.dumps(row[_DATA], ensure_ascii=False, separators=(",", ":"))}


def _read_csv(path: Path) -> Iterator[EventRow]:
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        if next(reader, None) != list(COLUMNS):
            raise NotAnExport("line 1 has other columns")
        for cells in reader:
            if len(cells) != len(COLUMNS):
                raise NotAnExport(f"line {reader.line_num} has {len(cells)} cells")
            yield {name: _from_cell(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)}


def _from_cell(name: str, cell: str) -> str | int | None:
    if name in NUMBERS:
        return int(cell)
    return from_text(cell) if cell or name not in _OPTIONAL else None


_OPTIONAL = frozenset({"customer", "restaurant", "reference"})
"""Columns that may be empty, which CSV cannot tell from an empty text."""


def _read_parquet(path: Path) -> Iterator[EventRow]:
    names = ", ".join(COLUMNS)
    found = _duckdb(f"SELECT {names} FROM read_parquet({_quoted(path)})")
    while rows := found.fetchmany(1000):
        for row in rows:
            yield dict(zip(COLUMNS, row, strict=True))


_READERS: Mapping[ExportFormat, Callable[[Path], Iterator[EventRow]]] = {
    ExportFormat.JSONL: _read_jsonl,
    ExportFormat.CSV: _read_csv,
    ExportFormat.PARQUET: _read_parquet,
}
