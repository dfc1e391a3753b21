"""Make the file of an export under a temporary name, then give it its own name: no half file ever has that."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from workflows.audit.exports import Export, ExportFormat
from workflows.boundary.private_files import open_private
from workflows.exports.event_rows import event_pages
from workflows.exports.formats import check_format, to_parquet, write_heading, write_rows
from workflows.exports.manifest import Manifest, manifest_of
from workflows.search.filters import EventFilter
from workflows.sql.database import SqlDatabase


def write_export(database: SqlDatabase, export: Export, file: Path, progress: Callable[[int], None]) -> Manifest:
    """Write the file of an export, and return its manifest.

    Args:
        progress: Called with the number of rows after each page.

    Raises:
        SqlUnavailable, FormatUnavailable, OSError: Nothing is left of it.
    """
    check_format(export.format)
    rows_file = file.with_name(f"{file.name}.{os.getpid()}.new")
    final = rows_file.with_suffix(".parquet.new") if export.format is ExportFormat.PARQUET else rows_file
    try:
        rows = _write_rows(database, export, rows_file, progress)
        if final is not rows_file:
            to_parquet(rows_file, final)
        with final.open("rb") as written:
            os.fsync(written.fileno())
        manifest = manifest_of(export, final, rows)
        final.replace(file)
        return manifest
    finally:
        for left in (rows_file, final):
            with suppress(OSError):
                left.unlink()


def _write_rows(database: SqlDatabase, export: Export, file: Path, progress: Callable[[int], None]) -> int:
    count = 0
    with open_private(file) as opened:
        write_heading(opened, export.format)
        for page in event_pages(database, filter_of(export), export.as_of):
            write_rows(opened, export.format, page)
            count += len(page)
            progress(count)
    return count


def filter_of(export: Export) -> EventFilter:
    """Return the filter of an export, which is stored by the names of the parameters."""
    stored = dict(export.filter)
    types = stored.pop("type", ())
    return EventFilter(types=tuple(types), **stored)  # type: ignore[arg-type]  # checked when it was requested
