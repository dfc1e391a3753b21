"""The process that makes one export: ``python -m workflows.embedded.export_process``, with its request on stdin."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from workflows.audit.exports import Export
from workflows.audit.signed_notes import signed
from workflows.embedded.checkpoint_folder import signer_in
from workflows.embedded.export_folder import EXPORTS, read_state, store_state
from workflows.exports.making import make_export
from workflows.sql.database import SqlDatabase

_SHOWN_EVERY_S = 0.5


def main() -> None:
    """Make the export that stdin names."""
    request = json.loads(sys.stdin.read())
    os.nice(10)
    make(Path(request["folder"]), request["export"], request["views"])


def make(folder: Path, export_id: str, views_url: str) -> Export:
    """Make an export of an engine's folder, and store its state while it grows and at its end."""
    exports = folder / EXPORTS
    export = read_state(exports, export_id)
    shown_s = time.monotonic()

    def progress(rows: int) -> None:
        nonlocal shown_s
        if time.monotonic() - shown_s > _SHOWN_EVERY_S:
            shown_s = time.monotonic()
            store_state(exports, replace(export, rows=rows))

    url = Path(views_url) if "://" not in views_url else views_url
    with SqlDatabase(url, readers=1) as database:
        ended = make_export(
            database,
            export,
            exports / export_id,
            sign=lambda text: signed(text, signer_in(folder)),
            progress=progress,
        )
    store_state(exports, ended)
    return ended


if __name__ == "__main__":
    main()
