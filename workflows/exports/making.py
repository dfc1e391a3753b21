"""Make one export: its file, its signed manifest, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workflows.audit.exports import Export, ExportRefused, ExportState
from workflows.audit.signed_notes import SignerUnavailable
from workflows.exports.writing import write_export
from workflows.sql.database import SqlDatabase, SqlUnavailable


def make_export(
    database: SqlDatabase,
    export: Export,
    file: Path,
    *,
    sign: Callable[[str], str],
    progress: Callable[[int], None],
    keep: Callable[[Path], None] = lambda _: None,
) -> Export:
    """Write the file of an export, and return the export as it ended: done, or failed with the reason.

    Args:
        file: Where the file is written.
        sign: Returns the text of a manifest as a signed note.
        progress: Called with the number of rows after each page. It may raise ExportRefused to end the export.
        keep: Stores the file elsewhere, before the export is done.
    """
    try:
        manifest = write_export(database, export, file, progress)
        keep(file)
        return replace(
            export,
            state=ExportState.DONE,
            rows=manifest.rows,
            bytes=manifest.bytes,
            sha256=manifest.sha256,
            manifest=sign(manifest.text),
        )
    except (SqlUnavailable, ExportRefused, SignerUnavailable, OSError) as error:
        return replace(export, state=ExportState.FAILED, error=str(error) or type(error).__name__)
